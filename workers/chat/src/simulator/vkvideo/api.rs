//! Its API (PLATFORMS 3.2 to 3.6), and the requests that steer it.

use domain::identities::Provider;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    super::http::Request,
    Fault, Speech,
    hub::{Call, Hub, Said, channel_id, is_open, person_id, socket},
    taken,
};

/// Characters of one message.
const LONGEST: usize = 500;
const SOCKETS: [&str; 4] = ["chat", "limited_chat", "info", "channel_points"];

type Answer = (u16, Value);

pub(super) fn respond(request: &Request, hub: &Hub) -> Answer {
    if !request.path.starts_with("/v1/") {
        return steer(request, hub);
    }
    let token = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let whose = hub.identity.whose(Provider::VkVideo, token);
    let fault = taken(&mut hub.state().faults, &request.path);
    let (status, body) = match (fault, &whose) {
        (Some(fault), _) => refusal(fault.status, &fault.code),
        (None, None) => refusal(401, "unauthorized"),
        (None, Some((nick, scopes))) => answer(request, hub, nick, scopes),
    };
    let caller = whose.map_or_else(String::new, |(nick, _)| if nick.is_empty() { "app".to_owned() } else { nick });
    let (method, path) = (request.method.clone(), request.path.clone());
    hub.state().calls.push(Call { method, path, caller, status });
    (status, body)
}

fn refusal(status: u16, code: &str) -> Answer {
    (status, json!({ "error": code, "error_description": code.replace('_', " ") }))
}

fn data(data: Value) -> Answer {
    (200, json!({ "data": data }))
}

/// As people and programs name it.
fn slug(request: &Request) -> String {
    request.given("channel_url").rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn answer(request: &Request, hub: &Hub, nick: &str, scopes: &[String]) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/current_user") if nick.is_empty() => refusal(403, "forbidden"),
        ("GET", "/v1/current_user") => {
            // Accounts whose name says so have several channels, or none.
            let urls = match nick {
                _ if nick.starts_with("nochannel") => Vec::new(),
                _ if nick.starts_with("many") => vec![nick.to_owned(), format!("{nick}_2")],
                _ => vec![nick.to_owned()],
            };
            let channels: Vec<Value> = urls.iter().map(|url| json!({ "url": url })).collect();
            data(json!({
                "user": { "id": person_id(nick), "nick": nick, "nick_color": 0, "avatar_url": "https://img.example/a.png" },
                "channel": channels.first(), "channels": channels
            }))
        }
        ("GET", "/v1/channel") if slug(request).starts_with("absent") => refusal(404, "channel_not_found"),
        ("GET", "/v1/channel") => data(channel(&slug(request), hub)),
        ("POST", "/v1/channels") => {
            let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let urls = asked["channels"].as_array().into_iter().flatten().filter_map(|named| named["url"].as_str());
            let all: Vec<Value> =
                urls.filter(|url| !url.starts_with("absent")).map(|url| channel(&url.to_lowercase(), hub)).collect();
            data(json!({ "channels": all }))
        }
        ("GET", "/v1/websocket/token") => data(json!({ "token": hub.token(None) })),
        ("GET", "/v1/websocket/subscription_token") => {
            let asked = request.given("channels").split(',').filter(|name| !is_open(name));
            let tokens: Vec<Value> =
                asked.map(|name| json!({ "channel": name, "token": hub.token(Some(name)) })).collect();
            data(json!({ "channel_tokens": tokens }))
        }
        ("GET", "/v1/chat/messages") => {
            let limit = request.given("limit").parse().unwrap_or(200);
            let state = hub.state();
            let all = state.messages.get(&slug(request)).into_iter().flatten();
            let some: Vec<&Value> = all.rev().take(limit).collect();
            data(json!({ "chat_messages": some }))
        }
        ("GET", "/v1/chat/member") => {
            let roles = json!([{ "id": "r1", "name": "VIP" }]);
            data(
                json!({ "user": { "id": request.given("user_id"), "is_owner": false, "is_moderator": false, "roles": roles } }),
            )
        }
        ("POST", "/v1/chat/message/send") if !scopes.iter().any(|scope| scope == "chat:message:send") => {
            refusal(403, "forbidden")
        }
        ("POST", "/v1/chat/message/send") => send(request, hub, nick),
        _ => refusal(404, "unknown_api_method"),
    }
}

fn channel(slug: &str, hub: &Hub) -> Value {
    let state = hub.state();
    let stream = state.live.get(slug);
    let sockets: serde_json::Map<String, Value> =
        SOCKETS.iter().map(|kind| ((*kind).to_owned(), json!(socket(slug, kind)))).collect();
    // A second channel is of the same person.
    let owner = person_id(slug.trim_end_matches("_2"));
    json!({
        "channel": {
            "id": channel_id(slug), "nick": slug, "url": slug, "status": if stream.is_some() { "online" } else { "offline" },
            "web_socket_channels": sockets
        },
        "owner": { "id": owner, "nick": slug },
        "stream": stream.map(|(id, began)| json!({ "id": id, "title": "A stream", "started_at": began, "ended_at": null })),
        "streams": []
    })
}

#[derive(Deserialize)]
struct Message {
    parts: Vec<Value>,
}

fn send(request: &Request, hub: &Hub, nick: &str) -> Answer {
    let (channel, stream) = (slug(request), request.given("stream_id"));
    let Ok(message) = serde_json::from_slice::<Message>(&request.body) else { return refusal(422, "invalid_body") };
    let text: String = message.parts.iter().filter_map(|part| part["text"]["content"].as_str()).collect();
    let mut state = hub.state();
    if state.live.get(&channel).is_none_or(|(id, _)| id != stream) {
        return refusal(404, "stream_not_found");
    }
    if text.chars().count() > LONGEST {
        return refusal(400, "message_too_long");
    }
    if state.said.last().is_some_and(|last| (&*last.channel, &*last.sender, &*last.text) == (&*channel, nick, &*text)) {
        return refusal(400, "same_message");
    }
    state.said.push(Said { channel: channel.clone(), sender: nick.to_owned(), text: text.clone() });
    state.speak(&Speech { channel, nick: nick.to_owned(), text, ..Speech::default() });
    (200, json!({ "data": {} }))
}

#[derive(Deserialize)]
struct Live {
    channel: String,
    on: bool,
}

#[derive(Deserialize)]
struct Redemption {
    channel: String,
    nick: String,
    reward: String,
    id: String,
}

#[derive(Deserialize)]
struct News {
    channel: String,
    socket: String,
    data: Value,
}

#[derive(Deserialize)]
struct Drop {
    code: u16,
}

fn steer(request: &Request, hub: &Hub) -> Answer {
    let mut state = hub.state();
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/calls") => (200, json!(state.calls)),
        ("GET", "/said") => (200, json!(state.said)),
        ("POST", "/say") => ordered(request, |speech: Speech| json!({ "ok": true, "id": state.speak(&speech) })),
        ("POST", "/live") => ordered(request, |live: Live| {
            state.set_live(&live.channel, live.on);
            done()
        }),
        ("POST", "/redeem") => ordered(request, |it: Redemption| {
            state.redeem(&it.channel, &it.nick, &it.reward, &it.id);
            done()
        }),
        ("POST", "/tell") => ordered(request, |news: News| {
            state.publish(&socket(&news.channel, &news.socket), &news.data);
            done()
        }),
        ("POST", "/drop") => ordered(request, |drop: Drop| {
            state.drop_all(drop.code);
            done()
        }),
        ("POST", "/faults") => ordered(request, |fault: Fault| {
            state.faults.push_back(fault);
            done()
        }),
        _ => (404, json!({ "error": "unknown path" })),
    }
}

fn done() -> Value {
    json!({ "ok": true })
}

fn ordered<T: DeserializeOwned>(request: &Request, act: impl FnOnce(T) -> Value) -> Answer {
    match serde_json::from_slice(&request.body) {
        Ok(order) => (200, act(order)),
        Err(error) => (400, json!({ "error": error.to_string() })),
    }
}
