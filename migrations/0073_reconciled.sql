-- Until when what platforms have on their lists of a channel was compared with what they have told.
create table channel_polls (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    what text not null check (what in ('follows', 'redemptions')),
    -- By the platform's clock; what happened before we first looked is nobody's loss.
    until timestamptz not null,
    primary key (channel_id, provider, what)
);
