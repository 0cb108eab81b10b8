//! `memalerts blobs ...`: the files behind memes, uploads and archives.

mod audit;
mod repo;

use std::time::Duration;

use anyhow::ensure;
use queue::{Database, Wakes};

use self::audit::{Audit, Options};
use super::{ops::end, print, print_json};
use crate::{
    boot::{self, Files, Instance},
    cli::BlobsCommand,
    config::Config,
};

pub(super) async fn run(command: BlobsCommand) -> anyhow::Result<()> {
    let BlobsCommand::Audit { deep, repair, older_than, json } = command;
    let options = Options { deep, repair, older_than: Duration::from_mins(older_than.into()) };
    let config = Config::from_env()?;
    let connected = boot::connect(&config, "blobs", false, boot::Patience::None).await?;
    let (wakes, _) = Wakes::new();
    let db = Database::new(connected.pool, wakes);
    let instance = Instance::settle(db.pool(), &config).await?;
    let blobs = boot::open_store(&config.uploads, &instance.database_id.to_string(), Files::Used).await?;
    let found = audit::run(&db, &blobs, options).await;
    end(&db).await;
    let found = found?;
    if json {
        print_json(&found)?;
    } else {
        print(&text(&found))?;
    }
    let left = found.findings.iter().filter(|finding| !finding.repaired).count();
    ensure!(left == 0, "files and rows do not fit together, findings left: {left}");
    Ok(())
}

fn text(audit: &Audit) -> String {
    let mut text = String::new();
    for finding in &audit.findings {
        let done = if finding.repaired { " (repaired)" } else { "" };
        text += &format!("{:<8} {} {}{done}\n", finding.wrong, finding.file, finding.detail);
    }
    text += &format!("looked at {} rows and {} files: ", audit.rows, audit.objects);
    text += &match audit.findings.len() {
        0 => "they fit together\n".to_owned(),
        1 => "1 finding\n".to_owned(),
        more => format!("{more} findings\n"),
    };
    text
}
