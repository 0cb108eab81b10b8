//! Calls between our own processes. Not in the document: for everybody else these routes do not exist.
//!
//! A call must come from this machine, name its kind, and be signed over its raw body with the shared secret
//! (`domain::credits::signature`). Anything else is the same 404 as an unknown path, so that nobody learns how close they
//! came. Who has proven all that gets answers that help.

use domain::credits::{
    self, Amount, ChatterEvent, DonorEvent,
    signature::{self, EVENT_HEADER, INTERNAL_HEADER, INTERNAL_VALUE, SIGNATURE_HEADER, TIMESTAMP_HEADER},
};
use poem::{
    Addr, Body, FromRequest, IntoResponse, Request, RequestBody, Response, Route,
    error::NotFoundError,
    handler,
    http::Method,
    web::{Data, Json},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use time::OffsetDateTime;

use crate::{
    app::{App, AppState},
    problem::{ErrorCode, Problem},
};

/// Bytes; the largest real one is far smaller.
const MAX_BODY: usize = 16 * 1024;

pub(super) fn routes(route: Route) -> Route {
    route.at("/internal/credits/chatter", chatter).at("/internal/credits/donor", donor)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChatterBody {
    channel_slug: String,
    user_id: String,
    display_name: String,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DonorBody {
    channel_slug: String,
    name: String,
    /// A number, or a text with one.
    amount: serde_json::Value,
    #[serde(default = "ruble")]
    currency: String,
    avatar_url: Option<String>,
}

fn ruble() -> String {
    "RUB".to_owned()
}

/// `POST /internal/credits/chatter {"channelSlug","userId","displayName","avatarUrl"?}`
#[handler]
async fn chatter(app: Data<&App>, call: Call) -> poem::Result<Response> {
    let body: ChatterBody = call.json()?;
    let event = ChatterEvent {
        channel_slug: body.channel_slug,
        user_id: body.user_id,
        display_name: body.display_name,
        avatar_url: body.avatar_url,
    };
    let mut tx = app.db.begin().await.map_err(Problem::from)?;
    credits::add_chatter(&mut tx, &call.event_id, &event).await.map_err(Problem::from)?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(json!({ "ok": true })).into_response())
}

/// `POST /internal/credits/donor {"channelSlug","name","amount","currency"="RUB","avatarUrl"?}`
#[handler]
async fn donor(app: Data<&App>, call: Call) -> poem::Result<Response> {
    let body: DonorBody = call.json()?;
    let amount = body.amount.as_str().map_or_else(|| body.amount.to_string(), str::to_owned);
    let amount: Amount = amount.parse().map_err(|()| {
        Problem::bad_request(ErrorCode::ValidationError, "amount: a positive number with two decimals at most")
    })?;
    let event = DonorEvent {
        channel_slug: body.channel_slug,
        name: body.name,
        amount,
        currency: body.currency,
        avatar_url: body.avatar_url,
    };
    let mut tx = app.db.begin().await.map_err(Problem::from)?;
    credits::add_donor(&mut tx, &call.event_id, &event).await.map_err(Problem::from)?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(json!({ "ok": true })).into_response())
}

/// A call that has proven where it comes from.
struct Call {
    event_id: String,
    body: Vec<u8>,
}

impl Call {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::bad_request(ErrorCode::ValidationError, format!("the body: {error}")))
    }
}

impl<'a> FromRequest<'a> for Call {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let unknown = || poem::Error::from(NotFoundError);
        let app = request.data::<App>().ok_or_else(unknown)?;
        let bytes = match (is_near(request), body.take()) {
            (true, Ok(body)) => read(body).await.ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        proven(app, request, bytes).ok_or_else(unknown)
    }
}

/// By method, address and kind: all that can be judged before a byte of the body is read.
fn is_near(request: &Request) -> bool {
    let local = match &request.remote_addr().0 {
        Addr::SocketAddr(address) => address.ip().to_canonical().is_loopback(),
        Addr::Unix(_) | Addr::Custom(..) => false,
    };
    // A proxy on this machine is near itself, but speaks for somebody who is not.
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| request.header(name).is_some());
    *request.method() == Method::POST && local && !forwarded && request.header(INTERNAL_HEADER) == Some(INTERNAL_VALUE)
}

async fn read(body: Body) -> Option<Vec<u8>> {
    Some(body.into_bytes_limit(MAX_BODY).await.ok()?.to_vec())
}

fn proven(app: &AppState, request: &Request, body: Vec<u8>) -> Option<Call> {
    let (event_id, timestamp) = (request.header(EVENT_HEADER)?, request.header(TIMESTAMP_HEADER)?);
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let secret = &app.settings.internal_secret;
    signature::verify(secret, now, timestamp, event_id, &body, request.header(SIGNATURE_HEADER)?)
        .then(|| Call { event_id: event_id.to_owned(), body })
}
