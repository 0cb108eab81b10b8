//! What an admin takes out of sight on all channels, under the names that older panels know; and whose channel it is.

use domain::{
    Place, accounts, channels, identities,
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
    auth::Admin,
    optional::Optional,
    paging::{Leaf, Paged},
    problem::{ErrorCode, Problem},
    views::{
        bots::Provider,
        moderation::{AssetDecision, AssetView, ResolvedChannelView},
    },
};

pub(crate) struct OwnerAssets;

#[OpenApi(tag = "Group::Owner")]
impl OwnerAssets {
    /// What there is on all channels, for admins
    ///
    /// As `/moderation/meme-assets`.
    #[oai(path = "/owner/meme-assets", method = "get", operation_id = "listOwnerMemeAssets")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
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

    /// Take something out of sight, as an admin
    ///
    /// Its memes are on no list any more and cannot be played, on any channel, and its file is not served.
    #[oai(path = "/owner/meme-assets/:id/hide", method = "post", operation_id = "hideOwnerMemeAsset")]
    async fn hide(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Optional<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        set_hidden(&app, &admin, id.0, true, &wish.0).await
    }

    /// Bring something back, as an admin
    ///
    /// As it was. 409 `ASSET_PURGED_OR_QUARANTINED` when it was purged.
    #[oai(path = "/owner/meme-assets/:id/unhide", method = "post", operation_id = "unhideOwnerMemeAsset")]
    async fn unhide(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Optional<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        set_hidden(&app, &admin, id.0, false, &wish.0).await
    }

    /// Restore something
    ///
    /// The same as `unhide`, for panels that call it so: 409 `ASSET_PURGED_OR_QUARANTINED` when it was purged, as its bytes are
    /// gone then.
    #[oai(path = "/owner/meme-assets/:id/restore", method = "post", operation_id = "restoreOwnerMemeAsset")]
    async fn restore(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Optional<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        set_hidden(&app, &admin, id.0, false, &wish.0).await
    }

    /// Purge something
    ///
    /// Its memes go, and its bytes, unless something else is made of them. There is no way back.
    #[oai(path = "/owner/meme-assets/:id/purge", method = "post", operation_id = "purgeOwnerMemeAsset")]
    async fn purge(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The asset's id.
        id: Path<Uuid>,
        wish: Optional<AssetDecision>,
    ) -> Result<Json<AssetView>, Problem> {
        let mut tx = app.db.begin().await?;
        let asset = moderation::delete(&mut tx, &by(&admin.user), id.0, wish.0.reason.as_deref()).await?;
        tx.commit().await?;
        Ok(Json(asset.into()))
    }

    /// Whose channel it is
    ///
    /// By its `slug`, by its owner's `login`, or by `provider` and `externalId`: the account there that its owner has linked, or
    /// that the channel is linked to. 404 `CHANNEL_NOT_FOUND` when there is none.
    #[oai(path = "/owner/channels/resolve", method = "get", operation_id = "resolveChannel")]
    async fn resolve(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// In any case.
        slug: Query<Option<String>>,
        /// Of its owner, in any case.
        login: Query<Option<String>>,
        provider: Query<Option<Provider>>,
        /// The account's id there.
        #[oai(name = "externalId")]
        external_id: Query<Option<String>>,
    ) -> Result<Json<ResolvedChannelView>, Problem> {
        for word in [&slug.0, &login.0, &external_id.0].into_iter().flatten() {
            if word.contains('\0') {
                return Err(invalid("no NUL character"));
            }
        }
        let mut tx = app.db.begin().await?;
        let found = match (slug.0, login.0, provider.0, external_id.0) {
            (Some(slug), None, None, None) => channels::find_by_slug(&mut tx, &slug).await?,
            (None, Some(login), None, None) => match accounts::find_by_login(&mut tx, &login.to_lowercase()).await? {
                Some(owner) => channels::find_of_owner(&mut tx, owner.id).await?,
                None => None,
            },
            (None, None, Some(provider), Some(account)) => {
                let provider = identities::Provider::from(provider);
                let linked = channels::find_by_account(&mut tx, provider, &account).await?;
                match linked {
                    Some(channel) => Some(channel),
                    None => match identities::hold_owner(&mut tx, provider, &account).await? {
                        Some(owner) => channels::find_of_owner(&mut tx, owner).await?,
                        None => None,
                    },
                }
            }
            _ => return Err(invalid("one of slug, login, or provider with externalId")),
        };
        let channel =
            found.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
        Ok(Json(ResolvedChannelView::from(channel)))
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::bad_request(ErrorCode::ValidationError, detail)
}

async fn set_hidden(
    app: &AppState,
    admin: &Admin,
    id: Uuid,
    hidden: bool,
    wish: &AssetDecision,
) -> Result<Json<AssetView>, Problem> {
    let mut tx = app.db.begin().await?;
    let asset = moderation::set_hidden(&mut tx, &by(&admin.user), id, hidden, wish.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(Json(asset.into()))
}
