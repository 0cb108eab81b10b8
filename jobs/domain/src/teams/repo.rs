//! SQL of teams.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Member, Place, TeamRole};

struct Row {
    user_id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: String,
    added_at: OffsetDateTime,
}

impl From<Row> for Member {
    fn from(row: Row) -> Self {
        Self {
            user_id: row.user_id,
            login: row.login,
            display_name: row.display_name,
            avatar_url: row.avatar_url,
            role: TeamRole::parse(&row.role),
            added_at: row.added_at,
        }
    }
}

/// What the person may do on the channel as one of its team; none for everybody else. The owner is in no team.
///
/// # Errors
/// The database refused.
pub async fn role_of(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<Option<TeamRole>, sqlx::Error> {
    let role =
        sqlx::query_scalar!("select role from channel_members where channel_id = $1 and user_id = $2", channel, user)
            .fetch_optional(conn)
            .await?;
    Ok(role.as_deref().map(TeamRole::parse))
}

/// The channel's team, by login.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Member>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select m.user_id, u.login, u.display_name, u.avatar_url, m.role, m.added_at
         from channel_members m join users u on u.id = m.user_id
         where m.channel_id = $1 order by u.login",
        channel
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Member::from).collect())
}

/// Takes everybody out of the channel's team.
///
/// # Errors
/// The database refused.
pub async fn disband(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from channel_members where channel_id = $1", channel).execute(conn).await?;
    Ok(())
}

/// The channels in whose teams the person is, by slug.
///
/// # Errors
/// The database refused.
pub async fn channels_of(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Place>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select c.slug, c.name, m.role, owner.banned_at is not null or owner.role = 'viewer' as "closed!"
           from channel_members m join channels c on c.id = m.channel_id join users owner on owner.id = c.owner_id
           where m.user_id = $1 order by c.slug"#,
        user
    )
    .fetch_all(conn)
    .await?;
    let places = rows.into_iter();
    Ok(places
        .map(|row| Place { slug: row.slug, name: row.name, role: TeamRole::parse(&row.role), closed: row.closed })
        .collect())
}

/// How many are in the team, which nobody enters or leaves until the end of the transaction.
pub(super) async fn lock_size(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query!("select from channels where id = $1 for no key update", channel).execute(&mut *conn).await?;
    sqlx::query_scalar!(r#"select count(*) as "count!" from channel_members where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

pub(super) async fn put(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
    role: TeamRole,
    by: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into channel_members (channel_id, user_id, role, added_by) values ($1, $2, $3, $4)
         on conflict (channel_id, user_id) do update set role = excluded.role",
        channel,
        user,
        role.as_str(),
        by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says what the person was.
pub(super) async fn remove(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
) -> Result<Option<TeamRole>, sqlx::Error> {
    let role = sqlx::query_scalar!(
        "delete from channel_members where channel_id = $1 and user_id = $2 returning role",
        channel,
        user
    )
    .fetch_optional(conn)
    .await?;
    Ok(role.as_deref().map(TeamRole::parse))
}
