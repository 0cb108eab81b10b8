//! SQL of how far channels have come on Twitch.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::channels::Standing;

/// Notes what Twitch said of the channel's account there.
///
/// # Errors
/// The database refused.
pub async fn note_standing(
    conn: &mut PgConnection,
    channel: Uuid,
    account: &str,
    standing: Standing,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into twitch_standings (channel_id, account, standing) values ($1, $2, $3)
         on conflict (channel_id) do update
         set account = excluded.account, standing = excluded.standing, asked_at = app_now()",
        channel,
        account,
        standing.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What Twitch said of this account of the channel's owner, if that was within the last `seconds`.
///
/// # Errors
/// The database refused.
pub async fn standing(
    conn: &mut PgConnection,
    channel: Uuid,
    account: &str,
    seconds: i32,
) -> Result<Option<Standing>, sqlx::Error> {
    let standing = sqlx::query_scalar!(
        "select standing from twitch_standings
         where channel_id = $1 and account = $2 and asked_at > app_now() - make_interval(secs => $3)",
        channel,
        account,
        f64::from(seconds),
    )
    .fetch_optional(conn)
    .await?;
    Ok(standing.map(|standing: String| Standing::of(&standing)))
}
