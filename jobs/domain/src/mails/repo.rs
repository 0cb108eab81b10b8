//! SQL of mails, their links, and the addresses that they prove.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Kind, Language, Owner};

/// What a mail must know of its person.
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) login: String,
    pub(super) email: Option<String>,
    pub(super) is_verified: bool,
    pub(super) is_banned: bool,
}

pub(super) async fn person(conn: &mut PgConnection, id: Uuid) -> Result<Option<Person>, sqlx::Error> {
    sqlx::query_as!(
        Person,
        r#"select id, login, email, is_verified, banned_at is not null as "is_banned!" from users where id = $1"#,
        id
    )
    .fetch_optional(conn)
    .await
}

/// The person with this address.
pub(super) async fn person_with(conn: &mut PgConnection, email: &str) -> Result<Option<Person>, sqlx::Error> {
    sqlx::query_as!(
        Person,
        r#"select id, login, email, is_verified, banned_at is not null as "is_banned!" from users where email = $1"#,
        email
    )
    .fetch_optional(conn)
    .await
}

/// Nobody else orders such a mail until the end of the transaction: of two at once each would miss the other's.
pub(super) async fn hold(
    conn: &mut PgConnection,
    kind: Kind,
    user: Option<Uuid>,
    recipient: &str,
) -> Result<(), sqlx::Error> {
    let of = user.map_or_else(|| recipient.to_owned(), |user| user.to_string());
    let name = format!("mail\n{kind}\n{of}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(conn).await?;
    Ok(())
}

/// Ends mails that a newer one takes the place of.
pub(super) async fn supersede(
    conn: &mut PgConnection,
    kind: Kind,
    user: Option<Uuid>,
    recipient: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mails set ended_at = app_now(), outcome = 'superseded'
          where kind = $1 and outcome is distinct from 'sent' and outcome is distinct from 'superseded'
            and ($2::uuid is not null and user_id = $2 or $2 is null and recipient = $3)",
        kind.as_str(),
        user,
        recipient,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the links of those mails, and of earlier ones.
pub(super) async fn end_links_of(
    conn: &mut PgConnection,
    kind: Kind,
    user: Option<Uuid>,
    recipient: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from mail_links where mail_id in
            (select id from mails
              where kind = $1 and ($2::uuid is not null and user_id = $2 or $2 is null and recipient = $3))",
        kind.as_str(),
        user,
        recipient,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    user: Option<Uuid>,
    kind: Kind,
    recipient: &str,
    language: Language,
    details: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mails (id, user_id, kind, recipient, language, details) values ($1, $2, $3, $4, $5, $6)",
        id,
        user,
        kind.as_str(),
        recipient,
        language.as_str(),
        details,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the person was told news of the kind within this time.
pub(super) async fn was_told(
    conn: &mut PgConnection,
    user: Uuid,
    kind: Kind,
    within: Duration,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from mails where user_id = $1 and kind = $2
                            and created_at > app_now() - make_interval(secs => $3)) as "told!""#,
        user,
        kind.as_str(),
        within.as_secs_f64(),
    )
    .fetch_one(conn)
    .await
}

/// Of the last mail to the person.
pub(super) async fn language_of(conn: &mut PgConnection, user: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select language from mails where user_id = $1 order by created_at desc limit 1", user)
        .fetch_optional(conn)
        .await
}

/// A mail as its sender finds it.
pub(super) struct Row {
    pub(super) user_id: Option<Uuid>,
    pub(super) kind: String,
    pub(super) recipient: String,
    pub(super) language: String,
    pub(super) details: Option<String>,
    /// Sent, or another took its place.
    pub(super) is_over: bool,
}

pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select user_id, kind, recipient, language, details, coalesce(outcome in ('sent', 'superseded'), false) as "is_over!"
           from mails where id = $1 for update"#,
        id
    )
    .fetch_optional(conn)
    .await
}

/// A mail that another took the place of meanwhile stays so.
pub(super) async fn end(conn: &mut PgConnection, id: Uuid, outcome: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mails set ended_at = app_now(), outcome = $2 where id = $1 and outcome is distinct from 'superseded'",
        id,
        outcome
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from mails where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Removes at most `limit` mails of more than 30 days ago, with their links; says how many.
///
/// # Errors
/// The database refused.
pub async fn forget_old(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from mails where id in
            (select id from mails where created_at < app_now() - interval '30 days' order by created_at limit $1)",
        limit
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}

pub(super) async fn insert_link(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    mail: Uuid,
    user: Uuid,
    kind: Kind,
    email: &str,
    lifetime: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mail_links (hash, mail_id, user_id, kind, email, expires_at)
         values ($1, $2, $3, $4, $5, app_now() + make_interval(secs => $6))",
        hash.as_slice(),
        mail,
        user,
        kind.as_str(),
        email,
        lifetime.as_secs_f64(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn look_link(
    conn: &mut PgConnection,
    kind: Kind,
    hash: &[u8; 32],
) -> Result<Option<Owner>, sqlx::Error> {
    sqlx::query_as!(
        Owner,
        "select l.user_id, u.login, l.email, u.is_verified from mail_links l join users u on u.id = l.user_id
          where l.hash = $1 and l.kind = $2 and l.expires_at > app_now() and u.banned_at is null",
        hash.as_slice(),
        kind.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// A link that was used up just now.
pub(super) struct Taken {
    pub(super) user_id: Uuid,
    pub(super) kind: String,
    pub(super) email: String,
}

pub(super) async fn take_link(
    conn: &mut PgConnection,
    kinds: &[&str],
    hash: &[u8; 32],
) -> Result<Option<Taken>, sqlx::Error> {
    sqlx::query_as!(
        Taken,
        "delete from mail_links where hash = $1 and kind = any ($2::text[]) and expires_at > app_now()
            and exists (select 1 from users u where u.id = user_id and u.banned_at is null)
         returning user_id, kind, email",
        hash.as_slice(),
        kinds as &[&str],
    )
    .fetch_optional(conn)
    .await
}

/// Ends the person's links; `kind`: only those.
pub(super) async fn end_links(conn: &mut PgConnection, user: Uuid, kind: Option<Kind>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from mail_links where user_id = $1 and ($2::text is null or kind = $2)",
        user,
        kind.map(Kind::as_str)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when the person has another address by now.
pub(super) async fn set_verified(conn: &mut PgConnection, user: Uuid, email: &str) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!("update users set is_verified = true where id = $1 and email = $2", user, email)
        .execute(conn)
        .await?;
    Ok(set.rows_affected() > 0)
}

/// Gives the person this address, verified. False when somebody else has it; the transaction is good for nothing then.
pub(super) async fn set_email(conn: &mut PgConnection, user: Uuid, email: &str) -> Result<bool, sqlx::Error> {
    let set =
        sqlx::query!("update users set email = $2, is_verified = true where id = $1", user, email).execute(conn).await;
    match set {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}
