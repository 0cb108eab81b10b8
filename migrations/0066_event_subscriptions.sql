-- What we have asked platforms to tell us of a channel: one row for each thing that is wanted, with what came of it.
create table event_subscriptions (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- The platform's word for what happens, e.g. `channel.follow`.
    type text not null check (length(type) between 1 and 100),
    -- The platform's id of the subscription. Null: there is none.
    subscription_id text,
    -- `enabled`, `pending` (the platform looks whether we are there), `forbidden` (the streamer has not granted what it needs),
    -- or the platform's own word for why it ended.
    status text not null,
    -- Names the secret that its messages are signed with.
    secret_id text not null,
    checked_at timestamptz not null default app_now(),
    primary key (channel_id, provider, type)
);
create index event_subscriptions_id on event_subscriptions (provider, subscription_id) where subscription_id is not null;
