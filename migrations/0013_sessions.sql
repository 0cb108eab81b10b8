-- Who is logged in where: a row a device, whose key (the refresh token) is changed at each use. What proves a single
-- request is a signed token of minutes that names its row, so that no request asks the database for it.

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    created_at timestamptz not null default app_now(),
    -- When its refresh token was last used.
    seen_at timestamptz not null default app_now(),
    -- When its person last proved to be that person, not merely to have the token.
    authenticated_at timestamptz not null default app_now(),
    -- Thirty days after the last use, ninety after the beginning.
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (end_reason in ('logout', 'revoked', 'replaced', 'reuse', 'role', 'ban', 'password')),
    user_agent text not null check (length(user_agent) <= 200),
    -- IP address of the last use.
    address text not null check (length(address) <= 64),
    -- How its person was proven: `dev`, `password`, `totp`, the name of a provider, ...
    methods text[] not null,
    -- SHA-256 of the one refresh token that is good.
    token_hash bytea not null check (octet_length(token_hash) = 32),
    -- Of the one before it, which a second tab may still bring for some seconds without harm.
    spent_hash bytea check (octet_length(spent_hash) = 32),
    rotated_at timestamptz,
    check ((ended_at is null) = (end_reason is null))
);
create index sessions_living on sessions (user_id) where ended_at is null;
-- Each process reads again and again who has been ended lately.
create index sessions_ended on sessions (ended_at) where ended_at is not null;
create index sessions_expires on sessions (expires_at);

-- Nobody logs in to a banned account.
alter table users add column banned_at timestamptz;
-- People are listed by login, letter by letter whatever the server's language is.
create index users_login_bytes on users (login collate "C");

-- Acts on people stand in the same log as acts on jobs; the words are the program's.
alter table job_acts drop constraint job_acts_act_check;
alter table job_acts add constraint job_acts_act_check check (act ~ '^[a-z_]{1,40}$');
