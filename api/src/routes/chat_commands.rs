//! What the bots of a channel answer.

use domain::{acts::Act, chat_commands, requests::Stored};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Group,
    acts::{on_channel, on_thing, shown},
};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    idempotency,
    paging::{Listed, Page},
    problem::Problem,
    stored::KeptNew,
    views::{
        bots::Okay,
        chat_commands::{
            CommandPatch, CommandView, CounterView, CounterWish, NewCommandView, StreamDurationPatch,
            StreamDurationView,
        },
    },
};

pub(crate) struct ChatCommands;

#[OpenApi(tag = "Group::Bots")]
impl ChatCommands {
    /// My commands
    ///
    /// By their triggers.
    #[oai(path = "/streamer/bot/commands", method = "get", operation_id = "listCommands")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<CommandView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let (items, total) = chat_commands::list(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
    }

    /// Make a command
    ///
    /// It counts from the next message on, in all chats of the channel. A channel has at most 200. A trigger or an alias that
    /// calls another command already, in any case, is 409. In `response` are filled in: `{user}` who asks, `{touser}` whom
    /// they name, `{args}` and `{1}` to `{9}` what they write after the command, `{channel}`, `{channelUrl}`, `{uptime}`,
    /// `{count}` answers of this command, `{counter:name}` a counter after one more, `{peek:name}` a counter as it is,
    /// `{random:a|b}`, `{random:1-6}`; `{{` is a brace. Anything else in braces is 400, as is a response that begins like an
    /// order to the platform (`/ban`). Repeating the request with the same `Idempotency-Key` makes no second one.
    #[oai(path = "/streamer/bot/commands", method = "post", operation_id = "createCommand")]
    async fn create(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this command.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<NewCommandView>,
    ) -> Result<KeptNew<CommandView>, Problem> {
        let question = json!([streamer.channel.id, wish.0.to_json()]);
        let request = idempotency::request(key.0, streamer.user.id, "create-command", &question);
        let new = wish.0.into();
        let made = idempotency::once_as(&app.db, request.as_ref(), async |tx| {
            let command = chat_commands::create(tx, streamer.channel.id, new).await?;
            on_thing(tx, &streamer, "create_command", command.id, None, Some(CommandView::from(command.clone())))
                .await?;
            Ok::<_, Problem>(Stored { status: 201, body: CommandView::from(command).to_json_string() })
        });
        Ok(made.await?.into())
    }

    /// Change a command
    ///
    /// Nothing to change is 400.
    #[oai(path = "/streamer/bot/commands/:id", method = "patch", operation_id = "changeCommand")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The command's id.
        id: Path<Uuid>,
        patch: Json<CommandPatch>,
    ) -> Result<Json<CommandView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = chat_commands::change(&mut tx, streamer.channel.id, id.0, patch.0.into()).await?;
        let (old, new) = (CommandView::from(before), CommandView::from(after.clone()));
        on_thing(&mut tx, &streamer, "change_command", after.id, Some(old), Some(new)).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// Delete a command
    #[oai(path = "/streamer/bot/commands/:id", method = "delete", operation_id = "deleteCommand")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The command's id.
        id: Path<Uuid>,
    ) -> Result<Json<Okay>, Problem> {
        let mut tx = app.db.begin().await?;
        let before = chat_commands::delete(&mut tx, streamer.channel.id, id.0).await?;
        on_thing(&mut tx, &streamer, "delete_command", before.id, Some(CommandView::from(before)), None).await?;
        tx.commit().await?;
        Ok(Json(Okay::YES))
    }

    /// My counters
    ///
    /// Numbers that answers count, by their names.
    #[oai(path = "/streamer/bot/counters", method = "get", operation_id = "listCounters")]
    async fn counters(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<CounterView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let (items, total) = chat_commands::counters(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
    }

    /// Set a counter
    ///
    /// One that is not there is made; a channel has at most 200.
    #[oai(path = "/streamer/bot/counters/:name", method = "put", operation_id = "setCounter")]
    async fn set_counter(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 30 of a to z, 0 to 9 and _.
        name: Path<String>,
        wish: Json<CounterWish>,
    ) -> Result<Json<CounterView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = chat_commands::set_counter(&mut tx, streamer.channel.id, &name.0, wish.0.value).await?;
        let said = |value: i64| json!({ "counter": after.name, "value": value });
        let act = Act::new("set_counter")
            .changing(before.map_or(Value::Null, |before| said(before.value)), said(after.value));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// Delete a counter
    ///
    /// An answer that counts it begins at 1 again.
    #[oai(path = "/streamer/bot/counters/:name", method = "delete", operation_id = "deleteCounter")]
    async fn drop_counter(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The counter's name.
        name: Path<String>,
    ) -> Result<Json<Okay>, Problem> {
        let mut tx = app.db.begin().await?;
        let before = chat_commands::drop_counter(&mut tx, streamer.channel.id, &name.0).await?;
        let said = json!({ "counter": before.name, "value": before.value });
        on_channel(&mut tx, &streamer, Act::new("delete_counter").changing(said, Value::Null)).await?;
        tx.commit().await?;
        Ok(Json(Okay::YES))
    }

    /// The command that tells for how long the stream runs
    #[oai(path = "/streamer/bot/stream-duration", method = "get", operation_id = "getStreamDuration")]
    async fn duration(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<StreamDurationView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(chat_commands::duration(&mut conn, streamer.channel.id).await?.into()))
    }

    /// Change the command that tells for how long the stream runs
    ///
    /// A stream that was away for no longer than `breakCreditMinutes` goes on when it comes back, and its break counts. A
    /// trigger that calls a command of the channel is 409.
    #[oai(path = "/streamer/bot/stream-duration", method = "patch", operation_id = "changeStreamDuration")]
    async fn change_duration(
        &self,
        app: Data<&App>,
        streamer: Editor,
        patch: Json<StreamDurationPatch>,
    ) -> Result<Json<StreamDurationView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = chat_commands::change_duration(&mut tx, streamer.channel.id, patch.0.into()).await?;
        let (old, new) = (StreamDurationView::from(before), StreamDurationView::from(after.clone()));
        let act = Act::new("change_stream_duration").changing(shown(&old), shown(&new));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }
}
