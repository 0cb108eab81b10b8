//! `memalerts jobs ...`: looking at the work and acting on it by hand.

use anyhow::{Context as _, bail};
use queue::{
    Database,
    admin::{self, Act, ActView, Filter, JobView, Ordered, Paging},
};
use time::format_description::well_known::Rfc3339;

use super::{
    ops::{by, database, end},
    print, print_json,
};
use crate::cli::{JobsCommand, Matching, Which};

/// One job or many of them.
pub(super) async fn run(command: JobsCommand) -> anyhow::Result<()> {
    let db = database("jobs").await?;
    let outcome = match command {
        JobsCommand::List { matching, after, oldest, limit, json } => {
            let mut filter = filter(matching);
            filter.state = match filter.state.as_deref() {
                Some("any") => None,
                None => Some("unfinished".to_owned()),
                Some(state) => Some(state.to_owned()),
            };
            let paging = Paging { after, oldest_first: oldest, limit };
            let mut conn = db.pool().acquire().await?;
            let mut page = admin::list(&mut conn, &filter, paging).await?;
            // What somebody must look at stands where it is seen first, however much is newer.
            if after.is_none() && filter.state.as_deref() == Some("unfinished") {
                let dead = Filter { state: Some("dead".to_owned()), ..filter };
                let dead = admin::list(&mut conn, &dead, paging).await?;
                page.jobs.retain(|job| job.state != "dead");
                page.jobs.splice(0..0, dead.jobs);
            }
            drop(conn);
            if json { print_json(&page) } else { print(&table(&page.jobs, page.next)) }
        }
        JobsCommand::Show { id } => match admin::show(&mut *db.pool().acquire().await?, id).await? {
            Some(detail) => print_json(&detail),
            None => bail!("there is no job {id}"),
        },
        JobsCommand::Retry { which } => order(&db, which, &Act::Retry, "due now").await,
        JobsCommand::Discard { which, reason } => order(&db, which, &Act::Discard(reason), "discarded").await,
        JobsCommand::Reschedule { which, at } => {
            let now = admin::now(&mut *db.pool().acquire().await?).await?;
            admin::run_at_within_reason(at, now).context("--at")?;
            order(&db, which, &Act::Reschedule(at), &format!("due at {}", at.format(&Rfc3339)?)).await
        }
        JobsCommand::Log { before, limit, json } => {
            let page = admin::acts(&mut *db.pool().acquire().await?, before, limit).await?;
            if json { print_json(&page) } else { print(&log(&page.acts, page.next)?) }
        }
    };
    end(&db).await;
    outcome
}

fn filter(matching: Matching) -> Filter {
    Filter {
        pool: matching.pool.map(|pool| pool.to_string()),
        kind: matching.kind,
        state: matching.state,
        key: matching.key,
        trace: matching.trace,
        since: matching.since,
        until: matching.until,
        payload: matching.payload.into_iter().collect(),
    }
}

async fn order(db: &Database, which: Which, act: &Act, done: &str) -> anyhow::Result<()> {
    let by = by();
    if let Some(id) = which.id {
        let mut tx = db.begin().await?;
        let ordered = admin::one(&mut tx, &by, id, act).await?;
        tx.commit().await?;
        return told(db, id, ordered, &format!("is {done}")).await;
    }
    // All there are is a condition, too, where it is written out.
    let mut filter = filter(which.matching);
    if filter.state.as_deref() == Some("any") {
        filter.state = Some("unfinished".to_owned());
    }
    let bulk = admin::all(db, &by, &filter, act, which.dry_run).await?;
    if which.dry_run {
        return print(&format!("{} jobs match\n", bulk.matched));
    }
    print(&format!("{} of {} jobs that match are {done}\n", bulk.done, bulk.matched))
}

async fn told(db: &Database, id: i64, ordered: Ordered, done: &str) -> anyhow::Result<()> {
    match ordered {
        Ordered::Yes => print(&format!("job {id} {done}\n")),
        Ordered::NotFound => match admin::show(&mut *db.pool().acquire().await?, id).await? {
            Some(detail) => bail!("job {id} is finished: {} (memalerts jobs show {id})", detail.job.state),
            None => bail!("there is no job {id}, or it was finished so long ago that it is forgotten"),
        },
        Ordered::Running => bail!("job {id} runs right now"),
        Ordered::Covered => bail!("another unfinished job has the key of job {id} and does its work"),
    }
}

fn table(jobs: &[JobView], next: Option<i64>) -> String {
    let mut text =
        format!("{:>10}  {:<10} {:<10} {:<24} {:>8}  {}\n", "id", "state", "pool", "kind", "attempts", "reason");
    for job in jobs {
        let waits = job.waits_for.as_ref().map(|what| format!("waits for its {what}"));
        let reason = job.reason.as_deref().or(waits.as_deref()).unwrap_or_default();
        text += &format!(
            "{:>10}  {:<10} {:<10} {:<24} {:>8}  {reason}\n",
            job.id, job.state, job.pool, job.kind, job.attempts
        );
    }
    if let Some(next) = next {
        text += &format!("more: --after {next}\n");
    }
    text
}

fn log(acts: &[ActView], next: Option<i64>) -> anyhow::Result<String> {
    let mut text = format!("{:<20}  {:<16} {:<13} {:>8}  {}\n", "at", "who", "did", "jobs", "to what");
    for act in acts {
        let at = act.at.replace_nanosecond(0)?.format(&Rfc3339)?;
        let jobs = act.jobs.map_or_else(|| "-".to_owned(), |jobs| jobs.to_string());
        text += &format!("{at:<20}  {:<16} {:<13} {jobs:>8}  {}\n", act.actor, act.act, act.target);
    }
    if let Some(next) = next {
        text += &format!("more: --before {next}\n");
    }
    Ok(text)
}
