-- Lines: jobs with an order key wait for the one before them without being looked at by every claim.

-- What a waiting job waits for besides its time: `line`, the job before it with the same order key. Set by the claim that
-- met it out of turn, taken back by whoever ends the one before it; crate `queue` alone writes it.
alter table jobs add column waits_for text check (waits_for in ('line'));
alter table jobs add check (waits_for is null or state = 'ready');

-- What a claim looks at of jobs with an order key: those that nobody has found to be out of turn.
create index jobs_ordered on jobs (pool, priority desc, run_at, id)
    where state = 'ready' and order_key is not null and waits_for is null;

-- Whatever ends the turn of a job, in the same transaction: the first that waits behind it may be looked at again. Its row
-- is locked in any case: a claim that holds it may just be setting it aside, and one that comes later skips it until we
-- have committed.
create function job_turn_ended() returns trigger language plpgsql as $$
declare
    next_id bigint;
begin
    select id into next_id from jobs
    where pool = old.pool and order_key = old.order_key and state = 'ready'
    order by id limit 1;
    if next_id <> old.id then
        perform from jobs where id = next_id for update;
        update jobs set waits_for = null where id = next_id and waits_for = 'line';
    end if;
    return null;
end $$;
create trigger job_turn_ended_by_state after update of state on jobs for each row
    when (old.order_key is not null and old.state = 'running' and new.state <> 'running')
    execute function job_turn_ended();
create trigger job_turn_ended_by_end after delete on jobs for each row
    when (old.order_key is not null and old.state <> 'dead' and old.waits_for is null)
    execute function job_turn_ended();
