//! SQL of sessions.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{EndReason, Ended, Origin, Session};

/// What speaks against a session of this person.
pub(super) struct Standing {
    pub(super) banned: bool,
    pub(super) erased: bool,
}

/// None when there is no such person. Others may do the same meanwhile, but nobody may ban.
pub(super) async fn lock_user(conn: &mut PgConnection, id: Uuid) -> Result<Option<Standing>, sqlx::Error> {
    sqlx::query_as!(
        Standing,
        r#"select banned_at is not null as "banned!", erased_at is not null as "erased!" from users where id = $1 for share"#,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Nobody may open a session meanwhile.
pub(super) async fn lock_user_alone(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("select id from users where id = $1 for no key update", id).fetch_optional(conn).await?;
    Ok(())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    user: Uuid,
    methods: &[String],
    origin: &Origin,
    token_hash: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into sessions (id, user_id, expires_at, user_agent, address, methods, token_hash)
         values ($1, $2, app_now() + interval '30 days', $3, $4, $5, $6)",
        id,
        user,
        origin.user_agent,
        origin.address,
        methods,
        token_hash.as_slice(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a refresh must know of a session.
pub(super) struct Held {
    pub(super) user_id: Uuid,
    pub(super) over: bool,
    pub(super) token_hash: Vec<u8>,
    pub(super) spent_hash: Option<Vec<u8>>,
    /// The present token is some seconds old at most.
    pub(super) just_rotated: bool,
}

pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        r#"select user_id, ended_at is not null or expires_at <= app_now() as "over!", token_hash, spent_hash,
             coalesce(rotated_at > app_now() - interval '10 seconds', false) as "just_rotated!"
         from sessions where id = $1 for no key update"#,
        id,
    )
    .fetch_optional(conn)
    .await
}

pub(super) async fn rotate(
    conn: &mut PgConnection,
    id: Uuid,
    token_hash: &[u8; 32],
    spent_hash: &[u8; 32],
    origin: &Origin,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update sessions set token_hash = $2, spent_hash = $3, rotated_at = app_now(), seen_at = app_now(),
             expires_at = least(app_now() + interval '30 days', created_at + interval '90 days'),
             user_agent = $4, address = $5
         where id = $1",
        id,
        token_hash.as_slice(),
        spent_hash.as_slice(),
        origin.user_agent,
        origin.address,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_authenticated(
    conn: &mut PgConnection,
    id: Uuid,
    methods: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update sessions set authenticated_at = app_now(),
             methods = methods || array(select m from unnest($2::text[]) m where m <> all(methods))
         where id = $1 and ended_at is null",
        id,
        methods,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn end(conn: &mut PgConnection, user: Uuid, id: Uuid, reason: EndReason) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query!(
        "update sessions set ended_at = app_now(), end_reason = $3
         where id = $1 and user_id = $2 and ended_at is null",
        id,
        user,
        reason.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected() > 0)
}

pub(super) async fn end_all(
    conn: &mut PgConnection,
    user: Uuid,
    except: Option<Uuid>,
    reason: EndReason,
) -> Result<u64, sqlx::Error> {
    let ended = sqlx::query!(
        "update sessions set ended_at = app_now(), end_reason = $3
         where user_id = $1 and ended_at is null and ($2::uuid is null or id <> $2)",
        user,
        except,
        reason.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

/// The session, unless it is over.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        "select id, user_id, created_at, seen_at, authenticated_at, expires_at, user_agent, address, methods
         from sessions where id = $1 and ended_at is null and expires_at > app_now()",
        id
    )
    .fetch_optional(conn)
    .await
}

/// Whether the session's person was proven in the last ten minutes; none when it is over.
///
/// # Errors
/// The database refused.
pub async fn is_fresh(conn: &mut PgConnection, id: Uuid) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select authenticated_at > app_now() - interval '10 minutes' as "fresh!" from sessions
           where id = $1 and ended_at is null and expires_at > app_now()"#,
        id
    )
    .fetch_optional(conn)
    .await
}

/// The same, where a code was shown besides: of the app, or for who has lost it. Who is asked for codes is asked at every
/// proof in a session, so that the last one had it if any had.
///
/// # Errors
/// The database refused.
pub async fn is_fresh_by_code(conn: &mut PgConnection, id: Uuid) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select authenticated_at > app_now() - interval '10 minutes' and methods && '{totp,recovery}' as "fresh!"
           from sessions where id = $1 and ended_at is null and expires_at > app_now()"#,
        id
    )
    .fetch_optional(conn)
    .await
}

/// Whether the person has logged in from this network (`203.0.113.0/24`) in the last thirty days.
///
/// # Errors
/// The database refused.
pub async fn is_known_from(conn: &mut PgConnection, user: Uuid, network: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
             select from sessions where user_id = $1 and seen_at > app_now() - interval '30 days'
               and case when address = '' then false else address::inet <<= ($2::text)::cidr end
           ) as "known!""#,
        user,
        network,
    )
    .fetch_one(conn)
    .await
}

/// The person's sessions that are not over, the one that was used last first; at most 200.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        "select id, user_id, created_at, seen_at, authenticated_at, expires_at, user_agent, address, methods
         from sessions where user_id = $1 and ended_at is null and expires_at > app_now()
         order by seen_at desc, id desc limit 200",
        user
    )
    .fetch_all(conn)
    .await
}

/// The sessions that were ended at or after this time, by the database's clock; without one, all that could still have an
/// access token (which lives for 15 minutes; the rest is for clocks that differ).
///
/// # Errors
/// The database refused.
pub async fn ended_since(conn: &mut PgConnection, since: Option<OffsetDateTime>) -> Result<Vec<Ended>, sqlx::Error> {
    sqlx::query_as!(
        Ended,
        r#"select id, ended_at as "at!", false as "expired!" from sessions
           where ended_at >= coalesce($1::timestamptz, app_now() - interval '20 minutes')"#,
        since
    )
    .fetch_all(conn)
    .await
}

/// Removes at most `limit` sessions that were over a month ago; says how many.
///
/// # Errors
/// The database refused.
pub async fn forget_old(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from sessions where id in (
             select id from sessions where expires_at < app_now() - interval '30 days'
             union select id from sessions where ended_at < app_now() - interval '30 days' limit $1)",
        limit
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
