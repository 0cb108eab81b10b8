-- Tokens that a streamer gives to one thing each: a source in OBS, a dock, a program. Beside the one link to the overlay that
-- a channel always had, so that any of them can be taken back without touching the others.

create table tokens (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    kind text not null check (kind in ('overlay', 'dock', 'api')),
    name text not null check (length(name) between 1 and 100),
    -- What the program may do; the words are the program's.
    scopes text[] not null,
    -- SHA-256 of the token. None for the channel's own link to the overlay, whose id is the channel's: that one is worked out
    -- from the version that stands with the channel.
    hash bytea unique check (octet_length(hash) = 32),
    created_at timestamptz not null default app_now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    -- When and from which network it was seen last, to the minute.
    seen_at timestamptz,
    seen_network text,
    -- Two networks at the same time, until the streamer has said that it is all right: when, the new one, and the other.
    alarm_at timestamptz,
    alarm_network text,
    alarm_other text,
    check ((hash is null) = (id = channel_id)),
    check (hash is not null or revoked_at is null),
    check ((seen_at is null) = (seen_network is null)),
    check ((alarm_at is null) = (alarm_network is null) and (alarm_at is null) = (alarm_other is null))
);
create index tokens_of_channel on tokens (channel_id);
-- Each process reads again and again what has ended lately.
create index tokens_revoked on tokens (revoked_at) where revoked_at is not null;
create index tokens_expiring on tokens (expires_at) where expires_at is not null;

-- From which networks a token was used: a row each, a handful a token.
create table token_sightings (
    token_id uuid not null references tokens (id) on delete cascade,
    -- Of IPv4 a /24, of IPv6 a /64.
    network text not null check (length(network) <= 64),
    first_seen_at timestamptz not null default app_now(),
    last_seen_at timestamptz not null default app_now(),
    -- The streamer has said that this is nobody else.
    known boolean not null default false,
    primary key (token_id, network)
);
