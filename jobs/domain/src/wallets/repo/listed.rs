//! SQL of all wallets, for the house.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::{Choice, OwnedWallet};

/// Wallets after the one with this id, by id: of one person, in one channel, both or all.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    user: Option<Uuid>,
    channel: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<OwnedWallet>, sqlx::Error> {
    let after = after.unwrap_or(Uuid::nil());
    macro_rules! select {
        ($tail:literal $(, $argument:expr)* $(,)?) => {
            sqlx::query_as!(
                OwnedWallet,
                "select w.id, w.user_id, u.login, u.display_name, w.channel_id, c.slug as channel_slug, w.balance
                 from wallets w join users u on u.id = w.user_id join channels c on c.id = w.channel_id where w.id > $1 and "
                    + $tail + " order by w.id limit $2"
                , after, limit $(, $argument)*
            )
            .fetch_all(conn)
            .await
        };
    }
    // A statement for each index.
    match (user, channel) {
        (Some(user), Some(channel)) => select!("w.user_id = $3 and w.channel_id = $4", user, channel),
        (Some(user), None) => select!("w.user_id = $3", user),
        (None, Some(channel)) => select!("w.channel_id = $3", channel),
        (None, None) => select!("true"),
    }
}

/// People whose login begins so.
///
/// # Errors
/// The database refused.
pub async fn people(conn: &mut PgConnection, beginning: &str, limit: i64) -> Result<Vec<Choice>, sqlx::Error> {
    sqlx::query_as!(
        Choice,
        "select id, login as name from users where login >= $1 and starts_with(login, $1) and erased_at is null
         order by login limit $2",
        beginning,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Channels whose slug begins so.
///
/// # Errors
/// The database refused.
pub async fn channels(conn: &mut PgConnection, beginning: &str, limit: i64) -> Result<Vec<Choice>, sqlx::Error> {
    sqlx::query_as!(
        Choice,
        "select id, slug as name from channels where slug >= $1 and starts_with(slug, $1) order by slug limit $2",
        beginning,
        limit,
    )
    .fetch_all(conn)
    .await
}
