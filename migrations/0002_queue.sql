-- The job queue: what is to be done, who does it, and what came of it.
-- jobs/README.md tells the states; crate `queue` is the only code that reads or writes these tables.

-- Time as machines see it. Liveness and time limits of runs follow real time even where a test moves `app_now()`:
-- a clock that jumps an hour must not declare live workers dead. Volatile as what it calls, so that it is inlined; no
-- index condition uses it.
create function machine_now() returns timestamptz
    language sql volatile parallel safe
    as $$ select statement_timestamp() $$;

-- Unfinished and dead jobs. A finished one moves to `jobs_done`, so this table stays small.
create table jobs (
    id bigint generated always as identity primary key,
    -- Fence of the current claim; random, new with every claim, null while nobody owns the row.
    token bigint,
    -- The process incarnation that owns the row (`job_workers.id`), null while nobody does.
    worker bigint,
    -- Due time while ready; later runs persist their backoff here, so a waiting job holds no slot.
    run_at timestamptz not null default app_now(),
    -- Real time after which a run is overdue even if its owner lives.
    deadline timestamptz,
    claimed_at timestamptz,
    created_at timestamptz not null default app_now(),
    version smallint not null,
    priority smallint not null default 0,
    -- Runs begun and not given back; raised and committed before the handler runs.
    attempts smallint not null default 0,
    max_attempts smallint not null check (max_attempts > 0),
    -- Times that its process died under it.
    crashes smallint not null default 0,
    state text not null default 'ready' check (state in ('ready', 'running', 'dead')),
    kind text not null,
    pool text not null,
    payload jsonb not null,
    -- One unfinished job an event.
    event_key text,
    -- One waiting job a wake-up.
    wake_key text,
    -- Jobs of a pool with the same key run one after another.
    order_key text collate "C",
    -- What asked for it: a request id or the job that enqueued it.
    trace text,
    -- Why it is dead.
    reason text,
    died_at timestamptz,
    check ((state = 'running') = (token is not null)),
    check ((state = 'dead') = (died_at is not null))
) with (
    -- Every row is written three times in a short life: clean up by count, not by share of a table that is mostly empty.
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0.0,
    autovacuum_vacuum_insert_threshold = 200000,
    autovacuum_analyze_scale_factor = 0.0,
    autovacuum_analyze_threshold = 100000,
    autovacuum_vacuum_cost_delay = 1
);
-- The claim: per pool, the largest priority first, then the longest due.
create index jobs_ready on jobs (pool, priority desc, run_at, id) where state = 'ready' and order_key is null;
-- The janitor and the recovery of a claim whose answer was lost.
create index jobs_running on jobs (worker) where state = 'running';
create index jobs_dead on jobs (pool, id) where state = 'dead';
-- Jobs with an order key are claimed from here: the first of each key, whatever stands in line behind it.
create index jobs_order on jobs (pool, order_key, id) where order_key is not null and state in ('ready', 'running');
-- The last wall of strict order: two claims that cannot see one another never both own a key.
create unique index jobs_order_running on jobs (pool, order_key) where order_key is not null and state = 'running';
create unique index jobs_event on jobs (kind, event_key) where event_key is not null and state in ('ready', 'running');
-- Among ready ones only: a running job has read already, so a new wish needs a row of its own.
create unique index jobs_wake on jobs (kind, wake_key) where wake_key is not null and state = 'ready';

-- What came of finished jobs. Daily partitions, made ahead and dropped when old by the queue itself.
create table jobs_done (
    id bigint not null,
    finished_at timestamptz not null default app_now(),
    created_at timestamptz not null,
    -- Null when it was cancelled before it ever ran.
    claimed_at timestamptz,
    worker bigint,
    version smallint not null,
    priority smallint not null,
    attempts smallint not null,
    crashes smallint not null,
    verdict text not null check (verdict in ('done', 'cancelled', 'folded', 'discarded')),
    kind text not null,
    pool text not null,
    payload jsonb not null,
    order_key text,
    trace text,
    reason text
) partition by range (finished_at);
create index jobs_done_id on jobs_done (id);
-- Takes rows when the clock outran the partitions: finishing a job never fails for want of one.
create table jobs_done_default partition of jobs_done default;

-- Runs that were not a first-attempt success (that one is told by `jobs_done` alone).
create table job_attempts (
    job_id bigint not null,
    attempt smallint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default app_now(),
    worker bigint,
    verdict text not null
        check (verdict in ('failed', 'timed_out', 'crashed', 'snoozed', 'cancelled', 'discarded')),
    error text,
    trace text
) partition by range (ended_at);
create index job_attempts_job on job_attempts (job_id);
create table job_attempts_default partition of job_attempts default;

-- Every run of every job in one place.
create view job_runs as
    select job_id, attempt, started_at, ended_at, worker, verdict, error, trace
    from job_attempts
    union all
    select id, attempts, claimed_at, finished_at, worker, verdict, reason, trace
    from jobs_done
    where verdict = 'done';

-- One row a process incarnation; `beats` rises each second. A number that stands still for a lease is a dead process:
-- watchers measure that with their own clocks, so no clock step kills anybody.
create table job_workers (
    id bigint generated always as identity primary key,
    -- host/boot/pid/random: never configured, never reused.
    name text not null unique,
    pools text[] not null,
    beats bigint not null default 0,
    started_at timestamptz not null default machine_now(),
    seen_at timestamptz not null default machine_now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

-- Pools that were paused by hand.
create table job_pauses (
    pool text primary key,
    paused_at timestamptz not null default app_now(),
    reason text
);

-- Periodic jobs: whoever locks the row of a due tick enqueues it and moves it on, in one transaction.
create table job_schedules (
    name text primary key,
    every_ms bigint not null check (every_ms > 0),
    next_at timestamptz not null,
    last_at timestamptz
);

-- Makes the partitions of the days around `today` (UTC) and drops those that ended `keep_days` ago or more.
create function job_partitions_maintain(today date, keep_days integer) returns void language plpgsql as $$
declare
    parent text;
    key text;
    day date;
    part text;
    old record;
begin
    for parent, key in values ('jobs_done', 'finished_at'), ('job_attempts', 'ended_at') loop
        for offset_days in 0..2 loop
            day := today + offset_days;
            part := format('%s_%s', parent, to_char(day, 'YYYYMMDD'));
            continue when to_regclass(part) is not null;
            -- Made apart and attached: the parent stays open to writers while rows that fell into the default move over.
            execute format('create table %I (like %I including defaults including constraints)', part, parent);
            execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
                parent || '_default', key, day::timestamp at time zone 'utc', key, (day + 1)::timestamp at time zone 'utc', part);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                parent, part, day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
        end loop;
        for old in
            select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = parent::regclass and c.relname ~ '_[0-9]{8}$'
                and to_date(right(c.relname, 8), 'YYYYMMDD') < today - keep_days
        loop
            execute format('drop table %I', old.name);
        end loop;
        execute format('delete from %I where %I < %L', parent || '_default', key,
            (today - keep_days)::timestamp at time zone 'utc');
    end loop;
end $$;
select job_partitions_maintain((app_now() at time zone 'utc')::date, 14);
