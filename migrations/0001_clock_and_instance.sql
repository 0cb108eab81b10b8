-- The clock that all SQL reads, and what this database knows about itself.

-- Every query reads the time here, never by now(): tests move this clock by hand. It is the time at which the statement
-- began, one for all its rows. Declared stable, because a volatile function in a where clause loses the index condition;
-- and stable in its body, because only then the planner puts the body in the place of the call (ten times faster).
create function app_now() returns timestamptz
    language sql stable parallel safe
    as $$ select statement_timestamp() $$;

-- One row a fact: `database_id` (marks the upload directory), `environment` (pinned at first boot), secrets made in dev.
create table instance (
    key text primary key,
    value text not null,
    created_at timestamptz not null default app_now()
);
