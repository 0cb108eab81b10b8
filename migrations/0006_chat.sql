-- Chat: which bots listen where, what was said, what is to be said, and who rolls in the credits.

-- The streamer's switch of each platform's bot.
create table bot_integrations (
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    enabled boolean not null,
    updated_at timestamptz not null default app_now(),
    primary key (channel_id, provider)
);
create index bot_integrations_enabled on bot_integrations (provider, channel_id) where enabled;

create table chat_commands (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    trigger text not null check (length(trigger) between 1 and 50),
    -- Lower case, one space between words: what a message is compared with.
    trigger_normalized text not null,
    response text not null check (length(response) between 1 and 450),
    enabled boolean not null default true,
    created_at timestamptz not null default app_now(),
    updated_at timestamptz not null default app_now(),
    unique (channel_id, trigger_normalized)
);

-- Processes that read chats. One row an incarnation, renewed every second: its sessions are free once the lease ends.
create table chat_workers (
    id uuid primary key,
    platform text not null,
    lease_until timestamptz not null,
    started_at timestamptz not null default app_now()
);

-- Who reads which chat. The row stays when a holder dies; the epoch tells a late holder that another took over.
create table chat_sessions (
    platform text not null,
    channel_id uuid not null references channels (id),
    holder uuid,
    epoch bigint not null default 1,
    taken_at timestamptz not null default app_now(),
    primary key (platform, channel_id)
);
create index chat_sessions_holder on chat_sessions (holder);

-- What was read, as bytes, until the job that understands it is done.
create table chat_batches (
    id uuid primary key,
    platform text not null,
    -- The channel of each line; null where the line does not tell.
    channels uuid[] not null,
    lines bytea[] not null,
    received_at timestamptz not null default app_now(),
    check (cardinality(channels) = cardinality(lines))
);

create table chat_messages (
    id bigint generated always as identity primary key,
    platform text not null,
    channel_id uuid not null references channels (id),
    -- The platform's id of the message, or a hash of its content: what makes a second reading of it harmless.
    content_id text not null,
    author_id text not null,
    author_login text not null,
    author_name text not null,
    -- A sum of 1 broadcaster, 2 moderator, 4 vip, 8 subscriber.
    roles smallint not null,
    text text not null,
    sent_at timestamptz not null,
    received_at timestamptz not null default app_now(),
    unique (platform, channel_id, content_id)
);
create index chat_messages_channel on chat_messages (channel_id, id desc);

-- Lines that nobody could understand or keep, with their bytes.
create table chat_dead_letters (
    id bigint generated always as identity primary key,
    platform text not null,
    channel_id uuid,
    line bytea not null,
    reason text not null,
    created_at timestamptz not null default app_now()
);

create table outbox_messages (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    provider text not null check (provider in ('twitch', 'youtube', 'vkvideo', 'trovo', 'kick')),
    -- `say` came from the streamer, `command` answers a viewer.
    source text not null check (source in ('say', 'command')),
    message text not null check (length(message) between 1 and 500),
    -- `unknown`: it was written, and the connection was lost before the platform confirmed. Never sent again.
    status text not null default 'pending' check (status in ('pending', 'processing', 'sent', 'failed', 'unknown')),
    attempts smallint not null default 0,
    -- The bot account (login) of the last attempt.
    account text,
    last_error text,
    -- The platform's id of the message, where it tells.
    provider_message_id text,
    -- Not sent after this: an old answer only confuses.
    expires_at timestamptz not null,
    processing_at timestamptz,
    sent_at timestamptz,
    failed_at timestamptz,
    -- When our own message was read in the chat: what settles an unknown one.
    read_back_at timestamptz,
    created_at timestamptz not null default app_now(),
    updated_at timestamptz not null default app_now()
);
create index outbox_messages_pending on outbox_messages (channel_id, provider) where status = 'pending';
create index outbox_messages_open on outbox_messages (channel_id, provider, processing_at) where read_back_at is null;

-- What an account did within the platform's window; one row an account and action, shared by all processes.
create table account_budgets (
    account text not null,
    action text not null check (action in ('send', 'join')),
    recent timestamptz[] not null default '{}',
    primary key (account, action)
);

-- The credits of a channel since the last reset.
create table credits_sessions (
    channel_id uuid primary key references channels (id),
    session_id uuid not null,
    started_at timestamptz not null default app_now(),
    -- The last `credits:state`: at most one a second.
    published_at timestamptz
);

-- The sending side: who was first seen in a chat in this session. One relay job for each and each target.
create table credits_sightings (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    session_id uuid not null,
    platform text not null,
    user_id text not null,
    display_name text not null,
    avatar_url text,
    seen_at timestamptz not null default app_now(),
    unique (session_id, platform, user_id)
);

-- The receiving side: events that were applied, by their sender's id.
create table credits_events (
    event_id text primary key,
    received_at timestamptz not null default app_now()
);
create index credits_events_received on credits_events using brin (received_at);

create table credits_chatters (
    session_id uuid not null,
    user_id text not null,
    channel_id uuid not null references channels (id),
    name text not null,
    avatar_url text,
    seen_at timestamptz not null default app_now(),
    primary key (session_id, user_id)
);

create table credits_donors (
    session_id uuid not null,
    name text not null,
    currency text not null,
    channel_id uuid not null references channels (id),
    -- Hundredths of the currency, summed over the session.
    amount_hundredths bigint not null check (amount_hundredths > 0),
    avatar_url text,
    seen_at timestamptz not null default app_now(),
    primary key (session_id, name, currency)
);
