-- What bots do about messages that a channel does not want.

create table automod_settings (
    channel_id uuid primary key references channels (id),
    enabled boolean not null default false,
    -- What is done about a message that breaks the rule; `off`: nobody looks.
    links_action text not null default 'delete' check (links_action in ('off', 'delete', 'warn', 'timeout')),
    -- Hosts that may be linked to, with all below them; lower case.
    allowed_hosts text[] not null default '{}',
    caps_action text not null default 'off' check (caps_action in ('off', 'delete', 'warn', 'timeout')),
    caps_percent integer not null default 70 check (caps_percent between 10 and 100),
    -- Shorter messages are not looked at.
    caps_letters integer not null default 15 check (caps_letters between 5 and 500),
    repeats_action text not null default 'off' check (repeats_action in ('off', 'delete', 'warn', 'timeout')),
    -- So many times somebody may say the same within a minute, or a word may follow itself.
    repeats_most integer not null default 4 check (repeats_most between 1 and 50),
    zalgo_action text not null default 'delete' check (zalgo_action in ('off', 'delete', 'warn', 'timeout')),
    -- So many marks a letter may bear.
    zalgo_marks integer not null default 4 check (zalgo_marks between 1 and 50),
    -- Roles beside the broadcaster and moderators, who may always.
    exempt text[] not null default '{}' check (exempt <@ array['vip', 'subscriber']),
    timeout_seconds integer not null default 600 check (timeout_seconds between 1 and 1209600),
    -- After so many offences of a person within so many minutes each further one is a timeout, twice as long each time; 0: never.
    escalate_after integer not null default 0 check (escalate_after between 0 and 100),
    escalate_minutes integer not null default 60 check (escalate_minutes between 1 and 10080),
    -- For so long somebody may link after `!permit`.
    permit_seconds integer not null default 60 check (permit_seconds between 5 and 3600),
    updated_at timestamptz not null default app_now()
);
create trigger automod_settings_forgotten before insert or update on automod_settings
    for each row execute function refuse_forgotten('channel_id');

-- Who may link for a while.
create table automod_permits (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    platform text not null check (platform in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- Lower case.
    login text not null check (length(login) between 1 and 100),
    created_at timestamptz not null default app_now(),
    expires_at timestamptz not null
);
create index automod_permits_channel on automod_permits (channel_id, platform, login, expires_at);
create index automod_permits_expired on automod_permits (expires_at);
create trigger automod_permits_forgotten before insert on automod_permits
    for each row execute function refuse_forgotten('channel_id');

-- What was decided about messages, and what came of it.
create table automod_acts (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    platform text not null check (platform in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- The message, and who wrote it.
    content_id text not null,
    author_id text not null,
    author_login text not null,
    author_name text not null,
    text text not null,
    rule text not null check (rule in ('links', 'caps', 'repeats', 'zalgo')),
    action text not null check (action in ('delete', 'warn', 'timeout')),
    -- Of a timeout.
    seconds integer check (seconds between 1 and 1209600),
    status text not null default 'pending' check (status in ('pending', 'done', 'failed')),
    -- Why it was not done, or not yet.
    error text,
    -- The login of the account that did it.
    done_by text,
    decided_at timestamptz not null default app_now(),
    done_at timestamptz,
    -- A message that is read twice is judged once.
    unique (channel_id, platform, content_id)
);
create index automod_acts_channel on automod_acts (channel_id, id desc);
create index automod_acts_author on automod_acts (channel_id, platform, author_id, decided_at);
create index automod_acts_decided on automod_acts (decided_at);
