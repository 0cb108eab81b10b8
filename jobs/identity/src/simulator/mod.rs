//! The platforms' side of logins: all of them on one loopback port, each below its name (`http://127.0.0.1:PORT/twitch`),
//! and a plain OpenID provider (`/oidc`).
//!
//! Faithful where a client can tell the difference: whose code it is, for which address and which browser (PKCE) it was
//! given, that it is good once, how a client proves itself, in which form tokens come, whether a refresh token rotates,
//! that one shown twice ends them all, and the platform's own words for who came and for what is wrong. Beyond them:
//! everybody may log in under any name, and the client is always `<platform>-client` with the secret `<platform>-secret`.
//!
//! A browser at the authorize address gets a page where it picks a name; with `&as=NAME` (or `&deny=1`) added to the
//! address it is sent back at once.
//!
//! HTTP to steer it, JSON in and out:
//!
//! | request | does |
//! |---|---|
//! | `GET /requests` | what clients asked: `[{provider, door, grant, status}]`, without secrets |
//! | `POST /faults {"provider":"twitch","fault":"token_status","status":500}` | the next fitting request is answered so; [`Fault`] lists all |
//! | `POST /revoke {"provider":"twitch","login":"anna"}` | the person takes all grants back |
//!
//! Of Twitch there is its API, too, as far as we use it (`/twitch/helix`), and what it tells by webhooks: it asks a new
//! callback for the challenge, and signs what it tells. To steer that:
//!
//! | request | does |
//! |---|---|
//! | `GET /calls` | what the API was asked: `[{seq, method, path, body, caller, status}]`, without secrets |
//! | `GET /said` | messages that it has put into chats: `[{channel, sender, text, message_id}]` |
//! | `POST /events {"type":"channel.follow","event":{...},"id":"..."}` | told to whoever subscribed to it; answers what they said |
//! | `POST /live {"login":"anna","since":"2026-01-01T00:00:00Z"}` | the stream of the login goes on; without `since` it is over |
//! | `POST /forbid {"type":"channel.follow"}` | nobody has granted what this type of subscription needs |

mod authorize;
mod eventsub;
mod faults;
mod helix;
mod http;
mod lists;
mod openid;
mod platforms;
mod token;
mod world;

use std::{io, net::SocketAddr, sync::Arc};

use domain::identities::Provider;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub use eventsub::Notice;
pub use faults::Fault;
pub use helix::{ApiCall, SaidByApi};
use http::{Request, Response};
pub use world::Seen;
use world::World;

/// A running simulator; clones steer the same one.
#[derive(Debug, Clone)]
pub struct Simulator {
    world: Arc<World>,
}

impl Simulator {
    /// Listens, and serves until stopped.
    ///
    /// # Errors
    /// The address cannot be taken.
    pub async fn start(address: SocketAddr, stop: CancellationToken) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let world = Arc::new(World::new(listener.local_addr()?));
        tokio::spawn(serve(listener, world.clone(), stop));
        Ok(Self { world })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.world.address()
    }

    /// For the platform's `<PLATFORM>_URL`.
    #[must_use]
    pub fn url(&self, provider: Provider) -> String {
        self.world.url(provider)
    }

    /// For the platform's `<PLATFORM>_CLIENT_ID` and `<PLATFORM>_CLIENT_SECRET`.
    #[must_use]
    pub fn client(provider: Provider) -> (String, String) {
        (format!("{provider}-client"), format!("{provider}-secret"))
    }

    /// The id of the platform's account with this name.
    #[must_use]
    pub fn subject(provider: Provider, login: &str) -> String {
        platforms::subject(provider, login)
    }

    /// For the next request that it fits.
    pub fn fault(&self, provider: Provider, fault: Fault) {
        self.world.state().faults.push((provider, fault));
    }

    /// Faults that nothing has met yet.
    #[must_use]
    pub fn faults(&self) -> Vec<(Provider, Fault)> {
        self.world.state().faults.clone()
    }

    /// Answers what was held back.
    pub fn release(&self) {
        self.world.held.notify_waiters();
    }

    /// What clients asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.world.state().seen.clone()
    }

    /// The person takes all grants back that the platform has given for this account.
    pub fn revoke(&self, provider: Provider, login: &str) {
        self.world.revoke(provider, login);
    }

    /// What Twitch's API was asked, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<ApiCall> {
        self.world.state().twitch.calls.clone()
    }

    /// Messages that Twitch's API has put into chats, in order.
    #[must_use]
    pub fn said(&self) -> Vec<SaidByApi> {
        self.world.state().said.clone()
    }

    /// Hears of each such message when it is said.
    pub fn listen(&self, listener: impl Fn(&SaidByApi) + Send + Sync + 'static) {
        self.world.listen(Arc::new(listener));
    }

    /// Tells an event of Twitch to whoever subscribed to it, under this message id or a new one; the statuses they answered.
    pub async fn tell(&self, kind: &str, event: &Value, id: Option<&str>) -> Vec<u16> {
        eventsub::tell(&self.world, kind, event, id.map(str::to_owned)).await
    }

    /// Takes subscriptions of this type back, and says so.
    pub async fn revoke_subscriptions(&self, kind: &str, reason: &str) {
        eventsub::revoke(&self.world, kind, reason).await;
    }

    /// The stream of the login goes on since then (RFC 3339), or is over.
    pub fn set_live(&self, login: &str, since: Option<&str>) {
        self.world.set_live(login, since.map(str::to_owned));
    }

    /// What type of broadcaster the login is: `affiliate` unless something else is said, `partner`, or nothing.
    pub fn set_standing(&self, login: &str, standing: &str) {
        let mut state = self.world.state();
        state.twitch.people.insert(login.to_owned());
        state.twitch.standings.insert(login.to_owned(), standing.to_owned());
    }

    /// Subscriptions of EventSub, as its API shows them.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Value> {
        eventsub::all(&self.world.state())
    }

    /// Nobody has granted what this type of subscription needs; or they have.
    pub fn forbid(&self, kind: &str, forbidden: bool) {
        let mut state = self.world.state();
        if forbidden {
            state.twitch.forbidden.insert(kind.to_owned())
        } else {
            state.twitch.forbidden.remove(kind)
        };
    }

    /// Somebody follows the channel since then (RFC 3339), and nobody is told.
    pub fn follow(&self, channel: &str, who: &str, at: &str) {
        self.list(channel, who, at, None);
    }

    /// Somebody has redeemed a reward of the channel then (RFC 3339), and nobody is told.
    pub fn redeem(&self, channel: &str, who: &str, at: &str, id: &str, reward: &str) {
        let redemption = lists::Redeemed { id: id.to_owned(), reward: reward.to_owned(), status: "UNFULFILLED" };
        self.list(channel, who, at, Some(redemption));
    }

    /// The streamer has done what the redemption asks for, or has given its points back.
    pub fn end_redemption(&self, id: &str, canceled: bool) {
        let status = if canceled { "CANCELED" } else { "FULFILLED" };
        let mut state = self.world.state();
        let all = state.twitch.listed.iter_mut().filter_map(|listed| listed.redemption.as_mut());
        all.filter(|redemption| redemption.id == id).for_each(|redemption| redemption.status = status);
    }

    fn list(&self, channel: &str, who: &str, at: &str, redemption: Option<lists::Redeemed>) {
        let (channel, who, at) = (channel.to_owned(), who.to_owned(), at.to_owned());
        self.world.state().twitch.listed.push(lists::Listed { channel, who, at, redemption });
    }

    /// The account moderates no channel.
    pub fn estrange(&self, login: &str) {
        self.world.state().twitch.strangers.insert(login.to_owned());
    }

    /// The platform's clock goes on at once, as the clock of whoever listens did.
    pub fn advance(&self, by: std::time::Duration) {
        self.world.state().twitch.ahead += by;
    }

    /// Subscriptions that were there are gone, without a word.
    pub fn lose_subscriptions(&self) {
        self.world.state().twitch.subscriptions.clear();
    }

    /// Whose access token it is and what it allows; the name is empty for the application's own. None: nobody's.
    #[must_use]
    pub fn whose(&self, provider: Provider, access: &str) -> Option<(String, Vec<String>)> {
        let state = self.world.state();
        let grant = state.access.get(access).filter(|grant| grant.provider == provider)?;
        Some((grant.login.clone(), grant.scopes.clone()))
    }

    /// Whether the platform takes this access token.
    #[must_use]
    pub fn knows(&self, provider: Provider, access: &str) -> bool {
        self.world.state().access.get(access).is_some_and(|grant| grant.provider == provider)
    }
}

async fn serve(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the simulator of platforms cannot take a connection");
                    continue;
                }
            },
        };
        let world = world.clone();
        // A client that breaks off has no more to hear.
        tokio::spawn(async move { drop(answer(stream, &world).await) });
    }
}

async fn answer(mut stream: TcpStream, world: &Arc<World>) -> io::Result<()> {
    let request = Request::read(&mut stream).await?;
    match respond(&request, world).await {
        Some(response) => response.write(&mut stream).await,
        // Hangs up without a word.
        None => Ok(()),
    }
}

async fn respond(request: &Request, world: &Arc<World>) -> Option<Response> {
    if let Some((platform, path)) = platforms::named(&request.path) {
        return match (request.method.as_str(), path) {
            ("GET", path) if path == platform.authorize => Some(authorize::answer(request, platform, world)),
            ("POST", path) if path == platform.token || path == platform.renew => {
                token::answer(request, platform, world, path).await
            }
            ("POST", path) if path == platform.revoke => Some(token::take_back(request, platform, world)),
            (_, path) if platform.provider == Provider::Twitch && helix::is_meant(request, path) => {
                helix::answer(request, platform, world, path).await
            }
            ("GET", "/oauth2/validate") => Some(token::validate(request, platform, world)),
            (_, path) if path == platform.profile => token::tell(request, platform, world),
            ("GET", "/.well-known/openid-configuration") => Some(openid::configuration(platform, world)),
            ("GET", "/keys") => Some(openid::keys(platform, world)),
            _ => Some(Response::json(404, &json!({ "error": "not_found" }))),
        };
    }
    Some(steer(request, world).await)
}

#[derive(Deserialize)]
struct Order {
    provider: String,
    #[serde(flatten)]
    fault: Fault,
}

#[derive(Deserialize)]
struct Revocation {
    provider: String,
    login: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    event: Value,
    id: Option<String>,
}

#[derive(Deserialize)]
struct Live {
    login: String,
    since: Option<String>,
}

async fn steer(request: &Request, world: &World) -> Response {
    let provider = |name: &str| name.parse::<Provider>();
    let done = Response::json(200, &json!({ "ok": true }));
    let bad = |why: String| Response::json(400, &json!({ "error": why }));
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/requests") => {
            let seen = world.state().seen.clone();
            Response::json(200, &serde_json::to_value(seen).unwrap_or(Value::Null))
        }
        ("POST", "/faults") => match serde_json::from_slice::<Order>(&request.body) {
            Ok(order) => match provider(&order.provider) {
                Ok(provider) => {
                    world.state().faults.push((provider, order.fault));
                    done
                }
                Err(()) => bad(format!("no platform {}", order.provider)),
            },
            Err(error) => bad(error.to_string()),
        },
        ("POST", "/revoke") => match serde_json::from_slice::<Revocation>(&request.body) {
            Ok(order) => match provider(&order.provider) {
                Ok(provider) => {
                    world.revoke(provider, &order.login);
                    done
                }
                Err(()) => bad(format!("no platform {}", order.provider)),
            },
            Err(error) => bad(error.to_string()),
        },
        ("GET", "/calls") => Response::json(200, &json!(world.state().twitch.calls)),
        ("GET", "/said") => Response::json(200, &json!(world.state().said)),
        ("POST", "/events") => match serde_json::from_slice::<Event>(&request.body) {
            Ok(told) => Response::json(200, &json!(eventsub::tell(world, &told.kind, &told.event, told.id).await)),
            Err(error) => bad(error.to_string()),
        },
        ("POST", "/live") => match serde_json::from_slice::<Live>(&request.body) {
            Ok(live) => {
                world.set_live(&live.login, live.since);
                done
            }
            Err(error) => bad(error.to_string()),
        },
        ("POST", "/forbid") => match serde_json::from_slice::<Value>(&request.body) {
            Ok(body) => {
                let kind = body["type"].as_str().unwrap_or_default().to_owned();
                world.state().twitch.forbidden.insert(kind);
                done
            }
            Err(error) => bad(error.to_string()),
        },
        _ => Response::json(404, &json!({ "error": "unknown path" })),
    }
}
