//! The HTTP API.

use std::{io, net::TcpListener, time::Duration};

use ::api::App;
use anyhow::Context as _;
use blobs::Hash;
use nix::sys::resource::{Resource, getrlimit};
use url::Url;

use super::{Process, identity};
use crate::{
    boot,
    config::{Config, Environment},
    lifecycle::Lifecycle,
    telemetry,
};

/// The API alone in its process.
///
/// # Errors
/// No database, or the port is taken.
pub async fn run(mut config: Config, lifecycle: Lifecycle) -> anyhow::Result<()> {
    let metrics = telemetry::install_metrics()?;
    let listener = bind(&mut config)?;
    let patience = boot::Patience::Some(lifecycle.draining.clone());
    let connected = boot::connect(&config, "api", false, patience).await?;
    let process = Process::boot(config, boot::Files::Used, connected.pool, lifecycle).await?;
    metrics.serve(process.config.http.metrics_port).await?;
    let served = serve(&process, listener).await;
    process.end().await;
    served
}

/// Takes the port, before anything slow is done; `PORT=0` is replaced by the one that was given.
///
/// # Errors
/// The port is taken, with a text that says what to do.
pub fn bind(config: &mut Config) -> anyhow::Result<TcpListener> {
    let address = config.http.socket_address();
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("port {} is taken: stop what listens there, or set PORT", address.port())
        }
        _ => anyhow::Error::new(error).context(format!("listen on {address}")),
    })?;
    config.http.port = listener.local_addr()?.port();
    Ok(listener)
}

/// Serves until the lifecycle drains and open requests have ended.
///
/// # Errors
/// The socket broke.
pub async fn serve(process: &Process, listener: TcpListener) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "the API takes requests");
    let draining = process.lifecycle.draining.clone();
    let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE).context("how many files may be open")?;
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let grace = process.config.process.grace;
    ::api::serve(app(process).await?, listener, draining, grace, descriptors).await.context("serve the API")
}

async fn app(process: &Process) -> anyhow::Result<App> {
    let media_origin = if process.config.uploads.presigned { media_origin(process).await? } else { None };
    let settings = ::api::Settings {
        environment: match process.config.environment {
            Environment::Dev => ::api::Environment::Dev,
            Environment::Beta => ::api::Environment::Beta,
            Environment::Prod => ::api::Environment::Prod,
        },
        public_url: process.config.http.public_url(),
        internal_secret: process.internal_secret(),
        eventsub_secret: ::api::Secret::new(process.eventsub_secret()),
        simulator: simulator(&process.config),
        build: crate::BUILD.to_owned(),
        media_origin,
        max_upload_bytes: process.config.uploads.max_bytes,
        approval_above: process.config.coins.approval_above,
        import_hosts: process.config.imports.hosts.clone(),
        max_resubmits: process.config.uploads.max_resubmits,
        cors_origins: process.config.http.cors_origins.clone(),
        vkvideo: vkvideo::VkVideo::new(identity::platforms(process)?, process.vault.clone())
            .context("make the client of VK Video")?,
        platforms: identity::platforms(process)?,
        bots: super::chat::fallback(&process.config),
        sends_mails: process.config.sends_mails(),
        trusted_proxies: process.config.http.trusted_proxies.clone(),
        trusted_proxy_header: process.config.http.trusted_proxy_header,
        limits: ::api::Limits {
            per_minute: process.config.http.rate_limit,
            factor: process.config.http.rate_limit_factor,
        },
    };
    let secrets = ::api::Secrets { keys: process.keys.clone(), vault: process.vault.clone() };
    let draining = &process.lifecycle.draining;
    Ok(::api::AppState::new(process.db.clone(), secrets, settings, process.blobs.clone(), draining))
}

/// Where the bucket's addresses are: those of all files have the same origin.
async fn media_origin(process: &Process) -> anyhow::Result<Option<String>> {
    let any = process.blobs.address(&Hash::from([0; 32]), "video/mp4", Duration::from_secs(1)).await?;
    let origin = |address: String| Ok(Url::parse(&address)?.origin().ascii_serialization());
    any.map(origin).transpose()
}

/// In dev, whoever listens at the plain WebSocket that the pools read is a simulator.
fn simulator(config: &Config) -> Option<String> {
    let url = &config.chat.twitch.as_ref().filter(|_| config.environment.is_dev())?.irc_url;
    Some(url.strip_prefix("ws://")?.trim_end_matches('/').to_owned())
}
