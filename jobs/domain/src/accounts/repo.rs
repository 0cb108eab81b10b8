//! SQL of people.

mod preferences;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Role, User,
    model::{LONGEST, login_like},
};

pub use preferences::{change_preferences, preferences};

struct Row {
    id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: String,
    created_at: time::OffsetDateTime,
    banned_at: Option<time::OffsetDateTime>,
    observer: bool,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            login: row.login,
            display_name: row.display_name,
            avatar_url: row.avatar_url,
            role: Role::parse(&row.role),
            created_at: row.created_at,
            banned_at: row.banned_at,
            observer: row.observer,
        }
    }
}

/// The person with this id.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, login, display_name, avatar_url, role, created_at, banned_at, observer from users where id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(User::from))
}

/// The person with this login (lower case).
///
/// # Errors
/// The database refused.
pub async fn find_by_login(conn: &mut PgConnection, login: &str) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, login, display_name, avatar_url, role, created_at, banned_at, observer from users where login = $1",
        login
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(User::from))
}

/// The person with this login, made if need be; an existing one keeps name and gets the role if it is a higher one.
///
/// # Errors
/// The database refused.
pub async fn upsert_by_login(
    conn: &mut PgConnection,
    login: &str,
    display_name: &str,
    role: Role,
) -> Result<User, sqlx::Error> {
    sqlx::query!(
        "insert into users (id, login, display_name) values ($1, $2, $3) on conflict (login) do nothing",
        Uuid::now_v7(),
        login,
        display_name,
    )
    .execute(&mut *conn)
    .await?;
    let user = find_by_login(&mut *conn, login).await?.ok_or(sqlx::Error::RowNotFound)?;
    promote(conn, user.id, role).await
}

/// Gives the person the role, unless the person has it or a higher one.
///
/// # Errors
/// `RowNotFound` when there is no such person.
pub async fn promote(conn: &mut PgConnection, id: Uuid, role: Role) -> Result<User, sqlx::Error> {
    let user = find(&mut *conn, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    if user.role >= role {
        return Ok(user);
    }
    sqlx::query!("update users set role = $2 where id = $1", id, role.as_str()).execute(conn).await?;
    Ok(User { role, ..user })
}

/// People by login, after the one with `after`: those whose login begins with `prefix` (lower case), at most `limit`.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, prefix: &str, after: &str, limit: i64) -> Result<Vec<User>, sqlx::Error> {
    // Logins are letters, digits and underscores: all of them stand before the last character of ASCII.
    let end = format!("{prefix}\u{7f}");
    let rows = sqlx::query_as!(
        Row,
        r#"select id, login, display_name, avatar_url, role, created_at, banned_at, observer from users
           where login collate "C" >= $1 and login collate "C" < $2 and login collate "C" > $3
           order by login collate "C" limit $4"#,
        prefix,
        end,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(User::from).collect())
}

/// The person, whom nobody changes until the end of the transaction; none who has asked to be forgotten.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, login, display_name, avatar_url, role, created_at, banned_at, observer from users
          where id = $1 and erased_at is null for no key update",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(User::from))
}

/// The person, for whoever makes an end of them: waits for all who write something of theirs, and lets nobody begin until
/// the end of the transaction. None who has asked to be forgotten.
pub(crate) async fn lock_alone(conn: &mut PgConnection, id: Uuid) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, login, display_name, avatar_url, role, created_at, banned_at, observer from users
          where id = $1 and erased_at is null for update",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(User::from))
}

/// The slug of the person's channel.
pub(super) async fn channel_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select slug from channels where owner_id = $1", id).fetch_optional(conn).await
}

/// No admin is made, banned or made something else until the end of the transaction.
pub(super) async fn hold_admins(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('admins', 0))").fetch_one(conn).await?;
    Ok(())
}

/// Whether anybody else is an admin who can log in.
pub(super) async fn is_last_admin(conn: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select not exists (select from users where role = 'admin' and banned_at is null and id <> $1) as "last!""#,
        id
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn set_role(conn: &mut PgConnection, id: Uuid, role: Role) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set role = $2 where id = $1", id, role.as_str()).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_observer(conn: &mut PgConnection, id: Uuid, observer: bool) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set observer = $2 where id = $1", id, observer).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_banned(conn: &mut PgConnection, id: Uuid, banned: bool) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set banned_at = case when $2 then app_now() end where id = $1", id, banned)
        .execute(conn)
        .await?;
    Ok(())
}

/// A new person, with the login that comes closest to `name` and is free.
///
/// # Errors
/// The database refused.
pub async fn create(
    conn: &mut PgConnection,
    name: &str,
    display_name: &str,
    avatar_url: Option<&str>,
) -> Result<User, sqlx::Error> {
    let wanted = login_like(name);
    let mut login = wanted.clone();
    loop {
        let id = Uuid::now_v7();
        let made = sqlx::query!(
            "insert into users (id, login, display_name, avatar_url) values ($1, $2, $3, $4) on conflict (login) do nothing",
            id,
            login,
            display_name,
            avatar_url,
        )
        .execute(&mut *conn)
        .await?;
        if made.rows_affected() == 1 {
            return find(conn, id).await?.ok_or(sqlx::Error::RowNotFound);
        }
        // 24 bits beside the name: who shares a name with a million others waits for a second try.
        let (kept, drawn) = (&wanted[..wanted.len().min(LONGEST - 7)], rand::random::<u32>() >> 8);
        login = format!("{kept}_{drawn:06x}");
    }
}
