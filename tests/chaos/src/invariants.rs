//! What must hold when all is calm, each in words when it does not. Ids are those of the reliability plan.

use std::{sync::PoisonError, time::Duration};

use chat::simulator::twitch::Simulator;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use crate::{journal::Journal, load::Screens, rig::Rig, uploads};

/// How long the system may take to finish what is due once nobody orders anything.
const CALM: Duration = Duration::from_secs(90);

/// Waits until no work is due and no activation is open; what is left after that is a finding (I4).
pub(crate) async fn quiesce(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let begun = Instant::now();
    loop {
        let left = sqlx::query!(
            r#"select (select count(*) from jobs where state = 'running' or state = 'ready' and run_at <= app_now() + interval '1 s')
                          as "jobs!",
                      (select count(*) from activations where ended_at is null) as "open!",
                      (select count(*) from outbox_messages where status in ('pending', 'processing')) as "unsaid!",
                      coalesce((select string_agg(distinct kind || ' ' || state, ', ') from jobs where state <> 'ready'), '')
                          as "which!""#
        )
        .fetch_one(pool)
        .await?;
        if left.jobs == 0 && left.open == 0 && left.unsaid == 0 {
            return Ok(Vec::new());
        }
        if begun.elapsed() > CALM {
            return Ok(vec![format!(
                "I4: {} jobs ({}), {} activations and {} messages are open {CALM:?} after the last order",
                left.jobs, left.which, left.open, left.unsaid
            )]);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// All invariants that this load can break.
pub(crate) async fn check(rig: &Rig, screens: &Screens) -> anyhow::Result<Vec<String>> {
    let (pool, journal, twitch) = (&rig.pool, &rig.journal, &rig.twitch);
    let mut findings = Vec::new();
    let mut conn = pool.acquire().await?;
    for breach in domain::wallets::audit(&mut conn).await? {
        findings.push(format!("I1-I3: {breach}"));
    }
    for breach in domain::activations::audit(&mut conn).await? {
        findings.push(format!("I5: {breach}"));
    }
    drop(conn);
    findings.extend(acknowledged(pool, journal).await?);
    findings.extend(jobs(pool).await?);
    findings.extend(messages(pool, journal, twitch).await?);
    findings.extend(events(pool, screens).await?);
    findings.extend(uploads::check(pool, journal, &rig.store).await?);
    Ok(findings)
}

/// I6, I7: every answer that a client has is kept, is the same each time, and has one effect.
async fn acknowledged(pool: &PgPool, journal: &Journal) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let (mut keys, mut statuses, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    for (key, known) in journal.known() {
        let Some((status, body)) = known.answers.first() else { continue };
        if known.answers.iter().any(|answer| answer != &(*status, body.clone())) {
            findings.push(format!("I6: key {key} got different answers: {:?}", known.answers));
        }
        keys.push(key.to_string());
        statuses.push(i16::try_from(*status)?);
        bodies.push(body.clone());
    }
    let lost = sqlx::query_scalar!(
        r#"select a.key || ' was answered ' || a.status || ', kept is ' || coalesce(k.status::text, 'nothing') as "lost!"
           from unnest($1::text[], $2::smallint[], $3::text[]) as a (key, status, body)
           left join idempotency_keys k on k.key = a.key
           where k.status is distinct from a.status
              or encode(sha256(convert_to(k.body, 'UTF8')), 'hex') <> a.body"#,
        &keys,
        &statuses,
        &bodies,
    )
    .fetch_all(pool)
    .await?;
    findings.extend(lost.into_iter().map(|lost| format!("I7: key {lost}")));
    let effects = sqlx::query!(
        r#"select (select count(*) from idempotency_keys where operation = 'activate' and status = 200) as "granted!",
                  (select count(*) from activations where source = 'meme') as "placed!",
                  (select count(*) from idempotency_keys k
                   where k.operation = 'activate' and k.status = 200
                     and not exists (select from activations a where a.id::text = k.body::jsonb #>> '{activation,id}'))
                      as "without!""#
    )
    .fetch_one(pool)
    .await?;
    if effects.granted != effects.placed || effects.without != 0 {
        findings.push(format!(
            "I6: {} purchases were granted, {} activations are there, {} grants have none",
            effects.granted, effects.placed, effects.without
        ));
    }
    Ok(findings)
}

/// I8: no job without a live owner; and none is dead, for nothing here fails by itself.
async fn jobs(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let lost = sqlx::query_scalar!(
        r#"select 'job ' || j.id || ' (' || j.kind || ') ' || case j.state
                      when 'dead' then 'is dead: ' || coalesce(j.reason, '')
                      else 'runs without a live owner since ' || j.claimed_at end as "lost!"
           from jobs j
           where j.state = 'dead'
              or j.state = 'running' and not exists (
                     select from job_workers w where w.id = j.worker and w.seen_at > machine_now() - interval '14 s')"#
    )
    .fetch_all(pool)
    .await?;
    Ok(lost.into_iter().map(|lost| format!("I8: {lost}")).collect())
}

/// I9, I11, I14: every message that was taken is kept; what is `sent` was heard once by the platform, what is `unknown` at
/// most once, what `failed` never. What people said is recorded once, and who said it is in the credits.
async fn messages(pool: &PgPool, journal: &Journal, twitch: &Simulator) -> anyhow::Result<Vec<String>> {
    let lost = sqlx::query_scalar!(
        r#"select id as "id!" from unnest($1::uuid[]) as taken (id)
           where not exists (select from outbox_messages m where m.id = taken.id)"#,
        &journal.messages(),
    )
    .fetch_all(pool)
    .await?;
    let mut findings: Vec<String> =
        lost.into_iter().map(|id| format!("I7: message {id} was taken and is not kept")).collect();
    let doubles = sqlx::query_scalar!(
        r#"select text || ' was recorded ' || count(*) || ' times' as "double!" from chat_messages
           where text like 'hello %' group by channel_id, text having count(*) > 1"#
    )
    .fetch_all(pool)
    .await?;
    findings.extend(doubles.into_iter().map(|double| format!("I11: {double}")));
    let unseen = sqlx::query_scalar!(
        r#"select display_name || ' was seen, is not in the credits and on no way there' as "unseen!"
           from credits_sightings s
           where not exists (select from credits_chatters c where c.session_id = s.session_id and c.user_id = s.platform || ':' || s.user_id)
             and not exists (select from jobs j where j.pool = 'credits' and j.payload::text like '%' || s.id || '%')"#
    )
    .fetch_all(pool)
    .await?;
    findings.extend(unseen.into_iter().map(|unseen| format!("I14: {unseen}")));
    let frames = twitch.frames();
    for message in sqlx::query!("select id, message, status, last_error from outbox_messages").fetch_all(pool).await? {
        let heard = frames
            .iter()
            .filter(|frame| frame.line.contains("PRIVMSG") && frame.line.contains(&message.message))
            .count();
        let right = match message.status.as_str() {
            "sent" => heard == 1,
            "unknown" => heard <= 1,
            _ => heard == 0,
        };
        if !right {
            let error = message.last_error.unwrap_or_default();
            findings.push(format!(
                "I9: message {} is {} ({error}) and was heard {heard} times",
                message.id, message.status
            ));
        }
    }
    Ok(findings)
}

/// I10: a stream's numbers have no gap, and each overlay has every event that was meant for it.
async fn events(pool: &PgPool, screens: &Screens) -> anyhow::Result<Vec<String>> {
    let gaps = sqlx::query_scalar!(
        r#"select s.key || ' ends at ' || s.seq || ' and holds ' || count(e.seq) || ' events' as "gap!"
           from event_streams s left join events e on e.stream = s.key and e.epoch = s.epoch
           group by s.key, s.seq having count(e.seq) <> s.seq"#
    )
    .fetch_all(pool)
    .await?;
    let mut findings: Vec<String> = gaps.into_iter().map(|gap| format!("I10: {gap}")).collect();
    let begun = Instant::now();
    let screens_now = || screens.lock().unwrap_or_else(PoisonError::into_inner).clone();
    loop {
        let mut missing = Vec::new();
        for (slug, received) in screens_now() {
            let seqs: Vec<i64> = received.seqs.iter().copied().collect();
            let lost = sqlx::query_scalar!(
                r#"select seq from events
                   where stream = 'channel:' || $1 and audience & 1 <> 0 and seq > $2 and seq <> all ($3::bigint[])
                   order by seq"#,
                slug,
                received.since,
                &seqs,
            )
            .fetch_all(pool)
            .await?;
            if !lost.is_empty() {
                missing.push(format!("I10: the overlay of {slug} did not get {lost:?}"));
            }
        }
        // A stream that broke is on its way back.
        if missing.is_empty() || begun.elapsed() > Duration::from_secs(10) {
            findings.extend(missing);
            return Ok(findings);
        }
        sleep(Duration::from_millis(100)).await;
    }
}
