//! SQL of promotions.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewPromotion, Promotion};

/// Promotions with what was bought under them and not given back.
macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Promotion,
            r#"select p.id, p.channel_id, p.name, p.discount_bp, p.starts_at, p.ends_at, p.active, p.max_uses,
                      p.max_uses_per_viewer, used.count as "uses!",
                      p.active and p.starts_at <= app_now() and p.ends_at > app_now()
                          and used.count < coalesce(p.max_uses, used.count + 1) as "running!",
                      p.created_at
               from promotions p
               cross join lateral (select count(*) as count from activations a
                                   where a.promotion_id = p.id and a.status in ('queued', 'playing', 'done')) used "#
                + $tail
            $(, $argument)*
        )
    };
}

/// The channel's promotions that are not deleted: those that run, then those to come, then the others, each the newest first.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Uuid,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Promotion>, i64), sqlx::Error> {
    let total = sqlx::query_scalar!(
        r#"select count(*) as "count!" from promotions where channel_id = $1 and deleted_at is null"#,
        channel,
    )
    .fetch_one(&mut *conn)
    .await?;
    let items = select!(
        "where p.channel_id = $1 and p.deleted_at is null
         order by case when not p.active or p.ends_at <= app_now() then 2 when p.starts_at > app_now() then 1 else 0 end,
                  p.created_at desc, p.id
         limit $2 offset $3",
        channel,
        limit,
        offset,
    );
    let items = items.fetch_all(conn).await?;
    Ok((items, total))
}

/// The channel's promotion with this id, unless it is deleted.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<Promotion>, sqlx::Error> {
    select!("where p.id = $2 and p.channel_id = $1 and p.deleted_at is null", channel, id).fetch_optional(conn).await
}

/// The largest discount that runs on the channel and is not used up, in basis points: by everybody together, and by this
/// viewer, if there is one; for a subscriber no less than subscribers have.
///
/// # Errors
/// The database refused.
pub async fn best_running(conn: &mut PgConnection, channel: Uuid, viewer: Option<Uuid>) -> Result<i32, sqlx::Error> {
    let best = sqlx::query_scalar!(
        "select p.discount_bp from promotions p
         where p.channel_id = $1 and p.active and p.starts_at <= app_now() and p.ends_at > app_now()
           and (p.max_uses is null
                or (select count(*) from activations a
                    where a.promotion_id = p.id and a.status in ('queued', 'playing', 'done')) < p.max_uses)
           and ($2::uuid is null or p.max_uses_per_viewer is null
                or (select count(*) from activations a
                    where a.promotion_id = p.id and a.user_id = $2 and a.status in ('queued', 'playing', 'done'))
                   < p.max_uses_per_viewer)
         order by p.discount_bp desc limit 1",
        channel,
        viewer,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(viewer) = viewer else { return Ok(best.unwrap_or(0)) };
    let own = sqlx::query_scalar!(
        "select subscriber_discount_bp from channels
         where id = $1 and subscriber_discount_bp > 0 and subscribes(id, $2)",
        channel,
        viewer,
    )
    .fetch_optional(conn)
    .await?;
    Ok(best.unwrap_or(0).max(own.unwrap_or(0)))
}

/// Has the rows until the end of the transaction: nobody else uses what they limit.
pub(crate) async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from promotions where id = any($1) order by id for no key update", ids)
        .fetch_all(conn)
        .await?;
    Ok(())
}

pub(super) async fn count_not_ended(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from promotions
           where channel_id = $1 and deleted_at is null and ends_at > app_now()"#,
        channel,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    new: &NewPromotion,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into promotions (id, channel_id, name, discount_bp, starts_at, ends_at, active, max_uses,
                                 max_uses_per_viewer)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        channel,
        new.name,
        new.discount_bp,
        new.starts_at,
        new.ends_at,
        new.active,
        new.max_uses,
        new.max_uses_per_viewer,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut PgConnection, id: Uuid, new: &NewPromotion) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update promotions set name = $2, discount_bp = $3, starts_at = $4, ends_at = $5, active = $6, max_uses = $7,
                               max_uses_per_viewer = $8
         where id = $1",
        id,
        new.name,
        new.discount_bp,
        new.starts_at,
        new.ends_at,
        new.active,
        new.max_uses,
        new.max_uses_per_viewer,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update promotions set active = false, deleted_at = app_now() where id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}
