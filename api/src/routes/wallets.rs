//! Coins.

use domain::{
    Place,
    activations::{self, Receipt},
    acts::{self, Act},
    adjustments::{self, Asked},
    channels,
    mails::Kind,
    requests::Stored,
    wallets::{self, Adjustment},
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Group, acts::by, channels::by_slug, mails::inform};
use crate::{
    app::App,
    auth::{Admin, Viewer, proof},
    idempotency,
    paging::{Leaf, Leafed},
    problem::{ErrorCode, Problem},
    stored::KeptOr,
    views::{
        adjustments::PendingAdjustmentView,
        wallets::{
            AdjustedView, AdjustmentWish, OwnedWalletView, ReceiptKind, ReceiptView, ReceiptsView, WalletOptionsView,
            WalletView,
        },
    },
};

pub(crate) struct Wallets;

/// Of each kind.
const OPTIONS: i64 = 20;

#[OpenApi]
impl Wallets {
    /// My wallet in a channel
    ///
    /// A person who never had coins here has a balance of 0.
    #[oai(path = "/wallet", method = "get", operation_id = "getWallet", tag = "Group::Wallets")]
    async fn wallet(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
    ) -> Result<Json<WalletView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = channels::find(&mut conn, channel_id.0).await?;
        let channel =
            channel.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
        let wallet = wallets::find(&mut conn, viewer.id, channel.id).await?;
        Ok(Json(wallet.map_or_else(|| WalletView::empty(viewer.id, channel.id), Into::into)))
    }

    /// My wallet in the channel with this slug
    #[oai(path = "/channels/:slug/wallet", method = "get", operation_id = "getChannelWallet", tag = "Group::Wallets")]
    async fn channel_wallet(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The channel's slug.
        slug: Path<String>,
    ) -> Result<Json<WalletView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = by_slug(&mut conn, &slug).await?;
        let wallet = wallets::find(&mut conn, viewer.id, channel.id).await?;
        Ok(Json(wallet.map_or_else(|| WalletView::empty(viewer.id, channel.id), Into::into)))
    }

    /// What moved in my wallet, and why
    ///
    /// Every payment, refund and adjustment in one channel, the newest first, with what was left after it.
    #[oai(path = "/me/wallet/receipts", method = "get", operation_id = "listMyReceipts", tag = "Group::Wallets")]
    async fn receipts(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// Only of this kind.
        kind: Query<Option<ReceiptKind>>,
        /// The `next` of the page before.
        before: Query<Option<i64>>,
        /// Receipts of the page, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u16>>,
    ) -> Result<Json<ReceiptsView>, Problem> {
        let limit = limit.0.unwrap_or(50);
        let mut conn = app.db.pool().acquire().await?;
        let channel = channels::find(&mut conn, channel_id.0).await?;
        let channel =
            channel.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
        let (kind, asked) = (kind.0.map(Into::into), i64::from(limit) + 1);
        let found = activations::receipts(&mut conn, viewer.id, channel.id, kind, before.0, asked).await?;
        Ok(Json(ReceiptsView::new(found, usize::from(limit))))
    }

    /// What moved in all my wallets, and why
    ///
    /// Every payment, refund and adjustment in all channels, the newest first, each with what was left in that channel after it.
    #[oai(path = "/me/receipts", method = "get", operation_id = "listAllMyReceipts", tag = "Group::Wallets")]
    async fn all_receipts(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// Only of this kind.
        kind: Query<Option<ReceiptKind>>,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<ReceiptView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Place| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let kind = kind.0.map(Into::into);
        let found = activations::all_receipts(&mut conn, viewer.id, kind, leaf.after, leaf.asked()).await?;
        let place = |receipt: &Receipt| Place { created_at: receipt.created_at, id: receipt.operation_id };
        leaf.turn(found, place, ReceiptView::from)
    }

    /// Wallets of everybody
    ///
    /// Those that were opened first, first: of one person, in one channel, both or all.
    #[oai(path = "/owner/wallets", method = "get", operation_id = "listWallets", tag = "Group::Owner")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// Of this person.
        #[oai(name = "userId")]
        user_id: Query<Option<Uuid>>,
        /// In this channel.
        #[oai(name = "channelId")]
        channel_id: Query<Option<Uuid>>,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<OwnedWalletView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let found = wallets::list(&mut conn, user_id.0, channel_id.0, leaf.after, leaf.asked()).await?;
        leaf.turn(found, |wallet| wallet.id, OwnedWalletView::from)
    }

    /// Whom wallets can be looked up by
    ///
    /// People and channels whose login or slug begins so, by name; 20 of each at most.
    #[oai(path = "/owner/wallets/options", method = "get", operation_id = "listWalletOptions", tag = "Group::Owner")]
    async fn options(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// They begin so.
        q: Query<Option<String>>,
    ) -> Result<Json<WalletOptionsView>, Problem> {
        let beginning = q.0.unwrap_or_default().to_lowercase();
        if beginning.contains('\0') {
            return Err(Problem::bad_request(ErrorCode::ValidationError, "q: it contains a NUL character"));
        }
        let mut conn = app.db.pool().acquire().await?;
        let users = wallets::people(&mut conn, &beginning, OPTIONS).await?;
        let channels = wallets::channels(&mut conn, &beginning, OPTIONS).await?;
        Ok(Json(WalletOptionsView {
            users: users.into_iter().map(Into::into).collect(),
            channels: channels.into_iter().map(Into::into).collect(),
        }))
    }

    /// Adjust a wallet by hand
    ///
    /// Gives or takes coins for a reason, which `wallet:updated` tells the person and `/owner/audit` admins. Needs a fresh proof. 402 when more
    /// is taken than there is. What one admin moves in one wallet within a day counts together, with coins that they let wait for its person: above `COINS_APPROVAL_ABOVE` the
    /// adjustment waits for another admin (202, `/owner/adjustments`). Send an
    /// `Idempotency-Key`: repeating the request with the same key gives the first answer again and moves nothing twice.
    #[oai(
        path = "/owner/wallets/:userId/:channelId/adjust",
        method = "post",
        operation_id = "adjustWallet",
        tag = "Group::Owner"
    )]
    async fn adjust(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// Whose wallet.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
        /// In which channel.
        #[oai(name = "channelId")]
        channel_id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this adjustment.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<AdjustmentWish>,
    ) -> Result<KeptOr<AdjustedView, PendingAdjustmentView>, Problem> {
        let question = json!([user_id.0, channel_id.0, wish.delta, wish.reason]);
        let request = idempotency::request(key.0, admin.user.id, "adjust", &question);
        proof::lately(&app, admin.session).await?;
        let adjusted = idempotency::once_as(&app.db, request.as_ref(), async |tx| {
            let asked = Adjustment::new(user_id.0, channel_id.0, wish.delta, &wish.reason);
            match adjustments::ask(tx, admin.user.id, asked, app.settings.approval_above).await? {
                Asked::Done(adjusted) => {
                    let balance = adjusted.wallet.balance;
                    let act = Act::new("adjust_wallet").to(user_id.0).on(channel_id.0).with(adjusted.operation_id);
                    let act = act.because(Some(&wish.reason));
                    let act = act.changing(json!({ "balance": balance - wish.delta }), json!({ "balance": balance }));
                    acts::note(tx, &by(&admin.user), act).await?;
                    inform(&app, tx, user_id.0, Kind::CoinsAdjusted, None).await?;
                    Ok::<_, Problem>(Stored { status: 200, body: AdjustedView::from(adjusted).to_json_string() })
                }
                Asked::Waits(waits) => {
                    let act = Act::new("ask_for_adjustment").to(user_id.0).on(channel_id.0).with(waits.id);
                    let act = act.changing(Value::Null, json!({ "delta": waits.delta })).because(Some(&wish.reason));
                    acts::note(tx, &by(&admin.user), act).await?;
                    Ok(Stored { status: 202, body: PendingAdjustmentView::from(waits).to_json_string() })
                }
            }
        });
        Ok(adjusted.await?.into())
    }
}
