-- Chats tell more than words: that messages are gone, and what people do for the channel.

-- What moderators have taken out of chats. It is asked for by whatever shows messages or counts them, so that it does not matter
-- which of the two is read first.
create table chat_removals (
    channel_id uuid not null references channels (id),
    platform text not null check (platform in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- `message`: one; `author`: all of one person; `all`: the whole chat.
    scope text not null check (scope in ('message', 'author', 'all')),
    -- The message's content id, the person's id there, or nothing.
    subject text not null check (length(subject) <= 2000),
    -- What was sent until then is gone.
    until timestamptz not null,
    -- The person was sent away for good.
    banned boolean not null,
    received_at timestamptz not null default app_now(),
    primary key (channel_id, platform, scope, subject)
);
create index chat_removals_received on chat_removals (received_at);

-- The same deed may be told twice, by a webhook and in the chat, under ids that have nothing in common.
alter table external_reward_events
    add column told_by text not null default 'webhook' check (told_by in ('webhook', 'chat', 'poll')),
    -- The id under which the other one told it.
    add column twin_event_id text check (length(twin_event_id) between 1 and 300);
create unique index external_reward_events_twin on external_reward_events (provider, twin_event_id)
    where twin_event_id is not null;
