-- Looking at the queue and acting on it by hand: who is paused, what there is to be found, and who did what.

-- Of each of `pools`: how many jobs this process runs at once.
alter table job_workers add column slots integer[] not null default '{}';
-- Pools that this process is to begin nothing of, though others may. It is in the row that a claim reads anyway, and ends
-- with the process.
alter table job_workers add column paused text[] not null default '{}';
alter table job_workers add column paused_at timestamptz;
alter table job_workers add column paused_reason text;

-- Every job that is known, in the words of those who look; each half is one walk along its ids. Collations are named,
-- because halves that differ in them are not walked but read to the end.
create view job_list as
    select id, kind, version, pool, case when state = 'ready' and run_at > app_now() then 'scheduled' else state end as state,
        priority, attempts, crashes, created_at, run_at, claimed_at, died_at as finished_at,
        order_key collate "default" as order_key, coalesce(event_key, wake_key) as dedupe_key, trace, reason, payload,
        true as unfinished
    from jobs
    union all
    select id, kind, version, pool, verdict, priority, attempts, crashes, created_at, null::timestamptz, claimed_at, finished_at,
        order_key, null::text, trace, reason, payload, false
    from jobs_done;

-- What people did to jobs and pools; written in the transaction that does it, and never changed.
create table job_acts (
    id bigint generated always as identity primary key,
    at timestamptz not null default app_now(),
    -- `user:<login>`, or `os:<name>` of a command line.
    actor text not null,
    act text not null check (act in ('retry', 'discard', 'reschedule', 'pause', 'resume', 'pause_worker', 'resume_worker')),
    -- One job's id, the conditions of many, or a pool and a worker; and why.
    target jsonb not null,
    -- Jobs that it changed; null where it was not about jobs.
    jobs bigint,
    -- The request that ordered it.
    request text
);
create trigger job_acts_append_only before update or delete on job_acts
    for each row execute function refuse_change();
create trigger job_acts_keep before truncate on job_acts
    for each statement execute function refuse_change();
