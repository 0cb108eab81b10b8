//! Where activations are placed: requests that arrive while a commit is on its way are placed together by the next one.
//!
//! One transaction holds the whole batch: keys, wallets, ledger, activations, jobs and events. Each request is granted or
//! refused by itself, and its answer is stored under its key in the same transaction.

use std::collections::{HashSet, VecDeque};

use domain::{
    activations::{self, PlaceError, Placed, Wish},
    requests::{self, Opened, Request, Stored},
};
use poem::http::StatusCode;
use poem_openapi::types::ToJSON;
use queue::Database;
use tokio::sync::{mpsc, oneshot};

use crate::{
    idempotency,
    problem::{ErrorCode, Problem},
    telemetry,
    views::activations::PlacedView,
};

/// The most requests that one transaction places.
const BATCH: usize = 64;
/// Requests that may wait; more are told to come again.
const WAITING: usize = 4096;

/// The way to the desk. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Placing {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    wish: Wish,
    /// With an `Idempotency-Key`.
    request: Option<Request>,
    ids: telemetry::Ids,
    answer: oneshot::Sender<Result<Stored, Problem>>,
}

impl Placing {
    /// Opens the desk; it closes when the last clone is dropped.
    pub(crate) fn open(db: Database) -> Self {
        let (orders, received) = mpsc::channel(WAITING);
        tokio::spawn(work(db, received));
        Self { orders }
    }

    /// Places one activation: status and body of the answer, or why there is none.
    pub(crate) async fn place(&self, wish: Wish, request: Option<Request>) -> Result<Stored, Problem> {
        let (answer, answered) = oneshot::channel();
        let order = Order { wish, request, ids: telemetry::current(), answer };
        let busy = || {
            let detail = "too many activations at once, try again with the same Idempotency-Key";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail)
        };
        self.orders.try_send(order).map_err(|_| busy())?;
        answered.await.map_err(|_| busy())?
    }
}

/// Takes orders until nobody can give any.
async fn work(db: Database, mut received: mpsc::Receiver<Order>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match received.recv().await {
                Some(order) => waiting.push_back(order),
                None => return,
            }
        }
        while waiting.len() < BATCH
            && let Ok(order) = received.try_recv()
        {
            waiting.push_back(order);
        }
        let batch = next_batch(&mut waiting);
        let trace = batch.first().map(|order| order.ids.request_id.clone()).unwrap_or_default();
        queue::trace::scope(trace, serve(&db, batch)).await;
    }
}

/// The orders that go together: twins (same actor, operation and key) wait for the next batch, where the first one's
/// answer is found.
fn next_batch(waiting: &mut VecDeque<Order>) -> Vec<Order> {
    let mut names = HashSet::new();
    let mut batch = Vec::new();
    let mut later = VecDeque::new();
    for order in waiting.drain(..) {
        let name = order.request.as_ref().map(|request| (request.actor, request.operation, request.key.clone()));
        if batch.len() < BATCH && name.is_none_or(|name| names.insert(name)) {
            batch.push(order);
        } else {
            later.push_back(order);
        }
    }
    *waiting = later;
    batch
}

/// Places a batch and answers each. When the database is away, all are told so; a batch that fails for another reason is
/// tried one by one, so that one order's trouble is not the others'.
async fn serve(db: &Database, batch: Vec<Order>) {
    let orders: Vec<&Order> = batch.iter().collect();
    // What goes wrong is told under the first one's ids; tried one by one, each has its own.
    let ids = batch.first().map(|order| order.ids.clone()).unwrap_or_default();
    let answers = match telemetry::accompany(&ids, place_all(db, &orders)).await {
        Ok(answers) => answers,
        Err(problem) if batch.len() == 1 || problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
            vec![Err(problem); batch.len()]
        }
        Err(_) => {
            for order in batch {
                Box::pin(serve(db, vec![order])).await;
            }
            return;
        }
    };
    for (order, answer) in batch.into_iter().zip(answers) {
        // The client may have gone: its key finds the answer.
        drop(order.answer.send(answer));
    }
}

/// One transaction for all orders. The outer error means that nothing was written.
async fn place_all(db: &Database, orders: &[&Order]) -> Result<Vec<Result<Stored, Problem>>, Problem> {
    let mut tx = db.begin().await?;
    let keyed: Vec<Request> = orders.iter().filter_map(|order| order.request.clone()).collect();
    let mut opened = Vec::new();
    if !keyed.is_empty() {
        opened = requests::open_all(&mut tx, &keyed).await?;
    }
    let mut opened = opened.into_iter();
    let opened: Vec<Opened> = orders
        .iter()
        .map(|order| if order.request.is_some() { opened.next().unwrap_or(Opened::Mismatch) } else { Opened::Fresh })
        .collect();

    let wishes: Vec<Wish> = orders
        .iter()
        .zip(&opened)
        .filter(|(_, opened)| **opened == Opened::Fresh)
        .map(|(order, _)| order.wish)
        .collect();
    let mut placed = activations::place(&mut tx, &wishes).await?.into_iter();

    let mut answers = Vec::with_capacity(orders.len());
    for (order, opened) in orders.iter().zip(opened) {
        answers.push(match opened {
            Opened::Fresh => telemetry::scope(&order.ids, || answer(placed.next())),
            Opened::Repeated(stored) => Ok(stored),
            Opened::Mismatch => Err(idempotency::reused()),
        });
    }
    let kept: Vec<(&Request, Stored)> = orders
        .iter()
        .zip(&answers)
        .filter_map(|(order, answer)| Some((order.request.as_ref()?, answer.as_ref().ok()?.clone())))
        .collect();
    requests::store_all(&mut tx, &kept).await?;
    fail::fail_point!("activations::place::before");
    tx.commit().await?;
    fail::fail_point!("activations::place::after");
    Ok(answers)
}

/// What is told and stored: a grant, or a refusal that will stay one under this key.
fn answer(placed: Option<Result<Placed, PlaceError>>) -> Result<Stored, Problem> {
    match placed {
        Some(Ok(placed)) => Ok(Stored { status: 200, body: PlacedView::from(placed).to_json_string() }),
        Some(Err(refusal)) => {
            let problem = Problem::from(refusal);
            if problem.status().is_server_error() {
                return Err(problem);
            }
            Ok(Stored { status: problem.status().as_u16(), body: problem.body() })
        }
        None => Err(Problem::internal("no answer was made")),
    }
}
