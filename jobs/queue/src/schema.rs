//! The queue's tables for programs that are not MemAlerts, whose own migrations have them among others.

use sqlx::{
    PgPool, SqlStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Its own name, so that the program's own migrations are not mixed with these.
const TABLE: &str = "job_migrations";

/// What the queue needs of files that are not about it; a test compares the outcome with that of all migrations.
const HOUSE: &str = "
create function app_now() returns timestamptz
    language sql stable parallel safe
    as $$ select statement_timestamp() $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: correct it with a new operation', tg_table_name;
end $$;
";

const LAST_WISH: &str = "alter table jobs add column last_wish jsonb;";

/// Programs write their own acts into the log, in their own words.
const ACTS: &str = "
alter table job_acts drop constraint job_acts_act_check;
alter table job_acts add constraint job_acts_act_check check (act ~ '^[a-z_]{1,40}$');
";

/// Makes the queue's tables, or brings those that an earlier version of this function made up to date. Processes that start
/// together do it once. All tables, views and functions are named `job...`, but for the functions `app_now`, `machine_now`
/// and `refuse_change`; they are made in the first schema of the search path.
///
/// Not for the database of MemAlerts, which has them by its own migrations.
///
/// # Errors
/// The server refused (something else has one of the names), or what an earlier version applied differs from this one's.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let steps = [
        (1, "house", HOUSE),
        (2, "queue", include_str!("../../../migrations/0002_queue.sql")),
        (8, "last wish", LAST_WISH),
        (9, "admin", include_str!("../../../migrations/0009_admin.sql")),
        (10, "lines", include_str!("../../../migrations/0010_lines.sql")),
        (11, "limits", include_str!("../../../migrations/0011_limits.sql")),
        (12, "turns", include_str!("../../../migrations/0012_turns.sql")),
        (13, "acts", ACTS),
    ];
    let steps = steps.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    let mut migrator = Migrator::with_migrations(steps.to_vec());
    migrator.dangerous_set_table_name(TABLE);
    migrator.set_ignore_missing(true);
    migrator.run(pool).await
}
