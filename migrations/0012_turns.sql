-- What ends in a line lets the next one on: without two who end neighbours waiting for each other, and past jobs that end
-- at the same time.

create or replace function job_turn_ended() returns trigger language plpgsql as $$
declare
    next_id bigint;
begin
    loop
        select id into next_id from jobs
        where pool = old.pool and order_key = old.order_key and state = 'ready'
        order by id limit 1;
        -- One that waited and was not the first held nobody up. Looking back at an earlier one, we would wait for whoever
        -- ends that one and waits for us.
        exit when next_id is null or next_id = old.id or old.state = 'ready' and next_id < old.id;
        perform from jobs where id = next_id and state = 'ready' for update;
        if found then
            update jobs set waits_for = null where id = next_id and waits_for = 'line';
            exit;
        end if;
        -- It has ended meanwhile, while it stood in line: whoever ended it let nobody on.
    end loop;
    return null;
end $$;

-- The first of a line may wait for its limit.
drop trigger job_turn_ended_by_end on jobs;
create trigger job_turn_ended_by_end after delete on jobs for each row
    when (old.order_key is not null and old.state <> 'dead' and old.waits_for is distinct from 'line')
    execute function job_turn_ended();

-- The gate with an empty key is that of the whole pool.
alter table jobs add check (limit_key <> '');
