//! SQL of chat messages.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Batch, Category, ChatMessage, Filter, RawLine, Removal, Removed, Shown,
    model::{id_of, number_of},
};
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
    let sent: Vec<OffsetDateTime> = sorted.iter().map(|m| m.sent_at).collect();
    let categories: Vec<String> = sorted.iter().map(|m| Category::of(&m.text).as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "insert into chat_messages
             (platform, channel_id, content_id, author_id, author_login, author_name, roles, text, sent_at, category)
         select $1, m.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                                    $8::text[], $9::timestamptz[], $10::text[]) m
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
        &categories,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, row.content_id)).collect())
}

/// So many of a chat's newest messages are looked through: whoever wants one of few among a week of a busy chat does not hold the
/// database up.
const LOOKED_THROUGH: i64 = 50_000;

struct Row {
    id: i64,
    platform: String,
    channel: String,
    author_id: String,
    author_name: String,
    text: String,
    sent_at: OffsetDateTime,
    category: String,
}

impl From<Row> for Shown {
    fn from(row: Row) -> Self {
        Self {
            id: id_of(row.id),
            platform: row.platform,
            channel: row.channel,
            username: row.author_name,
            user_id: row.author_id,
            message: row.text,
            timestamp: row.sent_at,
            category: row.category,
        }
    }
}

/// What the channel's chats show of the newest 50,000 messages, the newest first.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Uuid,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<Shown>, sqlx::Error> {
    let floor = floor(conn, channel).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"select m.id as "id!", m.platform as "platform!", c.slug as channel, m.author_id as "author_id!",
                  m.author_name as "author_name!", m.text as "text!", m.sent_at as "sent_at!", m.category as "category!"
           from channels c join chat_messages_standing m on m.channel_id = c.id
           where c.id = $1 and m.sent_at > $2 and ($3::text is null or m.platform = $3) and ($4::text is null or m.category = $4)
           order by m.sent_at desc, m.id desc limit $5 offset $6"#,
        channel,
        floor,
        filter.platform.map(Provider::as_str),
        filter.category.map(Category::as_str),
        limit,
        offset,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Shown::from).collect())
}

/// How many those are.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, channel: Uuid, filter: &Filter) -> Result<i64, sqlx::Error> {
    let floor = floor(conn, channel).await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from chat_messages_standing
           where channel_id = $1 and sent_at > $2 and ($3::text is null or platform = $3) and ($4::text is null or category = $4)"#,
        channel,
        floor,
        filter.platform.map(Provider::as_str),
        filter.category.map(Category::as_str),
    )
    .fetch_one(conn)
    .await
}

/// When the newest message was sent that is not looked at any more.
async fn floor(conn: &mut PgConnection, channel: Uuid) -> Result<OffsetDateTime, sqlx::Error> {
    let floor = sqlx::query_scalar!(
        "select sent_at from chat_messages where channel_id = $1 order by sent_at desc, id desc offset $2 limit 1",
        channel,
        LOOKED_THROUGH
    );
    Ok(floor.fetch_optional(conn).await?.unwrap_or(OffsetDateTime::UNIX_EPOCH))
}

/// A message of the channel's chats, unless somebody has taken it out of them.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Option<Shown>, sqlx::Error> {
    let Some(number) = number_of(id) else { return Ok(None) };
    let row = sqlx::query_as!(
        Row,
        r#"select m.id as "id!", m.platform as "platform!", c.slug as channel, m.author_id as "author_id!",
                  m.author_name as "author_name!", m.text as "text!", m.sent_at as "sent_at!", m.category as "category!"
           from channels c join chat_messages_standing m on m.channel_id = c.id where c.id = $1 and m.id = $2"#,
        channel,
        number,
    );
    Ok(row.fetch_optional(conn).await?.map(Shown::from))
}

/// Those of these messages (channel and content id) that the chats show, by channel and as they came.
pub(super) async fn standing(
    conn: &mut PgConnection,
    platform: Provider,
    channels: &[Uuid],
    contents: &[String],
) -> Result<Vec<Shown>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.id as "id!", m.platform as "platform!", c.slug as channel, m.author_id as "author_id!",
                  m.author_name as "author_name!", m.text as "text!", m.sent_at as "sent_at!", m.category as "category!"
           from unnest($2::uuid[], $3::text[]) given (channel_id, content_id)
             join chat_messages_standing m
               on m.platform = $1 and m.channel_id = given.channel_id and m.content_id = given.content_id
             join channels c on c.id = m.channel_id
           order by c.slug, m.sent_at, m.id"#,
        platform.as_str(),
        channels,
        contents,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Shown::from).collect())
}

/// The id of the message with this content id, if it was recorded, and the channel's slug.
pub(super) async fn removed(
    conn: &mut PgConnection,
    platform: Provider,
    channel: Uuid,
    content: &str,
) -> Result<Option<(String, Option<Uuid>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select c.slug, m.id as "id?" from channels c
             left join chat_messages m on m.platform = $1 and m.channel_id = c.id and m.content_id = $3
           where c.id = $2"#,
        platform.as_str(),
        channel,
        content,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (row.slug, row.id.map(id_of))))
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
