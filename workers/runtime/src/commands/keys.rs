//! `memalerts keys ...`: which key seals what is secret in the database.

use anyhow::{Context as _, bail};
use domain::{
    access::{KeyId, Keys, Vault},
    keys::{self, Count, Holder, KeysError},
};
use queue::{
    Database, Enqueued, Job as _, Wakes,
    admin::{self, Filter, Paging},
};
use serde::Serialize;

use super::{
    ops::{by, end},
    print, print_json,
};
use crate::{
    boot::{self, Instance},
    cli::KeysCommand,
    config::Config,
    roles::vault_of,
};

pub(super) async fn run(command: KeysCommand) -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let connected = boot::connect(&config, "keys", false, boot::Patience::None).await?;
    let (wakes, _) = Wakes::new();
    let db = Database::new(connected.pool, wakes);
    let instance = Instance::settle(db.pool(), &config).await?;
    let vault = vault_of(&config.secrets, &Keys::derive(instance.keys.master.expose().as_bytes()));
    let outcome = match command {
        KeysCommand::Rotate => rotate(&db, &vault).await,
        KeysCommand::Status { json } => status(&db, &vault, &config.secrets.lost_data_keys, json).await,
    };
    end(&db).await;
    outcome
}

async fn rotate(db: &Database, vault: &Vault) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let ordered = match keys::order(&mut tx, vault).await {
        Err(KeysError::OtherHolders { wanted, others }) => bail!(refusal(wanted, &others)),
        ordered => ordered.context("order the rotation")?,
    };
    let key = vault.present();
    if ordered == Enqueued::Folded {
        return print(&format!("a rotation to key {key} is under way\n"));
    }
    admin::note(&mut tx, &by(), "rotate_keys", serde_json::json!({ "key": key.to_string() }), None).await?;
    tx.commit().await?;
    print(&format!("everything will be brought under key {key}: memalerts keys status shows how far it is\n"))
}

/// Which processes are in the way.
fn refusal(wanted: KeyId, others: &[Holder]) -> String {
    let others: String = others.iter().map(|Holder { process, key }| format!("\n  - {process}: key {key}")).collect();
    format!(
        "nothing is rotated to key {wanted} while these processes seal under another one:{others}\nstart them again with the new \
         MEMALERTS_DATA_KEY; one that has died is forgotten after 20 s"
    )
}

#[derive(Serialize)]
struct Status {
    /// The key that seals.
    present: String,
    /// Whether a rotation is under way, or stands still because a step of it is dead.
    rotation: Option<&'static str>,
    values: Vec<Values>,
    /// The processes that live.
    processes: Vec<Process>,
}

#[derive(Serialize)]
struct Process {
    process: String,
    /// The one that it seals under.
    key: String,
}

#[derive(Serialize)]
struct Values {
    table: &'static str,
    column: &'static str,
    key: String,
    /// `present`, `old` (this process can open it), `lost` (it cannot, and MEMALERTS_LOST_DATA_KEYS says so) or `unknown`.
    is: &'static str,
    count: i64,
}

async fn status(db: &Database, vault: &Vault, lost: &[KeyId], json: bool) -> anyhow::Result<()> {
    let mut conn = db.pool().acquire().await?;
    let counts = keys::status(&mut conn).await.context("count the values")?;
    let holders = keys::holders(&mut conn).await.context("ask for the processes")?;
    let kind = Some(keys::RotateKeys::NAME.to_owned());
    let filter = Filter { kind, state: Some("unfinished".to_owned()), ..Filter::default() };
    let steps = admin::list(&mut conn, &filter, Paging::default()).await?.jobs;
    drop(conn);
    let mut steps: Vec<_> = steps.iter().filter(|step| step.payload["key"] == vault.present().to_string()).collect();
    // One that was given up does not stop another one.
    steps.sort_by_key(|step| step.state == "dead");
    let rotation = steps.first().map(|step| if step.state == "dead" { "dead" } else { "under way" });
    let values = counts.into_iter().map(|count| values(vault, lost, count)).collect();
    let processes = holders.into_iter().map(|Holder { process, key }| Process { process, key }).collect();
    let status = Status { present: vault.present().to_string(), rotation, values, processes };
    if json { print_json(&status) } else { print(&text(&status)) }
}

fn values(vault: &Vault, lost: &[KeyId], Count { column, key, values }: Count) -> Values {
    let is = match vault.key_ids().position(|known| known == key) {
        Some(0) => "present",
        Some(_) => "old",
        None if lost.contains(&key) => "lost",
        None => "unknown",
    };
    Values { table: column.table, column: column.name, key: key.to_string(), is, count: values }
}

fn text(status: &Status) -> String {
    let mut text = format!("key {} seals\n", status.present);
    for Values { table, column, key, is, count } in &status.values {
        text += &format!("{:<34} {key:<10} {is:<8} {count:>10}\n", format!("{table}.{column}"));
    }
    if status.values.is_empty() {
        text += "nothing is sealed\n";
    }
    for Process { process, key } in status.processes.iter().filter(|process| process.key != status.present) {
        text += &format!("{process} seals under key {key}\n");
    }
    match status.rotation {
        Some("dead") => text += "the rotation stands still: memalerts jobs list --kind rotate-keys\n",
        Some(_) => text += "a rotation is under way\n",
        None => {}
    }
    text
}
