//! SQL of people.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Role, User};

struct Row {
    id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: String,
    created_at: time::OffsetDateTime,
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
        "select id, login, display_name, avatar_url, role, created_at from users where id = $1",
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
        "select id, login, display_name, avatar_url, role, created_at from users where login = $1",
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
