-- Who did what to people, channels and what belongs to them: roles, bans, teams, settings, tokens, logins. Written in the
-- transaction that does it. What was done to jobs by hand stands in `job_acts`, as do acts on people from before this table.
create table people_acts (
    id bigint generated always as identity primary key,
    at timestamptz not null default app_now(),
    -- A person; null: `system` says who it was.
    actor_id uuid references users (id),
    -- `os:<name>` of a command line.
    system text check (system ~ '^[a-z]+:'),
    act text not null check (act ~ '^[a-z_]{1,40}$'),
    -- To whom, and on which channel. Names are looked up: they change, and are nobody's when their person was forgotten.
    user_id uuid references users (id),
    channel_id uuid references channels (id),
    -- Which thing of theirs, where there are several: a meme, a token, a play.
    thing uuid,
    -- What it changed, as objects with the same names.
    before jsonb,
    after jsonb,
    reason text,
    -- The request that ordered it.
    request text,
    check ((actor_id is null) = (system is not null))
);
create index people_acts_actor on people_acts (actor_id, id desc);
create index people_acts_user on people_acts (user_id, id desc);
create index people_acts_channel on people_acts (channel_id, id desc);

-- Nothing is changed or removed; only words may go, when their person is forgotten.
create function people_acts_keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.before is null and new.after is null and new.reason is null
        and (new.id, new.at, new.actor_id, new.system, new.act, new.user_id, new.channel_id, new.thing, new.request)
            is not distinct from (old.id, old.at, old.actor_id, old.system, old.act, old.user_id, old.channel_id, old.thing,
                old.request) then
        return new;
    end if;
    raise exception 'people_acts is append-only';
end $$;
create trigger people_acts_append_only before update or delete on people_acts
    for each row execute function people_acts_keep();
create trigger people_acts_keep before truncate on people_acts
    for each statement execute function refuse_change();
