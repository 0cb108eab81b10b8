//! The credits overlay, as OBS reaches it.

use std::time::Duration;

use domain::access::Purpose;
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};

use super::{
    Group,
    door::{Door, PollAnswer},
    pages::{self, Page},
};
use crate::{app::App, problem::Problem, sse::Sse};

pub(crate) struct CreditsOverlay;

#[OpenApi(tag = "Group::Overlay")]
impl CreditsOverlay {
    /// The credits' page
    ///
    /// A browser source that rolls the names of chatters and donors. Transparent; needs no login. A token that is no good
    /// gets an empty transparent page with 401.
    #[oai(path = "/overlay/credits/t/:token", method = "get", operation_id = "getCreditsPage")]
    async fn page(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The credits token, or `-`: then the page takes it from behind the `#` of its address.
        token: Path<String>,
    ) -> Result<Page, Problem> {
        pages::behind_token(&app, request, Purpose::Credits, &token).await
    }

    /// The credits' events
    ///
    /// First `credits:config`, then what was missed, then the present `credits:state`, then live.
    #[oai(path = "/overlay/credits/t/:token/events", method = "get", operation_id = "streamCreditsEvents")]
    async fn events(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The credits token, or `-`: then it stands in the header `Authorization: Bearer`.
        token: Path<String>,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
    ) -> Result<Sse, Problem> {
        let given = last_event_id.0.or(query_id.0);
        let door = Door::open(&app, request, Purpose::Credits, &token, given.as_deref()).await?;
        Ok(Sse::new(door.stream(&app).await?))
    }

    /// The credits' events, polled
    ///
    /// The same events with the same ids. Without a cursor: `credits:config` and `credits:state`, and a cursor to go on
    /// with.
    #[oai(path = "/overlay/credits/t/:token/poll", method = "get", operation_id = "pollCreditsEvents")]
    async fn poll(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The credits token, or `-`: then it stands in the header `Authorization: Bearer`.
        token: Path<String>,
        /// From the last answer.
        cursor: Query<Option<String>>,
        /// Seconds to wait for the first event, 0 to 25; 0 when absent.
        #[oai(validator(maximum(value = "25")))]
        wait: Query<Option<u8>>,
        /// The last answer's `ETag`: 304 when nothing is new.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<PollAnswer, Problem> {
        let door = Door::open(&app, request, Purpose::Credits, &token, cursor.as_deref()).await?;
        door.poll(&app, Duration::from_secs(wait.unwrap_or(0).into()), if_none_match.as_deref()).await
    }
}
