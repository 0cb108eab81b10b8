//! The header `Idempotency-Key`: the first answer under a key is kept and given again.

use domain::requests::{self, Opened, Request, Stored};
use poem::http::StatusCode;
use poem_openapi::types::ToJSON;
use queue::{Database, Tx};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::problem::{ErrorCode, Problem};

/// Whether a key is of the right form: 1 to 128 visible ASCII characters. Of a request that comes to an operation it is.
pub(crate) fn is_well_formed(key: &str) -> bool {
    (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The request that the header names, if it does: what `actor` asks of the operation. `question` is all that decides the
/// effect.
pub(crate) fn request(
    header: Option<String>,
    actor: Uuid,
    operation: &'static str,
    question: &Value,
) -> Option<Request> {
    header.map(|key| Request::new(actor, operation, key, question.to_string().as_bytes()))
}

/// The key is not of the right form.
pub(crate) fn malformed() -> Problem {
    let detail = "Idempotency-Key: one key of 1 to 128 visible ASCII characters";
    Problem::bad_request(ErrorCode::ValidationError, detail)
}

/// The key was used for another question.
pub(crate) fn reused() -> Problem {
    let detail = "Idempotency-Key: it was used for another request before";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::IdempotencyKeyReused, detail)
}

/// Does the work in one transaction with the claim of the request's key, and keeps its answer (200) or its refusal; answers
/// what is kept under the key already without doing it again.
pub(crate) async fn once<T: ToJSON, E: Into<Problem>>(
    db: &Database,
    request: Option<&Request>,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T, E>,
) -> Result<Stored, Problem> {
    let work = async |tx: &mut Tx| work(tx).await.map(|view| Stored { status: 200, body: view.to_json_string() });
    once_as(db, request, work).await
}

/// As [`once`], where the work says with which status it answers.
pub(crate) async fn once_as<E: Into<Problem>>(
    db: &Database,
    request: Option<&Request>,
    work: impl AsyncFnOnce(&mut Tx) -> Result<Stored, E>,
) -> Result<Stored, Problem> {
    let mut tx = db.begin().await?;
    if let Some(stored) = claim(&mut tx, request).await? {
        return Ok(stored);
    }
    match work(&mut tx).await {
        Ok(stored) => {
            keep(&mut tx, request, &stored).await?;
            tx.commit().await?;
            Ok(stored)
        }
        Err(refusal) => refuse(db, tx, request, refusal.into()).await,
    }
}

/// Makes something in one transaction with the claim of the request's key; its id, or the id of what was made under the key
/// already. The id is kept and not the answer: what became of it meanwhile is worth more than what was true then.
pub(crate) async fn made_once<E: Into<Problem>>(
    db: &Database,
    request: Option<&Request>,
    make: impl AsyncFnOnce(&mut Tx) -> Result<Uuid, E>,
) -> Result<Uuid, Problem> {
    let mut tx = db.begin().await?;
    if let Some(stored) = claim(&mut tx, request).await? {
        return stored.body.parse().map_err(Problem::internal);
    }
    let id = make(&mut tx).await.map_err(Into::into)?;
    let stored = Stored { status: StatusCode::ACCEPTED.as_u16(), body: id.to_string() };
    keep(&mut tx, request, &stored).await?;
    tx.commit().await?;
    Ok(id)
}

/// Claims the request's key as the first write of the transaction; the answer, if it has one already.
pub(crate) async fn claim(conn: &mut PgConnection, request: Option<&Request>) -> Result<Option<Stored>, Problem> {
    let Some(request) = request else { return Ok(None) };
    match requests::open_all(conn, std::slice::from_ref(request)).await?.pop() {
        Some(Opened::Fresh) => Ok(None),
        Some(Opened::Repeated(stored)) => Ok(Some(stored)),
        Some(Opened::Mismatch) | None => Err(reused()),
    }
}

/// Keeps the answer to a request whose key this transaction has claimed.
pub(crate) async fn keep(conn: &mut PgConnection, request: Option<&Request>, stored: &Stored) -> Result<(), Problem> {
    let Some(request) = request else { return Ok(()) };
    Ok(requests::store_all(conn, &[(request, stored.clone())]).await?)
}

/// Keeps a refusal, which stays one under its key, after what was begun under it was undone. Our own faults are not kept,
/// nor is "not so often", which says itself when to ask again.
pub(crate) async fn refuse(
    db: &Database,
    begun: Tx,
    request: Option<&Request>,
    problem: Problem,
) -> Result<Stored, Problem> {
    begun.rollback().await?;
    let passes = problem.status().is_server_error() || problem.status() == StatusCode::TOO_MANY_REQUESTS;
    if request.is_none() || passes {
        return Err(problem);
    }
    let mut tx = db.begin().await?;
    // Between the two transactions a twin may have been faster: its answer is the first one.
    if let Some(stored) = claim(&mut tx, request).await? {
        return Ok(stored);
    }
    let stored = Stored { status: problem.status().as_u16(), body: problem.body() };
    keep(&mut tx, request, &stored).await?;
    tx.commit().await?;
    Ok(stored)
}
