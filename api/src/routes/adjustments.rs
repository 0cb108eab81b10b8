//! Large adjustments of wallets, which take two admins.

use domain::{
    acts::{self, Act},
    adjustments,
    mails::Kind,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use serde_json::json;
use uuid::Uuid;

use super::{Group, acts::by, mails::inform};
use crate::{
    app::App,
    auth::{Admin, proof},
    paging::{Leaf, Leafed},
    problem::Problem,
    views::{adjustments::PendingAdjustmentView, wallets::AdjustedView},
};

pub(crate) struct Adjustments;

#[OpenApi(tag = "Group::Owner")]
impl Adjustments {
    /// Large adjustments
    ///
    /// The newest first: those of the last three months, or only those that wait for another admin.
    #[oai(path = "/owner/adjustments", method = "get", operation_id = "listAdjustments")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// Only those that wait.
        pending: Query<Option<bool>>,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<PendingAdjustmentView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let found = adjustments::list(&mut conn, pending.0.unwrap_or(false), leaf.after, leaf.asked()).await?;
        leaf.turn(found, |adjustment| adjustment.id, PendingAdjustmentView::from)
    }

    /// Agree to a large adjustment
    ///
    /// It is made at once. 403 `SECOND_ADMIN_REQUIRED` for whoever asked for it; 409 when it was decided before, when its seven
    /// days are over, and when whoever asked is no admin any more; 402 when more would be taken than there is. Needs a fresh
    /// proof.
    #[oai(path = "/owner/adjustments/:id/approve", method = "post", operation_id = "approveAdjustment")]
    async fn approve(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The adjustment's id.
        id: Path<Uuid>,
    ) -> Result<Json<AdjustedView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let (adjusted, of) = adjustments::approve(&mut tx, admin.user.id, id.0).await?;
        let balance = adjusted.wallet.balance;
        let act = Act::new("approve_adjustment").to(of.user_id).on(of.channel_id).with(of.id);
        let act = act.changing(json!({ "balance": balance - of.delta }), json!({ "balance": balance }));
        acts::note(&mut tx, &by(&admin.user), act.because(of.reason.as_deref())).await?;
        inform(&app, &mut tx, of.user_id, Kind::CoinsAdjusted, None).await?;
        tx.commit().await?;
        Ok(Json(adjusted.into()))
    }

    /// Do not agree to a large adjustment
    ///
    /// It is not made. Whoever asked for it may take it back so, too. 409 when it was decided before, or when its seven days are
    /// over.
    #[oai(path = "/owner/adjustments/:id/refuse", method = "post", operation_id = "refuseAdjustment")]
    async fn refuse(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The adjustment's id.
        id: Path<Uuid>,
    ) -> Result<Json<PendingAdjustmentView>, Problem> {
        let mut tx = app.db.begin().await?;
        let of = adjustments::refuse(&mut tx, admin.user.id, id.0).await?;
        let act = Act::new("refuse_adjustment").to(of.user_id).on(of.channel_id).with(of.id);
        let act = act.changing(json!({ "status": "pending" }), json!({ "status": "refused", "delta": of.delta }));
        acts::note(&mut tx, &by(&admin.user), act).await?;
        tx.commit().await?;
        Ok(Json(of.into()))
    }
}
