//! SQL of entitlements.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Entitlement, Feature, Holder};

/// The entitlements that end in this clause.
macro_rules! entitlements {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Entitlement,
            r#"select e.id, e.key as "feature: Feature", e.user_id, u.login as "login?", e.channel_id,
                      c.slug as "channel_slug?", e.granted_by, e.granted_at, e.expires_at,
                      coalesce(e.expires_at > app_now(), true) as "active!"
               from entitlements e
                    left join users u on u.id = e.user_id
                    left join channels c on c.id = e.channel_id "#
                + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await
    };
}

/// Entitlements, those that were given last first, from before the given one: of one person, of one channel, or all. Those
/// whose time is over are among them.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    holder: Option<Holder>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entitlement>, sqlx::Error> {
    let before = before.unwrap_or(Uuid::max());
    // A statement for each index.
    match holder {
        Some(Holder::Person(id)) => {
            entitlements!("where e.user_id = $1 and e.id < $2 order by e.id desc limit $3", conn, id, before, limit)
        }
        Some(Holder::Channel(id)) => {
            entitlements!("where e.channel_id = $1 and e.id < $2 order by e.id desc limit $3", conn, id, before, limit)
        }
        None => entitlements!("where e.id < $1 order by e.id desc limit $2", conn, before, limit),
    }
}

/// What the channel and its owner may use now.
///
/// # Errors
/// The database refused.
pub async fn list_of_channel(
    conn: &mut PgConnection,
    channel: Uuid,
    owner: Uuid,
) -> Result<Vec<Entitlement>, sqlx::Error> {
    let mut found = entitlements!("where e.channel_id = $1 order by e.key", &mut *conn, channel)?;
    found.extend(entitlements!("where e.user_id = $1 order by e.key", conn, owner)?);
    found.retain(|entitlement| entitlement.active);
    Ok(found)
}

/// What the person may use now, without what the person's channel may.
///
/// # Errors
/// The database refused.
pub async fn list_of_person(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Entitlement>, sqlx::Error> {
    let mut found = entitlements!("where e.user_id = $1 order by e.key", conn, user)?;
    found.retain(|entitlement| entitlement.active);
    Ok(found)
}

pub(super) async fn find(
    conn: &mut PgConnection,
    feature: Feature,
    holder: Holder,
) -> Result<Option<Entitlement>, sqlx::Error> {
    let found = match holder {
        Holder::Person(id) => {
            entitlements!("where e.user_id = $1 and e.key = $2", conn, id, feature.as_str())
        }
        Holder::Channel(id) => {
            entitlements!("where e.channel_id = $1 and e.key = $2", conn, id, feature.as_str())
        }
    };
    Ok(found?.pop())
}

pub(super) async fn has(
    conn: &mut PgConnection,
    feature: Feature,
    channel: Uuid,
    owner: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from entitlements where channel_id = $1 and key = $3
                            and coalesce(expires_at > app_now(), true))
               or exists (select from entitlements where user_id = $2 and key = $3
                            and coalesce(expires_at > app_now(), true)) as "has!""#,
        channel,
        owner,
        feature.as_str(),
    )
    .fetch_one(conn)
    .await
}

/// There is none: the caller has removed it, and holds the holder's row.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    actor: Uuid,
    feature: Feature,
    holder: Holder,
    until: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into entitlements (id, granted_by, key, user_id, channel_id, expires_at) values ($1, $2, $3, $4, $5, $6)",
        id,
        actor,
        feature.as_str(),
        holder.user(),
        holder.channel(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from entitlements where id = $1", id).execute(conn).await?;
    Ok(())
}
