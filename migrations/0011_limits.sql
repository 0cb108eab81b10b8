-- Limits: how many jobs of a key, or of a whole pool, run at once and how often they start, whatever the number of
-- processes. jobs/queue/src/limits.rs is the only code that claims under them.

-- Jobs of a pool with the same key share a limit (`Job::LIMIT`).
alter table jobs add column limit_key text collate "C";

-- `limit`: its key's limit was reached when a claim met it; the key's gate tells when it is met again.
alter table jobs drop constraint jobs_waits_for_check;
alter table jobs add constraint jobs_waits_for_check check (waits_for in ('line', 'limit'));

drop index jobs_ready;
create index jobs_ready on jobs (pool, priority desc, run_at, id)
    where state = 'ready' and order_key is null and limit_key is null;
drop index jobs_ordered;
create index jobs_ordered on jobs (pool, priority desc, run_at, id)
    where state = 'ready' and order_key is not null and limit_key is null and waits_for is null;
-- What nobody has met yet of jobs with a limit, and what waits at a gate.
create index jobs_limited on jobs (pool, run_at, id) where state = 'ready' and limit_key is not null and waits_for is null;
create index jobs_limit on jobs (pool, limit_key, waits_for, priority desc, run_at, id)
    where state = 'ready' and limit_key is not null;
create index jobs_limit_running on jobs (pool, limit_key) where state = 'running' and limit_key is not null;

-- Limits of whole pools, set by hand.
create table job_limits (
    pool text primary key,
    most_running integer check (most_running > 0),
    most_starts integer check (most_starts between 1 and 1000),
    per_ms bigint check (per_ms > 0),
    reason text,
    set_at timestamptz not null default app_now(),
    check ((most_starts is null) = (per_ms is null)),
    check (most_running is not null or most_starts is not null)
);

-- One row a key that was ever met, and one with an empty key a pool with a limit. Whoever claims holds the rows of his keys
-- until his commit, so limits hold over the whole fleet.
create table job_gates (
    pool text not null,
    key text collate "C" not null,
    most_running integer,
    most_starts integer,
    per_ms bigint,
    -- The last `most_starts` starts, oldest first.
    starts timestamptz[] not null default '{}',
    -- When a job that waits here may start as far as `most_starts` is concerned; null while none waits, or none before a
    -- run has ended.
    opens_at timestamptz,
    primary key (pool, key)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
create index job_gates_open on job_gates (pool, opens_at) where opens_at is not null;

-- Keys of which a run has ended: written where it ends, read with the gate in hand. Rows of their own instead of a column
-- of the gate, because the transaction of a run's effect must not hold a gate.
create table job_gates_freed (
    pool text not null,
    key text collate "C" not null
) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
create index job_gates_freed_key on job_gates_freed (pool, key);

create function job_limit_freed() returns trigger language plpgsql as $$
begin
    insert into job_gates_freed (pool, key) values (old.pool, old.limit_key);
    return null;
end $$;
create trigger job_limit_freed_by_state after update of state on jobs for each row
    when (old.limit_key is not null and old.state = 'running' and new.state <> 'running')
    execute function job_limit_freed();
create trigger job_limit_freed_by_end after delete on jobs for each row
    when (old.limit_key is not null and old.state = 'running')
    execute function job_limit_freed();

alter table job_acts drop constraint job_acts_act_check;
alter table job_acts add constraint job_acts_act_check
    check (act in ('retry', 'discard', 'reschedule', 'pause', 'resume', 'pause_worker', 'resume_worker', 'limit'));

-- As it was, with what a due job waits for.
create or replace view job_list as
    select id, kind, version, pool, case when state = 'ready' and run_at > app_now() then 'scheduled' else state end as state,
        priority, attempts, crashes, created_at, run_at, claimed_at, died_at as finished_at,
        order_key collate "default" as order_key, coalesce(event_key, wake_key) as dedupe_key, trace, reason, payload,
        true as unfinished, limit_key collate "default" as limit_key, waits_for
    from jobs
    union all
    select id, kind, version, pool, verdict, priority, attempts, crashes, created_at, null::timestamptz, claimed_at, finished_at,
        order_key, null::text, trace, reason, payload, false, null::text, null::text
    from jobs_done;
