//! Where a process takes its part of budgets that all processes share.
//!
//! A request that finds a lease at hand costs nothing but a look into memory, and so does one whose budget is known to be
//! used up. All others wait for the desk, which asks the database for all of them at once. When the database is away, the
//! process counts by itself, from what it knew last, and tells later: budgets are then a process's, and nobody is refused
//! because we are in trouble.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    access::Keys,
    budgets::{self, Ask, Budget, Name, Taken, Window},
};
use queue::Database;
use time::OffsetDateTime;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};
use uuid::Uuid;

use super::policy::{Kind, Limits};

/// The most budgets that one transaction touches.
const BATCH: usize = 512;
/// Requests that may wait for a grant; more are counted alone.
const WAITING: usize = 8192;
/// A database that takes longer is as good as away.
const PATIENCE: Duration = Duration::from_millis(250);
/// For how long it is not asked then.
const AWAY: Duration = Duration::from_secs(2);
/// For how long a refusal stands without asking again: others may have given back what they did not need.
const REFUSED: Duration = Duration::from_secs(1);
/// Budgets that a process remembers. Beyond, it forgets its leases, which only means that they were used.
const MOST_HELD: usize = 100_000;

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whom {
    Address(IpAddr),
    Person(Uuid),
}

/// One budget of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Account {
    pub(super) kind: Kind,
    pub(super) whom: Whom,
}

/// What a request hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) granted: bool,
    pub(super) budget: Budget,
    pub(super) left: u32,
    /// When more is left than now.
    pub(super) more_in: Duration,
    /// Where the use is counted.
    pub(super) slice_ms: i64,
}

/// The way to the desk. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    limits: Limits,
    held: Arc<Held>,
    wishes: mpsc::Sender<Wish>,
}

#[derive(Debug)]
struct Wish {
    account: Account,
    budget: Budget,
    answer: oneshot::Sender<Verdict>,
}

impl Desk {
    /// Opens the desk; it closes when the last clone is dropped.
    pub(super) fn open(db: Database, keys: Keys, limits: Limits) -> Self {
        let (wishes, received) = mpsc::channel(WAITING);
        let held = Arc::<Held>::default();
        if limits.factor > 0 {
            let clerk = Clerk { db, keys, limits, held: held.clone(), away_until: None, clock: None };
            tokio::spawn(clerk.work(received));
        }
        Self { limits, held, wishes }
    }

    /// Whether there is a limit to it at all.
    pub(super) fn counts(&self, kind: Kind) -> bool {
        self.limits.budget(kind).is_some()
    }

    /// One use of the budget; none if there is no limit to it.
    pub(super) async fn spend(&self, account: Account) -> Option<Verdict> {
        let budget = self.limits.budget(account.kind)?;
        if let Some(verdict) = self.held.at_hand(account, budget) {
            return Some(verdict);
        }
        let (answer, answered) = oneshot::channel();
        if self.wishes.try_send(Wish { account, budget, answer }).is_ok()
            && let Ok(verdict) = answered.await
        {
            return Some(verdict);
        }
        Some(self.held.alone(account, budget, wall_clock()))
    }

    /// The use came to nothing and does not count; what is left then. Where much has happened since it was granted, it counts.
    pub(super) fn give_back(&self, account: Account, spent: Verdict) -> Verdict {
        self.held.give_back(account, spent)
    }
}

/// What this process holds of budgets.
#[derive(Debug, Default)]
struct Held {
    accounts: Mutex<HashMap<Account, Lease>>,
}

/// A part of a budget, taken in advance; and what was known of the rest.
#[derive(Debug, Clone, Copy)]
struct Lease {
    uses: u32,
    /// It is good until then; what is left of it then is given back to this slice.
    until: Instant,
    slice_ms: i64,
    /// What the others had left.
    left: u32,
    more_at: Instant,
    refused_until: Option<Instant>,
    /// The shared count as it was last seen, and what was granted since without asking.
    window: Window,
    charge: u32,
    touched: Instant,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<Account, Lease>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A verdict that needs nobody else.
    fn at_hand(&self, account: Account, budget: Budget) -> Option<Verdict> {
        let now = Instant::now();
        let mut accounts = self.lock();
        let lease = accounts.get_mut(&account)?;
        lease.touched = now;
        if lease.uses > 0 && now < lease.until {
            lease.uses -= 1;
            return Some(lease.verdict(true, budget, now));
        }
        lease.refused_until.is_some_and(|until| now < until).then(|| lease.verdict(false, budget, now))
    }

    /// Lays a use back to the lease that it was granted with: it is at hand until the lease is over, and is told then.
    fn give_back(&self, account: Account, spent: Verdict) -> Verdict {
        let now = Instant::now();
        let mut accounts = self.lock();
        let Some(lease) = accounts.get_mut(&account).filter(|lease| lease.slice_ms == spent.slice_ms) else {
            return spent;
        };
        lease.uses = lease.uses.saturating_add(1);
        lease.refused_until = None;
        lease.verdict(true, spent.budget, now)
    }

    /// What the database is to be asked for `waiting` uses. What was at hand is no longer, and is told.
    fn ask(&self, account: Account, budget: Budget, waiting: u32) -> Ask {
        let mut accounts = self.lock();
        let mut ask = Ask { budget, waiting, charge: 0, unused: None };
        if let Some(lease) = accounts.get_mut(&account) {
            ask.charge = std::mem::take(&mut lease.charge);
            let unused = std::mem::take(&mut lease.uses);
            ask.unused = (unused > 0).then_some((lease.slice_ms, unused));
        }
        ask
    }

    /// What was asked in vain is told the next time. What was unused stays used.
    fn asked_in_vain(&self, account: Account, ask: Ask) {
        if let Some(lease) = self.lock().get_mut(&account) {
            lease.charge = lease.charge.saturating_add(ask.charge);
        }
    }

    /// Keeps what was granted beyond the `waiting`, and says what each of them hears.
    fn keep(
        &self,
        account: Account,
        ask: &Ask,
        (taken, window): (Taken, Window),
        (asked, clock_ms): (Instant, i64),
    ) -> Vec<Verdict> {
        let now = Instant::now();
        let later = |ms: i64| asked + Duration::from_millis(u64::try_from(ms - clock_ms).unwrap_or(0));
        let served = taken.granted.min(ask.waiting);
        let mut lease = Lease {
            uses: taken.granted - served,
            until: later(taken.until_ms),
            slice_ms: taken.slice_ms,
            left: taken.left,
            more_at: later(taken.more_ms),
            refused_until: None,
            window,
            charge: 0,
            touched: now,
        };
        if served < ask.waiting {
            lease.refused_until = Some(lease.more_at.min(now + REFUSED));
        }
        let verdicts = (0..ask.waiting).map(|number| {
            let ahead = served.saturating_sub(number + 1);
            let verdict = lease.verdict(number < served, ask.budget, now);
            Verdict { left: verdict.left + ahead, ..verdict }
        });
        let verdicts = verdicts.collect();
        let mut accounts = self.lock();
        make_room(&mut accounts, account);
        // Granted without asking, while this was on its way.
        lease.charge = accounts.get(&account).map_or(0, |lease| lease.charge);
        accounts.insert(account, lease);
        verdicts
    }

    /// Counts by itself.
    fn alone(&self, account: Account, budget: Budget, now_ms: i64) -> Verdict {
        let now = Instant::now();
        let mut accounts = self.lock();
        make_room(&mut accounts, account);
        let lease = accounts.entry(account).or_insert_with(|| Lease {
            uses: 0,
            until: now,
            slice_ms: now_ms,
            left: budget.most,
            more_at: now,
            refused_until: None,
            window: Window::new(now_ms),
            charge: 0,
            touched: now,
        });
        let taken = lease.window.take(now_ms, budget, 1);
        let served = taken.granted.min(1);
        lease.window.give_back(taken.slice_ms, budget, taken.granted - served);
        lease.charge = lease.charge.saturating_add(served);
        lease.left = taken.left + (taken.granted - served);
        lease.more_at = now + Duration::from_millis(u64::try_from(taken.more_ms - now_ms).unwrap_or(0));
        lease.touched = now;
        lease.verdict(served > 0, budget, now)
    }

    /// What is due to be told although nobody waits: leases that are over, and what was granted without asking. Forgets
    /// those of whom nothing is left to know.
    fn sweep(&self, limits: Limits) -> Vec<(Account, Budget)> {
        let now = Instant::now();
        let mut due = Vec::new();
        self.lock().retain(|account, lease| {
            let Some(budget) = limits.budget(account.kind) else { return false };
            let over = lease.until <= now;
            if over && (lease.uses > 0 || lease.charge > 0) {
                due.push((*account, budget));
                return true;
            }
            !over || lease.touched + budget.per > now
        });
        due
    }
}

fn make_room(accounts: &mut HashMap<Account, Lease>, account: Account) {
    if accounts.len() >= MOST_HELD && !accounts.contains_key(&account) {
        accounts.clear();
    }
}

impl Lease {
    fn verdict(&self, granted: bool, budget: Budget, now: Instant) -> Verdict {
        let left = if granted { self.uses.saturating_add(self.left) } else { 0 };
        let more_in = self.more_at.saturating_duration_since(now);
        Verdict { granted, budget, left, more_in, slice_ms: self.slice_ms }
    }
}

/// Asks the database.
struct Clerk {
    db: Database,
    keys: Keys,
    limits: Limits,
    held: Arc<Held>,
    /// It did not answer: it is not asked before then.
    away_until: Option<Instant>,
    /// Its time, and when it was that.
    clock: Option<(i64, Instant)>,
}

/// All that wait for one budget.
struct Order {
    budget: Budget,
    answers: Vec<oneshot::Sender<Verdict>>,
}

impl Clerk {
    /// Until nobody can wish anything.
    async fn work(mut self, mut received: mpsc::Receiver<Wish>) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                wish = received.recv() => match wish {
                    Some(wish) => wish,
                    None => return,
                },
                _ = second.tick() => {
                    self.settle().await;
                    continue;
                }
            };
            let mut orders: HashMap<Account, Order> = HashMap::new();
            let mut next = Some(first);
            while let Some(Wish { account, budget, answer }) = next {
                // Whoever came while the last ones were served finds what they left.
                match self.held.at_hand(account, budget) {
                    Some(verdict) => {
                        let _ = answer.send(verdict);
                    }
                    None => orders
                        .entry(account)
                        .or_insert_with(|| Order { budget, answers: Vec::new() })
                        .answers
                        .push(answer),
                }
                next = if orders.len() < BATCH { received.try_recv().ok() } else { None };
            }
            self.serve(orders).await;
        }
    }

    /// Gives back and charges for which nobody waits.
    async fn settle(&mut self) {
        if self.is_away() {
            return;
        }
        let due = self.held.sweep(self.limits);
        for part in due.chunks(BATCH) {
            let orders =
                part.iter().map(|(account, budget)| (*account, Order { budget: *budget, answers: Vec::new() }));
            self.serve(orders.collect()).await;
        }
    }

    async fn serve(&mut self, orders: HashMap<Account, Order>) {
        if orders.is_empty() {
            return;
        }
        if self.is_away() {
            return self.serve_alone(orders);
        }
        let mut names = BTreeMap::new();
        let mut asks = BTreeMap::new();
        for (account, order) in &orders {
            let name = self.name(*account);
            let waiting = u32::try_from(order.answers.len()).unwrap_or(u32::MAX);
            names.insert(name, *account);
            asks.insert(name, self.held.ask(*account, order.budget, waiting));
        }
        let asked = Instant::now();
        let exchanged = match timeout(PATIENCE, exchange(&self.db, &asks)).await {
            Ok(Ok(exchanged)) => Ok(exchanged),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        };
        let (clock_ms, mut granted) = match exchanged {
            Ok(exchanged) => exchanged,
            Err(cause) => {
                tracing::warn!(cause, "rate limits cannot be shared right now: this process counts alone");
                self.away_until = Some(Instant::now() + AWAY);
                for (name, ask) in asks {
                    if let Some(account) = names.get(&name) {
                        self.held.asked_in_vain(*account, ask);
                    }
                }
                return self.serve_alone(orders);
            }
        };
        self.away_until = None;
        self.clock = Some((clock_ms, asked));
        let mut orders = orders;
        for (name, ask) in asks {
            let (Some(account), Some(told)) = (names.get(&name), granted.remove(&name)) else { continue };
            let verdicts = self.held.keep(*account, &ask, told, (asked, clock_ms));
            let answers = orders.remove(account).map(|order| order.answers).unwrap_or_default();
            for (answer, verdict) in answers.into_iter().zip(verdicts) {
                // Who has gone meanwhile has asked all the same.
                let _ = answer.send(verdict);
            }
        }
    }

    fn serve_alone(&self, orders: HashMap<Account, Order>) {
        let now_ms = self.clock.map_or_else(wall_clock, |(ms, at)| {
            ms.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX))
        });
        for (account, order) in orders {
            for answer in order.answers {
                let _ = answer.send(self.held.alone(account, order.budget, now_ms));
            }
        }
    }

    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| Instant::now() < until)
    }

    fn name(&self, account: Account) -> Name {
        let mut whom = Vec::with_capacity(17);
        match account.whom {
            Whom::Address(IpAddr::V4(address)) => whom.extend(address.octets()),
            Whom::Address(IpAddr::V6(address)) => whom.extend(address.octets()),
            Whom::Person(id) => whom.extend(id.as_bytes()),
        }
        Name::of(&self.keys, account.kind.as_str(), &whom)
    }
}

type Exchanged = (i64, BTreeMap<Name, (Taken, Window)>);

async fn exchange(db: &Database, asks: &BTreeMap<Name, Ask>) -> Result<Exchanged, sqlx::Error> {
    let mut tx = db.begin().await?;
    let exchanged = budgets::exchange(&mut tx, asks).await?;
    tx.commit().await?;
    Ok(exchanged)
}

fn wall_clock() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// What is granted one by one: the leases of a process that asks nobody.
    fn granted(held: &Held, account: Account, budget: Budget) -> Verdict {
        held.at_hand(account, budget).unwrap_or_else(|| held.alone(account, budget, 60_000))
    }

    #[test]
    fn what_came_to_nothing_is_at_hand_once_more_and_only_once() {
        let (held, budget) = (Held::default(), Budget { most: 1, per: Duration::from_secs(3) });
        let account = Account { kind: Kind::Activations, whom: Whom::Address(Ipv4Addr::LOCALHOST.into()) };
        let first = granted(&held, account, budget);
        assert!(first.granted && first.left == 0, "{first:?}");
        let back = held.give_back(account, first);
        assert!(back.granted && back.left == 1, "{back:?}");
        let told = held.ask(account, budget, 0);
        assert_eq!((told.charge, told.unused), (1, Some((first.slice_ms, 1))), "the others hear of both");
        assert!(!held.alone(account, budget, 60_000).granted, "it was told, and is not at hand any more");
    }

    #[test]
    fn what_was_granted_with_another_lease_stays_used() {
        let (held, budget) = (Held::default(), Budget { most: 2, per: Duration::from_secs(3) });
        let account = Account { kind: Kind::Activations, whom: Whom::Address(Ipv4Addr::LOCALHOST.into()) };
        let first = granted(&held, account, budget);
        let stale = Verdict { slice_ms: first.slice_ms - 1, ..first };
        assert_eq!(held.give_back(account, stale), stale);
        assert_eq!(held.ask(account, budget, 0).unused, None);
    }
}
