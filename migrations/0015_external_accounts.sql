-- Logins with other platforms: which account there is which person here, the tokens that the platform gave us for it, and
-- logins that are under way.

create table external_accounts (
    id uuid primary key,
    user_id uuid not null references users (id),
    provider text not null,
    -- Who vouches for the id below: an address of the platform. Identity is (issuer, id) and nothing else, never an e-mail.
    issuer text not null,
    provider_user_id text not null check (length(provider_user_id) between 1 and 255),
    login text not null,
    display_name text not null,
    avatar_url text,
    -- What the person allowed, as the platform says.
    scopes text[] not null default '{}',
    -- Sealed, bound to this row and column. Null: the platform gave none, or took it back.
    access_token bytea,
    refresh_token bytea,
    -- Null: the platform did not say.
    token_expires_at timestamptz,
    -- Some platforms want to see it again at each renewal.
    device_id text,
    linked_at timestamptz not null default app_now(),
    refreshed_at timestamptz not null default app_now(),
    -- Why the person must link the account again before we can act there.
    relink_reason text,
    unique (provider, issuer, provider_user_id)
);
create index external_accounts_user on external_accounts (user_id);

-- A login or link that has gone to the platform and has not come back. Kept here, so that one process may begin it and another
-- end it. Only hashes: who reads this table can end nobody's login.
create table oauth_states (
    -- SHA-256 of the state in the address.
    hash bytea primary key,
    provider text not null,
    -- SHA-256 of the cookie of the browser that began it.
    browser bytea not null,
    -- Of a link: the person and the session that asked for it.
    user_id uuid references users (id) on delete cascade,
    session_id uuid,
    -- Where the browser goes in the end: a path of ours.
    redirect_to text not null,
    created_at timestamptz not null default app_now(),
    check ((user_id is null) = (session_id is null))
);
create index oauth_states_created on oauth_states (created_at);
