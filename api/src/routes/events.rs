//! Event streams: everybody's of a channel, the streamer's, a person's own.

use std::time::Duration;

use bytes::Bytes;
use domain::{
    channels::{self, ChannelError},
    events::{self, Audience, Cursor, Stream},
    playback,
    teams::{self, TeamRole},
};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};
use queue::Database;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Group, channels::open_by_slug};
use crate::{
    app::App,
    auth::{Moderator, Viewer},
    hub::{Closed, Opening, Pass, Resume, Scope, Wish, made},
    problem::Problem,
    sse::Sse,
};

/// Whoever reads the events of a channel as one of its team is looked up so often.
const LOOK_AT_TEAM: Duration = Duration::from_secs(3);

pub(crate) struct Events;

#[OpenApi(tag = "Group::Realtime")]
impl Events {
    /// A channel's public events
    ///
    /// What everybody may know: `activation:*`, `queue:state`, `submissions:status`. Nothing personal. Begins with the
    /// present `queue:state`.
    #[oai(path = "/channels/:slug/events", method = "get", operation_id = "streamChannelEvents")]
    async fn channel(
        &self,
        app: Data<&App>,
        /// The channel's slug, in any case.
        slug: Path<String>,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
    ) -> Result<Sse, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_slug(&mut conn, &slug).await?;
        drop(conn);
        let given = last_event_id.0.or(query_id.0);
        open(&app, &channel.stream(), Some(channel.id), Audience::PUBLIC, given).await
    }

    /// My channel's events
    ///
    /// For the panel: `activation:*`, `queue:state`, `overlay:config`, `submission:*`. Begins with the present
    /// `queue:state`, whose `next` holds `type` and `fileUrl` of the first three items that wait.
    #[oai(path = "/streamer/events", method = "get", operation_id = "streamStreamerEvents")]
    async fn streamer(
        &self,
        app: Data<&App>,
        request: &Request,
        streamer: Moderator,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
    ) -> Result<Sse, Problem> {
        let given = last_event_id.0.or(query_id.0);
        // Who else may see from where a token is used might be who stole it.
        let is_owner = streamer.role == TeamRole::Owner && !streamer.by_token;
        let audience = if is_owner { Audience::PANEL.and(Audience::OWNER) } else { Audience::PANEL };
        let channel = &streamer.channel;
        let stream = open(&app, &channel.stream(), Some(channel.id), audience, given).await?;
        Ok(while_in_team(&app, request, &streamer, stream))
    }

    /// What is said in my chats
    ///
    /// As it is read: `new_message` with what `GET /api/v1/messages` shows of it, and `messages_removed` with the platform and the
    /// `id` of the message, the `user_id` whose messages are all gone, or neither when all is gone, that was sent `until` then.
    /// Messages that were read together come together; whoever comes back may get some of them again, with the same `id`.
    #[oai(path = "/api/v1/events", method = "get", operation_id = "streamMessages")]
    async fn messages(
        &self,
        app: Data<&App>,
        request: &Request,
        streamer: Moderator,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
    ) -> Result<Sse, Problem> {
        let given = last_event_id.0.or(query_id.0);
        let channel = &streamer.channel;
        let stream = open(&app, &Stream::Chat(channel.slug.clone()), Some(channel.id), Audience::PANEL, given).await?;
        Ok(while_in_team(&app, request, &streamer, stream))
    }

    /// My own events
    ///
    /// `wallet:updated`, `activation:updated` and whatever else concerns nobody but me.
    #[oai(path = "/me/events", method = "get", operation_id = "streamMyEvents")]
    async fn me(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The id of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        #[oai(name = "lastEventId")]
        query_id: Query<Option<String>>,
    ) -> Result<Sse, Problem> {
        let given = last_event_id.0.or(query_id.0);
        open(&app, &Stream::User(viewer.id), None, Audience::USER, given)
            .await
            .map(|stream| stream.until(app.ended.clone().when(viewer.session)))
    }
}

/// The stream ends with the session or the token by which it is read, and with the person's place in the channel's team.
fn while_in_team(app: &App, request: &Request, streamer: &Moderator, stream: Sse) -> Sse {
    let over = app.ended.clone().when(streamer.session);
    let staying = streamer.by_token.then(|| app.sightings.stay(streamer.session, request));
    let over = async move {
        let _staying = staying;
        over.await
    };
    if streamer.role == TeamRole::Owner {
        return stream.until(over);
    }
    let (db, channel, user) = (app.db.clone(), streamer.channel.id, streamer.user.id);
    stream.until(async move {
        tokio::select! {
            why = over => why,
            () = out_of_team(&db, channel, user) => Closed::Revoked,
        }
    })
}

/// Comes when the person is no longer in the channel's team. A database that is away takes nobody out.
async fn out_of_team(db: &Database, channel: Uuid, user: Uuid) {
    loop {
        tokio::time::sleep(LOOK_AT_TEAM).await;
        let Ok(mut conn) = db.pool().acquire().await else { continue };
        if let Ok(None) = teams::role_of(&mut conn, channel, user).await {
            return;
        }
    }
}

/// The stream for the audience, after the place that the client gave. A channel's own begins with its queue's state; that one and
/// its chats' end when the channel is closed.
async fn open(
    app: &App,
    stream: &Stream,
    channel: Option<Uuid>,
    audience: Audience,
    given: Option<String>,
) -> Result<Sse, Problem> {
    let key = stream.to_string();
    let mut tx = events::snapshot(&app.db).await?;
    let head = events::head(&mut tx, &key).await?;
    let resume = Resume::judge(&mut tx, &key, head, given.as_deref()).await?;
    let state = match channel {
        Some(channel) => {
            // Within what the stream's place was read in: a channel that closes later says so behind it.
            let closed = channels::find(&mut tx, channel).await?.is_none_or(|channel| channel.closed);
            if closed {
                return Err(ChannelError::Closed.into());
            }
            match stream {
                Stream::Chat(_) => vec![],
                _ => vec![queue_state(&mut tx, channel, audience, head).await?],
            }
        }
        None => vec![],
    };
    tx.rollback().await?;
    let opening = Opening { head, resume, before: vec![], state };
    let pass = channel.map(|_| Pass { scope: Scope::Channel, version: None, since: head });
    Ok(Sse::new(app.hub.subscribe(Wish { stream: key, audience, pass }, opening).await?))
}

async fn queue_state(
    conn: &mut PgConnection,
    channel: Uuid,
    audience: Audience,
    head: Cursor,
) -> Result<Bytes, Problem> {
    let state = playback::queue_state(conn, channel).await?;
    let state = if audience == Audience::PUBLIC { state.public() } else { state };
    let data = serde_json::to_string(&state).map_err(Problem::internal)?;
    Ok(made(Some(head), "queue:state", &data))
}
