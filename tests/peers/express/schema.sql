-- What a plain server keeps for the purchase: the same keys, references and lookups as ours, where it has the same tables.

create table users (
    id uuid primary key,
    login text not null unique,
    display_name text not null
);
create table channels (
    id uuid primary key,
    slug text not null unique,
    owner_id uuid not null references users (id),
    default_price bigint not null default 100
);
create table memes (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    title text not null,
    file_url text not null,
    duration_ms integer not null,
    price bigint,
    status text not null default 'approved'
);
create table wallets (
    id uuid primary key,
    user_id uuid not null references users (id),
    channel_id uuid not null references channels (id),
    balance bigint not null check (balance >= 0),
    unique (user_id, channel_id)
);
create table activations (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    user_id uuid not null references users (id),
    meme_id uuid not null references memes (id),
    price bigint not null,
    status text not null default 'queued',
    created_at timestamptz not null default now()
);
create index activations_of_channel on activations (channel_id, created_at);
create table ledger (
    id uuid primary key,
    wallet_id uuid not null references wallets (id),
    activation_id uuid references activations (id),
    amount bigint not null,
    balance_after bigint not null,
    reason text not null,
    created_at timestamptz not null default now()
);
create index ledger_of_wallet on ledger (wallet_id, created_at);
