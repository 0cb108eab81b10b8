-- Of an act on somebody else, what it changed stays when the owner of the channel is forgotten; only its reason, which may name
-- that person, goes. So each of the three may go alone.
create or replace function people_acts_keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE'
        and (new.before is null or new.before is not distinct from old.before)
        and (new.after is null or new.after is not distinct from old.after)
        and (new.reason is null or new.reason is not distinct from old.reason)
        and (new.id, new.at, new.actor_id, new.system, new.act, new.user_id, new.channel_id, new.thing, new.request)
            is not distinct from (old.id, old.at, old.actor_id, old.system, old.act, old.user_id, old.channel_id, old.thing,
                old.request) then
        return new;
    end if;
    raise exception 'people_acts is append-only';
end $$;
