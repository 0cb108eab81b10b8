//! SQL of chat messages.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Batch, ChatMessage, RawLine, Removal, Removed};
use crate::outbox::Provider;

pub(super) async fn insert_batch(
    conn: &mut PgConnection,
    id: Uuid,
    platform: Provider,
    lines: &[RawLine],
) -> Result<(), sqlx::Error> {
    let channels: Vec<Option<Uuid>> = lines.iter().map(|line| line.channel_id).collect();
    let bytes: Vec<Vec<u8>> = lines.iter().map(|line| line.bytes.clone()).collect();
    sqlx::query!(
        "insert into chat_batches (id, platform, channels, lines) values ($1, $2, $3, $4)",
        id,
        platform.as_str(),
        &channels as &[Option<Uuid>],
        &bytes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The batch, if nobody has finished it.
///
/// # Errors
/// The database refused.
pub async fn find_batch(conn: &mut PgConnection, id: Uuid) -> Result<Option<Batch>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select platform, channels as "channels!: Vec<Option<Uuid>>", lines, received_at
           from chat_batches where id = $1"#,
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Batch {
        id,
        platform: row.platform,
        lines: row
            .channels
            .into_iter()
            .zip(row.lines)
            .map(|(channel_id, bytes)| RawLine { channel_id, bytes })
            .collect(),
        received_at: row.received_at,
    }))
}

/// Forgets the lines of a batch that is understood.
///
/// # Errors
/// The database refused.
pub async fn drop_batch(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from chat_batches where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Returns the keys of those that were new. Rows go in by the order of their keys, so that two readers of one chat
/// cannot wait for each other in a circle.
pub(super) async fn insert_messages(
    conn: &mut PgConnection,
    platform: Provider,
    messages: &[ChatMessage],
) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let mut sorted: Vec<&ChatMessage> = messages.iter().collect();
    sorted.sort_by_key(|message| (message.channel_id, message.content_id.as_str()));
    let channels: Vec<Uuid> = sorted.iter().map(|m| m.channel_id).collect();
    let contents: Vec<String> = sorted.iter().map(|m| m.content_id.clone()).collect();
    let ids: Vec<String> = sorted.iter().map(|m| m.author_id.clone()).collect();
    let logins: Vec<String> = sorted.iter().map(|m| m.author_login.clone()).collect();
    let names: Vec<String> = sorted.iter().map(|m| m.author_name.clone()).collect();
    let roles: Vec<i16> = sorted.iter().map(|m| m.roles.bits()).collect();
    let texts: Vec<String> = sorted.iter().map(|m| m.text.clone()).collect();
    let sent: Vec<time::OffsetDateTime> = sorted.iter().map(|m| m.sent_at).collect();
    let rows = sqlx::query!(
        "insert into chat_messages
             (platform, channel_id, content_id, author_id, author_login, author_name, roles, text, sent_at)
         select $1, m.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                                    $8::text[], $9::timestamptz[]) m
         on conflict (platform, channel_id, content_id) do nothing
         returning channel_id, content_id",
        platform.as_str(),
        &channels,
        &contents,
        &ids,
        &logins,
        &names,
        &roles,
        &texts,
        &sent,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.content_id)).collect())
}

/// One by one, by the order of their keys: few, and of one chat often the same.
pub(super) async fn insert_removals(
    conn: &mut PgConnection,
    platform: Provider,
    removals: &[Removal],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> =
        removals.iter().map(|removal| (removal.channel_id, scope(&removal.of), removal.at)).collect();
    rows.sort_unstable();
    for (channel, (scope, subject, banned), at) in rows {
        sqlx::query!(
            "insert into chat_removals as old (channel_id, platform, scope, subject, until, banned)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (channel_id, platform, scope, subject) do update
             set until = greatest(old.until, excluded.until),
                 banned = case when excluded.until >= old.until then excluded.banned else old.banned end",
            channel,
            platform.as_str(),
            scope,
            subject,
            at,
            banned,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// As the table keeps it: scope, subject, banned.
fn scope(of: &Removed) -> (&'static str, &str, bool) {
    match of {
        Removed::Message(id) => ("message", id, false),
        Removed::Author { id, banned } => ("author", id, *banned),
        Removed::All => ("all", "", false),
    }
}

pub(super) async fn insert_dead_letter(
    conn: &mut PgConnection,
    platform: Provider,
    line: &RawLine,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chat_dead_letters (platform, channel_id, line, reason) values ($1, $2, $3, $4)",
        platform.as_str(),
        line.channel_id,
        &line.bytes,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Days. A message is kept to know it again when it is read a second time, which happens within minutes: on a second
/// connection, or when a batch is tried again. The rest is for whoever wonders what was said.
const MESSAGES_KEPT: i32 = 7;

/// Days that a line which was put aside waits for somebody to look at it; also the lines of a batch whose job is dead.
const ASIDE_KEPT: i32 = 30;

pub(super) async fn trim_messages(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from chat_messages
         where ctid = any (array(
             select ctid from chat_messages where received_at < app_now() - make_interval(days => $1) limit $2
         ))",
        MESSAGES_KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn trim_dead_letters(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from chat_dead_letters
         where ctid = any (array(
             select ctid from chat_dead_letters where created_at < app_now() - make_interval(days => $1) limit $2
         ))",
        ASIDE_KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Longer than messages: a name in the credits may be older than they.
pub(super) async fn trim_removals(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from chat_removals
         where ctid = any (array(
             select ctid from chat_removals where received_at < app_now() - make_interval(days => $1) limit $2
         ))",
        ASIDE_KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Holds nothing but what is being understood, and what nobody could: small enough to be read whole.
pub(super) async fn trim_batches(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from chat_batches
         where ctid = any (array(
             select ctid from chat_batches where received_at < app_now() - make_interval(days => $1) limit $2
         ))",
        ASIDE_KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
