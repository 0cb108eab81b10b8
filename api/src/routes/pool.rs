//! What is shown on other channels: looking through it, and sending it in.

use domain::{
    Place,
    memes::{self, Pooled},
    requests::Request,
    submissions::{self, NewTake},
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    payload::Json,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Group,
    catalogue::check_question,
    submissions::{Submitted, answer, channel_of, wait},
};
use crate::{
    app::App,
    auth::Viewer,
    idempotency,
    paging::{Leaf, Leafed},
    problem::{ErrorCode, Problem},
    views::{
        memes::{MemeType, PooledView},
        submissions::TakeWish,
    },
};

pub(crate) struct Pool;

#[OpenApi(tag = "Group::Memes")]
impl Pool {
    /// The pool
    ///
    /// What can be played on any channel that shares its memes (`sharesMemes`), each file once, the newest first: `POST
    /// /submissions/pool` sends it in to another one. It does not say whose it is.
    #[oai(path = "/memes/pool", method = "get", operation_id = "listPool")]
    async fn list(
        &self,
        app: Data<&App>,
        /// Words of the title or the tags, in Russian or English, as some channel has them.
        q: Query<Option<String>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Leafed<PooledView>, Problem> {
        let leaf = Leaf::new(limit.0, offset.0, cursor.0.as_deref(), |_: &Place| true)?;
        let question = q.0.as_deref();
        question.map_or(Ok(()), check_question)?;
        let mut tx = app.db.begin().await?;
        let kind = kind.0.map(Into::into);
        let found = memes::list_pool(&mut tx, question, kind, leaf.after, leaf.asked(), leaf.page.offset).await?;
        leaf.turn(found, Pooled::place, PooledView::from)
    }

    /// Send in what another channel shows
    ///
    /// Nothing has to be uploaded or worked on: what the channel's owner and editors take is a meme at once (201); what viewers take
    /// waits for the channel's team (202) unless it takes such things unseen. It is named by `memeAssetId`, the `id` that it has in
    /// the pool, or by `memeId`, one of its memes. 409 `ALREADY_IN_CHANNEL` where the channel shows it already.
    #[oai(path = "/submissions/pool", method = "post", operation_id = "takeFromPool")]
    async fn take(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// 1 to 128 visible characters of your choice that name this submission: repeated, it is not made twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<TakeWish>,
    ) -> Result<Submitted, Problem> {
        let key = key.0;
        let wish = wish.0;
        let channel = channel_of(&app, viewer.id, wish.channel_id).await?;
        let new = NewTake {
            channel_id: channel.id,
            submitter_id: viewer.id,
            asset_id: asset_of(&app, &wish).await?,
            title: wish.title.filter(|title| !title.trim().is_empty()),
            notes: wish.notes.filter(|notes| !notes.is_empty()),
            tags: wish.tags,
        };
        new.check()?;
        let question = json!([new.channel_id, new.asset_id, new.title, new.notes, new.tags]).to_string();
        let request = key.map(|key| Request::new(viewer.id, "take", key, question.as_bytes()));
        let taken = idempotency::made_once(&app.db, request.as_ref(), async |tx| {
            Ok::<_, Problem>(submissions::take(tx, &new).await?.id)
        });
        let id = taken.await?;
        answer(&app, viewer.id, id, wait(None)).await
    }
}

/// The asset that is meant.
async fn asset_of(app: &App, wish: &TakeWish) -> Result<Uuid, Problem> {
    match (wish.meme_asset_id, wish.meme_id) {
        (Some(asset), None) => Ok(asset),
        (None, Some(meme)) => {
            let mut conn = app.db.pool().acquire().await?;
            let found = memes::find(&mut conn, meme).await?;
            let meme = found.ok_or_else(|| Problem::not_found(ErrorCode::MemeNotFound, "there is no such meme"))?;
            Ok(meme.asset_id)
        }
        _ => {
            let detail = "name what is taken by memeAssetId or by memeId";
            Err(Problem::bad_request(ErrorCode::ValidationError, detail))
        }
    }
}
