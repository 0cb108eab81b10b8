//! What bots do about messages that a channel does not want.

use domain::{acts::Act, automod, requests::Stored};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Group,
    acts::{on_channel, on_thing, shown},
};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    idempotency,
    paging::{Leaf, Leafed},
    problem::Problem,
    stored::KeptNew,
    views::{
        automod::{AutomodActView, AutomodPatch, AutomodView, NewPermitView, PermitView},
        bots::Okay,
    },
};

pub(crate) struct Automod;

#[OpenApi(tag = "Group::Bots")]
impl Automod {
    /// How my chat is moderated
    #[oai(path = "/streamer/bot/automod", method = "get", operation_id = "getAutomod")]
    async fn settings(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<AutomodView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(automod::settings(&mut conn, streamer.channel.id).await?.into()))
    }

    /// Change how my chat is moderated
    ///
    /// It holds for messages from now on. The bot must be on, and an account that may moderate there be linked: the channel's own
    /// bot or the one for all, as a moderator, or the streamer's account, with the scopes `moderator:manage:chat_messages`,
    /// `moderator:manage:banned_users` and `moderator:manage:warnings`. The broadcaster and moderators may always.
    #[oai(path = "/streamer/bot/automod", method = "patch", operation_id = "changeAutomod")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        patch: Json<AutomodPatch>,
    ) -> Result<Json<AutomodView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = automod::change(&mut tx, streamer.channel.id, patch.0.into()).await?;
        let view = AutomodView::from(after);
        let act = Act::new("change_automod").changing(shown(&AutomodView::from(before)), shown(&view));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(view))
    }

    /// What was done about messages
    ///
    /// What was decided last first: the message, the rule that it broke, and what came of it; of the last 30 days.
    #[oai(path = "/streamer/bot/automod/acts", method = "get", operation_id = "listAutomodActs")]
    async fn acts(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<AutomodActView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let found = automod::acts(&mut conn, streamer.channel.id, leaf.after, leaf.asked()).await?;
        leaf.turn(found, |act| act.id, AutomodActView::from)
    }

    /// Who may post links now
    ///
    /// The newest permit first; those that are over are not among them.
    #[oai(path = "/streamer/bot/automod/permits", method = "get", operation_id = "listPermits")]
    async fn permits(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<Vec<PermitView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = automod::permits(&mut conn, streamer.channel.id).await?;
        Ok(Json(found.into_iter().map(Into::into).collect()))
    }

    /// Let somebody post links
    ///
    /// For a while, as a moderator's `!permit somebody` in the chat does; on Twitch, for the chats of other platforms are not
    /// moderated yet. At most 100 people at once. Repeating the request with the same `Idempotency-Key` makes no second one.
    #[oai(path = "/streamer/bot/automod/permits", method = "post", operation_id = "createPermit")]
    async fn permit(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this permit.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<NewPermitView>,
    ) -> Result<KeptNew<PermitView>, Problem> {
        let question = json!([streamer.channel.id, wish.0.to_json()]);
        let request = idempotency::request(key.0, streamer.user.id, "create-permit", &question);
        let NewPermitView { login, provider, seconds } = wish.0;
        let provider = provider.map_or(domain::outbox::Provider::Twitch, Into::into);
        let made = idempotency::once_as(&app.db, request.as_ref(), async |tx| {
            let permit = automod::permit(tx, streamer.channel.id, provider, &login, seconds).await?;
            on_thing(tx, &streamer, "create_permit", permit.id, None, Some(PermitView::from(permit.clone()))).await?;
            Ok::<_, Problem>(Stored { status: 201, body: PermitView::from(permit).to_json_string() })
        });
        Ok(made.await?.into())
    }

    /// Take a permit back
    #[oai(path = "/streamer/bot/automod/permits/:id", method = "delete", operation_id = "deletePermit")]
    async fn end_permit(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The permit's id.
        id: Path<Uuid>,
    ) -> Result<Json<Okay>, Problem> {
        let mut tx = app.db.begin().await?;
        let before = automod::end_permit(&mut tx, streamer.channel.id, id.0).await?;
        on_thing(&mut tx, &streamer, "delete_permit", before.id, Some(PermitView::from(before)), None).await?;
        tx.commit().await?;
        Ok(Json(Okay::YES))
    }
}
