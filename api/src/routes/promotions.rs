//! Promotions of a channel.

use domain::promotions;
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::Value;
use uuid::Uuid;

use super::{Group, acts::on_thing};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    idempotency,
    paging::{Listed, Page},
    problem::Problem,
    stored::Kept,
    views::promotions::{NewPromotionView, PromotionPatch, PromotionView},
};

pub(crate) struct Promotions;

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum Ended {
    /// It is over and off the list; what was bought under it keeps its price.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Promotions {
    /// My promotions
    ///
    /// Those that run first, then those to come, then the others.
    #[oai(path = "/streamer/promotions", method = "get", operation_id = "listPromotions")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<PromotionView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let (items, total) = promotions::list(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
    }

    /// Make a promotion
    ///
    /// From `startDate` to `endDate` what the channel offers costs less. Where several run, the largest discount counts; one
    /// that is used up makes way for the next. Repeating the request with the same `Idempotency-Key` makes no second one.
    #[oai(path = "/streamer/promotions", method = "post", operation_id = "createPromotion")]
    async fn create(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this promotion.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<NewPromotionView>,
    ) -> Result<Kept<PromotionView>, Problem> {
        let question =
            Value::from(vec![Value::from(streamer.channel.id.to_string()), wish.0.to_json().unwrap_or_default()]);
        let request = idempotency::request(key.0, streamer.user.id, "create-promotion", &question);
        let new = wish.0.try_into()?;
        let made = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let promotion = promotions::create(tx, streamer.channel.id, &new).await?;
            on_thing(
                tx,
                &streamer,
                "create_promotion",
                promotion.id,
                None,
                Some(PromotionView::from(promotion.clone())),
            )
            .await?;
            Ok::<_, Problem>(PromotionView::from(promotion))
        });
        Ok(made.await?.into())
    }

    /// Change a promotion
    ///
    /// What was bought before keeps its price.
    #[oai(path = "/streamer/promotions/:id", method = "patch", operation_id = "changePromotion")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The promotion's id.
        id: Path<Uuid>,
        patch: Json<PromotionPatch>,
    ) -> Result<Json<PromotionView>, Problem> {
        let change = patch.0.try_into()?;
        let mut tx = app.db.begin().await?;
        let (before, after) = promotions::change(&mut tx, streamer.channel.id, id.0, change).await?;
        let (old, new) = (PromotionView::from(before), PromotionView::from(after.clone()));
        on_thing(&mut tx, &streamer, "change_promotion", after.id, Some(old), Some(new)).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// End a promotion
    #[oai(path = "/streamer/promotions/:id", method = "delete", operation_id = "deletePromotion")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The promotion's id.
        id: Path<Uuid>,
    ) -> Result<Ended, Problem> {
        let mut tx = app.db.begin().await?;
        let before = promotions::delete(&mut tx, streamer.channel.id, id.0).await?;
        on_thing(&mut tx, &streamer, "delete_promotion", before.id, Some(PromotionView::from(before)), None).await?;
        tx.commit().await?;
        Ok(Ended::Done)
    }
}
