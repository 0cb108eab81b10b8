//! Features that not everybody has.

use domain::{
    acts::{self, Act},
    channels,
    entitlements::{self, Entitlement, Holder},
};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Query, payload::Json};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Group, acts::by};
use crate::{
    app::App,
    auth::{Admin, Viewer, proof},
    paging::{Leaf, Leafed},
    problem::{ErrorCode, Problem},
    views::entitlements::{EntitlementView, EntitlementWish, MyEntitlementView, Taking},
};

pub(crate) struct Entitlements;

/// The answer to a revocation.
#[derive(ApiResponse)]
pub(crate) enum Revoked {
    /// It cannot be used any more; what was made with it stays.
    #[oai(status = 204)]
    Done,
}

#[OpenApi]
impl Entitlements {
    /// What I may use
    ///
    /// The features that I have and that not everybody has: my own, and those of my channel.
    #[oai(path = "/me/entitlements", method = "get", operation_id = "listMyEntitlements", tag = "Group::Accounts")]
    async fn mine(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<Vec<MyEntitlementView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = match channels::find_of_owner(&mut conn, viewer.id).await? {
            Some(channel) => entitlements::list_of_channel(&mut conn, channel.id, viewer.id).await?,
            None => entitlements::list_of_person(&mut conn, viewer.id).await?,
        };
        Ok(Json(found.into_iter().map(Into::into).collect()))
    }

    /// Who has which feature
    ///
    /// What was given last first, with what is over: of one person, of one channel, or of all.
    #[oai(path = "/owner/entitlements", method = "get", operation_id = "listEntitlements", tag = "Group::Owner")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// Of this person; without `channelId`.
        #[oai(name = "userId")]
        user_id: Query<Option<Uuid>>,
        /// Of this channel; without `userId`.
        #[oai(name = "channelId")]
        channel_id: Query<Option<Uuid>>,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<EntitlementView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let holder = match (user_id.0, channel_id.0) {
            (None, None) => None,
            (user, channel) => Some(holder(user, channel)?),
        };
        let mut conn = app.db.pool().acquire().await?;
        let found = entitlements::list(&mut conn, holder, leaf.after, leaf.asked()).await?;
        leaf.turn(found, |entitlement| entitlement.id, EntitlementView::from)
    }

    /// Give a feature
    ///
    /// To a person (for their own channel, too) or to a channel, until `expiresAt` or for ever. One that the holder has already
    /// gets the new end.
    #[oai(path = "/owner/entitlements/grant", method = "post", operation_id = "grantEntitlement", tag = "Group::Owner")]
    async fn grant(
        &self,
        app: Data<&App>,
        admin: Admin,
        wish: Json<EntitlementWish>,
    ) -> Result<Json<EntitlementView>, Problem> {
        let EntitlementWish { key, user_id, channel_id, expires_at } = wish.0;
        let holder = holder(user_id, channel_id)?;
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let (before, after) = entitlements::grant(&mut tx, admin.user.id, key.into(), holder, expires_at).await?;
        note(&mut tx, &admin, "grant_entitlement", before.as_ref(), Some(&after)).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// Take a feature away
    ///
    /// At once; what was made with it stays.
    #[oai(
        path = "/owner/entitlements/revoke",
        method = "post",
        operation_id = "revokeEntitlement",
        tag = "Group::Owner"
    )]
    async fn revoke(&self, app: Data<&App>, admin: Admin, wish: Json<Taking>) -> Result<Revoked, Problem> {
        let Taking { key, user_id, channel_id } = wish.0;
        let holder = holder(user_id, channel_id)?;
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let before = entitlements::revoke(&mut tx, key.into(), holder).await?;
        note(&mut tx, &admin, "revoke_entitlement", Some(&before), None).await?;
        tx.commit().await?;
        Ok(Revoked::Done)
    }
}

fn holder(user: Option<Uuid>, channel: Option<Uuid>) -> Result<Holder, Problem> {
    match (user, channel) {
        (Some(user), None) => Ok(Holder::Person(user)),
        (None, Some(channel)) => Ok(Holder::Channel(channel)),
        _ => Err(Problem::bad_request(ErrorCode::ValidationError, "userId or channelId: one of the two")),
    }
}

pub(super) async fn note(
    tx: &mut queue::Tx,
    admin: &Admin,
    act: &'static str,
    before: Option<&Entitlement>,
    after: Option<&Entitlement>,
) -> Result<(), Problem> {
    let words = |entitlement: Option<&Entitlement>| {
        entitlement.map_or(
            Value::Null,
            |it| json!({ "key": it.feature.as_str(), "expiresAt": it.expires_at.map(|at| at.unix_timestamp()) }),
        )
    };
    let act = Act::new(act).changing(words(before), words(after));
    let act = match after.or(before).map(|it| (it.user_id, it.channel_id)) {
        Some((Some(user), _)) => act.to(user),
        Some((None, Some(channel))) => act.on(channel),
        _ => act,
    };
    Ok(acts::note(tx, &by(&admin.user), act).await?)
}
