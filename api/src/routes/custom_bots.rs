//! Who may have an account of its own that speaks: the feature `custom_bot`, in the words that panels of old know.

use domain::{
    channels,
    entitlements::{self, Feature, Holder},
    identities,
};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query, payload::Json};
use queue::Tx;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Group,
    entitlements::{Revoked, note},
};
use crate::{
    app::App,
    auth::{Admin, proof},
    problem::{ErrorCode, Problem},
    views::entitlements::{CustomBotByProvider, CustomBotOfView, CustomBotTaking, CustomBotWish, EntitlementView},
};

pub(crate) struct CustomBots;

/// More than a channel can have been given.
const ALL: i64 = 200;

#[OpenApi(tag = "Group::Owner")]
impl CustomBots {
    /// Whether a channel may have a bot of its own
    ///
    /// What was given to the channel, with what is over; `entitled` counts what its owner has, too.
    #[oai(path = "/owner/entitlements/custom-bot", method = "get", operation_id = "getCustomBotEntitlement")]
    async fn of_channel(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// The channel.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
    ) -> Result<Json<CustomBotOfView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = channels::find(&mut conn, channel_id.0).await?.ok_or_else(no_channel)?;
        let entitled = entitlements::has(&mut conn, Feature::CustomBot, &channel).await?;
        let given = entitlements::list(&mut conn, Some(Holder::Channel(channel.id)), None, ALL).await?;
        let given = given.into_iter().filter(|given| given.feature == Feature::CustomBot);
        Ok(Json(CustomBotOfView { channel_id: channel.id, entitled, items: given.map(Into::into).collect() }))
    }

    /// Let a channel have a bot of its own
    ///
    /// Until `expiresAt` or for ever; a channel that may already gets the new end.
    #[oai(path = "/owner/entitlements/custom-bot/grant", method = "post", operation_id = "grantCustomBot")]
    async fn grant(
        &self,
        app: Data<&App>,
        admin: Admin,
        wish: Json<CustomBotWish>,
    ) -> Result<Json<EntitlementView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let given = give(&mut tx, &admin, wish.channel_id, wish.expires_at).await?;
        tx.commit().await?;
        Ok(Json(given))
    }

    /// Let a channel have a bot of its own, by its account elsewhere
    ///
    /// The channel whose owner has linked the account with this id there, or that is linked to it. 404 `CHANNEL_NOT_FOUND` when
    /// there is none.
    #[oai(
        path = "/owner/entitlements/custom-bot/grant-by-provider",
        method = "post",
        operation_id = "grantCustomBotByProvider"
    )]
    async fn grant_by_provider(
        &self,
        app: Data<&App>,
        admin: Admin,
        wish: Json<CustomBotByProvider>,
    ) -> Result<Json<EntitlementView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let provider = identities::Provider::from(wish.provider);
        let mut tx = app.db.begin().await?;
        let linked = channels::find_by_account(&mut tx, provider, &wish.external_id).await?;
        let channel = match linked {
            Some(channel) => Some(channel),
            None => match identities::hold_owner(&mut tx, provider, &wish.external_id).await? {
                Some(owner) => channels::find_of_owner(&mut tx, owner).await?,
                None => None,
            },
        };
        let channel = channel.ok_or_else(no_channel)?;
        let given = give(&mut tx, &admin, channel.id, wish.expires_at).await?;
        tx.commit().await?;
        Ok(Json(given))
    }

    /// Take a channel's right to a bot of its own away
    ///
    /// At once: the one for all speaks there. The account stays linked.
    #[oai(path = "/owner/entitlements/custom-bot/revoke", method = "post", operation_id = "revokeCustomBot")]
    async fn revoke(&self, app: Data<&App>, admin: Admin, wish: Json<CustomBotTaking>) -> Result<Revoked, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let holder = Holder::Channel(wish.channel_id);
        let before = entitlements::revoke(&mut tx, Feature::CustomBot, holder).await?;
        note(&mut tx, &admin, "revoke_entitlement", Some(&before), None).await?;
        tx.commit().await?;
        Ok(Revoked::Done)
    }
}

async fn give(
    tx: &mut Tx,
    admin: &Admin,
    channel: Uuid,
    until: Option<OffsetDateTime>,
) -> Result<EntitlementView, Problem> {
    let holder = Holder::Channel(channel);
    let (before, after) = entitlements::grant(tx, admin.user.id, Feature::CustomBot, holder, until).await?;
    note(tx, admin, "grant_entitlement", before.as_ref(), Some(&after)).await?;
    Ok(after.into())
}

fn no_channel() -> Problem {
    Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel")
}
