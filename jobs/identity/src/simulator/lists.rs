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
    /// Id of a redemption, and its reward; none for a follow.
    pub(super) redemption: Option<(String, String)>,
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
        .filter_map(|listed| Some(listed.redemption.as_ref()?.1.as_str()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "title": "A reward", "cost": 100 })).collect();
    Response::json(200, &json!({ "data": data }))
}

/// What was redeemed of one reward, the newest first.
pub(super) fn redemptions(request: &Request, state: &State) -> Response {
    let reward = request.query.get("reward_id").map_or("", String::as_str);
    let of_reward = |listed: &Listed| listed.redemption.as_ref().is_some_and(|(_, of)| of == reward);
    list(request, state, of_reward, |listed| {
        let id = listed.redemption.as_ref().map_or("", |(id, _)| id.as_str());
        json!({
            "id": id, "user_id": subject(Provider::Twitch, &listed.who), "user_login": listed.who,
            "user_name": listed.who, "status": "UNFULFILLED", "redeemed_at": listed.at
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
