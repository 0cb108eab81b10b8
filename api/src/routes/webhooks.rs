//! What platforms tell us by themselves. Not in the document: only platforms ask here, in words of their own.
//!
//! In this order: the signature over the bytes as they came, the time, whether it was told before; then the bytes and the job
//! that understands them are kept in one transaction, and only then the platform hears that we have them. A duplicate hears the
//! same.

use domain::webhooks::{self, Kind, NewDelivery, Receipt, signature};
use poem::{
    Body, IntoResponse, Request, Response, Route, handler,
    http::{StatusCode, header},
    post,
    web::Data,
};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    app::App,
    problem::{ErrorCode, Problem},
};

/// Of what a header names.
const LONGEST: usize = 200;

const ID: &str = "twitch-eventsub-message-id";
const TIMESTAMP: &str = "twitch-eventsub-message-timestamp";
const SIGNATURE: &str = "twitch-eventsub-message-signature";
const TYPE: &str = "twitch-eventsub-message-type";

pub(super) fn routes(route: Route) -> Route {
    route.at("/webhooks/twitch/eventsub", post(eventsub))
}

/// `POST /webhooks/twitch/eventsub`: 204, or the challenge as text; 403 for what Twitch has not signed, or not now.
#[handler]
async fn eventsub(app: Data<&App>, request: &Request, body: Body) -> poem::Result<Response> {
    // Small by now: `limits` has seen to it.
    let bytes = body.into_bytes().await.map_err(|_| refused())?;
    let sent = Sent::of(request).ok_or_else(refused)?;
    let secret = app.settings.eventsub_secret.as_bytes();
    if !signature::is_genuine(secret, sent.id, sent.timestamp, &bytes, sent.signature) {
        return Err(refused().into());
    }
    let sent_at = OffsetDateTime::parse(sent.timestamp, &Rfc3339).map_err(|_| refused())?;
    let kind = match sent.kind {
        "webhook_callback_verification" => return Ok(challenge(&app, sent_at, &bytes).await?),
        "notification" => Kind::Notification,
        "revocation" => Kind::Revocation,
        // A newer kind of message is not ours to refuse: whoever cannot deliver ends the subscription.
        _ => return Ok(StatusCode::NO_CONTENT.into_response()),
    };
    let new = NewDelivery {
        provider: domain::identities::Provider::Twitch,
        message_id: sent.id,
        kind,
        sent_at,
        body: &bytes,
    };
    let mut tx = app.db.begin().await.map_err(Problem::from)?;
    match webhooks::receive(&mut tx, &new).await.map_err(Problem::from)? {
        Receipt::Stale => Err(refused().into()),
        Receipt::Kept(_) | Receipt::Known => {
            tx.commit().await.map_err(Problem::from)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    }
}

/// What stands in the headers.
struct Sent<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
    kind: &'a str,
}

impl<'a> Sent<'a> {
    /// Each of them once, and none longer than any real one.
    fn of(request: &'a Request) -> Option<Self> {
        let once = |name: &str| {
            let mut values = request.headers().get_all(name).iter();
            let value = values.next()?.to_str().ok().filter(|value| (1..=LONGEST).contains(&value.len()))?;
            values.next().is_none().then_some(value)
        };
        Some(Self { id: once(ID)?, timestamp: once(TIMESTAMP)?, signature: once(SIGNATURE)?, kind: once(TYPE)? })
    }
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
}

/// Says what was asked for, and nothing else: the platform compares it.
async fn challenge(app: &App, sent_at: OffsetDateTime, body: &[u8]) -> Result<Response, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    if !webhooks::is_timely(&mut conn, sent_at).await? {
        return Err(refused());
    }
    let asked: Challenge = serde_json::from_slice(body)
        .map_err(|_| Problem::bad_request(ErrorCode::ValidationError, "challenge: a text"))?;
    Ok(Response::builder().header(header::CONTENT_TYPE, "text/plain").body(asked.challenge))
}

/// Why exactly is not told: who forges messages learns nothing.
fn refused() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        ErrorCode::Forbidden,
        "the message is not signed by the platform, or is too old",
    )
}
