-- People, channels, money and the event log: what every other noun refers to.

create table users (
    id uuid primary key,
    -- Lower case.
    login text not null unique,
    display_name text not null,
    avatar_url text,
    role text not null default 'viewer' check (role in ('viewer', 'streamer', 'admin')),
    created_at timestamptz not null default app_now()
);

create table channels (
    id uuid primary key,
    -- Lower case; also names the event stream `channel:<slug>`, so it never changes.
    slug text not null unique check (slug = lower(slug)),
    owner_id uuid not null unique references users (id),
    name text not null,
    description text not null default '',
    -- Coins for a meme without a price of its own.
    default_price bigint not null default 100 check (default_price between 0 and 1000000000),
    overlay_mode text not null default 'queue' check (overlay_mode in ('queue', 'simultaneous')),
    overlay_show_sender boolean not null default true,
    overlay_max_concurrent smallint not null default 3 check (overlay_max_concurrent between 1 and 5),
    overlay_style_json text check (length(overlay_style_json) <= 50000),
    -- Raised by "rotate": tokens of older versions are dead.
    overlay_token_version integer not null default 1,
    credits_token_version integer not null default 1,
    credits_style_json text check (length(credits_style_json) <= 50000),
    -- Seconds by which a further pending item of the same viewer stands back; 0 is strict first come.
    fair_step_seconds integer not null default 20 check (fair_step_seconds between 0 and 3600),
    playback_paused_at timestamptz,
    intake_paused_at timestamptz,
    -- The channel's account on Twitch (login, lower case), when linked.
    twitch_login text,
    twitch_channel_id text,
    created_at timestamptz not null default app_now()
);

-- Money. Every operation is two or more entries that sum to zero; nothing is ever changed or removed.
create table wallets (
    id uuid primary key,
    user_id uuid not null references users (id),
    channel_id uuid not null references channels (id),
    -- Coins that can be spent now. The check is the last wall; code tests first.
    balance bigint not null default 0 check (balance >= 0),
    -- Entries posted so far.
    version bigint not null default 0,
    created_at timestamptz not null default app_now(),
    unique (user_id, channel_id)
);

create table ledger_operations (
    id uuid primary key,
    kind text not null check (kind in ('place', 'free', 'capture', 'refund', 'adjust')),
    -- What makes the operation happen at most once, for ever: `activation:<id>:place`, `activation:<id>:settle`, ...
    idempotency_key text not null unique,
    channel_id uuid not null references channels (id),
    actor_id uuid references users (id),
    reason text,
    reverses uuid references ledger_operations (id),
    created_at timestamptz not null default app_now()
);

create table ledger_entries (
    operation_id uuid not null references ledger_operations (id),
    -- `wallet` entries name their wallet; escrow, sink and issuer belong to the operation's channel and have no balance row.
    account text not null check (account in ('wallet', 'escrow', 'sink', 'issuer')),
    wallet_id uuid references wallets (id),
    amount bigint not null,
    -- Of the wallet, after this entry; version ascends without gaps.
    balance_after bigint,
    version bigint,
    check ((account = 'wallet') = (wallet_id is not null)),
    check ((wallet_id is null) = (balance_after is null)),
    check ((wallet_id is null) = (version is null)),
    unique (wallet_id, version)
);
create index ledger_entries_operation on ledger_entries (operation_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: correct it with a new operation', tg_table_name;
end $$;
create trigger ledger_operations_append_only before update or delete on ledger_operations
    for each row execute function refuse_change();
create trigger ledger_entries_append_only before update or delete on ledger_entries
    for each row execute function refuse_change();

create trigger ledger_operations_keep before truncate on ledger_operations
    for each statement execute function refuse_change();
create trigger ledger_entries_keep before truncate on ledger_entries
    for each statement execute function refuse_change();

create table promotions (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    name text not null,
    -- 10000 is 100 %.
    discount_bp integer not null check (discount_bp between 0 and 10000),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    active boolean not null default true,
    created_at timestamptz not null default app_now(),
    check (starts_at < ends_at)
);
create index promotions_channel on promotions (channel_id) where active;

-- The event log: one gapless sequence per stream (`channel:<slug>`, `user:<id>`).
create table event_streams (
    key text primary key,
    -- Changes only on restore or reset; an unknown epoch in a cursor gets one `reset`.
    epoch bigint not null default 1,
    seq bigint not null default 0
);

create table events (
    stream text not null,
    epoch bigint not null,
    seq bigint not null,
    -- Who may see it: a sum of 1 overlay, 2 panel, 4 public, 8 user, 16 credits.
    audience smallint not null,
    name text not null,
    -- JSON on one line.
    data text not null,
    created_at timestamptz not null default app_now(),
    primary key (stream, epoch, seq)
);
create index events_created on events using brin (created_at);

-- Stored answers to requests that carry an Idempotency-Key.
create table idempotency_keys (
    actor uuid not null,
    operation text not null,
    key text not null check (length(key) <= 128),
    -- SHA-256 of what was asked; another question under the same key is 422.
    fingerprint bytea not null,
    status smallint,
    body text,
    created_at timestamptz not null default app_now(),
    primary key (actor, operation, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
