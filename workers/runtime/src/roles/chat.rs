//! What the chat pools need: settings, the resident listeners, and in dev a Twitch to talk to.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use ::chat::{
    platforms,
    simulator::{
        twitch::{self as simulator, Simulator, Speech},
        vkvideo as vkvideo_simulator,
    },
};
use anyhow::Context as _;
use domain::{bot_accounts::Fallback, identities, outbox::Provider};
use irc::OauthToken;
use sha2::{Digest as _, Sha256};
use url::Url;
use vkvideo::VkVideo;

use super::{Process, identity};
use crate::{
    config::{self, Config},
    lifecycle::Lifecycle,
};

/// A connection to VK Video needs a new token no more often.
const RARE_ENOUGH: Duration = Duration::from_secs(600);

/// What pool `chat` must be told.
///
/// # Errors
/// There is no TLS on this machine.
pub(super) fn settings(process: &Process) -> anyhow::Result<::chat::Settings> {
    let config = &process.config;
    let own = || vec![format!("http://127.0.0.1:{}", config.http.port)];
    Ok(::chat::Settings {
        twitch: config.chat.twitch.as_ref().map(|twitch| platforms::twitch::Settings {
            url: twitch.irc_url.clone(),
            account: twitch.account.as_ref().map(|account| platforms::twitch::Account {
                login: account.login.clone(),
                token: OauthToken::new(account.token.expose()),
            }),
        }),
        vkvideo: vkvideo(process)?,
        sync: config.chat.sync_every,
        public_url: config.http.public_url(),
        relay_targets: if config.chat.backend_base_urls.is_empty() {
            own()
        } else {
            config.chat.backend_base_urls.clone()
        },
    })
}

fn vkvideo(process: &Process) -> anyhow::Result<Option<platforms::vkvideo::Settings>> {
    let config = &process.config.chat.vkvideo;
    if !config.enabled {
        return Ok(None);
    }
    let api =
        VkVideo::new(identity::platforms(process)?, process.vault.clone()).context("make the client of VK Video")?;
    Ok(Some(platforms::vkvideo::Settings {
        url: config.pubsub_url.clone(),
        refresh_every: config.refresh_every,
        role_stubs: config.role_stubs.clone(),
        api,
    }))
}

/// The setting that keeps the platform's chats from being read, if one does.
pub(super) fn switched_off(config: &Config, platform: Provider) -> Option<&'static str> {
    (platform == Provider::VkVideo && !config.chat.vkvideo.enabled).then_some("VKVIDEO_CHAT_BOT_ENABLED")
}

/// What pool `outbox` must be told.
pub(super) fn outbox_settings(process: &Process) -> anyhow::Result<::outbox::Settings> {
    Ok(::outbox::Settings {
        twitch: process.config.chat.twitch.as_ref().and_then(|twitch| {
            let account = twitch.account.as_ref()?;
            Some(::outbox::twitch::Settings {
                url: twitch.irc_send_url.clone(),
                login: account.login.clone(),
                token: OauthToken::new(account.token.expose()),
            })
        }),
        fallback: fallback(&process.config),
        spacing: process.config.chat.channel_interval,
        callback: callback(process),
        mail: ::outbox::mail::Settings {
            smtp_url: process.config.mail.smtp_url.as_ref().map(|url| url.expose().to_owned()),
            sender: process.config.mail.sender.clone(),
            public_url: process.config.http.public_url(),
            shown: process.config.environment.is_dev(),
        },
        platforms: identity::platforms(process)?,
        vault: process.vault.clone(),
    })
}

/// Accounts that the settings name, of those that somebody has linked here.
pub(super) fn fallback(config: &Config) -> Fallback {
    Fallback {
        user_id: config.chat.bot_user_id,
        subject: config.chat.bot_twitch_user_id.clone(),
        login: config.chat.bot_login.clone(),
    }
}

/// Where Twitch tells us what happens: it takes https only, a simulated one anything.
fn callback(process: &Process) -> Option<::outbox::Callback> {
    let url = format!("{}/webhooks/twitch/eventsub", process.config.http.public_url());
    let twitch = process.config.identity.access.get(&identities::Provider::Twitch)?;
    let simulated = twitch.url.as_ref().is_some_and(|url| url.scheme() == "http");
    let secret = process.eventsub_secret();
    let secret_id = hex::encode(&Sha256::digest(secret.as_bytes())[..4]);
    (simulated || url.starts_with("https://")).then_some(::outbox::Callback { url, secret, secret_id })
}

/// Listens to the platform's chats until the lifecycle drains. A platform that is not configured is told once and left
/// alone: a process of its own must not end, or the runner of the Procfile would stop everything. That a platform is not
/// built yet is news only to who has `named` it.
pub(super) async fn listen(process: &Process, platform: Provider, settings: ::chat::Settings, named: bool) {
    let stop = process.lifecycle.draining.clone();
    let refresh = process.config.chat.vkvideo.refresh_every;
    if platform == Provider::VkVideo && settings.vkvideo.is_some() && refresh < RARE_ENOUGH {
        tracing::warn!(
            seconds = refresh.as_secs(),
            "VKVIDEO_PUBSUB_REFRESH_SECONDS asks VK Video for tokens more often than it likes: 600 are enough"
        );
    }
    if let Err(reason) = ::chat::listen(process.db.clone(), platform, settings, stop.clone()).await {
        if named || !matches!(reason, platforms::NoConnector::NotBuilt(_)) {
            tracing::info!(%platform, %reason, "nothing is heard on this platform");
        }
        stop.cancelled().await;
    }
}

/// The simulators as a process of their own, until the lifecycle drains.
///
/// # Errors
/// A port is taken.
pub async fn run_simulator(
    port: u16,
    identity_port: u16,
    vkvideo_port: u16,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let simulator = start_simulator(port, &lifecycle).await?;
    tracing::info!(
        url = simulator.websocket_url(),
        "the simulator of Twitch takes connections: set TWITCH_IRC_URL to its address"
    );
    let platforms = identity::start(identity_port, &lifecycle).await?;
    connect(&platforms, simulator);
    for provider in identities::Provider::ALL {
        let (client_id, client_secret) = ::identity::simulator::Simulator::client(provider);
        let [id, secret, url, _] = ::identity::Platforms::settings(provider);
        tracing::info!(
            settings = format!("{id}={client_id} {secret}={client_secret} {url}={}", platforms.url(provider)),
            "the simulator of platforms to log in with takes connections: set these"
        );
    }
    let vkvideo = start_vkvideo(vkvideo_port, &platforms, &lifecycle).await?;
    tracing::info!(
        settings = format!("VKVIDEO_API_BASE_URL={} VKVIDEO_PUBSUB_WS_URL={}", vkvideo.api_url(), vkvideo.pubsub_url()),
        "the simulator of VK Video takes connections: set these"
    );
    lifecycle.draining.cancelled().await;
    Ok(())
}

/// What is said through the platform's API is read in its chat.
pub(super) fn connect(platforms: &::identity::simulator::Simulator, chat: Simulator) {
    platforms.listen(move |said| {
        let (channel, nick, text) = (said.channel.clone(), said.sender.clone(), said.text.clone());
        chat.speak(&Speech { channel, nick, text, id: said.message_id.clone(), ..Speech::default() });
    });
}

/// Makes this process its own Twitch, if the settings ask for it.
pub(super) async fn simulate(config: &mut Config, lifecycle: &Lifecycle) -> anyhow::Result<Option<Simulator>> {
    if config.chat.simulate_twitch {
        let simulator = start_simulator(0, lifecycle).await?;
        config.chat.twitch = Some(config::Twitch {
            irc_url: simulator.websocket_url(),
            irc_send_url: simulator.plain_url(),
            account: Some(config::BotAccount::of_dev()),
        });
        return Ok(Some(simulator));
    }
    Ok(None)
}

/// Makes this process its own VK Video, if people log in at the simulated one and the settings name no other place.
pub(super) async fn simulate_vkvideo(
    config: &mut Config,
    platforms: &::identity::simulator::Simulator,
    lifecycle: &Lifecycle,
) -> anyhow::Result<Option<vkvideo_simulator::Simulator>> {
    let provider = identities::Provider::VkVideo;
    let Some(access) = config.identity.access.get_mut(&provider) else { return Ok(None) };
    let simulated = access.url.as_ref().is_some_and(|url| url.as_str() == platforms.url(provider));
    if !simulated || access.api.is_some() {
        return Ok(None);
    }
    let simulator = start_vkvideo(0, platforms, lifecycle).await?;
    access.api = Some(Url::parse(&simulator.api_url()).context("the simulator's address")?);
    if config.chat.vkvideo.pubsub_url == platforms::vkvideo::DEFAULT_URL {
        config.chat.vkvideo.pubsub_url = simulator.pubsub_url();
    }
    Ok(Some(simulator))
}

async fn start_vkvideo(
    port: u16,
    platforms: &::identity::simulator::Simulator,
    lifecycle: &Lifecycle,
) -> anyhow::Result<vkvideo_simulator::Simulator> {
    let settings = vkvideo_simulator::Settings::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    vkvideo_simulator::Simulator::start(settings, platforms.clone(), lifecycle.stopped.clone())
        .await
        .with_context(|| format!("start the simulator of VK Video on port {port}"))
}

async fn start_simulator(port: u16, lifecycle: &Lifecycle) -> anyhow::Result<Simulator> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Simulator::start(simulator::Settings::at(address), lifecycle.stopped.clone())
        .await
        .with_context(|| format!("start the simulator of Twitch on {address}"))
}
