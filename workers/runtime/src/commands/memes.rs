//! `memalerts memes ...`: what is found out about memes that are older than the finding out.

use anyhow::Context as _;
use domain::media::{self, CompleteAsset};
use queue::{
    Database, Job as _,
    admin::{self, Counts, Filter},
};
use serde::Serialize;

use super::{
    ops::{database, end},
    print, print_json,
};
use crate::cli::MemesCommand;

pub(super) async fn run(command: MemesCommand) -> anyhow::Result<()> {
    let db = database("memes").await?;
    let outcome = match command {
        MemesCommand::Status { json } => status(&db, json).await,
        MemesCommand::Complete => complete(&db).await,
    };
    end(&db).await;
    outcome
}

#[derive(Serialize)]
struct Status {
    /// Assets that nothing has been ordered for yet.
    waiting: i64,
    /// Orders that are not finished.
    ordered: i64,
    /// Orders that were given up: `memalerts jobs list --kind complete-asset --state dead`.
    dead: i64,
}

async fn status(db: &Database, json: bool) -> anyhow::Result<()> {
    let mut conn = db.pool().acquire().await?;
    let waiting = media::incomplete(&mut conn).await.context("count the assets")?;
    let orders = Filter { kind: Some(CompleteAsset::NAME.to_owned()), ..Filter::default() };
    let Counts { ready, scheduled, running, dead } = admin::counts(&mut conn, &orders).await?;
    let status = Status { waiting, ordered: ready + scheduled + running, dead };
    if json {
        return print_json(&status);
    }
    let Status { waiting, ordered, dead } = status;
    print(&format!(
        "{waiting} memes wait for loudness, pictures and looks, {ordered} are being worked on, {dead} were given up\n"
    ))
}

async fn complete(db: &Database) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let again = media::order_again(&mut tx).await.context("look for what lacks something")?;
    tx.commit().await?;
    print(&format!("{again} memes lack something: memalerts memes status shows how far it is\n"))
}
