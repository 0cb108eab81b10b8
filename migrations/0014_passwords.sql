-- Accounts with a password, their second factors, and how often somebody may guess at either.

-- Lower case. Somebody may have said an address that is not theirs: what it proves waits for `is_verified`.
alter table users add column email text check (length(email) between 3 and 255);
-- PHC string: argon2id, or bcrypt from elsewhere until its next use. None: the person comes by other doors.
alter table users add column password_hash text;
alter table users add column is_verified boolean not null default false;
create unique index users_email on users (email);

-- Wrong guesses (and right ones until they are known to be) at one thing within a window of time.
create table attempts (
    -- `password:<user id>`, `name:<hash of a name that nobody has>`, `code:<user id>`.
    subject text primary key,
    count integer not null,
    since timestamptz not null default app_now()
);
create index attempts_since on attempts (since);

create table second_factors (
    user_id uuid primary key references users (id),
    -- The seed of the codes, sealed in the vault.
    secret bytea not null,
    -- None: begun, and not yet asked for.
    confirmed_at timestamptz,
    -- The time step (of 30 s since 1970) of the last code that was taken: it and those before are used up.
    last_step bigint not null default 0,
    created_at timestamptz not null default app_now()
);

create table recovery_codes (
    user_id uuid not null references second_factors (user_id) on delete cascade,
    -- SHA-256 of 80 random bits in their letters.
    hash bytea not null check (octet_length(hash) = 32),
    used_at timestamptz,
    primary key (user_id, hash)
);
