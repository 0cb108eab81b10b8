//! `memalerts audit`: whether all coins add up.

use anyhow::{Context as _, ensure};
use domain::audit;
use queue::{Database, Wakes};

use super::{print, print_json};
use crate::{boot, config::Config};

/// Audits the money of the system that the environment names, and fails when something is wrong.
pub(super) async fn run(json: bool) -> anyhow::Result<()> {
    let connected = boot::connect(&Config::from_env()?, "audit", false, boot::Patience::None).await?;
    let (wakes, _) = Wakes::new();
    let db = Database::new(connected.pool, wakes);
    let found = audit::money(&db).await.context("audit the money")?;
    db.pool().close().await;
    if json {
        print_json(&found)?;
    } else {
        print(&text(&found))?;
    }
    ensure!(found.breaches.is_empty(), "the money does not add up: {} breaches", found.breaches.len());
    Ok(())
}

fn text(found: &audit::Audit) -> String {
    let checked = &found.checked;
    let mut text: String = found.breaches.iter().map(|breach| format!("breach: {breach}\n")).collect();
    text += &format!(
        "checked {} operations, {} entries, {} wallets, {} activations: ",
        checked.operations, checked.entries, checked.wallets, checked.activations
    );
    text += &match found.breaches.len() {
        0 => "all coins add up\n".to_owned(),
        1 => "1 breach\n".to_owned(),
        more => format!("{more} breaches\n"),
    };
    text
}
