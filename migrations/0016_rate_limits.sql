-- How much of its budget somebody has used, shared by all processes (`domain::budgets`). Unlogged: a count that lives for
-- minutes is not worth the disk's time, and after a crash of PostgreSQL all budgets are whole again.
create unlogged table budgets (
    -- Which budget of whom, as a keyed hash: nothing here says who asked.
    key uuid primary key,
    -- When the first of the slices begins.
    began_at timestamptz not null,
    -- Uses by slices of a twelfth of the budget's time, the oldest first.
    slices integer[] not null check (cardinality(slices) = 12),
    -- From then on nothing of it counts any more, and the row may go.
    ends_at timestamptz not null
);
create index budgets_ended on budgets (ends_at);
