//! What Twitch tells by webhooks: subscriptions, the proof that a callback is theirs who named it, and signed notifications.

use std::{sync::Arc, time::Duration};

use domain::webhooks::signature;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    http::{Request, Response},
    world::{State, World, random},
};

/// Of one page.
const PAGE: usize = 100;

/// A subscription, with what no answer shows.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    id: String,
    kind: String,
    version: String,
    condition: Value,
    callback: String,
    secret: String,
    status: String,
}

impl Kept {
    fn shown(&self) -> Value {
        json!({
            "id": self.id, "status": self.status, "type": self.kind, "version": self.version,
            "condition": self.condition, "created_at": "2026-01-01T00:00:00.634234626Z", "cost": 0,
            "transport": { "method": "webhook", "callback": self.callback }
        })
    }

    fn is_about(&self, kind: &str, event: &Value) -> bool {
        let names = ["broadcaster_user_id", "to_broadcaster_user_id"];
        let about = |name: &&str| self.condition[*name].is_string() && self.condition[*name] == event[*name];
        self.status == "enabled" && self.kind == kind && names.iter().any(about)
    }
}

/// One message to a callback.
#[derive(Debug, Clone)]
pub struct Notice {
    pub id: String,
    /// RFC 3339, with up to nine digits of a second.
    pub timestamp: String,
    pub kind: &'static str,
    pub body: Vec<u8>,
}

impl Notice {
    /// Of this moment.
    #[must_use]
    pub fn new(kind: &'static str, body: &Value) -> Self {
        let timestamp = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        Self { id: Uuid::new_v4().to_string(), timestamp, kind, body: body.to_string().into_bytes() }
    }

    /// Of the moment on the platform's clock.
    fn by_clock_of(world: &World, kind: &'static str, body: &Value) -> Self {
        let now = OffsetDateTime::now_utc() + world.state().twitch.ahead;
        Self { timestamp: now.format(&Rfc3339).unwrap_or_default(), ..Self::new(kind, body) }
    }

    /// What Twitch sends along, signed with the secret.
    #[must_use]
    pub fn headers(&self, secret: &str) -> Vec<(&'static str, String)> {
        let signature = signature::sign(secret.as_bytes(), &self.id, &self.timestamp, &self.body);
        vec![
            ("twitch-eventsub-message-id", self.id.clone()),
            ("twitch-eventsub-message-retry", "0".to_owned()),
            ("twitch-eventsub-message-type", self.kind.to_owned()),
            ("twitch-eventsub-message-signature", signature),
            ("twitch-eventsub-message-timestamp", self.timestamp.clone()),
            ("content-type", "application/json".to_owned()),
        ]
    }
}

pub(super) fn list(request: &Request, state: &State) -> Response {
    let after = request.query.get("after").and_then(|after| after.parse::<usize>().ok()).unwrap_or(0);
    let all = &state.twitch.subscriptions;
    let page: Vec<Value> = all.iter().skip(after).take(PAGE).map(Kept::shown).collect();
    let next = after + page.len();
    let pagination = if next < all.len() { json!({ "cursor": next.to_string() }) } else { json!({}) };
    let body = json!({
        "total": all.len(), "data": page, "total_cost": 0, "max_total_cost": 10_000, "pagination": pagination
    });
    Response::json(200, &body)
}

pub(super) fn all(state: &State) -> Vec<Value> {
    state.twitch.subscriptions.iter().map(Kept::shown).collect()
}

pub(super) fn create(request: &Request, world: &Arc<World>) -> Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kept = Kept {
        id: Uuid::new_v4().to_string(),
        kind: text(&body["type"]),
        version: text(&body["version"]),
        condition: body["condition"].clone(),
        callback: text(&body["transport"]["callback"]),
        secret: text(&body["transport"]["secret"]),
        status: "webhook_callback_verification_pending".to_owned(),
    };
    let failure =
        |status: u16, why: &str| Response::json(status, &json!({ "error": "Error", "status": status, "message": why }));
    if kept.kind.is_empty() || !(10..=100).contains(&kept.secret.len()) || !kept.condition.is_object() {
        return failure(400, "type, condition and a secret of 10 to 100 characters");
    }
    let mut state = world.state();
    if state.twitch.forbidden.contains(&kept.kind) {
        return failure(403, "subscription missing proper authorization");
    }
    let like = |other: &Kept| other.kind == kept.kind && other.condition == kept.condition;
    if state.twitch.subscriptions.iter().any(like) {
        return failure(409, "subscription already exists");
    }
    let shown = kept.shown();
    state.twitch.subscriptions.push(kept.clone());
    drop(state);
    tokio::spawn(verify(world.clone(), kept));
    Response::json(202, &json!({ "data": [shown], "total": 1, "total_cost": 0, "max_total_cost": 10_000 }))
}

pub(super) fn delete(id: &str, state: &mut State) -> Response {
    let before = state.twitch.subscriptions.len();
    state.twitch.subscriptions.retain(|kept| kept.id != id);
    if state.twitch.subscriptions.len() < before {
        Response::empty(204)
    } else {
        Response::json(404, &json!({ "error": "Not Found", "status": 404, "message": "subscription not found" }))
    }
}

/// Whoever is at the callback must say the challenge.
async fn verify(world: Arc<World>, kept: Kept) {
    let challenge = random();
    let body = json!({ "challenge": challenge, "subscription": kept.shown() });
    let notice = Notice::by_clock_of(&world, "webhook_callback_verification", &body);
    let answer = deliver(&kept, &notice).await;
    let proven =
        answer.is_some_and(|(status, kind, body)| status == 200 && kind.starts_with("text/plain") && body == challenge);
    let mut state = world.state();
    if let Some(kept) = state.twitch.subscriptions.iter_mut().find(|other| other.id == kept.id) {
        kept.status = if proven { "enabled" } else { "webhook_callback_verification_failed" }.to_owned();
    }
}

/// Tells all who have subscribed to it; what each of them answered, 0 for nothing.
pub(super) async fn tell(world: &World, kind: &str, event: &Value, id: Option<String>) -> Vec<u16> {
    let told: Vec<Kept> = {
        let state = world.state();
        state.twitch.subscriptions.iter().filter(|kept| kept.is_about(kind, event)).cloned().collect()
    };
    let mut answers = Vec::new();
    for kept in told {
        let body = json!({ "subscription": kept.shown(), "event": event });
        let mut notice = Notice::by_clock_of(world, "notification", &body);
        if let Some(id) = &id {
            notice.id.clone_from(id);
        }
        answers.push(deliver(&kept, &notice).await.map_or(0, |(status, ..)| status));
    }
    answers
}

/// Takes all subscriptions of a kind back, and says so.
pub(super) async fn revoke(world: &World, kind: &str, reason: &str) {
    let revoked: Vec<Kept> = {
        let mut state = world.state();
        let of_kind = state.twitch.subscriptions.iter_mut().filter(|kept| kept.kind == kind);
        of_kind
            .map(|kept| {
                reason.clone_into(&mut kept.status);
                kept.clone()
            })
            .collect()
    };
    for kept in revoked {
        let notice = Notice::by_clock_of(world, "revocation", &json!({ "subscription": kept.shown() }));
        deliver(&kept, &notice).await;
    }
}

async fn deliver(kept: &Kept, notice: &Notice) -> Option<(u16, String, String)> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().ok()?;
    let mut request = client.post(&kept.callback).body(notice.body.clone());
    for (name, value) in notice.headers(&kept.secret) {
        request = request.header(name, value);
    }
    let request = request
        .header("twitch-eventsub-subscription-type", &kept.kind)
        .header("twitch-eventsub-subscription-version", &kept.version);
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let kind =
        response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    Some((status, kind, response.text().await.ok()?))
}

/// A question as the log keeps it.
pub(super) fn without_secret(mut body: Value) -> Value {
    if let Some(secret) = body.pointer_mut("/transport/secret") {
        *secret = json!("***");
    }
    body
}
