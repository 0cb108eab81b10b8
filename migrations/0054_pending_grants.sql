-- Coins for people who have not logged in yet: they wait for whoever a platform says has the account, and are paid at that login.

alter table ledger_operations drop constraint ledger_operations_kind_check;
alter table ledger_operations add constraint ledger_operations_kind_check
    check (kind in ('place', 'free', 'capture', 'refund', 'adjust', 'grant', 'reward'));

create table pending_grants (
    -- Of the operation, too, that pays it.
    id uuid primary key,
    channel_id uuid not null references channels (id),
    provider text not null,
    -- The account's id there or, where nobody knows that, its name in lower case.
    provider_user_id text check (length(provider_user_id) between 1 and 255),
    login text check (length(login) between 1 and 255),
    amount bigint not null check (amount between 1 and 1000000000000),
    reason text not null check (length(reason) between 1 and 200),
    -- `unapproved`: another admin must agree first.
    status text not null check (status in ('unapproved', 'waiting', 'paid')),
    created_by uuid not null references users (id),
    approved_by uuid references users (id),
    created_at timestamptz not null default app_now(),
    -- The row goes then, and with it the name of somebody who is nobody here.
    expires_at timestamptz not null,
    -- Who was paid.
    user_id uuid references users (id),
    paid_at timestamptz,
    check ((provider_user_id is null) <> (login is null)),
    check ((status = 'paid') = (user_id is not null) and (user_id is null) = (paid_at is null)),
    check (approved_by <> created_by)
);
create index pending_grants_of_account on pending_grants (provider, provider_user_id) where status = 'waiting';
create index pending_grants_of_name on pending_grants (provider, login) where status = 'waiting';
create index pending_grants_channel on pending_grants (channel_id, id desc);
create index pending_grants_maker on pending_grants (created_by, created_at);
create index pending_grants_paid on pending_grants (user_id) where user_id is not null;
create index pending_grants_over on pending_grants (expires_at);
create trigger pending_grants_forgotten before insert on pending_grants
    for each row execute function refuse_forgotten('channel_id');
create trigger pending_grants_paid_forgotten before update of user_id on pending_grants
    for each row execute function refuse_forgotten('user_id');
