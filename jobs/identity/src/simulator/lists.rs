//! Lists of what people did on Twitch: who follows, and what was redeemed.

use domain::identities::Provider;
use serde_json::{Value, json};

use super::{
    http::{Request, Response},
    platforms::subject,
    world::State,
};

/// That somebody follows a channel, or has redeemed a reward there.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// Login of the channel.
    pub(super) channel: String,
    /// Login of who did it.
    pub(super) who: String,
    /// RFC 3339.
    pub(super) at: String,
    /// None for a follow.
    pub(super) redemption: Option<Redeemed>,
}

#[derive(Debug, Clone)]
pub(super) struct Redeemed {
    pub(super) id: String,
    pub(super) reward: String,
    /// `UNFULFILLED`, `FULFILLED`, `CANCELED`.
    pub(super) status: &'static str,
}

/// Items of one page: few, so that stories turn pages.
const PAGE: usize = 2;

/// Who follows the channel, the newest first.
pub(super) fn followers(request: &Request, state: &State) -> Response {
    list(
        request,
        state,
        |listed| listed.redemption.is_none(),
        |listed| {
            json!({
                "user_id": subject(Provider::Twitch, &listed.who), "user_login": listed.who, "user_name": listed.who,
                "followed_at": listed.at
            })
        },
    )
}

/// Rewards of the channel, as far as somebody has redeemed them.
pub(super) fn rewards(request: &Request, state: &State) -> Response {
    let of = of_channel(request);
    let mut ids: Vec<&str> = state
        .twitch
        .listed
        .iter()
        .filter(|listed| subject(Provider::Twitch, &listed.channel) == of)
        .filter_map(|listed| Some(listed.redemption.as_ref()?.reward.as_str()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "title": "A reward", "cost": 100 })).collect();
    Response::json(200, &json!({ "data": data }))
}

/// What was redeemed of one reward and has this status, the newest first.
pub(super) fn redemptions(request: &Request, state: &State) -> Response {
    let asked = |name: &str| request.query.get(name).map_or("", String::as_str);
    let (reward, status) = (asked("reward_id"), asked("status"));
    if !matches!(status, "UNFULFILLED" | "FULFILLED" | "CANCELED") {
        let refused = json!({ "error": "Bad Request", "status": 400, "message": "The value in status is not valid." });
        return Response::json(400, &refused);
    }
    let of_reward =
        |listed: &Listed| listed.redemption.as_ref().is_some_and(|it| it.reward == reward && it.status == status);
    list(request, state, of_reward, |listed| {
        let id = listed.redemption.as_ref().map_or("", |redemption| redemption.id.as_str());
        json!({
            "id": id, "user_id": subject(Provider::Twitch, &listed.who), "user_login": listed.who,
            "user_name": listed.who, "status": status, "redeemed_at": listed.at
        })
    })
}

fn list(request: &Request, state: &State, fits: impl Fn(&Listed) -> bool, view: impl Fn(&Listed) -> Value) -> Response {
    let of = of_channel(request);
    let mut all: Vec<&Listed> = state
        .twitch
        .listed
        .iter()
        .filter(|listed| subject(Provider::Twitch, &listed.channel) == of && fits(listed))
        .collect();
    all.sort_by(|one, other| other.at.cmp(&one.at));
    let from: usize = request.query.get("after").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let data: Vec<Value> = all.iter().skip(from).take(PAGE).map(|listed| view(listed)).collect();
    let next = from + PAGE;
    let pagination = if next < all.len() { json!({ "cursor": next.to_string() }) } else { json!({}) };
    Response::json(200, &json!({ "total": all.len(), "data": data, "pagination": pagination }))
}

fn of_channel(request: &Request) -> &str {
    request.query.get("broadcaster_id").map_or("", String::as_str)
}
