-- Tokens of accounts that were unlinked, until the platform has taken them back: nobody needs them here any more, and who has
-- stolen them should not have them either.
create table revoked_grants (
    -- Of the account, which is gone.
    id uuid primary key,
    provider text not null,
    -- Sealed, bound to this row and column.
    access_token bytea,
    refresh_token bytea,
    created_at timestamptz not null default app_now()
);
-- Whose tokens are to be validated, in this order.
create index external_accounts_provider on external_accounts (provider, id) where access_token is not null;
