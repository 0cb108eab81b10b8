//! The two doors that a token opens, overlay and credits: what is told at the threshold, by stream and by poll.

use std::time::Duration;

use domain::{
    access::Purpose,
    channels::{self, Channel},
    credits,
    events::{self, Audience, Cursor},
    playback,
    tokens::{self, Opened},
};
use poem::Request;
use poem_openapi::{ApiResponse, payload::Json};
use queue::Tx;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    app::AppState,
    auth::bearer,
    hub::{Closed, EventStream, Opening, Pass, Resume, Scope, Wish, made},
    problem::Problem,
    views::events::{EventPageView, EventView},
};

/// What a poll answers.
#[derive(ApiResponse)]
pub(crate) enum PollAnswer {
    /// Events after the cursor; at the beginning (and after `reset`) the present configuration and state.
    #[oai(status = 200)]
    Page(
        Json<EventPageView>,
        /// Names the cursor: give it back as `If-None-Match`.
        #[oai(header = "ETag")]
        String,
        /// `no-cache`: ask again each time.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// Nothing new since the cursor that `If-None-Match` names.
    #[oai(status = 304)]
    Unchanged(
        /// As it was given.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A channel seen through a good token, at one moment.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) channel: Channel,
    /// From where it comes is noted.
    token: Uuid,
    /// The token can be revoked alone: then it is on the list of what has ended.
    revocable: bool,
    wish: Wish,
    head: Cursor,
    resume: Resume,
    /// `overlay:config` or `credits:config`: the name, and the JSON.
    config: (&'static str, Value),
    /// `overlay:state` or `credits:state`.
    state: (&'static str, Value),
}

impl Door {
    /// Opens the door if the token is good. `in_path` is what the address says, `given` the client's cursor, as it wrote it.
    pub(super) async fn open(
        app: &AppState,
        request: &Request,
        purpose: Purpose,
        in_path: &str,
        given: Option<&str>,
    ) -> Result<Self, Problem> {
        let mut tx = events::snapshot(&app.db).await?;
        let Opened { channel, token, revocable } =
            tokens::open_door(&mut tx, &app.keys, purpose, presented(request, in_path)).await?;
        let stream = channel.stream().to_string();
        let head = events::head(&mut tx, &stream).await?;
        let resume = Resume::judge(&mut tx, &stream, head, given).await?;
        let (pass, audience, config, state) = match purpose {
            Purpose::Overlay => overlay(&mut tx, &channel).await?,
            Purpose::Credits => rolling_credits(&mut tx, &channel).await?,
        };
        tx.rollback().await?;
        app.sightings.note(token, request);
        // A rotation ends what the channel's own links have opened; tokens of sources are ended each alone.
        let (scope, version) = pass;
        let pass = Pass { scope, version: (!revocable).then_some(version), since: head };
        let wish = Wish { stream, audience, pass: Some(pass) };
        Ok(Self { channel, token, revocable, wish, head, resume, config, state })
    }

    /// Comes when the token is revoked or over; until it is dropped, the token is being used by this request.
    pub(super) fn over(&self, app: &AppState, request: &Request) -> impl Future<Output = Closed> + Send + use<> {
        let staying = app.sightings.stay(self.token, request);
        let revoked = self.revoked(app);
        async move {
            let _staying = staying;
            revoked.await
        }
    }

    /// Never comes for a link that is rotated: its stream says so itself.
    fn revoked(&self, app: &AppState) -> impl Future<Output = Closed> + Send + use<> {
        let token = self.revocable.then_some(self.token);
        let ended = app.ended.clone();
        async move {
            match token {
                Some(token) => ended.when(token).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Configuration, what was missed, the state, then live.
    pub(super) async fn stream(self, app: &AppState) -> Result<EventStream, Problem> {
        let (config, config_data) = self.config;
        let (state, state_data) = self.state;
        let opening = Opening {
            head: self.head,
            resume: self.resume,
            before: vec![made(None, config, &config_data.to_string())],
            state: vec![made(Some(self.head), state, &state_data.to_string())],
        };
        Ok(app.hub.subscribe(self.wish, opening).await?)
    }

    /// What was missed, waited for if need be; without a good cursor configuration and state.
    pub(super) async fn poll(
        self,
        app: &AppState,
        wait: Duration,
        if_none_match: Option<&str>,
    ) -> Result<PollAnswer, Problem> {
        let Resume::From(from) = self.resume else {
            return Ok(page(self.head, self.threshold()));
        };
        let polled = tokio::select! {
            polled = app.hub.poll(self.wish.clone(), from, wait) => polled?,
            _ = self.revoked(app) => return Err(Problem::unauthorized("the token was revoked or is over")),
        };
        match polled.closed {
            Some(Closed::Revoked | Closed::Expired) => {
                return Err(Problem::unauthorized("the token was rotated, or its channel is closed"));
            }
            // The place means nothing any more: the next poll begins anew, with `reset`.
            Some(Closed::Reset | Closed::Slow | Closed::Unavailable | Closed::Shutdown) | None => {}
        }
        let same = etag(from);
        if polled.frames.is_empty() && polled.cursor.seq - from.seq < SKIP && if_none_match == Some(same.as_str()) {
            return Ok(PollAnswer::Unchanged(same));
        }
        Ok(page(polled.cursor, polled.frames.iter().map(EventView::from).collect()))
    }

    fn threshold(&self) -> Vec<EventView> {
        let head = self.head.to_string();
        let mut told = vec![EventView::made(None, self.config.0, self.config.1.clone())];
        if self.resume == Resume::Lost {
            let reason = serde_json::json!({ "reason": "unknown_cursor" });
            told.push(EventView::made(Some(head.clone()), "reset", reason));
        }
        told.push(EventView::made(Some(head), self.state.0, self.state.1.clone()));
        told
    }
}

/// What stands in an address in place of a token that is elsewhere.
pub(super) const ELSEWHERE: &str = "-";

/// The token that the request shows: the one in its address, or in its header when the address says so.
pub(super) fn presented<'r>(request: &'r Request, in_path: &'r str) -> &'r str {
    if in_path == ELSEWHERE { bearer(request).unwrap_or(in_path) } else { in_path }
}

/// "Nothing new" keeps the client's cursor; past this many events that were not for it, it gets a newer one instead, so
/// that they are not looked through again at each poll.
const SKIP: i64 = 200;

type Told = (&'static str, Value);

async fn overlay(tx: &mut Tx, channel: &Channel) -> Result<((Scope, i32), Audience, Told, Told), Problem> {
    let pass = (Scope::Overlay, channel.overlay_token_version);
    let config = channels::config_event(channel);
    let config = (config.name, serde_json::from_str(&config.data).map_err(Problem::internal)?);
    let state = ("overlay:state", value(&playback::queue_state(tx, channel.id).await?)?);
    Ok((pass, Audience::OVERLAY, config, state))
}

async fn rolling_credits(tx: &mut Tx, channel: &Channel) -> Result<((Scope, i32), Audience, Told, Told), Problem> {
    let pass = (Scope::Credits, channel.credits_token_version);
    let config = ("credits:config", value(&credits::config(tx, channel.id).await?)?);
    let state = ("credits:state", value(&credits::state(tx, channel.id).await?)?);
    Ok((pass, Audience::CREDITS, config, state))
}

fn value(words: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(words).map_err(Problem::internal)
}

/// Weak: bodies with the same cursor say the same in other words.
fn etag(cursor: Cursor) -> String {
    format!("W/\"{cursor}\"")
}

fn page(cursor: Cursor, events: Vec<EventView>) -> PollAnswer {
    let body = Json(EventPageView { cursor: cursor.to_string(), events });
    PollAnswer::Page(body, etag(cursor), "no-cache".to_owned())
}
