//! SQL of stored answers.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// Who asks what under which key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    pub actor: Uuid,
    /// The operation's stable name, e.g. `activate`.
    pub operation: &'static str,
    /// The client's key, at most 128 characters.
    pub key: String,
    /// SHA-256 of what is asked.
    pub fingerprint: [u8; 32],
}

impl Request {
    /// A request whose `question` (path, body: all that decides the effect) is remembered as a fingerprint.
    #[must_use]
    pub fn new(actor: Uuid, operation: &'static str, key: String, question: &[u8]) -> Self {
        Self { actor, operation, key, fingerprint: Sha256::digest(question).into() }
    }
}

/// The first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub status: u16,
    pub body: String,
}

/// What is known about a request when it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Never seen: do it, then [`store_all`] in the same transaction.
    Fresh,
    /// Done before: give this again.
    Repeated(Stored),
    /// The key was used for another question.
    Mismatch,
}

#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A twin has been at it for longer than the lock timeout.
    #[error("the same request is still being worked on")]
    InFlight,
    #[error("database: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for RequestError {
    fn from(error: sqlx::Error) -> Self {
        const LOCK_NOT_AVAILABLE: &str = "55P03";
        let code = error.as_database_error().and_then(|error| error.code());
        if code.as_deref() == Some(LOCK_NOT_AVAILABLE) { Self::InFlight } else { Self::Database(error) }
    }
}

type Name = (Uuid, String, String);

/// Claims the keys, all different from one another, and says of each what is known. Keys are claimed in their own
/// order, so that two calls never wait for each other in a ring. From here on, the transaction waits 5 s for any lock.
///
/// # Errors
/// [`RequestError::InFlight`] when another transaction holds one of the keys for longer than that.
pub async fn open_all(conn: &mut PgConnection, requests: &[Request]) -> Result<Vec<Opened>, RequestError> {
    let actors: Vec<Uuid> = requests.iter().map(|request| request.actor).collect();
    let operations: Vec<String> = requests.iter().map(|request| request.operation.to_owned()).collect();
    let keys: Vec<String> = requests.iter().map(|request| request.key.clone()).collect();
    let fingerprints: Vec<Vec<u8>> = requests.iter().map(|request| request.fingerprint.to_vec()).collect();
    let fresh: Vec<Name> = sqlx::query!(
        "with patience as materialized (select set_config('lock_timeout', '5s', true))
         insert into idempotency_keys (actor, operation, key, fingerprint)
         select actor, operation, key, fingerprint
         from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) as asked (actor, operation, key, fingerprint), patience
         order by actor, operation, key
         on conflict do nothing
         returning actor, operation, key",
        &actors,
        &operations,
        &keys,
        &fingerprints,
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|row| (row.actor, row.operation, row.key))
    .collect();
    if fresh.len() == requests.len() {
        return Ok(vec![Opened::Fresh; requests.len()]);
    }
    let known: HashMap<Name, (Vec<u8>, Stored)> = sqlx::query!(
        r#"select stored.actor, stored.operation, stored.key, stored.fingerprint,
                  coalesce(stored.status, 500::smallint) as "status!", coalesce(stored.body, '') as "body!"
           from unnest($1::uuid[], $2::text[], $3::text[]) as asked (actor, operation, key)
           join idempotency_keys stored using (actor, operation, key)"#,
        &actors,
        &operations,
        &keys,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| {
        let stored = Stored { status: row.status.unsigned_abs(), body: row.body };
        ((row.actor, row.operation, row.key), (row.fingerprint, stored))
    })
    .collect();
    let opened = requests.iter().map(|request| {
        let name = (request.actor, request.operation.to_owned(), request.key.clone());
        if fresh.contains(&name) {
            return Opened::Fresh;
        }
        match known.get(&name) {
            Some((fingerprint, stored)) if fingerprint[..] == request.fingerprint => Opened::Repeated(stored.clone()),
            _ => Opened::Mismatch,
        }
    });
    Ok(opened.collect())
}

/// Keeps the answers of requests that were [`Opened::Fresh`] in this transaction.
///
/// # Errors
/// The database refused; the caller's transaction is aborted.
pub async fn store_all(conn: &mut PgConnection, answers: &[(&Request, Stored)]) -> Result<(), sqlx::Error> {
    if answers.is_empty() {
        return Ok(());
    }
    let actors: Vec<Uuid> = answers.iter().map(|(request, _)| request.actor).collect();
    let operations: Vec<String> = answers.iter().map(|(request, _)| request.operation.to_owned()).collect();
    let keys: Vec<String> = answers.iter().map(|(request, _)| request.key.clone()).collect();
    let statuses: Vec<i16> = answers.iter().map(|(_, answer)| i16::try_from(answer.status).unwrap_or(500)).collect();
    let bodies: Vec<String> = answers.iter().map(|(_, answer)| answer.body.clone()).collect();
    let written = sqlx::query!(
        "update idempotency_keys kept set status = given.status, body = given.body
         from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[])
              as given (actor, operation, key, status, body)
         where kept.actor = given.actor and kept.operation = given.operation and kept.key = given.key",
        &actors,
        &operations,
        &keys,
        &statuses,
        &bodies,
    )
    .execute(conn)
    .await?
    .rows_affected();
    if written == answers.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Whether an answer is kept under the key.
///
/// # Errors
/// The database refused.
pub async fn is_known(conn: &mut PgConnection, actor: Uuid, operation: &str, key: &str) -> Result<bool, sqlx::Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (
               select from idempotency_keys
               where actor = $1 and operation = $2 and key = $3 and status is not null
           ) as "known!""#,
        actor,
        operation,
        key,
    );
    known.fetch_one(conn).await
}

/// Whether anybody has claimed the key: waits for whoever is at it, for 5 s at most. The transaction is to be rolled back: it
/// would keep a claim of its own.
///
/// # Errors
/// [`RequestError::InFlight`] when that takes longer.
pub async fn is_claimed(
    conn: &mut PgConnection,
    actor: Uuid,
    operation: &str,
    key: &str,
) -> Result<bool, RequestError> {
    let claimed = sqlx::query!(
        "with patience as materialized (select set_config('lock_timeout', '5s', true))
         insert into idempotency_keys (actor, operation, key, fingerprint)
         select $1, $2, $3, ''::bytea from patience
         on conflict do nothing",
        actor,
        operation,
        key,
    );
    Ok(claimed.execute(conn).await?.rows_affected() == 0)
}

/// Answers that were kept for others and speak of this person become this refusal: what was done under their keys is not done
/// again, and whom it was about is not told any more.
///
/// # Errors
/// The database refused.
pub async fn forget_person(conn: &mut PgConnection, user: Uuid, refusal: &Stored) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update idempotency_keys set status = $2, body = $3
         where actor <> $1 and status is not null and strpos(body, $1::uuid::text) > 0",
        user,
        i16::try_from(refusal.status).unwrap_or(500),
        refusal.body,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes answers older than 30 days (keys of money operations live on in the ledger); says how many.
///
/// # Errors
/// The database refused.
pub async fn forget_old(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("delete from idempotency_keys where created_at < app_now() - interval '30 days'")
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
