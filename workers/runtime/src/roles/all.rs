//! Everything in one process: the other roles under one lifecycle, on a private PostgreSQL if need be.

use std::net::{SocketAddr, TcpListener};

use super::{Process, api, chat, identity, welcome, work};
use crate::{boot, config::Config, lifecycle::Lifecycle, telemetry};

/// Starts the database if it is ours to start, then the roles; ends when they have drained.
///
/// # Errors
/// What hindered a role from starting, or ended it.
pub async fn run(mut config: Config, lifecycle: Lifecycle) -> anyhow::Result<()> {
    let metrics = telemetry::install_metrics()?;
    work::find_programs(&mut config, &work::Pool::ALL)?;
    let listener = api::bind(&mut config)?;
    let twitch = chat::simulate(&mut config, &lifecycle).await?;
    let platforms = identity::simulate(&mut config, &lifecycle).await?;
    let vkvideo = match &platforms {
        Some(platforms) => chat::simulate_vkvideo(&mut config, platforms, &lifecycle).await?,
        None => None,
    };
    let simulated = welcome::Simulated {
        vkvideo: vkvideo.map(|vkvideo| vkvideo.address()),
        chat: twitch.as_ref().map(|twitch| twitch.address()),
        platforms: platforms.as_ref().map(|platforms| platforms.address()),
    };
    if let (Some(platforms), Some(twitch)) = (&platforms, twitch) {
        chat::connect(platforms, twitch);
    }
    let patience = boot::Patience::Some(lifecycle.draining.clone());
    let connected = boot::connect(&config, "all", true, patience).await?;
    let process = Process::boot(config, boot::Files::Used, connected.pool, lifecycle).await?;
    let metrics = metrics.serve(process.config.http.metrics_port).await?;
    let outcome = everything(&process, listener, metrics, simulated).await;
    process.end().await;
    if let Some(server) = connected.embedded {
        tokio::task::spawn_blocking(move || server.stop()).await??;
    }
    outcome
}

/// The roles side by side. One that fails ends the others, too: half a system helps nobody.
async fn everything(
    process: &Process,
    listener: TcpListener,
    metrics: SocketAddr,
    simulated: welcome::Simulated,
) -> anyhow::Result<()> {
    let options = work::Options::of_this_program();
    let greeting = async {
        if process.config.environment.is_dev() {
            // A stop does not wait for a meme to be drawn.
            process.lifecycle.draining.run_until_cancelled(welcome::welcome(process, metrics, simulated)).await;
        }
    };
    let roles = tokio::join!(
        ended(process, api::serve(process, listener)),
        ended(process, work::serve(process, &work::Pool::ALL, &options)),
        greeting,
    );
    roles.0.and(roles.1)
}

async fn ended(process: &Process, role: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let outcome = role.await;
    process.lifecycle.draining.cancel();
    outcome
}
