//! Many jobs through the door at once: one statement for a batch of orders, of one kind or of several.

use std::{collections::BTreeMap, time::Duration};

use crate::{Dedupe, EnqueueError, Job, Tx, bounds, trace};

/// A job on its way into the queue with others.
#[derive(Debug)]
pub struct Order {
    kind: &'static str,
    version: i16,
    pool: &'static str,
    payload: serde_json::Value,
    priority: i16,
    max_attempts: i16,
    delay: Duration,
    event_key: Option<String>,
    wake_key: Option<String>,
    order_key: Option<String>,
    limit_key: Option<String>,
    last_wish: Option<serde_json::Value>,
}

impl Order {
    /// The job, due at once.
    ///
    /// # Errors
    /// The payload is not JSON, or too large.
    pub fn new<J: Job>(job: &J) -> Result<Self, EnqueueError> {
        let payload = serde_json::to_value(job).map_err(|error| EnqueueError::Payload(J::NAME, error))?;
        bounds::payload(J::NAME, &payload)?;
        let (event_key, wake_key) = match job.dedupe() {
            None => (None, None),
            Some(Dedupe::Event(key)) => (Some(key), None),
            Some(Dedupe::WakeUp(key)) => (None, Some(key)),
        };
        Ok(Self {
            kind: J::NAME,
            version: J::VERSION,
            pool: J::POOL,
            payload,
            priority: J::PRIORITY,
            max_attempts: J::RETRY.attempts,
            delay: Duration::ZERO,
            event_key,
            wake_key,
            order_key: job.order_key(),
            limit_key: limit_key(job),
            last_wish: job.last_wish()?.map(Self::into_wish),
        })
    }

    /// As it rides along in the row of the job whose last wish it is.
    pub(crate) fn into_wish(self) -> serde_json::Value {
        serde_json::json!({
            "kind": self.kind, "version": self.version, "pool": self.pool, "payload": self.payload,
            "priority": self.priority, "max_attempts": self.max_attempts,
            "event_key": self.event_key, "order_key": self.order_key, "limit_key": self.limit_key,
        })
    }

    /// Not before this long from now.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// [`enqueue`](crate::enqueue) for many: adds the jobs in the caller's transaction and wakes their pools after the commit.
///
/// Wake-ups are added in the order of their kinds and keys, so that two transactions that wake the same things never wait
/// for each other in a ring; jobs without a key come after them, in the order given.
///
/// # Errors
/// A delay is longer than a year, or the database refused; the caller's transaction is then aborted.
pub async fn enqueue_all(tx: &mut Tx, orders: Vec<Order>) -> Result<(), EnqueueError> {
    let mut pools: BTreeMap<&'static str, Duration> = BTreeMap::new();
    for order in &orders {
        bounds::delay(order.kind, order.delay)?;
        pools.entry(order.pool).and_modify(|delay| *delay = order.delay.min(*delay)).or_insert(order.delay);
    }
    let (events, others): (Vec<Order>, Vec<Order>) = orders.into_iter().partition(|order| order.event_key.is_some());
    insert_events(tx, events).await?;
    insert_others(tx, others).await?;
    fail::fail_point!("queue::enqueue::after");
    for (pool, delay) in pools {
        tx.wake_after(pool, delay);
    }
    Ok(())
}

/// The key of a job whose kind has a limit.
pub(crate) fn limit_key<J: Job>(job: &J) -> Option<String> {
    // The empty key is the pool's.
    J::LIMIT.and_then(|_| job.limit_key()).filter(|key| !key.is_empty())
}

/// Orders as columns.
#[derive(Default)]
struct Columns {
    kinds: Vec<String>,
    versions: Vec<i16>,
    pools: Vec<String>,
    payloads: Vec<serde_json::Value>,
    priorities: Vec<i16>,
    max_attempts: Vec<i16>,
    delays: Vec<f64>,
    keys: Vec<Option<String>>,
    order_keys: Vec<Option<String>>,
    limit_keys: Vec<Option<String>>,
    last_wishes: Vec<Option<serde_json::Value>>,
}

impl Columns {
    fn new(orders: impl IntoIterator<Item = Order>) -> Self {
        let mut columns = Self::default();
        for order in orders {
            columns.kinds.push(order.kind.to_owned());
            columns.versions.push(order.version);
            columns.pools.push(order.pool.to_owned());
            columns.payloads.push(order.payload);
            columns.priorities.push(order.priority);
            columns.max_attempts.push(order.max_attempts);
            columns.delays.push(order.delay.as_secs_f64());
            columns.keys.push(order.event_key.or(order.wake_key));
            columns.order_keys.push(order.order_key);
            columns.limit_keys.push(order.limit_key);
            columns.last_wishes.push(order.last_wish);
        }
        columns
    }
}

async fn insert_events(tx: &mut Tx, orders: Vec<Order>) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let columns = Columns::new(orders);
    sqlx::query!(
        "insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, event_key, order_key, trace,
             last_wish, limit_key)
         select kind, version, pool, payload, priority, attempts, app_now() + make_interval(secs => delay), key, order_key, $11,
             last_wish, limit_key
         from unnest($1::text[], $2::smallint[], $3::text[], $4::jsonb[], $5::smallint[], $6::smallint[], $7::float8[],
                     $8::text[], $9::text[], $10::jsonb[], $12::text[]) with ordinality
              as o (kind, version, pool, payload, priority, attempts, delay, key, order_key, last_wish, limit_key, place)
         order by place
         on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing",
        &columns.kinds,
        &columns.versions,
        &columns.pools,
        &columns.payloads,
        &columns.priorities,
        &columns.max_attempts,
        &columns.delays,
        &columns.keys as &[Option<String>],
        &columns.order_keys as &[Option<String>],
        &columns.last_wishes as &[Option<serde_json::Value>],
        trace::current(),
        &columns.limit_keys as &[Option<String>],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Wake-ups and jobs without a key: only the former can meet a waiting row, which then is locked until our commit (see
/// [`enqueue_with`](crate::enqueue_with)).
async fn insert_others(tx: &mut Tx, orders: Vec<Order>) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let columns = Columns::new(folded(orders));
    sqlx::query!(
        "insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, wake_key, order_key, trace,
             last_wish, limit_key)
         select kind, version, pool, payload, priority, attempts, app_now() + make_interval(secs => delay), key, order_key, $11,
             last_wish, limit_key
         from unnest($1::text[], $2::smallint[], $3::text[], $4::jsonb[], $5::smallint[], $6::smallint[], $7::float8[],
                     $8::text[], $9::text[], $10::jsonb[], $12::text[]) with ordinality
              as o (kind, version, pool, payload, priority, attempts, delay, key, order_key, last_wish, limit_key, place)
         order by place
         on conflict (kind, wake_key) where wake_key is not null and state = 'ready'
         do update set run_at = least(jobs.run_at, excluded.run_at), priority = greatest(jobs.priority, excluded.priority)
         where excluded.run_at < jobs.run_at or excluded.priority > jobs.priority",
        &columns.kinds,
        &columns.versions,
        &columns.pools,
        &columns.payloads,
        &columns.priorities,
        &columns.max_attempts,
        &columns.delays,
        &columns.keys as &[Option<String>],
        &columns.order_keys as &[Option<String>],
        &columns.last_wishes as &[Option<serde_json::Value>],
        trace::current(),
        &columns.limit_keys as &[Option<String>],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One order a wake-up, the earliest wish of the highest priority, sorted; then the others as they were.
fn folded(orders: Vec<Order>) -> Vec<Order> {
    let mut wakes: BTreeMap<(&'static str, String), Order> = BTreeMap::new();
    let mut others = Vec::new();
    for order in orders {
        let Some(key) = order.wake_key.clone() else {
            others.push(order);
            continue;
        };
        wakes
            .entry((order.kind, key))
            .and_modify(|kept| {
                kept.delay = kept.delay.min(order.delay);
                kept.priority = kept.priority.max(order.priority);
            })
            .or_insert(order);
    }
    wakes.into_values().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: &'static str, key: Option<&str>, delay: u64, priority: i16) -> Order {
        Order {
            kind,
            version: 1,
            pool: "test",
            payload: serde_json::Value::Null,
            priority,
            max_attempts: 1,
            delay: Duration::from_secs(delay),
            event_key: None,
            wake_key: key.map(str::to_owned),
            order_key: None,
            limit_key: None,
            last_wish: None,
        }
    }

    #[test]
    fn the_same_wake_up_twice_is_one_order_and_keys_come_sorted_before_the_rest() {
        let orders = vec![
            order("look", None, 0, 0),
            order("look", Some("b"), 5, 1),
            order("look", Some("a"), 0, 0),
            order("look", Some("b"), 2, 0),
            order("again", Some("b"), 9, 0),
        ];
        let folded = folded(orders);
        let seen: Vec<_> =
            folded.iter().map(|it| (it.kind, it.wake_key.as_deref(), it.delay.as_secs(), it.priority)).collect();
        assert_eq!(
            seen,
            [("again", Some("b"), 9, 0), ("look", Some("a"), 0, 0), ("look", Some("b"), 2, 1), ("look", None, 0, 0)]
        );
    }
}
