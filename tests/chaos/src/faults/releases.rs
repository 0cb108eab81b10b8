//! Faults that releases are: a schema that changes under load, processes that are replaced one after the other, and a
//! release that is taken back.
//!
//! Two instances of the API stand side by side, and whoever asks goes to the other one where the first refuses the
//! connection, as a load balancer does. No request that was taken may fail.

use std::{net::SocketAddr, time::Duration};

use anyhow::ensure;
use nix::sys::signal::Signal;
use rand::{RngExt as _, rngs::StdRng};
use reqwest::{Client, StatusCode};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{Struck, clients::Buyer, orders};
use crate::{fleet::ROLES, rig::Rig, world::PRICE};

/// What the next release adds; the present one does not read it.
const EXPAND: [&str; 6] = [
    "alter table activations add column chaos_note text",
    "alter table jobs add column chaos_number integer not null default 7",
    "alter table wallets add column chaos_number bigint not null default 0",
    "alter table memes add column chaos_note text check (length(chaos_note) < 10)",
    "create table chaos_notes (id bigint generated always as identity primary key, activation_id uuid references activations (id))",
    "create index concurrently chaos_activations on activations (chaos_note) where chaos_note is not null",
];
/// What the release after that drops.
const CONTRACT: [&str; 6] = [
    "drop index chaos_activations",
    "drop table chaos_notes",
    "alter table memes drop column chaos_note",
    "alter table wallets drop column chaos_number",
    "alter table jobs drop column chaos_number",
    "alter table activations drop column chaos_note",
];
/// As the next release writes down that it has migrated.
const APPLIED: &str = r"insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                        values (999999, 'the next release', true, '\x00', 1)";
/// Who wants a table for itself waits no longer, for behind it all others wait, too; then it tries again.
const LOCK_TIMEOUT: &str = "set lock_timeout = '500ms'";
const TRIES: u32 = 60;
/// How many ask at once.
const ASKING: usize = 6;
/// How long a process may take to drain.
const DRAIN: Duration = Duration::from_secs(10);

/// Expand, deploy beside the old one, backfill, contract.
pub(super) async fn migrate(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let asked = Asking::start(rig, rng).await?;
    let mut conn = change(rig).await?;
    let mut refused = apply(&mut conn, &EXPAND, &mut struck).await?;
    roll(rig, &mut struck).await?;
    let filled = backfill(&mut conn).await?;
    refused += apply(&mut conn, &CONTRACT, &mut struck).await?;
    conn.close().await?;
    let answered = asked.end(rig, &mut struck).await?;
    struck.detail = format!("{answered} requests meanwhile, {filled} rows filled, {refused} locks not had in time");
    Ok(struck)
}

/// The schema is that of the next release, whose orders wait in the queue; the processes are replaced by those of this one.
pub(super) async fn roll_back(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let asked = Asking::start(rig, rng).await?;
    let mut conn = change(rig).await?;
    apply(&mut conn, &EXPAND, &mut struck).await?;
    rig.pool.execute(APPLIED).await?;
    let mark = format!("newer-{:016x}", rng.random::<u64>());
    let newer = orders::plant_newer(rig, &mark).await?;
    roll(rig, &mut struck).await?;
    struck.findings.extend(orders::judge_newer(rig, &mark, newer).await?);
    rig.pool.execute("delete from _sqlx_migrations where version = 999999").await?;
    apply(&mut conn, &CONTRACT, &mut struck).await?;
    conn.close().await?;
    let answered = asked.end(rig, &mut struck).await?;
    struck.detail = format!("{answered} requests meanwhile, {newer} orders of the next release left alone");
    Ok(struck)
}

/// The connection that migrates.
async fn change(rig: &Rig) -> anyhow::Result<PgConnection> {
    let mut conn = rig.pool.acquire().await?.detach();
    conn.execute(LOCK_TIMEOUT).await?;
    Ok(conn)
}

/// How often a lock was not had in time.
async fn apply(conn: &mut PgConnection, statements: &[&'static str], struck: &mut Struck) -> anyhow::Result<u32> {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let mut refused = 0;
    for statement in statements {
        for attempt in 1.. {
            let Err(error) = conn.execute(*statement).await else { break };
            let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
            if code.as_deref() != Some(LOCK_NOT_AVAILABLE) || attempt == TRIES {
                struck.findings.push(format!("{statement}: {error}, the {attempt}th time"));
                break;
            }
            refused += 1;
            if statement.contains("concurrently") {
                // What was not built to its end is there, and of no use.
                drop(conn.execute("drop index if exists chaos_activations").await);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(refused)
}

/// In small pieces, and past what is in use.
async fn backfill(conn: &mut PgConnection) -> anyhow::Result<u64> {
    let mut filled = 0;
    loop {
        let done = conn
            .execute(
                "update activations set chaos_note = 'filled' where id = any (array(
                     select id from activations where chaos_note is null limit 200 for update skip locked))",
            )
            .await?
            .rows_affected();
        filled += done;
        if done < 200 {
            return Ok(filled);
        }
    }
}

/// Replaces one process after the other, as a deployment does.
async fn roll(rig: &mut Rig, struck: &mut Struck) -> anyhow::Result<()> {
    let begun = Instant::now();
    for role in ROLES.map(|(role, _)| role).into_iter().chain(["api-2"]) {
        rig.fleet.signal(role, Signal::SIGTERM)?;
        match rig.fleet.ends(role, DRAIN).await? {
            Some(status) if status.success() => {}
            Some(status) => struck.findings.push(format!("{role} drained with {status}")),
            None => {
                struck.findings.push(format!("{role} did not drain within {DRAIN:?}"));
                rig.fleet.kill(role).await?;
            }
        }
        rig.fleet.start(role, "")?;
        match role {
            "api" => rig.fleet.api_is_up().await?,
            "api-2" => rig.fleet.second_api_is_up().await?,
            _ => {}
        }
    }
    struck.recovery = Some(begun.elapsed());
    Ok(())
}

/// Who look and buy all the time, at whichever instance takes the connection.
struct Asking {
    stop: watch::Sender<bool>,
    tasks: JoinSet<anyhow::Result<(u64, Vec<String>)>>,
}

impl Asking {
    async fn start(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Self> {
        let other = rig.fleet.start_second_api().await?;
        let buyer = Buyer::with_coins(rig, 10_000 * PRICE, rng).await?;
        let instances = [rig.fleet.api, other];
        let place = &rig.world.channels[0];
        let (stop, stopped) = watch::channel(false);
        // Each request on a connection of its own: one that was kept may be closed by a process that drains just when it
        // is used.
        let http = Client::builder().pool_max_idle_per_host(0).build()?;
        let mut tasks = JoinSet::new();
        for _ in 0..ASKING {
            let (slug, meme, journal) = (place.slug.clone(), place.meme, rig.journal.clone());
            let (http, token, id, stopped) = (http.clone(), buyer.token.clone(), buyer.id, stopped.clone());
            tasks.spawn(async move {
                let (mut answered, mut findings) = (0, Vec::new());
                while !*stopped.borrow() {
                    // Each is asked once: one that fails is a finding.
                    let key = Uuid::new_v4();
                    journal.sent(key, id, meme)?;
                    let bought = format!("/memes/{meme}/activate");
                    for path in [format!("/channels/{slug}/memes"), bought] {
                        match ask(&http, instances, &path, &token, key).await {
                            Ok((status, body)) if status.is_success() => {
                                answered += 1;
                                if path.ends_with("/activate") {
                                    journal.acked(key, status.as_u16(), &body)?;
                                }
                            }
                            Ok((status, body)) => {
                                findings.push(format!("{path} got {status}: {}", String::from_utf8_lossy(&body)));
                            }
                            Err(error) => findings.push(format!("{path} got no answer: {error:?}")),
                        }
                    }
                    sleep(Duration::from_millis(30)).await;
                }
                Ok((answered, findings))
            });
        }
        Ok(Self { stop, tasks })
    }

    /// How many were answered; who was not is a finding.
    async fn end(self, rig: &mut Rig, struck: &mut Struck) -> anyhow::Result<u64> {
        self.stop.send_replace(true);
        let mut all = 0;
        for asked in self.tasks.join_all().await {
            let (answered, findings) = asked?;
            all += answered;
            struck.findings.extend(findings);
        }
        ensure!(all > 0, "nobody got an answer");
        rig.fleet.dismiss("api-2").await?;
        Ok(all)
    }
}

/// The first instance that takes the connection answers.
async fn ask(
    http: &Client,
    instances: [SocketAddr; 2],
    path: &str,
    token: &str,
    key: Uuid,
) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    let [first, second] = instances;
    match ask_one(http, first, path, token, key).await {
        Err(error) if error.is_connect() => ask_one(http, second, path, token, key).await,
        answer => answer,
    }
}

async fn ask_one(
    http: &Client,
    instance: SocketAddr,
    path: &str,
    token: &str,
    key: Uuid,
) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    let url = format!("http://{instance}{path}");
    let request = if path.ends_with("/activate") {
        http.post(url).bearer_auth(token).header("Idempotency-Key", key.to_string())
    } else {
        http.get(url)
    };
    let answer = request.timeout(Duration::from_secs(5)).send().await?;
    Ok((answer.status(), answer.bytes().await?.to_vec()))
}
