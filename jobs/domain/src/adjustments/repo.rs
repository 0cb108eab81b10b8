//! SQL of adjustments that take two.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{AdjustmentStatus, PATIENCE_DAYS, PendingAdjustment};
use crate::wallets::Adjustment;

/// The adjustments that end in this clause.
macro_rules! adjustments {
    ($tail:literal, $conn:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            PendingAdjustment,
            r#"select p.id, p.user_id, u.login, p.channel_id, c.slug as channel_slug, p.delta, p.reason,
                      case when p.status = 'pending' and p.expires_at <= app_now() then 'expired' else p.status end
                          as "status!: AdjustmentStatus",
                      p.asked_by, asker.login as asker_login,
                      asker.role = 'admin' and asker.banned_at is null as "asker_is_admin!", p.asked_at, p.expires_at,
                      p.decided_by, p.decided_at
               from pending_adjustments p
                    join users u on u.id = p.user_id
                    join users asker on asker.id = p.asked_by
                    join channels c on c.id = p.channel_id "#
                + $tail
            $(, $argument)*
        )
        .fetch_all($conn)
        .await
    };
}

/// Adjustments, the newest first, from before the given one: those that wait, or all of the last three months.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    waiting: bool,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PendingAdjustment>, sqlx::Error> {
    let before = before.unwrap_or(Uuid::max());
    // A statement for each index.
    if waiting {
        adjustments!(
            "where p.status = 'pending' and p.expires_at > app_now() and p.id < $1 order by p.id desc limit $2",
            conn,
            before,
            limit
        )
    } else {
        adjustments!("where p.id < $1 order by p.id desc limit $2", conn, before, limit)
    }
}

pub(super) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<PendingAdjustment>, sqlx::Error> {
    Ok(adjustments!("where p.id = $1", conn, id)?.pop())
}

/// One that nobody else decides about until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<PendingAdjustment>, sqlx::Error> {
    Ok(adjustments!("where p.id = $1 for update of p", conn, id)?.pop())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    actor: Uuid,
    wish: Adjustment<'_>,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into pending_adjustments (id, user_id, channel_id, delta, reason, asked_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, app_now() + make_interval(days => $7))",
        wish.id,
        wish.user,
        wish.channel,
        wish.delta,
        reason,
        actor,
        PATIENCE_DAYS,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn decide(
    conn: &mut PgConnection,
    id: Uuid,
    status: AdjustmentStatus,
    actor: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update pending_adjustments set status = $2, decided_by = $3, decided_at = app_now() where id = $1",
        id,
        status.as_str(),
        actor,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes what was decided or ended three months ago; says how many, at most `limit`.
///
/// # Errors
/// The database refused.
pub async fn forget_over(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from pending_adjustments where id in (
             select id from pending_adjustments where expires_at <= app_now() - interval '90 days' limit $1)",
        limit
    );
    Ok(gone.execute(conn).await?.rows_affected())
}
