-- Which account speaks: one for all channels of a platform, or a channel's own.
create table default_bots (
    provider text primary key check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    account_id uuid not null references external_accounts (id),
    updated_at timestamptz not null default app_now()
);
create index default_bots_account on default_bots (account_id);

create table channel_bots (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    account_id uuid not null references external_accounts (id),
    updated_at timestamptz not null default app_now(),
    primary key (channel_id, provider)
);
create index channel_bots_account on channel_bots (account_id);
create trigger channel_bots_forgotten before insert or update on channel_bots
    for each row execute function refuse_forgotten('channel_id');

-- A link may be of an account that shall speak: for all channels (`default`), or for one.
alter table oauth_states
    add column bot text check (bot in ('default', 'channel')),
    add column channel_id uuid references channels (id) on delete cascade,
    add constraint oauth_states_bot check (
        (bot is null or user_id is not null) and ((bot is not distinct from 'channel') = (channel_id is not null)));

-- An account by its name there, for installations that name their bot by its login.
create index external_accounts_login on external_accounts (provider, lower(login));
