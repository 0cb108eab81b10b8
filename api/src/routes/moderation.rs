//! What the house takes out of sight on all channels, and who may.

use domain::{
    Place,
    moderation::{self, ReviewedAsset, Seen},
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Group, acts::by};
use crate::{
    app::{App, AppState},
    auth::{Admin, HouseModerator, proof},
    paging::{Leaf, Paged},
    problem::Problem,
    views::moderation::{AssetDecision, AssetView, HouseModeratorView},
};

pub(crate) struct Moderation;

#[OpenApi(tag = "Group::Owner")]
impl Moderation {
    /// What there is on all channels
    ///
    /// What is shown and what is out of sight, the newest first.
    #[oai(path = "/moderation/meme-assets", method = "get", operation_id = "listMemeAssets")]
    async fn list(
        &self,
        app: Data<&App>,
        _moderator: HouseModerator,
        /// `true`: only what is out of sight; else all.
        hidden: Query<Option<bool>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<AssetView>, Problem> {
        let leaf = Leaf::new(limit.0, offset.0, cursor.0.as_deref(), |_: &Place| true)?;
        let seen = if hidden.0 == Some(true) { Seen::Hidden } else { Seen::All };
        let mut conn = app.db.pool().acquire().await?;
        let found = moderation::list(&mut conn, seen, leaf.after, leaf.asked(), leaf.page.offset).await?;
        let total = moderation::count(&mut conn, seen).await?;
        let place = |asset: &ReviewedAsset| Place { created_at: asset.created_at, id: asset.id };
        leaf.show(found, total, place, AssetView::from)
    }

    /// Take something out of sight
    ///
    /// Its memes are on no list any more and cannot be played, on any channel, and its file is not served.
    #[oai(path = "/moderation/meme-assets/:id/hide", method = "post", operation_id = "hideMemeAsset")]
    async fn hide(
        &self,
        app: Data<&App>,
        moderator: HouseModerator,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Json<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        set_hidden(&app, &moderator, id.0, true, wish.0.reason.as_deref()).await
    }

    /// Bring something back
    ///
    /// As it was. 409 `ASSET_PURGED_OR_QUARANTINED` when it was deleted.
    #[oai(path = "/moderation/meme-assets/:id/unhide", method = "post", operation_id = "unhideMemeAsset")]
    async fn unhide(
        &self,
        app: Data<&App>,
        moderator: HouseModerator,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Json<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        set_hidden(&app, &moderator, id.0, false, wish.0.reason.as_deref()).await
    }

    /// Delete something for good
    ///
    /// Its memes go, and its bytes, unless something else is made of them. There is no way back.
    #[oai(path = "/moderation/meme-assets/:id/delete", method = "post", operation_id = "deleteMemeAsset")]
    async fn delete(
        &self,
        app: Data<&App>,
        moderator: HouseModerator,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Json<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        let mut tx = app.db.begin().await?;
        let asset = moderation::delete(&mut tx, &by(&moderator.user), id.0, wish.0.reason.as_deref()).await?;
        tx.commit().await?;
        Ok(Json(asset.into()))
    }

    /// Who moderates all channels
    ///
    /// Beside the admins.
    #[oai(path = "/owner/moderators", method = "get", operation_id = "listHouseModerators")]
    async fn moderators(&self, app: Data<&App>, _admin: Admin) -> Result<Json<Vec<HouseModeratorView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(moderation::moderators(&mut conn).await?.into_iter().map(Into::into).collect()))
    }

    /// Let somebody moderate all channels
    ///
    /// The answer is everybody who does. Needs a fresh proof.
    #[oai(path = "/owner/moderators/:userId/grant", method = "post", operation_id = "grantHouseModerator")]
    async fn grant(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
    ) -> Result<Json<Vec<HouseModeratorView>>, Problem> {
        set_moderator(&app, &admin, user_id.0, true).await
    }

    /// Let somebody moderate all channels no more
    ///
    /// From the next request on; the answer is everybody who still does. Needs a fresh proof.
    #[oai(path = "/owner/moderators/:userId/revoke", method = "post", operation_id = "revokeHouseModerator")]
    async fn revoke(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
    ) -> Result<Json<Vec<HouseModeratorView>>, Problem> {
        set_moderator(&app, &admin, user_id.0, false).await
    }
}

async fn set_hidden(
    app: &AppState,
    moderator: &HouseModerator,
    id: Uuid,
    hidden: bool,
    reason: Option<&str>,
) -> Result<Json<AssetView>, Problem> {
    let mut tx = app.db.begin().await?;
    let asset = moderation::set_hidden(&mut tx, &by(&moderator.user), id, hidden, reason).await?;
    tx.commit().await?;
    Ok(Json(asset.into()))
}

async fn set_moderator(
    app: &AppState,
    admin: &Admin,
    user: Uuid,
    moderates: bool,
) -> Result<Json<Vec<HouseModeratorView>>, Problem> {
    proof::lately(app, admin.session).await?;
    let mut tx = app.db.begin().await?;
    moderation::set_moderator(&mut tx, &by(&admin.user), admin.user.id, user, moderates).await?;
    let all = moderation::moderators(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}
