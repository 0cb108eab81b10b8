//! Faults that jobs are: poison, floods, and those that always fail.

use std::time::Duration;

use anyhow::Context as _;
use domain::{
    accounts::{self, Role},
    channels,
};
use queue::{Database, Wakes};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::Struck;
use crate::{fleet::DISPATCHERS, rig::Rig};

/// Jobs of one flood.
const FLOOD: i64 = 1_000_000;
/// Other kinds are picked up within this time, in 99 of 100 cases.
const PICKUP_MS: f64 = 250.0;
/// What a process may grow by while it eats a flood.
const GROWTH_KIB: u64 = 64 * 1024;

/// Rows that no enqueue would write: each is to be buried with a reason, but the one that a newer process wrote, which is
/// to wait for that process.
pub(super) async fn poison(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck =
        Struck { detail: "not JSON of ours, unknown kind, 2 MiB, too new".to_owned(), hit: true, ..Struck::default() };
    let mark = format!("poison-{:016x}", rng.random::<u64>());
    let big = "x".repeat(2 << 20);
    let rows = [
        ("advance-playback", 1, r#"{"channels": 7}"#.to_owned()),
        ("no-such-order", 1, "{}".to_owned()),
        ("advance-playback", 1, format!(r#"{{"x": "{big}"}}"#)),
        ("advance-playback", 9, r#"{"lanes": []}"#.to_owned()),
    ];
    for (kind, version, payload) in rows {
        sqlx::query!(
            "insert into jobs (kind, version, pool, payload, max_attempts, trace) values ($1, $2, 'dispatch', $3::text::jsonb, 3, $4)",
            kind,
            version,
            payload,
            mark,
        )
        .execute(&rig.pool)
        .await?;
    }
    let begun = Instant::now();
    loop {
        let now = sqlx::query!(
            r#"select count(*) filter (where state = 'dead' and coalesce(reason, '') <> '' and version = 1) as "buried!",
                      count(*) filter (where state = 'ready' and version = 9 and attempts = 0) as "waiting!",
                      count(*) filter (where state = 'dead' and octet_length(reason) > 10000) as "verbose!"
               from jobs where trace = $1"#,
            mark
        )
        .fetch_one(&rig.pool)
        .await?;
        if (now.buried, now.waiting) == (3, 1) {
            struck.recovery = Some(begun.elapsed());
            if now.verbose > 0 {
                struck.findings.push("F35: a reason repeats the payload".to_owned());
            }
            break;
        }
        if begun.elapsed() > Duration::from_secs(10) {
            struck
                .findings
                .push(format!("F35: {} of 3 were buried with a reason, {} of 1 waits", now.buried, now.waiting));
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    remove(rig, &mark).await?;
    Ok(struck)
}

/// Kinds with their pools, one at least of each pool.
const KINDS: [(&str, &str); 9] = [
    ("advance-playback", "dispatch"),
    ("expire-play", "dispatch"),
    ("announce-queue", "dispatch"),
    ("send-chat-message", "outbox"),
    ("relay-chatter", "credits"),
    ("publish-credits", "credits"),
    ("ingest-chat-batch", "chat"),
    ("probe-upload", "media"),
    ("transcode-upload", "media"),
];

/// Orders of the next release, before all others; how many.
pub(super) async fn plant_newer(rig: &Rig, mark: &str) -> anyhow::Result<i64> {
    for (kind, pool) in KINDS {
        sqlx::query!(
            r#"insert into jobs (kind, version, pool, payload, max_attempts, priority, trace)
               values ($1, 99, $2, '{"of": "the next release"}', 3, 30000, $3)"#,
            kind,
            pool,
            mark,
        )
        .execute(&rig.pool)
        .await?;
        let line = format!("chaos\np{pool}");
        sqlx::query!("select pg_notify('memalerts_wake', $1)", line).fetch_one(&rig.pool).await?;
    }
    Ok(i64::try_from(KINDS.len())?)
}

/// Nobody has touched them; they are taken away then.
pub(super) async fn judge_newer(rig: &Rig, mark: &str, planted: i64) -> anyhow::Result<Vec<String>> {
    let untouched = sqlx::query_scalar!(
        r#"select count(*) as "count!" from jobs
           where trace = $1 and state = 'ready' and attempts = 0 and crashes = 0 and claimed_at is null and reason is null"#,
        mark
    )
    .fetch_one(&rig.pool)
    .await?;
    remove(rig, mark).await?;
    Ok(if untouched == planted {
        Vec::new()
    } else {
        vec![format!("of {planted} orders of the next release {untouched} were left alone")]
    })
}

/// Orders of the next release reach the workers of this one, which are to leave them alone and go on with their own.
pub(super) async fn newer(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let mark = format!("newer-{:016x}", rng.random::<u64>());
    let planted = plant_newer(rig, &mark).await?;
    let role = *DISPATCHERS.choose(rng).context("dispatchers")?;
    rig.fleet.kill(role).await?;
    rig.fleet.start(role, "")?;
    let (begun, before) = (Instant::now(), ended(rig).await?);
    // Longer than a lease and a poll: who wanted to take one has done so by then.
    while ended(rig).await? < before + 20 || begun.elapsed() < Duration::from_secs(5) {
        if begun.elapsed() > Duration::from_secs(20) {
            struck.findings.push("F40: nothing else went on for 20 s".to_owned());
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    struck.findings.extend(judge_newer(rig, &mark, planted).await?);
    struck.detail = format!("{planted} orders of the next release, and {role} started anew");
    Ok(struck)
}

/// A million jobs of one kind, in the pool that people wait for.
pub(super) async fn flood(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    let before = resident(rig);
    sqlx::query!(
        "insert into jobs (kind, version, pool, payload, max_attempts, priority, trace)
         select 'announce-queue', 1, 'dispatch', jsonb_build_object('channel_id', gen_random_uuid()), 5, -10, 'flood'
         from generate_series(1, $1::bigint)",
        FLOOD
    )
    .execute(&rig.pool)
    .await?;
    sqlx::query!("select pg_notify('memalerts_wake', E'chaos\\npdispatch')").fetch_one(&rig.pool).await?;
    let begun = Instant::now();
    let mut largest = before;
    loop {
        sleep(Duration::from_secs(1)).await;
        largest = largest.max(resident(rig));
        let left = sqlx::query_scalar!(r#"select exists(select from jobs where trace = 'flood') as "left!""#);
        if !left.fetch_one(&rig.pool).await? {
            break;
        }
        if begun.elapsed() > Duration::from_mins(30) {
            struck.findings.push("F36: the flood was not eaten within 30 min".to_owned());
            remove(rig, "flood").await?;
            break;
        }
    }
    let pickup = sqlx::query!(
        r#"select count(*) as "count!",
                  coalesce(percentile_cont(0.99) within group (order by extract(epoch from claimed_at - created_at) * 1000), 0)::float8
                      as "p99!"
           from jobs_done
           where kind = 'advance-playback' and finished_at > app_now() - make_interval(secs => $1)"#,
        begun.elapsed().as_secs_f64()
    )
    .fetch_one(&rig.pool)
    .await?;
    let grown = largest.saturating_sub(before);
    struck.recovery = Some(begun.elapsed());
    struck.detail = format!(
        "{FLOOD} jobs eaten in {:?}; p99 of the pickup of {} others {:.0} ms; a process grew by {} MiB",
        begun.elapsed(),
        pickup.count,
        pickup.p99,
        grown / 1024
    );
    if pickup.p99 > PICKUP_MS {
        struck.findings.push(format!("F36: p99 of the pickup of others was {:.0} ms", pickup.p99));
    }
    if grown > GROWTH_KIB {
        struck.findings.push(format!("F36: a process grew by {} MiB", grown / 1024));
    }
    Ok(struck)
}

/// Ten jobs before all others that fail whenever they run: they look at a lane that refuses to be written.
pub(super) async fn starve(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck { detail: "ten of top priority".to_owned(), hit: true, ..Struck::default() };
    let db = Database::new(rig.pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    let owner = accounts::upsert_by_login(&mut tx, "trapped", "trapped", Role::Streamer).await?;
    let trapped = channels::ensure(&mut tx, &owner).await?.id;
    tx.commit().await?;
    let trap = format!(
        "create or replace function trap() returns trigger language plpgsql as $$ begin raise 'trap'; end $$;
         create or replace trigger trap before update on lanes
             for each row when (old.channel_id = '{trapped}') execute function trap()"
    );
    rig.pool.execute(AssertSqlSafe(trap)).await?;
    sqlx::query!(
        "insert into jobs (kind, version, pool, payload, max_attempts, priority, trace)
         select 'advance-playback', 1, 'dispatch', jsonb_build_object('channels', jsonb_build_array($1::uuid)), 30000, 30000, 'starve'
         from generate_series(1, 10)",
        trapped
    )
    .execute(&rig.pool)
    .await?;
    let before = ended(rig).await?;
    let begun = Instant::now();
    while ended(rig).await? < before + 20 {
        if begun.elapsed() > Duration::from_secs(20) {
            struck.findings.push("F37: nothing else went on for 20 s".to_owned());
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    struck.recovery = Some(begun.elapsed());
    let failed = sqlx::query_scalar!(
        r#"select count(*) as "count!" from job_attempts a join jobs j on j.id = a.job_id where j.trace = 'starve'"#
    )
    .fetch_one(&rig.pool)
    .await?;
    struck.hit = failed > 0;
    struck.detail = format!("ten of top priority failed {failed} times");
    rig.pool.execute("drop trigger trap on lanes").await?;
    remove(rig, "starve").await?;
    Ok(struck)
}

/// Activations that have come to their end.
pub(super) async fn ended(rig: &Rig) -> anyhow::Result<i64> {
    let ended = sqlx::query_scalar!(r#"select count(*) as "count!" from activations where ended_at is not null"#);
    Ok(ended.fetch_one(&rig.pool).await?)
}

/// Takes away what was planted.
async fn remove(rig: &Rig, mark: &str) -> anyhow::Result<()> {
    sqlx::query!("delete from jobs where trace = $1 and state <> 'running'", mark).execute(&rig.pool).await?;
    Ok(())
}

/// The larger one of the dispatchers, KiB.
fn resident(rig: &Rig) -> u64 {
    DISPATCHERS.iter().filter_map(|role| rig.fleet.resident_kib(role)).max().unwrap_or(0)
}

/// Transactions of a round that lock in the opposite order.
pub(super) const CROSSINGS: u32 = 100;

/// Locks the channel's stream and then its wallets, or its lane.
async fn cross(pool: &PgPool, slug: &str, channel: Uuid, wallets: bool) -> Result<(), sqlx::Error> {
    let db = Database::new(pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    tx.execute("set local deadlock_timeout = '10s'").await?;
    sqlx::query!("select from event_streams where key = 'channel:' || $1 for update", slug).execute(&mut *tx).await?;
    sleep(Duration::from_millis(15)).await;
    if wallets {
        sqlx::query!("select from wallets where channel_id = $1 order by id for update", channel)
            .execute(&mut *tx)
            .await?;
    } else {
        sqlx::query!("select from lanes where channel_id = $1 for update", channel).execute(&mut *tx).await?;
    }
    tx.commit().await
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("40P01")
}

/// Strangers lock what the house locks last, and then what it locks first: each time somebody of the house waits in between,
/// PostgreSQL ends him, for it looks at those who have waited for longer than strangers hold their first lock, and they have
/// told it to look at them last. Nobody outside hears of it.
pub(super) async fn deadlocks(rig: &mut Rig) -> anyhow::Result<Struck> {
    let mut struck = Struck::default();
    rig.pool.execute("alter system set deadlock_timeout = '40ms'").await?;
    rig.pool.execute("select pg_reload_conf()").await?;
    let (before, refused) = (ended_in_deadlocks(rig).await?, rig.findings.unavailable());
    let mut strangers = JoinSet::new();
    let each = CROSSINGS / u32::try_from(rig.world.channels.len())?;
    for place in &rig.world.channels {
        let (pool, slug) = (rig.pool.clone(), place.slug.clone());
        strangers.spawn(async move {
            let channel = sqlx::query_scalar!("select id from channels where slug = $1", slug).fetch_one(&pool).await?;
            for number in 0..each {
                match cross(&pool, &slug, channel, number % 2 == 0).await {
                    // On a busy machine the house has looked before the stranger waits, and nobody is left to look but he.
                    Err(error) if is_deadlock(&error) => {}
                    other => other?,
                }
                sleep(Duration::from_millis(15)).await;
            }
            anyhow::Ok(())
        });
    }
    for stranger in strangers.join_all().await {
        stranger?;
    }
    rig.pool.execute("alter system reset deadlock_timeout").await?;
    rig.pool.execute("select pg_reload_conf()").await?;
    // The statistics of a transaction are told when it is idle, within a second.
    sleep(Duration::from_millis(1200)).await;
    let victims = ended_in_deadlocks(rig).await? - before;
    let refused = rig.findings.unavailable() - refused;
    if refused > 0 {
        struck.findings.push(format!("F14: {refused} requests were told to come again because of a deadlock"));
    }
    struck.hit = victims > 0;
    struck.detail = format!("{CROSSINGS} transactions in the opposite order, {victims} deadlocks");
    Ok(struck)
}

async fn ended_in_deadlocks(rig: &Rig) -> anyhow::Result<i64> {
    let deadlocks = sqlx::query_scalar!(
        r#"select deadlocks as "deadlocks!" from pg_stat_database where datname = current_database()"#
    );
    Ok(deadlocks.fetch_one(&rig.pool).await?)
}
