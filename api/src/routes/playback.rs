//! The queue in the streamer's hands, and what screens say.

use domain::{
    access::Purpose,
    activations::{self, FreePlay, Source},
    acts::Act,
    channels, memes,
    playback::{self, Report, ReportedState},
    requests::Stored,
    tokens,
};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON as _,
};
use queue::Tx;
use serde_json::json;
use uuid::Uuid;

use super::{Group, acts::on_channel, door::presented, queue_items::written_down};
use crate::{
    app::{App, AppState},
    auth::{Editor, Moderator},
    idempotency,
    paging::{Listed, Page},
    problem::{ErrorCode, Problem},
    stored::Kept,
    views::activations::{Ack, AckState, ActivationView, ChannelStatsView, ClearedView, EndedView, QueueView},
};

pub(crate) struct Playback;

#[OpenApi]
impl Playback {
    /// My queue
    ///
    /// What plays, what waits in the order of play with the time until it starts, and whether playback or intake is paused.
    #[oai(path = "/streamer/queue", method = "get", operation_id = "getQueue", tag = "Group::Streamer")]
    async fn queue(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Json<QueueView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        view(&app, &streamer, page).await
    }

    /// What has been played
    ///
    /// Ended items with their reasons, the last one that ended first; `detail` is what a screen said that could not show one.
    #[oai(path = "/streamer/queue/history", method = "get", operation_id = "listQueueHistory", tag = "Group::Streamer")]
    async fn history(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<EndedView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let ended = activations::history(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        let total = activations::count_ended(&mut conn, streamer.channel.id).await?;
        let ids: Vec<Uuid> = ended.iter().map(|activation| activation.id).collect();
        let mut words = activations::words_of_screens(&mut conn, &ids).await?;
        let ended = ended.into_iter().map(|activation| {
            let detail = words.remove(&activation.id);
            EndedView::new(activation, detail)
        });
        Ok(Listed::new(page, ended.collect(), total))
    }

    /// Skip what plays
    ///
    /// Takes it off the screen and gives the coins back. 409 when nothing plays. Send an `Idempotency-Key`: repeating the
    /// request with the same key gives the first answer again and does not skip the next one.
    #[oai(path = "/streamer/queue/skip", method = "post", operation_id = "skipPlaying", tag = "Group::Streamer")]
    async fn skip(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The one that plays longest when absent.
        #[oai(name = "activationId")]
        activation_id: Query<Option<Uuid>>,
        /// 1 to 128 visible characters of your choice that name this skip.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ActivationView>, Problem> {
        skip(&app, &streamer, activation_id.0, key.0).await
    }

    /// Empty the queue
    ///
    /// Everything that waits is cancelled and paid back in full; what plays goes on. Send an `Idempotency-Key`: repeating
    /// the request with the same key gives the first answer again and leaves alone what has come since.
    #[oai(path = "/streamer/queue/clear", method = "post", operation_id = "clearQueue", tag = "Group::Streamer")]
    async fn clear(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 128 visible characters of your choice that name this order.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ClearedView>, Problem> {
        clear(&app, &streamer, key.0).await
    }

    /// Pause playback
    ///
    /// What plays stands still, nothing new starts, and nothing that waits grows old.
    #[oai(
        path = "/streamer/queue/playback/pause",
        method = "post",
        operation_id = "pausePlayback",
        tag = "Group::Streamer"
    )]
    async fn pause(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        set_playback(&app, &streamer, true).await
    }

    /// Resume playback
    ///
    /// Goes on where it stood.
    #[oai(
        path = "/streamer/queue/playback/resume",
        method = "post",
        operation_id = "resumePlayback",
        tag = "Group::Streamer"
    )]
    async fn resume(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        set_playback(&app, &streamer, false).await
    }

    /// Pause intake
    ///
    /// New activations are refused with 409 `INTAKE_PAUSED`; what waits still plays, and programs' events still come.
    #[oai(
        path = "/streamer/queue/intake/pause",
        method = "post",
        operation_id = "pauseIntake",
        tag = "Group::Streamer"
    )]
    async fn pause_intake(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        set_intake(&app, &streamer, true).await
    }

    /// Resume intake
    #[oai(
        path = "/streamer/queue/intake/resume",
        method = "post",
        operation_id = "resumeIntake",
        tag = "Group::Streamer"
    )]
    async fn resume_intake(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        set_intake(&app, &streamer, false).await
    }

    /// Play a test event
    ///
    /// Shows one of the channel's memes through the whole path, for no coins and in no statistics. Send an
    /// `Idempotency-Key`: repeating the request with the same key gives the first answer again and plays nothing twice.
    #[oai(path = "/streamer/test-event", method = "post", operation_id = "playTestEvent", tag = "Group::Streamer")]
    async fn test_event(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The newest meme when absent.
        #[oai(name = "memeId")]
        meme_id: Query<Option<Uuid>>,
        /// 1 to 128 visible characters of your choice that name this event.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ActivationView>, Problem> {
        let question = json!([streamer.channel.id, meme_id.0]);
        let request = idempotency::request(key.0, streamer.user.id, "test-event", &question);
        let placed = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let meme = match meme_id.0 {
                Some(id) => id,
                None => {
                    let newest =
                        memes::list(tx, &streamer.channel, memes::Order::Newest, &memes::Filter::default(), None, 1, 0)
                            .await?;
                    let newest = newest.first().map(|shown| shown.meme.id);
                    newest.ok_or_else(|| Problem::not_found(ErrorCode::MemeNotFound, "your channel has no meme yet"))?
                }
            };
            let play = FreePlay::new(Source::Test, meme);
            let id = activations::place_free(tx, &streamer.channel, streamer.user.id, &play).await?;
            written_down(tx, &streamer, id, Act::new("play_test_event")).await
        });
        Ok(placed.await?.into())
    }

    /// My channel's figures
    #[oai(path = "/streamer/stats/channel", method = "get", operation_id = "getChannelStats", tag = "Group::Streamer")]
    async fn stats(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<ChannelStatsView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(activations::counts(&mut conn, streamer.channel.id).await?.into()))
    }

    /// Acknowledge a play
    ///
    /// What a screen says: `started` starts the clock, `done` in time spends the coins, `failed` gives them back unless
    /// another screen shows it. Saying the same again changes nothing; a word about a play that is over is 409
    /// `STALE_PLAY`. The overlay's token is the proof.
    #[oai(
        path = "/overlay/t/:token/activations/:id/ack",
        method = "post",
        operation_id = "acknowledgePlay",
        tag = "Group::Overlay"
    )]
    async fn acknowledge(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The overlay's token, or `-`: then it stands in the header `Authorization: Bearer`.
        token: Path<String>,
        /// The activation's id.
        id: Path<Uuid>,
        ack: Json<Ack>,
    ) -> Result<Json<ActivationView>, Problem> {
        let mut tx = app.db.begin().await?;
        let opened = tokens::open_door(&mut tx, &app.keys, Purpose::Overlay, presented(request, &token)).await?;
        app.sightings.note(opened.token, request);
        let report = Report {
            activation_id: id.0,
            state: match ack.state {
                AckState::Started => ReportedState::Started,
                AckState::Done => ReportedState::Done,
                AckState::Failed => ReportedState::Failed,
            },
            play_epoch: ack.play_epoch,
            screen_id: ack.screen_id,
            reason: ack.0.reason,
        };
        let activation = playback::acknowledge(&mut tx, &opened.channel, &report).await?;
        fail::fail_point!("playback::acknowledge::before");
        tx.commit().await?;
        fail::fail_point!("playback::acknowledge::after");
        Ok(Json(activation.into()))
    }
}

pub(super) async fn skip(
    app: &AppState,
    streamer: &Moderator,
    activation: Option<Uuid>,
    key: Option<String>,
) -> Result<Kept<ActivationView>, Problem> {
    let question = json!([streamer.channel.id, activation]);
    let request = idempotency::request(key, streamer.user.id, "skip", &question);
    let skipped = idempotency::once(&app.db, request.as_ref(), async |tx| {
        let skipped = playback::skip(tx, &streamer.channel, activation, streamer.user.id).await?;
        let act = Act::new("skip").to(skipped.user_id).with(skipped.id);
        on_channel(tx, streamer, act).await?;
        Ok::<_, Problem>(ActivationView::from(skipped))
    });
    Ok(skipped.await?.into())
}

pub(super) async fn clear(
    app: &AppState,
    streamer: &Moderator,
    key: Option<String>,
) -> Result<Kept<ClearedView>, Problem> {
    let mut all = ClearedView { cleared: 0, refunded: 0 };
    let request = idempotency::request(key, streamer.user.id, "clear", &json!([streamer.channel.id]));
    if request.is_some() {
        // What is kept under a key is the whole answer, so all of it is one transaction.
        let cleared = idempotency::once(&app.db, request.as_ref(), async |tx| {
            while clear_some(tx, streamer, &mut all).await? {}
            Ok::<_, Problem>(all)
        });
        return Ok(cleared.await?.into());
    }
    loop {
        let mut tx = app.db.begin().await?;
        let more = clear_some(&mut tx, streamer, &mut all).await?;
        tx.commit().await?;
        if !more {
            return Ok(Stored { status: 200, body: all.to_json_string() }.into());
        }
    }
}

/// Adds what it has cleared to `all`; whether there is more.
async fn clear_some(tx: &mut Tx, streamer: &Moderator, all: &mut ClearedView) -> Result<bool, Problem> {
    let cleared = playback::clear(tx, &streamer.channel, streamer.user.id).await?;
    let after = json!({ "cleared": cleared.items, "refunded": cleared.refunded });
    on_channel(tx, streamer, Act::new("clear_queue").changing(json!({ "waiting": cleared.items }), after)).await?;
    all.cleared += cleared.items;
    all.refunded += cleared.refunded;
    Ok(cleared.more)
}

pub(super) async fn set_playback(
    app: &AppState,
    streamer: &Moderator,
    paused: bool,
) -> Result<Json<QueueView>, Problem> {
    let mut tx = app.db.begin().await?;
    let before = if paused {
        playback::pause(&mut tx, &streamer.channel).await?
    } else {
        playback::resume(&mut tx, &streamer.channel).await?
    };
    let act = Act::new(if paused { "pause_playback" } else { "resume_playback" });
    on_channel(&mut tx, streamer, act.changing(json!({ "paused": before }), json!({ "paused": paused }))).await?;
    tx.commit().await?;
    state(app, streamer).await
}

pub(super) async fn set_intake(app: &AppState, streamer: &Moderator, paused: bool) -> Result<Json<QueueView>, Problem> {
    let mut tx = app.db.begin().await?;
    let before = channels::set_intake_paused(&mut tx, streamer.channel.id, paused).await?;
    playback::announce(&mut tx, &[streamer.channel.id]).await?;
    let act = Act::new(if paused { "pause_intake" } else { "resume_intake" });
    on_channel(&mut tx, streamer, act.changing(json!({ "paused": before }), json!({ "paused": paused }))).await?;
    tx.commit().await?;
    state(app, streamer).await
}

pub(super) async fn state(app: &AppState, streamer: &Moderator) -> Result<Json<QueueView>, Problem> {
    view(app, streamer, Page::new(None, None)?).await
}

async fn view(app: &AppState, streamer: &Moderator, page: Page) -> Result<Json<QueueView>, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let state = playback::queue_state(&mut conn, streamer.channel.id).await?;
    let items = activations::list_queued(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
    Ok(Json(QueueView::new(state, items)))
}
