//! Twitch's API: people, streams, messages, moderation and subscriptions (PLATFORMS 1.2, 1.3, 1.6).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::identities::Provider;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Fault, Simulator, eventsub,
    faults::Door,
    http::{Request, Response},
    lists,
    platforms::{Platform, subject},
    world::{State, World},
};

/// How long an answer that never comes does not come.
const NEVER: Duration = Duration::from_secs(60);
/// More than any client should read.
const HUGE: usize = 4 * 1024 * 1024;
/// Characters of one message.
const LONGEST: usize = 500;

/// A question to the API, as `GET /calls` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiCall {
    pub seq: u64,
    pub method: String,
    /// With its query.
    pub path: String,
    /// Null where there was none.
    pub body: Value,
    /// Whose token it was: a login, or `app`; empty for a token that is none.
    pub caller: String,
    /// What it was answered with; 0 when it was not.
    pub status: u16,
}

/// What Twitch knows beside logins.
#[derive(Debug, Default)]
pub(super) struct Twitch {
    pub(super) calls: Vec<ApiCall>,
    /// Logins that somebody has named, to know them by their ids.
    pub(super) people: BTreeSet<String>,
    /// Logins that stream, and since when (RFC 3339).
    pub(super) live: std::collections::BTreeMap<String, String>,
    /// Types of broadcasters; `affiliate` where nothing is said.
    pub(super) standings: std::collections::BTreeMap<String, String>,
    /// Logins that there are not.
    pub(super) gone: BTreeSet<String>,
    pub(super) subscriptions: Vec<eventsub::Kept>,
    /// How far the platform's clock is ahead of the machine's.
    pub(super) ahead: std::time::Duration,
    /// Who follows, and what was redeemed.
    pub(super) listed: Vec<super::lists::Listed>,
    /// Logins that moderate nowhere.
    pub(super) strangers: BTreeSet<String>,
    /// Types that nobody has granted.
    pub(super) forbidden: BTreeSet<String>,
}

impl Twitch {
    fn login_of(&self, id: &str) -> Option<String> {
        self.people.iter().find(|login| subject(Provider::Twitch, login) == id).cloned()
    }
}

/// A message that is in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidByApi {
    /// Login of the channel; its id where nobody has asked for the name.
    pub channel: String,
    /// Login of who says it.
    pub sender: String,
    pub text: String,
    /// As the answer names it.
    pub message_id: String,
}

/// Whether the path is one of the API that is not the profile of a login.
pub(super) fn is_meant(request: &Request, path: &str) -> bool {
    path.starts_with("/helix/") && (path != "/helix/users" || request.pairs.iter().any(|(name, _)| is_key(name)))
}

fn is_key(name: &str) -> bool {
    matches!(name, "id" | "login")
}

pub(super) async fn answer(request: &Request, platform: &Platform, world: &Arc<World>, path: &str) -> Option<Response> {
    let (scheme, token) = request.header("authorization").split_once(' ').unwrap_or_default();
    let (client, _) = Simulator::client(platform.provider);
    let (fault, caller) = {
        let mut state = world.state();
        let says = path == "/helix/chat/messages";
        let of_message = if says { state.take_fault(platform.provider, Door::Saying) } else { None };
        let fault = of_message.or_else(|| state.take_fault(platform.provider, Door::Helix));
        if fault == Some(Fault::HelixExpired) {
            state.access.remove(token);
        }
        let grant = state.access.get(token).filter(|grant| grant.provider == Provider::Twitch);
        let shown_well = scheme == "Bearer" && request.header("client-id") == client;
        let caller = grant.filter(|_| shown_well).map(|grant| (grant.login.clone(), grant.scopes.clone()));
        if let Some((login, _)) = caller.as_ref().filter(|(login, _)| !login.is_empty()) {
            state.twitch.people.insert(login.clone());
        }
        (fault, caller)
    };
    let response = match (&fault, &caller) {
        (Some(Fault::HelixHang), _) => {
            // Whoever does not give up by itself is let go.
            let _ = tokio::time::timeout(NEVER, world.held.notified()).await;
            None
        }
        (Some(Fault::HelixHangUp), _) => None,
        (Some(Fault::HelixStatus { status }), _) => Some(failure(*status, "broken")),
        (Some(Fault::HelixLimited { reset }), _) => {
            let limited = failure(429, "Too Many Requests");
            Some(match reset {
                Some(seconds) => {
                    let moment = time::OffsetDateTime::now_utc().unix_timestamp() + seconds;
                    limited
                        .with("ratelimit-limit", "800")
                        .with("ratelimit-remaining", "0")
                        .with("ratelimit-reset", moment)
                }
                None => limited,
            })
        }
        (Some(Fault::HelixJunk), _) => Some(Response::bytes(200, b"{\"data\":[{\"id\":1,\"is_sent\":\"yes".to_vec())),
        (Some(Fault::HelixHuge), _) => Some(Response::bytes(200, vec![b' '; HUGE])),
        (_, None) => Some(failure(401, "Invalid OAuth token")),
        (fault, Some((login, scopes))) => {
            let done = respond(request, path, world, login, scopes, fault.as_ref());
            // Done, and nobody hears of it.
            (*fault != Some(Fault::HelixLost)).then_some(done)
        }
    };
    let caller = caller.map_or_else(String::new, |(login, _)| if login.is_empty() { "app".to_owned() } else { login });
    let status = response.as_ref().map_or(0, Response::status);
    let mut state = world.state();
    let seq = state.twitch.calls.len() as u64 + 1;
    let query = if request.query_text.is_empty() { String::new() } else { format!("?{}", request.query_text) };
    state.twitch.calls.push(ApiCall {
        seq,
        method: request.method.clone(),
        path: format!("{path}{query}"),
        body: eventsub::without_secret(serde_json::from_slice(&request.body).unwrap_or_default()),
        caller,
        status,
    });
    response.map(|response| response.with("ratelimit-limit", "800").with("ratelimit-remaining", "799"))
}

fn failure(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "error": "Error", "status": status, "message": message }))
}

fn respond(
    request: &Request,
    path: &str,
    world: &Arc<World>,
    caller: &str,
    scopes: &[String],
    fault: Option<&Fault>,
) -> Response {
    let has = |scope: &str| scopes.iter().any(|had| had == scope);
    let given = |name: &str| request.query.get(name).map_or("", String::as_str);
    match (request.method.as_str(), path) {
        ("GET", "/helix/users") => Response::json(200, &users(request, &mut world.state())),
        ("GET", "/helix/streams") => Response::json(200, &streams(request, &world.state())),
        ("GET", "/helix/channels/followers") if !has("moderator:read:followers") => failure(403, "missing scope"),
        ("GET", "/helix/channels/followers") if given("user_id").is_empty() => {
            lists::followers(request, &world.state())
        }
        ("GET", "/helix/channel_points/custom_rewards" | "/helix/channel_points/custom_rewards/redemptions")
            if !has("channel:read:redemptions") || given("broadcaster_id") != subject(Provider::Twitch, caller) =>
        {
            failure(403, "not the channel's account, or a scope is missing")
        }
        ("GET", "/helix/channel_points/custom_rewards") => lists::rewards(request, &world.state()),
        ("GET", "/helix/channel_points/custom_rewards/redemptions") => lists::redemptions(request, &world.state()),
        ("GET", "/helix/channels/followers") => {
            let followers = json!([{ "user_id": given("user_id"), "followed_at": "2024-01-02T03:04:05Z" }]);
            Response::json(200, &json!({ "total": 1, "data": followers, "pagination": {} }))
        }
        ("POST", "/helix/chat/messages") => say(request, world, caller, scopes, fault),
        (_, "/helix/moderation/chat" | "/helix/moderation/bans" | "/helix/moderation/warnings")
            if given("moderator_id") != subject(Provider::Twitch, caller) =>
        {
            failure(401, "moderator_id must be the token's user")
        }
        (_, "/helix/moderation/chat" | "/helix/moderation/bans" | "/helix/moderation/warnings")
            if world.state().twitch.strangers.contains(caller) =>
        {
            failure(403, "the user is not a moderator there")
        }
        ("DELETE", "/helix/moderation/chat") if has("moderator:manage:chat_messages") => Response::empty(204),
        ("POST", "/helix/moderation/bans") if has("moderator:manage:banned_users") => {
            Response::json(200, &json!({ "data": [{}] }))
        }
        ("POST", "/helix/moderation/warnings") if has("moderator:manage:warnings") => {
            Response::json(200, &json!({ "data": [{}] }))
        }
        (_, "/helix/moderation/chat" | "/helix/moderation/bans" | "/helix/moderation/warnings") => {
            failure(401, "missing scope")
        }
        (_, "/helix/eventsub/subscriptions") if !caller.is_empty() => failure(401, "an app access token is needed"),
        ("GET", "/helix/eventsub/subscriptions") => eventsub::list(request, &world.state()),
        ("POST", "/helix/eventsub/subscriptions") => eventsub::create(request, world),
        ("DELETE", "/helix/eventsub/subscriptions") => eventsub::delete(given("id"), &mut world.state()),
        _ => failure(404, "Not Found"),
    }
}

fn users(request: &Request, state: &mut State) -> Value {
    let mut logins = Vec::new();
    for (name, value) in &request.pairs {
        match name.as_str() {
            "login" if !state.twitch.gone.contains(&value.to_lowercase()) => logins.push(value.to_lowercase()),
            "id" => logins.extend(state.twitch.login_of(value)),
            _ => {}
        }
    }
    state.twitch.people.extend(logins.iter().cloned());
    let user = |login: &String| {
        json!({
            "id": subject(Provider::Twitch, login), "login": login, "display_name": login, "type": "",
            "broadcaster_type": state.twitch.standings.get(login).map_or("affiliate", String::as_str), "description": "", "profile_image_url": "", "offline_image_url": "",
            "created_at": "2020-01-01T00:00:00Z"
        })
    };
    json!({ "data": logins.iter().map(user).collect::<Vec<_>>() })
}

fn streams(request: &Request, state: &State) -> Value {
    let asked: Vec<&str> =
        request.pairs.iter().filter(|(name, _)| name == "user_id").map(|(_, id)| id.as_str()).collect();
    let stream = |(login, since): (&String, &String)| {
        let id = subject(Provider::Twitch, login);
        asked.contains(&id.as_str()).then(|| {
            json!({
                "id": format!("4{id}"), "user_id": id, "user_login": login, "user_name": login, "game_id": "1",
                "game_name": "Chess", "type": "live", "title": "A stream", "viewer_count": 3, "started_at": since,
                "language": "en", "thumbnail_url": "", "tags": [], "is_mature": false
            })
        })
    };
    json!({ "data": state.twitch.live.iter().filter_map(stream).collect::<Vec<_>>(), "pagination": {} })
}

fn say(request: &Request, world: &World, caller: &str, scopes: &[String], fault: Option<&Fault>) -> Response {
    let body = request.json();
    let given = |name: &str| body.get(name).map_or("", String::as_str);
    let (channel, sender, text) = (given("broadcaster_id"), given("sender_id"), given("message"));
    if caller.is_empty() || sender != subject(Provider::Twitch, caller) {
        return failure(401, "sender_id must be the token's user");
    }
    if !scopes.iter().any(|scope| scope == "user:write:chat") {
        return failure(401, "missing scope user:write:chat");
    }
    if channel.is_empty() || text.is_empty() || text.chars().count() > LONGEST {
        return failure(400, "broadcaster_id and a message of at most 500 characters");
    }
    if let Some(Fault::HelixDrop { code }) = fault {
        let reason = json!({ "code": code, "message": "Your message was not sent." });
        let data = json!([{ "message_id": "", "is_sent": false, "drop_reason": reason }]);
        return Response::json(200, &json!({ "data": data }));
    }
    let said = {
        let mut state = world.state();
        let channel = state.twitch.login_of(channel).unwrap_or_else(|| channel.to_owned());
        let said = SaidByApi {
            channel,
            sender: caller.to_owned(),
            text: text.to_owned(),
            message_id: Uuid::new_v4().to_string(),
        };
        state.said.push(said.clone());
        said
    };
    if let Some(tell) = world.listener() {
        tell(&said);
    }
    Response::json(200, &json!({ "data": [{ "message_id": said.message_id, "is_sent": true, "drop_reason": null }] }))
}
