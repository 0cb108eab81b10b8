//! What the platforms know.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::identities::Provider;
use serde::Serialize;
use tokio::sync::Notify;

use super::{
    Fault,
    faults::Door,
    helix::{SaidByApi, Twitch},
    openid::SigningKeys,
};

/// A request that a client made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub provider: &'static str,
    /// `authorize`, `token`, `profile`, `revoke` or `validate`.
    pub door: &'static str,
    /// `authorization_code` or `refresh_token`; empty elsewhere.
    pub grant: String,
    /// What it was answered with; 0 when it was not.
    pub status: u16,
}

/// A code that waits to be shown.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) provider: Provider,
    pub(super) login: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: String,
    pub(super) device: String,
    pub(super) scopes: Vec<String>,
    /// The grant that it was good for; shown again, it ends that.
    pub(super) family: u64,
    pub(super) used: bool,
}

/// A token of a person.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) provider: Provider,
    pub(super) login: String,
    pub(super) scopes: Vec<String>,
    pub(super) device: String,
    pub(super) family: u64,
    /// A newer one took its place.
    pub(super) used: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) codes: HashMap<String, Code>,
    pub(super) access: HashMap<String, Grant>,
    pub(super) refresh: HashMap<String, Grant>,
    /// Grants that are over.
    pub(super) over: HashSet<u64>,
    pub(super) faults: Vec<(Provider, Fault)>,
    pub(super) seen: Vec<Seen>,
    pub(super) twitch: Twitch,
    /// Messages that are in chats.
    pub(super) said: Vec<SaidByApi>,
    next_family: u64,
}

impl State {
    pub(super) fn new_family(&mut self) -> u64 {
        self.next_family += 1;
        self.next_family
    }

    /// The oldest fault of the platform that shows at this door; it shows once.
    pub(super) fn take_fault(&mut self, provider: Provider, door: Door) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, fault)| *of == provider && fault.door() == door)?;
        Some(self.faults.remove(at).1)
    }

    pub(super) fn see(&mut self, provider: Provider, door: &'static str, grant: &str, status: u16) {
        self.seen.push(Seen { provider: provider.as_str(), door, grant: grant.to_owned(), status });
    }
}

/// Who hears of messages at once.
pub(super) type Listener = Arc<dyn Fn(&SaidByApi) + Send + Sync>;

pub(super) struct World {
    address: SocketAddr,
    state: Mutex<State>,
    pub(super) signing: SigningKeys,
    /// Those who wait to be answered.
    pub(super) held: Notify,
    listener: Mutex<Option<Listener>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("address", &self.address).finish_non_exhaustive()
    }
}

impl World {
    pub(super) fn new(address: SocketAddr) -> Self {
        let (signing, held) = (SigningKeys::default(), Notify::new());
        Self { address, state: Mutex::default(), signing, held, listener: Mutex::default() }
    }

    pub(super) fn listener(&self) -> Option<Listener> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self, provider: Provider) -> String {
        format!("http://{}/{provider}", self.address)
    }

    pub(super) fn set_live(&self, login: &str, since: Option<String>) {
        let mut state = self.state();
        match since {
            Some(since) => drop(state.twitch.live.insert(login.to_owned(), since)),
            None => drop(state.twitch.live.remove(login)),
        }
    }

    pub(super) fn revoke(&self, provider: Provider, login: &str) {
        let mut state = self.state();
        let of = |grant: &Grant| grant.provider == provider && grant.login == login;
        let families: Vec<u64> = state.refresh.values().filter(|grant| of(grant)).map(|grant| grant.family).collect();
        state.over.extend(families);
        state.access.retain(|_, grant| !of(grant));
    }
}

/// A token or code that nobody guesses.
pub(super) fn random() -> String {
    hex::encode(rand::random::<[u8; 20]>())
}
