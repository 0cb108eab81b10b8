//! What every operation can reach.

use std::sync::Arc;

use blobs::Blobs;
use domain::{
    access::{Keys, Vault},
    bot_accounts::Fallback,
    credits::signature::InternalSecret,
};
use queue::Database;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Ended, Hasher, Programs},
    budgets::{Budgets, ForwardedBy, Limits, Network},
    hub::Hub,
    origins::Origins,
    placing::Placing,
    screens::Screens,
    sightings::Sightings,
};

/// In which surroundings this instance runs; instances of different ones never accept each other's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Dev,
    Beta,
    Prod,
}

impl Environment {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Beta => "beta",
            Self::Prod => "prod",
        }
    }

    /// The name of the cookie with the access token. `__Host-` needs https, which a dev machine has not.
    #[must_use]
    pub const fn cookie(self) -> &'static str {
        match self {
            Self::Dev => "token_dev",
            Self::Beta => "__Host-token_beta",
            Self::Prod => "__Host-token",
        }
    }

    /// The name of the cookie with the refresh token.
    #[must_use]
    pub const fn refresh_cookie(self) -> &'static str {
        match self {
            Self::Dev => "refresh_dev",
            Self::Beta => "__Host-refresh_beta",
            Self::Prod => "__Host-refresh",
        }
    }

    /// The name of the cookie of a browser that is on its way to another platform, to log in.
    #[must_use]
    pub const fn login_cookie(self) -> &'static str {
        match self {
            Self::Dev => "login_dev",
            Self::Beta => "__Host-login_beta",
            Self::Prod => "__Host-login",
        }
    }

    /// Under which name apps list the codes of this place: whoever has an account at several must tell them apart.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::Dev => "MemAlerts-dev",
            Self::Beta => "MemAlerts-beta",
            Self::Prod => "MemAlerts",
        }
    }

    /// The name of the cookie with what a page tells a browser once.
    #[must_use]
    pub const fn told_cookie(self) -> &'static str {
        match self {
            Self::Dev => "told_dev",
            Self::Beta => "__Host-told_beta",
            Self::Prod => "__Host-told",
        }
    }
}

/// What the API must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    pub environment: Environment,
    /// Where clients reach us, without a trailing slash, e.g. `http://127.0.0.1:8080`.
    pub public_url: String,
    /// Proves calls between our own processes.
    pub internal_secret: InternalSecret,
    /// What Twitch signs its webhooks with.
    pub eventsub_secret: Secret,
    /// `host:port` of the simulated Twitch that the pools talk to; dev only.
    pub simulator: Option<String>,
    /// Version and build, as `/health` shows them.
    pub build: String,
    /// Platforms to log in with.
    pub platforms: identity::Platforms,
    /// The way to VK Video, as far as it is set up.
    pub vkvideo: vkvideo::VkVideo,
    /// Who speaks in chats where no account is linked for it.
    pub bots: Fallback,
    /// There is a mail server, or mails are shown on this dev machine.
    pub sends_mails: bool,
    /// Files of memes are served by the store, at this origin (`https://host[:port]`); none: by us.
    pub media_origin: Option<String>,
    /// Bytes of the largest upload.
    pub max_upload_bytes: u64,
    /// Coins that one admin may give or take alone; none: any number.
    pub approval_above: Option<i64>,
    /// Hosts that memes are fetched from; none: nothing is.
    pub import_hosts: egress::Hosts,
    /// How often one submission may be sent in again.
    pub max_resubmits: i16,
    /// Sites whose pages may use the API with a person's session, each `scheme://host[:port]` as browsers write it.
    pub cors_origins: Vec<String>,
    /// Who may say for whom they ask.
    pub trusted_proxies: Vec<Network>,
    /// Where they say it.
    pub trusted_proxy_header: ForwardedBy,
    /// How much anybody may ask.
    pub limits: Limits,
}

/// A text that no formatter shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the API proves and seals with.
#[derive(Debug)]
pub struct Secrets {
    pub keys: Keys,
    pub vault: Arc<Vault>,
}

/// Shared by all operations; cheap to clone.
pub type App = Arc<AppState>;

/// The parts that operations use.
#[derive(Debug)]
pub struct AppState {
    pub db: Database,
    pub keys: Keys,
    /// Seals and opens what is secret in the database.
    pub vault: Arc<Vault>,
    pub settings: Settings,
    pub(crate) blobs: Blobs,
    pub(crate) ended: Ended,
    pub(crate) hasher: Hasher,
    pub(crate) programs: Programs,
    pub(crate) sightings: Sightings,
    pub(crate) origins: Origins,
    pub(crate) budgets: Budgets,
    pub(crate) placing: Placing,
    pub(crate) hub: Hub,
    pub(crate) screens: Screens,
}

impl AppState {
    /// The shared state; opens the desk where activations are placed and the hub that tells events, so it needs a running
    /// tokio. Event streams end when `draining` is cancelled.
    #[must_use]
    pub fn new(db: Database, secrets: Secrets, settings: Settings, blobs: Blobs, draining: &CancellationToken) -> App {
        let ended = Ended::new(db.clone(), draining.clone());
        let placing = Placing::open(db.clone());
        let hub = Hub::new(db.clone(), draining.clone());
        let screens = Screens::new(db.clone(), draining.clone());
        let sightings = Sightings::new(db.clone(), settings.sends_mails, draining.clone());
        let programs = Programs::default();
        let Secrets { keys, vault } = secrets;
        let origins = Origins::of(&settings);
        let budgets = Budgets::open(db.clone(), keys.clone(), &settings);
        let hasher = Hasher::new();
        Arc::new(Self {
            db,
            keys,
            vault,
            settings,
            blobs,
            ended,
            hasher,
            programs,
            sightings,
            origins,
            budgets,
            placing,
            hub,
            screens,
        })
    }
}
