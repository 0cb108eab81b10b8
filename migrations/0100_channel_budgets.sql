-- When an account has last said something in a channel: a platform takes one message a second there. Shared by all processes.
create table channel_budgets (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    account text not null,
    said_at timestamptz not null default app_now(),
    primary key (channel_id, provider, account)
);

-- Whether a bot was heard again after it was refused.
create index outbox_messages_sent on outbox_messages (channel_id, provider, sent_at desc) where status = 'sent';
