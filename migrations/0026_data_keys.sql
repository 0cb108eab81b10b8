-- A process that starts looks whether it has the keys of all that is sealed, and a rotation begins only when all processes seal
-- under the key that it goes to.

-- Under which keys values are is read from the ends of these, without going through the tables: a sealed value has its key's id
-- behind the first byte.
create index external_accounts_access_token_key on external_accounts (substr(access_token, 2, 4));
create index external_accounts_refresh_token_key on external_accounts (substr(refresh_token, 2, 4));
create index revoked_grants_access_token_key on revoked_grants (substr(access_token, 2, 4));
create index revoked_grants_refresh_token_key on revoked_grants (substr(refresh_token, 2, 4));
create index second_factors_secret_key on second_factors (substr(secret, 2, 4));

-- One row a process, renewed every few seconds; one that is not was left by a process that died.
create table key_holders (
    id uuid primary key,
    -- Where to look: role, machine and process id.
    process text not null,
    -- The id of the key under which it seals, in hexadecimal.
    key text not null check (key ~ '^[0-9a-f]{8}$'),
    seen_at timestamptz not null default machine_now()
);
