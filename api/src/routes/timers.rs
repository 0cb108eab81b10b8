//! What the bots of a channel say from time to time.

use domain::{requests::Stored, timers};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::json;
use uuid::Uuid;

use super::{Group, acts::on_thing};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    idempotency,
    paging::{Listed, Page},
    problem::Problem,
    stored::KeptNew,
    views::{
        bots::Okay,
        timers::{NewTimerView, TimerPatch, TimerView},
    },
};

pub(crate) struct Timers;

#[OpenApi(tag = "Group::Bots")]
impl Timers {
    /// My timers
    ///
    /// The oldest first.
    #[oai(path = "/streamer/bot/timers", method = "get", operation_id = "listTimers")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<TimerView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let (items, total) = timers::list(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
    }

    /// Make a timer
    ///
    /// Every `intervalSeconds` the bots say the next of its messages in all chats where they are on, if the stream runs
    /// (`onlyWhenLive`) and others have written `minLines` since. A channel has at most 25. In messages are filled in:
    /// `{channel}`, `{channelUrl}`, `{uptime}`, `{peek:name}` a counter, `{random:a|b}`, `{random:1-6}`; `{{` is a brace.
    /// Repeating the request with the same `Idempotency-Key` makes no second one.
    #[oai(path = "/streamer/bot/timers", method = "post", operation_id = "createTimer")]
    async fn create(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this timer.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<NewTimerView>,
    ) -> Result<KeptNew<TimerView>, Problem> {
        let question = json!([streamer.channel.id, wish.0.to_json()]);
        let request = idempotency::request(key.0, streamer.user.id, "create-timer", &question);
        let new = wish.0.into();
        let made = idempotency::once_as(&app.db, request.as_ref(), async |tx| {
            let timer = timers::create(tx, streamer.channel.id, new).await?;
            on_thing(tx, &streamer, "create_timer", timer.id, None, Some(TimerView::from(timer.clone()))).await?;
            Ok::<_, Problem>(Stored { status: 201, body: TimerView::from(timer).to_json_string() })
        });
        Ok(made.await?.into())
    }

    /// Change a timer
    ///
    /// With another interval, or switched on, it begins anew.
    #[oai(path = "/streamer/bot/timers/:id", method = "patch", operation_id = "changeTimer")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The timer's id.
        id: Path<Uuid>,
        patch: Json<TimerPatch>,
    ) -> Result<Json<TimerView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = timers::change(&mut tx, streamer.channel.id, id.0, patch.0.into()).await?;
        let (old, new) = (TimerView::from(before), TimerView::from(after.clone()));
        on_thing(&mut tx, &streamer, "change_timer", after.id, Some(old), Some(new)).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// Delete a timer
    #[oai(path = "/streamer/bot/timers/:id", method = "delete", operation_id = "deleteTimer")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The timer's id.
        id: Path<Uuid>,
    ) -> Result<Json<Okay>, Problem> {
        let mut tx = app.db.begin().await?;
        let before = timers::delete(&mut tx, streamer.channel.id, id.0).await?;
        on_thing(&mut tx, &streamer, "delete_timer", before.id, Some(TimerView::from(before)), None).await?;
        tx.commit().await?;
        Ok(Json(Okay::YES))
    }
}
