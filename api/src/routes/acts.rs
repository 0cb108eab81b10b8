//! The log of acts on people and channels, and how operations write into it.

use domain::{
    accounts::User,
    acts::{self, Act, Actor, By, Filter},
    channels,
};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query, payload::Json, types::ToJSON};
use queue::Tx;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Group;
use crate::{
    app::{App, AppState},
    auth::{Admin, Streamer},
    problem::{ErrorCode, Problem},
    telemetry,
    views::acts::AuditPageView,
};

pub(crate) struct Acts;

const DEFAULT: u16 = 50;

/// Who acts.
pub(super) fn by(user: &User) -> By {
    by_id(user.id)
}

/// As [`by`].
pub(crate) fn by_id(user: Uuid) -> By {
    By { actor: Actor::Person(user), request: Some(telemetry::current().request_id) }
}

/// Writes down what somebody did on a channel.
pub(super) async fn on_channel(tx: &mut Tx, streamer: &Streamer, act: Act) -> Result<(), Problem> {
    // Of a program, who let it act in their name, and the token that it came with.
    let act = if streamer.by_token { act.because(Some(&format!("by the token {}", streamer.session))) } else { act };
    Ok(acts::note(&mut *tx, &by(&streamer.user), act.on(streamer.channel.id)).await?)
}

/// Writes down what became of something that a channel has: nothing before it was made, nothing after it was removed.
pub(super) async fn on_thing<V: ToJSON>(
    tx: &mut Tx,
    streamer: &Streamer,
    act: &'static str,
    thing: Uuid,
    before: Option<V>,
    after: Option<V>,
) -> Result<(), Problem> {
    let view = |view: Option<V>| view.map_or(Value::Null, |view| shown(&view));
    on_channel(tx, streamer, Act::new(act).with(thing).changing(view(before), view(after))).await
}

/// A view as it is written down.
pub(super) fn shown(view: &impl ToJSON) -> Value {
    view.to_json().unwrap_or_default()
}

/// The conditions of a page, as they were asked for.
struct Wish {
    before: Option<i64>,
    actor: Option<String>,
    user: Option<String>,
    act: Option<String>,
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    limit: Option<u16>,
}

impl Wish {
    /// The page of acts, on one channel or anywhere.
    async fn find(self, app: &AppState, channel: Option<Uuid>) -> Result<AuditPageView, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT);
        if let Some(act) = self.act.as_deref().filter(|act| !acts::names().any(|name| name == *act)) {
            let all: Vec<&str> = acts::names().collect();
            let detail = format!("act: {act:?} is none of {}", all.join(", "));
            return Err(Problem::bad_request(ErrorCode::ValidationError, detail));
        }
        let lower = |text: Option<String>| text.map(|text| text.to_ascii_lowercase());
        let filter = Filter {
            before: self.before,
            actor: lower(self.actor),
            user: lower(self.user),
            channel,
            act: self.act,
            since: self.since,
            until: self.until,
        };
        let mut conn = app.db.pool().acquire().await?;
        let found = acts::list(&mut conn, &filter, i64::from(limit) + 1).await?;
        Ok(AuditPageView::new(found, usize::from(limit)))
    }
}

#[OpenApi]
impl Acts {
    /// Who did what to people and channels
    ///
    /// Everything that somebody did with a right that not everybody has, or to their own ways of logging in, the newest
    /// first; who logged in is not among it. What was done to jobs by hand is at `/admin/audit`.
    #[oai(path = "/owner/audit", method = "get", operation_id = "listActs", tag = "Group::Owner")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// The `next` of the page before.
        before: Query<Option<i64>>,
        /// Who did it: a login or an id.
        actor: Query<Option<String>>,
        /// To whom: a login or an id.
        user: Query<Option<String>>,
        /// On which channel: its slug.
        channel: Query<Option<String>>,
        /// What, e.g. `change_role`. 400 for another word names all.
        act: Query<Option<String>>,
        /// Then or later.
        since: Query<Option<OffsetDateTime>>,
        /// Before then.
        until: Query<Option<OffsetDateTime>>,
        /// Acts of the page, 50 by default.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u16>>,
    ) -> Result<Json<AuditPageView>, Problem> {
        let channel = match channel.0.as_deref() {
            Some(slug) => {
                let mut conn = app.db.pool().acquire().await?;
                Some(channels::find_by_slug(&mut conn, slug).await?.ok_or_else(no_channel)?.id)
            }
            None => None,
        };
        let wish = Wish {
            before: before.0,
            actor: actor.0,
            user: user.0,
            act: act.0,
            since: since.0,
            until: until.0,
            limit: limit.0,
        };
        Ok(Json(wish.find(&app, channel).await?))
    }

    /// Who did what on my channel
    ///
    /// The owner, the team, programs in the owner's name, and admins, the newest first. Conditions as at `/owner/audit`.
    #[oai(path = "/streamer/audit", method = "get", operation_id = "listChannelActs", tag = "Group::Streamer")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn list_on_channel(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The `next` of the page before.
        before: Query<Option<i64>>,
        /// Who did it: a login or an id.
        actor: Query<Option<String>>,
        /// To whom: a login or an id.
        user: Query<Option<String>>,
        /// What, e.g. `change_team`. 400 for another word names all.
        act: Query<Option<String>>,
        /// Then or later.
        since: Query<Option<OffsetDateTime>>,
        /// Before then.
        until: Query<Option<OffsetDateTime>>,
        /// Acts of the page, 50 by default.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u16>>,
    ) -> Result<Json<AuditPageView>, Problem> {
        let wish = Wish {
            before: before.0,
            actor: actor.0,
            user: user.0,
            act: act.0,
            since: since.0,
            until: until.0,
            limit: limit.0,
        };
        Ok(Json(wish.find(&app, Some(streamer.channel.id)).await?.for_streamers()))
    }
}

fn no_channel() -> Problem {
    Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel")
}
