-- Large adjustments of wallets by hand take two: one admin asks, another one agrees or does not.

create table pending_adjustments (
    -- Of the operation, too, that it becomes.
    id uuid primary key,
    user_id uuid not null references users (id),
    channel_id uuid not null references channels (id),
    delta bigint not null check (delta <> 0 and abs(delta) <= 1000000000000),
    -- Null once its person is forgotten.
    reason text check (length(reason) between 1 and 200),
    status text not null default 'pending' check (status in ('pending', 'approved', 'refused')),
    asked_by uuid not null references users (id),
    asked_at timestamptz not null default app_now(),
    -- From then on nobody can agree.
    expires_at timestamptz not null,
    decided_by uuid references users (id),
    decided_at timestamptz,
    check ((status = 'pending') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
    check (status <> 'approved' or decided_by <> asked_by)
);
create index pending_adjustments_waiting on pending_adjustments (id) where status = 'pending';
create index pending_adjustments_user on pending_adjustments (user_id);
create index pending_adjustments_over on pending_adjustments (expires_at);
create trigger pending_adjustments_forgotten before insert on pending_adjustments
    for each row execute function refuse_forgotten('user_id', 'channel_id');

-- What one admin has moved in a wallet lately counts together.
create index ledger_operations_by_hand on ledger_operations (actor_id, created_at) where kind = 'adjust';
