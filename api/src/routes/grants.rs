//! Coins for people who have not logged in yet.

use domain::{
    acts::{self, Act},
    grants::{self, Grant},
    identities,
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Group, acts::by};
use crate::{
    app::App,
    auth::{Admin, proof},
    idempotency,
    paging::{Leaf, Leafed},
    problem::Problem,
    stored::Kept,
    views::grants::{GrantView, NewGrantView},
};

pub(crate) struct Grants;

/// The answer to a revocation.
#[derive(ApiResponse)]
pub(crate) enum Revoked {
    /// Nobody gets these coins, and nothing says any more for whom they were.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Owner")]
impl Grants {
    /// Coins that wait for somebody
    ///
    /// The newest first, with those that were paid, until the time of each is over.
    #[oai(path = "/owner/grants", method = "get", operation_id = "listGrants")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// In this channel.
        #[oai(name = "channelId")]
        channel_id: Query<Option<Uuid>>,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<GrantView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let found = grants::list(&mut conn, channel_id.0, leaf.after, leaf.asked()).await?;
        leaf.turn(found, |grant| grant.id, GrantView::from)
    }

    /// Give coins to somebody who has not logged in yet
    ///
    /// They wait for the account on the platform, named by its id there (`providerUserId`) or, where nobody knows that, by its
    /// name (`login`), and are paid when somebody logs in with it or links it: once, as receipts of kind `grant`. A name is whose
    /// it is at that moment, an id is never given to another. What one admin gives one person in one channel within a
    /// day counts together, however the account is named and with adjustments by hand: above `COINS_APPROVAL_ABOVE` another admin must
    /// agree (`unapproved`), also where it is known only at the login that two accounts are one person's. Needs a fresh proof. Send an
    /// `Idempotency-Key`: repeating the request with the same key gives the first answer again and nothing twice.
    #[oai(path = "/owner/grants", method = "post", operation_id = "createGrant")]
    async fn create(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// 1 to 128 visible characters of your choice that name this grant.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<NewGrantView>,
    ) -> Result<Kept<GrantView>, Problem> {
        let question = wish.0.to_json().unwrap_or_default();
        let request = idempotency::request(key.0, admin.user.id, "create-grant", &question);
        proof::lately(&app, admin.session).await?;
        let new = wish.0.try_into()?;
        let above = app.settings.approval_above;
        let made = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let grant = grants::create(tx, admin.user.id, &new, above).await?;
            note(tx, &admin, "create_grant", &grant, Value::Null, figures(&grant)).await?;
            Ok::<_, Problem>(GrantView::from(grant))
        });
        Ok(made.await?.into())
    }

    /// Agree to a large grant
    ///
    /// It waits for its person from now on. 403 `SECOND_ADMIN_REQUIRED` for whoever made it, 409 where nobody has to agree (any
    /// more). Who does not agree revokes it. Needs a fresh proof.
    #[oai(path = "/owner/grants/:id/approve", method = "post", operation_id = "approveGrant")]
    async fn approve(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The grant's id.
        id: Path<Uuid>,
    ) -> Result<Json<GrantView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let grant = grants::approve(&mut tx, admin.user.id, id.0).await?;
        note(&mut tx, &admin, "approve_grant", &grant, json!({ "status": "unapproved" }), figures(&grant)).await?;
        tx.commit().await?;
        Ok(Json(grant.into()))
    }

    /// Take back coins that nobody got yet
    ///
    /// 409 when they were paid: adjust the wallet then. Needs a fresh proof.
    #[oai(path = "/owner/grants/:id", method = "delete", operation_id = "revokeGrant")]
    async fn revoke(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The grant's id.
        id: Path<Uuid>,
    ) -> Result<Revoked, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let grant = grants::revoke(&mut tx, id.0).await?;
        note(&mut tx, &admin, "revoke_grant", &grant, figures(&grant), Value::Null).await?;
        tx.commit().await?;
        Ok(Revoked::Done)
    }
}

/// Writes down what became of it; whom it is for and why if that person is here, so that both are forgotten with them. About
/// somebody who is nobody here there is no word: what is written down stays. The ledger says who was paid, under the same id.
async fn note(
    tx: &mut queue::Tx,
    admin: &Admin,
    act: &'static str,
    grant: &Grant,
    before: Value,
    after: Value,
) -> Result<(), Problem> {
    let act = Act::new(act).on(grant.channel_id).with(grant.id).changing(before, after);
    // A name is somebody else's tomorrow; an id is one person's.
    let people = match (grant.provider.parse(), &grant.provider_user_id) {
        (Ok(provider), Some(id)) => identities::owners(tx, provider, Some(id), None).await?,
        _ => Vec::new(),
    };
    let act = match people[..] {
        [person] => act.to(person).because(Some(&grant.reason)),
        _ => act,
    };
    Ok(acts::note(tx, &by(&admin.user), act).await?)
}

fn figures(grant: &Grant) -> Value {
    json!({ "provider": grant.provider, "amount": grant.amount, "status": grant.status.to_string() })
}
