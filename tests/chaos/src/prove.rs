//! Breaches on order: a check that finds nothing proves something only if it finds what is there.

use std::{sync::atomic::Ordering, time::Duration};

use anyhow::{Context as _, ensure};
use sqlx::Executor as _;
use tokio::time::{Instant, sleep};

use crate::{invariants, load::Load, rig::Rig, uploads};

/// Each invariant with the statement that breaks it.
const BREACHES: [(&str, &str); 8] = [
    (
        "I1",
        "with operation as (
             insert into ledger_operations (id, kind, idempotency_key, channel_id)
             select gen_random_uuid(), 'capture', 'planted', id from channels limit 1 returning id
         )
         insert into ledger_entries (operation_id, account, amount) select id, 'sink', 1 from operation",
    ),
    ("I2", "update wallets set balance = balance + 1 where id = (select id from wallets order by id limit 1)"),
    (
        "I5",
        "insert into activations (id, channel_id, user_id, meme_id, price, final_price, sender_name, title, type, file_hash,
                                  duration_ms, turn_at, status, ended_at)
         select gen_random_uuid(), channel_id, user_id, meme_id, price, final_price, sender_name, title, type, file_hash,
                duration_ms, turn_at, 'done', app_now()
         from activations limit 1",
    ),
    ("I7", "delete from idempotency_keys where ctid = (select ctid from idempotency_keys where status = 200 limit 1)"),
    (
        "I8",
        "insert into jobs (kind, version, pool, payload, max_attempts, state, token, worker, attempts, claimed_at)
         values ('advance-playback', 1, 'nobody', '{}', 5, 'running', 1, -1, 1, app_now())",
    ),
    (
        "I9",
        "insert into outbox_messages (id, channel_id, provider, source, message, status, expires_at)
         select gen_random_uuid(), id, 'twitch', 'say', 'nobody ever heard this', 'sent', app_now() from channels limit 1",
    ),
    (
        "I13",
        "insert into file_hashes (hash, size, mime_type, reference_count) values (repeat('ab', 32), 1, 'video/mp4', 1)",
    ),
    ("I10", "delete from events where ctid = (select ctid from events where stream like 'channel:%' limit 1)"),
];

/// Loads the system without a fault, finds nothing, and then breaks one invariant after the other.
pub(crate) async fn prove(rig: &mut Rig, seed: u64) -> anyhow::Result<()> {
    let mut load = Load::start(rig, seed)?;
    let begun = Instant::now();
    while load.answered.load(Ordering::Relaxed) < 50 {
        ensure!(begun.elapsed() < Duration::from_secs(30), "nobody could buy anything");
        sleep(Duration::from_millis(20)).await;
    }
    load.calm().await?;
    let mut found = invariants::quiesce(&rig.pool).await?;
    found.extend(uploads::sweep(rig).await?);
    found.extend(invariants::check(rig, &load.received).await?);
    found.extend(rig.findings.take());
    ensure!(found.is_empty(), "without any fault: {found:?}");
    for (id, breach) in BREACHES {
        rig.pool.execute(breach).await.with_context(|| format!("plant a breach of {id}"))?;
        let found = invariants::check(rig, &load.received).await?;
        // The money's rules are told together.
        let told =
            |finding: &String| finding.starts_with(id) || (["I1", "I2"].contains(&id) && finding.starts_with("I1-I3"));
        ensure!(found.iter().any(told), "a breach of {id} was not found, only {found:?}");
    }
    drop(load.end().await);
    Ok(())
}
