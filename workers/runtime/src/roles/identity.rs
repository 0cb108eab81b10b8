//! The platforms that people log in with; in dev simulated ones.

use std::net::{Ipv4Addr, SocketAddr};

use ::identity::{Access, Platforms, simulator::Simulator};
use anyhow::Context as _;
use domain::identities::{Provider, Token};
use url::Url;

use super::Process;
use crate::{config::Config, lifecycle::Lifecycle};

/// What the settings say, ready to be spoken to.
pub(super) fn platforms(process: &Process) -> anyhow::Result<Platforms> {
    Platforms::new(process.config.identity.access.clone()).context("speak TLS")
}

/// Makes this process the platforms that the settings say nothing about; none outside of dev.
pub(super) async fn simulate(config: &mut Config, lifecycle: &Lifecycle) -> anyhow::Result<Option<Simulator>> {
    if config.identity.simulated.is_empty() {
        return Ok(None);
    }
    let simulator = start(0, lifecycle).await?;
    for provider in std::mem::take(&mut config.identity.simulated) {
        let access = config.identity.access.entry(provider).or_default();
        *access = Access { scopes: access.scopes.take(), ..access_of(&simulator, provider)? };
    }
    Ok(Some(simulator))
}

/// The simulator in a process of its own.
///
/// # Errors
/// The port is taken.
pub(super) async fn start(port: u16, lifecycle: &Lifecycle) -> anyhow::Result<Simulator> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let started = Simulator::start(address, lifecycle.stopped.clone()).await;
    started.with_context(|| format!("start the simulator of platforms on {address}"))
}

fn access_of(simulator: &Simulator, provider: Provider) -> anyhow::Result<Access> {
    let (id, secret) = Simulator::client(provider);
    let url = Url::parse(&simulator.url(provider)).context("the simulator's address")?;
    Ok(Access { client_id: Some(id), client_secret: Some(Token::new(secret)), url: Some(url), api: None, scopes: None })
}
