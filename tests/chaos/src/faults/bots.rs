//! Faults of bots: two processes that want to read the same chats.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::time::{Instant, sleep};

use super::Struck;
use crate::{rig::Rig, world::COMMAND};

/// Takeovers of a round.
pub(super) const TAKEOVERS: u32 = 2;
/// A chat whose reader has died is read again within this time.
const READ_AGAIN: Duration = Duration::from_secs(6);

/// Two processes read the chats; now one dies, now it stands still for longer than its lease and goes on, now it drains.
/// People call the bot all the time: nobody is answered twice, and every chat has a reader again soon.
pub(super) async fn takeovers(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck { hit: true, ..Struck::default() };
    rig.fleet.start("chat-2", "")?;
    let mut calls = Vec::new();
    let mut said = Vec::new();
    for _ in 0..TAKEOVERS {
        let role = *["chat", "chat-2"].choose(rng).context("two")?;
        let way = *["killed", "stopped", "drained"].choose(rng).context("ways")?;
        match way {
            "killed" => {
                rig.fleet.kill(role).await?;
                rig.fleet.start(role, "")?;
            }
            "stopped" => rig.fleet.signal(role, Signal::SIGSTOP)?,
            _ => {
                rig.fleet.signal(role, Signal::SIGTERM)?;
                if rig.fleet.ends(role, Duration::from_secs(10)).await?.is_none() {
                    struck.findings.push(format!("F34: {role} did not drain within 10 s"));
                    rig.fleet.kill(role).await?;
                }
                rig.fleet.start(role, "")?;
            }
        }
        let begun = Instant::now();
        // Beyond the lease, so that another one has taken over when it goes on.
        let standstill = Duration::from_millis(rng.random_range(4_000..5_500));
        while begun.elapsed() < standstill {
            calls.push(call(rig, rng));
            // No more than the bot may answer: the platform lets it say twenty things in half a minute.
            sleep(Duration::from_millis(rng.random_range(1500..2500))).await;
        }
        if way == "stopped" {
            rig.fleet.signal(role, Signal::SIGCONT)?;
            calls.push(call(rig, rng));
        }
        while unread(rig).await? > 0 {
            if begun.elapsed() > READ_AGAIN {
                struck.findings.push(format!("F34: {role} {way}: chats had no reader for {READ_AGAIN:?}"));
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        struck.recovery = struck.recovery.max(Some(begun.elapsed().saturating_sub(standstill)));
        said.push(format!("{role} {way}"));
    }
    // Whoever is called twice by one line answers within a poll.
    sleep(Duration::from_millis(1500)).await;
    let answers = sqlx::query!(
        r#"select message, count(*) as "count!" from outbox_messages where source = 'command' and message like 'asker_%' group by message"#
    )
    .fetch_all(&rig.pool)
    .await?;
    let answers: BTreeMap<&str, i64> = answers.iter().map(|answer| (answer.message.as_str(), answer.count)).collect();
    let mut answered = 0;
    for nick in &calls {
        let times = answers.get(format!("{nick} is here").as_str()).copied().unwrap_or(0);
        answered += u32::from(times > 0);
        if times > 1 {
            struck.findings.push(format!("F34: {nick} called once and was answered {times} times"));
        }
    }
    if answered == 0 {
        struck.findings.push(format!("F34: none of {} calls was answered", calls.len()));
    }
    rig.fleet.dismiss("chat-2").await?;
    struck.detail = format!("{}; {answered} of {} calls answered", said.join(", "), calls.len());
    Ok(struck)
}

/// Somebody calls the bot; who it is.
fn call(rig: &Rig, rng: &mut StdRng) -> String {
    let nick = format!("asker_{:012x}", rng.random::<u64>() >> 16);
    let place = &rig.world.channels[rng.random_range(0..rig.world.channels.len())];
    rig.twitch.say(&place.slug, &nick, COMMAND);
    nick
}

/// Chats without a reader whose lease runs.
async fn unread(rig: &Rig) -> anyhow::Result<i64> {
    let unread = sqlx::query_scalar!(
        r#"select count(*) as "count!" from bot_integrations b
           where b.enabled and not exists (
               select from chat_sessions s join chat_workers w on w.id = s.holder
               where s.platform = b.provider and s.channel_id = b.channel_id and w.lease_until > app_now())"#
    );
    Ok(unread.fetch_one(&rig.pool).await?)
}
