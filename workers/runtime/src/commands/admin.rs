//! `memalerts admin ...`: the first admin of a system.

use anyhow::{Context as _, bail};
use domain::{
    accounts::{self, Role},
    acts::{Actor, By},
};
use queue::Database;

use super::{
    ops::{by, database, end},
    print,
};
use crate::cli::AdminCommand;

pub(super) async fn run(command: AdminCommand) -> anyhow::Result<()> {
    let AdminCommand::Grant { login } = command;
    let db = database("admin").await?;
    let outcome = grant(&db, &login).await;
    end(&db).await;
    outcome
}

async fn grant(db: &Database, login: &str) -> anyhow::Result<()> {
    let login = accounts::parse_login(login)?;
    let mut tx = db.begin().await?;
    let Some(user) = accounts::find_by_login(&mut tx, &login).await? else {
        bail!("there is nobody with the login {login}: whoever shall be an admin logs in first");
    };
    if user.banned_at.is_some() {
        bail!("{login} is banned");
    }
    if user.role == Role::Admin {
        return print(&format!("{login} is an admin already\n"));
    }
    let by = By { actor: Actor::System(by().actor), request: None };
    accounts::grant(&mut tx, &by, user.id, Role::Admin).await.context("change the role")?;
    tx.commit().await?;
    print(&format!("{login} is an admin from the next login on\n"))
}
