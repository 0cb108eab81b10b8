-- Coins for what viewers do on platforms: the channel's rules, and what happened there.
create table reward_rules (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    -- A word of `domain::rewards::Trigger`.
    trigger text not null check (trigger ~ '^[a-z_]{1,60}$'),
    -- Of redemptions: of this reward of the platform only. Null: of each that has no rule of its own.
    reward_id text check (length(reward_id) between 1 and 100),
    coins bigint not null check (coins between 1 and 1000000),
    -- The coins are for each so many (bits, gifts, viewers of a raid). Null: for the event, however large.
    per bigint check (per between 1 and 1000000000),
    -- What is smaller earns nothing.
    least bigint not null default 1 check (least between 1 and 1000000000),
    enabled boolean not null default true,
    created_at timestamptz not null default app_now(),
    updated_at timestamptz not null default app_now()
);
create unique index reward_rules_of_channel on reward_rules (channel_id, trigger, coalesce(reward_id, ''));
create trigger reward_rules_forgotten before insert or update on reward_rules
    for each row execute function refuse_forgotten('channel_id');

create table external_reward_events (
    -- Of the coins that it earns, too.
    id uuid primary key,
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- What happened, in words of ours: told a second time, it is the same.
    provider_event_id text not null check (length(provider_event_id) between 1 and 300),
    trigger text not null,
    -- Who did it, by the id there.
    account_id text not null check (length(account_id) between 1 and 255),
    login text not null,
    display_name text not null,
    -- Bits, gifts, viewers of a raid, months; 1 where there is nothing to count.
    amount bigint not null check (amount >= 0),
    reward_id text,
    reward_title text,
    -- `observed`: the channel has no rule for it. `ignored`: it earns nothing. `eligible`: the coins wait for the person's first
    -- login. `claimed`: paid. `failed`: it could not be paid.
    status text not null check (status in ('observed', 'eligible', 'ignored', 'claimed', 'failed')),
    reason text,
    coins bigint check (coins > 0),
    -- Who was paid.
    user_id uuid references users (id),
    happened_at timestamptz not null,
    created_at timestamptz not null default app_now(),
    unique (provider, provider_event_id)
);
create index external_reward_events_channel on external_reward_events (channel_id, id desc);
create index external_reward_events_account on external_reward_events (provider, account_id);
create index external_reward_events_user on external_reward_events (user_id) where user_id is not null;
create trigger external_reward_events_forgotten before insert on external_reward_events
    for each row execute function refuse_forgotten('user_id', 'channel_id');
