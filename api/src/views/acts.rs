//! Words of acts on people and channels.

use domain::acts::Noted;
use poem_openapi::{Object, types::Any};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// What somebody did.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AuditView {
    id: i64,
    at: OffsetDateTime,
    /// `user:<login>`, or `os:<name>` of a command line.
    actor: String,
    act: String,
    /// To whom.
    user_id: Option<Uuid>,
    /// That person's present login.
    login: Option<String>,
    /// On which channel: its slug.
    channel: Option<String>,
    /// Which thing of theirs, where there are several: a meme, a token, a play.
    thing: Option<Uuid>,
    /// What it changed, as it was.
    before: Option<Any<Value>>,
    /// The same, as it was then.
    after: Option<Any<Value>>,
    reason: Option<String>,
    request_id: Option<String>,
}

impl From<Noted> for AuditView {
    fn from(noted: Noted) -> Self {
        Self {
            id: noted.id,
            at: noted.at,
            actor: noted.actor,
            act: noted.act,
            user_id: noted.user_id,
            login: noted.login,
            channel: noted.channel,
            thing: noted.thing,
            before: noted.before.map(Any),
            after: noted.after.map(Any),
            reason: noted.reason,
            request_id: noted.request,
        }
    }
}

/// A part of the log, the newest act first.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AuditPageView {
    acts: Vec<AuditView>,
    /// `before` of the next page; absent on the last.
    next: Option<i64>,
}

impl AuditPageView {
    /// Of one act more than the page has, if there are more.
    pub(crate) fn new(mut found: Vec<Noted>, limit: usize) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|act| act.id) } else { None };
        Self { acts: found.into_iter().map(AuditView::from).collect(), next }
    }
    /// As a streamer sees it: who works for the instance at a command line, and in which request, is not theirs to know.
    pub(crate) fn for_streamers(mut self) -> Self {
        for act in &mut self.acts {
            act.request_id = None;
            if act.actor.starts_with("os:") {
                "os:operator".clone_into(&mut act.actor);
            }
        }
        self
    }
}
