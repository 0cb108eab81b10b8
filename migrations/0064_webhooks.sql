-- What platforms tell us by themselves: the bytes as they came, until the job that understands them is done. The id stays
-- for longer, so that what is told again counts once.
create table webhook_deliveries (
    id uuid primary key,
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- The platform's id of this message; the same when it is told again.
    message_id text not null check (length(message_id) between 1 and 200),
    -- `notification`, `revocation`.
    kind text not null,
    -- Null: it is understood, and nobody needs it any more.
    body bytea,
    -- Why nobody understands it; its body waits for somebody to look.
    failure text,
    -- By the platform's clock.
    sent_at timestamptz not null,
    received_at timestamptz not null default app_now(),
    unique (provider, message_id)
);
create index webhook_deliveries_received on webhook_deliveries (received_at);

-- The channel whose account on Twitch has this id there. No two channels are of one account.
create unique index channels_twitch on channels (twitch_channel_id) where twitch_channel_id is not null;

-- What is known of a channel's streams on each platform. Each moment only grows, so it does not matter in which order it is
-- heard of: the channel is live while the last sign of life is younger than the last end.
create table channel_streams (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    started_at timestamptz,
    alive_at timestamptz,
    ended_at timestamptz,
    primary key (channel_id, provider)
);
