//! `memalerts admin ...`: what nobody can do in the system itself when nobody is an admin yet, or the only one is shut out.

use anyhow::{Context as _, bail};
use domain::{
    accounts::{self, Role, User},
    acts::{Actor, By},
    factors, playback,
};
use queue::{Database, Tx};

use super::{
    ops::{by, database, end},
    print,
};
use crate::{cli::AdminCommand, config::Config};

pub(super) async fn run(command: AdminCommand) -> anyhow::Result<()> {
    let sends_mails = Config::from_env()?.sends_mails();
    let db = database("admin").await?;
    let outcome = match command {
        AdminCommand::Grant { login } => grant(&db, &login, sends_mails).await,
        AdminCommand::CodesOff { login } => switch_codes_off(&db, &login, sends_mails).await,
    };
    end(&db).await;
    outcome
}

async fn grant(db: &Database, login: &str, sends_mails: bool) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let user = find(&mut tx, login, "whoever shall be an admin logs in first").await?;
    let login = &user.login;
    if user.banned_at.is_some() {
        bail!("{login} is banned");
    }
    if user.role == Role::Admin {
        return print(&format!("{login} is an admin already\n"));
    }
    let user = accounts::grant(&mut tx, &operator(), user.id, Role::Admin).await.context("change the role")?;
    playback::follow_role(&mut tx, &user, sends_mails).await.context("tell the person")?;
    tx.commit().await?;
    print(&format!("{} is an admin from the next login on\n", user.login))
}

async fn switch_codes_off(db: &Database, login: &str, sends_mails: bool) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let user = find(&mut tx, login, "nobody's codes are switched off").await?;
    match factors::switch_off_of(&mut tx, &operator(), user.id, sends_mails).await {
        Ok(()) => {}
        Err(factors::FactorError::NotAsked) => bail!("{} is asked for no codes", user.login),
        Err(error) => return Err(error).context("switch the codes off"),
    }
    tx.commit().await?;
    print(&format!("{} logs in with the password alone from now on\n", user.login))
}

async fn find(tx: &mut Tx, login: &str, otherwise: &str) -> anyhow::Result<User> {
    let login = accounts::parse_login(login)?;
    let found = accounts::find_by_login(&mut *tx, &login).await?;
    found.with_context(|| format!("there is nobody with the login {login}: {otherwise}"))
}

fn operator() -> By {
    By { actor: Actor::System(by().actor), request: None }
}
