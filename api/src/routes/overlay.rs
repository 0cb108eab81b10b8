//! The meme overlay, as OBS reaches it: by the token in its address.

use std::time::Duration;

use domain::{access::Purpose, playback::ScreenKind};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::{
    Group,
    door::{Door, PollAnswer},
    pages::{self, Page},
};
use crate::{app::App, problem::Problem, screens::Screen, sse::Sse, views::overlay::ScreenView};

pub(crate) struct Overlay;

#[OpenApi(tag = "Group::Overlay")]
impl Overlay {
    /// The overlay's page
    ///
    /// The address to put into OBS as a browser source. Transparent; needs no login. A token that is no good gets an
    /// empty transparent page with 401. With `-` in place of the token, the page takes it from behind the `#` of its
    /// address (`/overlay/t/-#TOKEN`), and no server or proxy on the way ever sees it in an address.
    #[oai(path = "/overlay/t/:token", method = "get", operation_id = "getOverlayPage")]
    async fn page(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The overlay's token, or `-`.
        token: Path<String>,
    ) -> Result<Page, Problem> {
        pages::behind_token(&app, request, Purpose::Overlay, &token).await
    }

    /// The overlay's events
    ///
    /// First `overlay:config`, then what was missed since the given id, then `overlay:state` with whatever plays and for
    /// how long already, then live: `activation:*`, `queue:state`, `overlay:config`. Draw from `overlay:state` on. Play an
    /// item at `volume` per cent, `gainDb` decibels louder: that makes all of them equally loud. `overlay:state`
    /// and `queue:state` hold `next`: `type` and `fileUrl` of the first three items that wait, to be fetched ahead. The
    /// screen counts as connected while the stream is open.
    #[oai(path = "/overlay/t/:token/events", method = "get", operation_id = "streamOverlayEvents")]
    #[allow(clippy::too_many_arguments)]
    async fn events(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The overlay's token, or `-`: then it stands in the header `Authorization: Bearer`.
        token: Path<String>,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
        /// What shows the overlay; OBS outranks a browser tab.
        screen: Query<Option<ScreenView>>,
        /// Names this screen; keep it over a refresh. All screens without a name count as one.
        #[oai(name = "screenId")]
        screen_id: Query<Option<Uuid>>,
    ) -> Result<Sse, Problem> {
        let given = last_event_id.0.or(query_id.0);
        let door = Door::open(&app, request, Purpose::Overlay, &token, given.as_deref()).await?;
        let screen = Screen {
            id: screen_id.0.unwrap_or(door.channel.id),
            channel_id: door.channel.id,
            kind: screen.0.map_or(ScreenKind::Browser, ScreenKind::from),
        };
        let over = door.over(&app, request);
        let stream = door.stream(&app).await?;
        let present = app.screens.enter(screen).await?;
        Ok(Sse::to_screen(stream, present).until(over))
    }

    /// The overlay's events, polled
    ///
    /// The same events with the same ids. Without a cursor: `overlay:config` and `overlay:state`, and a cursor to go on
    /// with. The screen counts as connected for 40 s after each poll.
    #[oai(path = "/overlay/t/:token/poll", method = "get", operation_id = "pollOverlayEvents")]
    #[allow(clippy::too_many_arguments)]
    async fn poll(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The overlay's token, or `-`: then it stands in the header `Authorization: Bearer`.
        token: Path<String>,
        /// From the last answer.
        cursor: Query<Option<String>>,
        /// Seconds to wait for the first event, 0 to 25; 0 when absent.
        #[oai(validator(maximum(value = "25")))]
        wait: Query<Option<u8>>,
        /// The last answer's `ETag`: 304 when nothing is new.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
        /// What shows the overlay; OBS outranks a browser tab.
        screen: Query<Option<ScreenView>>,
        /// Names this screen. All screens without a name count as one.
        #[oai(name = "screenId")]
        screen_id: Query<Option<Uuid>>,
    ) -> Result<PollAnswer, Problem> {
        let door = Door::open(&app, request, Purpose::Overlay, &token, cursor.as_deref()).await?;
        let kind = screen.0.map_or(ScreenKind::Browser, ScreenKind::from);
        let id = screen_id.0.unwrap_or(door.channel.id);
        app.screens.touch(Screen { id, channel_id: door.channel.id, kind }).await?;
        let wait = Duration::from_secs(wait.unwrap_or(0).into());
        door.poll(&app, wait, if_none_match.as_deref()).await
    }
}
