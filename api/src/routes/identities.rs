//! Logins with other platforms, and the accounts that come of them.

use domain::{
    acts::{self, Act},
    bot_accounts, bots,
    identities::{self, Provider},
    mails::Kind,
};
use poem::{Request, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Group, acts::by_id, mails::tell};
use crate::{
    app::App,
    auth::{
        Viewer, Visitor,
        cookies::WithCookies,
        oauth::{self, Answer, Departure, Link},
        proof,
    },
    problem::{ErrorCode, Problem},
    views::identities::{AccountView, IdentityProvider},
};

/// Beside what every link asks for: writing into live chats.
const FORCE_SSL: &str = "https://www.googleapis.com/auth/youtube.force-ssl";

pub(crate) struct Identities;

/// Where the browser goes now.
#[derive(ApiResponse)]
pub(crate) enum Sent {
    /// To the platform, or back to where the login was begun: with `error` and `provider` in the address when it failed.
    #[oai(status = 302)]
    To(#[oai(header = "Location")] String),
}

/// The account is not mine any more.
#[derive(ApiResponse)]
pub(crate) enum Unlinked {
    /// Gone, with its tokens.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Accounts")]
impl Identities {
    /// Log in with a platform
    ///
    /// Sends the browser to the platform, which sends it back to the callback. Whoever has never been here gets an account.
    /// 503
    /// `OAUTH_NOT_CONFIGURED` names in `setting` what the operator has not set.
    #[oai(path = "/auth/:provider", method = "get", operation_id = "startLogin")]
    async fn start_login(
        &self,
        app: Data<&App>,
        request: &Request,
        provider: Path<IdentityProvider>,
        /// Where the browser goes in the end: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        let provider = Provider::from(provider.0);
        let departure =
            Departure { provider, redirect_to: redirect_to.0.as_deref(), viewer: None, scopes: &[], seat: None };
        oauth::depart(&app, request, &departure).await
    }

    /// Log in with a platform: the way back
    ///
    /// Where the platform sends the browser; opens a session and sends it on. What fails is told by the `error` in the
    /// address where the browser goes then (the `errorCode` in lower case, `access_denied` when the person said no), or as
    /// a problem to who does not take HTML. A login that is not under way in this browser fails, too: a
    /// browser gets to the front page.
    #[oai(path = "/auth/:provider/callback", method = "get", operation_id = "finishLogin")]
    #[expect(clippy::too_many_arguments, reason = "what platforms send is what it is")]
    async fn finish_login(
        &self,
        app: Data<&App>,
        request: &Request,
        provider: Path<IdentityProvider>,
        /// As it was given to the platform.
        state: Query<Option<String>>,
        /// What the platform lets us ask with who came.
        code: Query<Option<String>>,
        /// Instead of a code: why there is none.
        error: Query<Option<String>>,
        /// Who sends the browser (RFC 9207).
        iss: Query<Option<String>>,
        /// Of VK.
        device_id: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        let answer = Answer::new(state.0, code.0, error.0, iss.0, device_id.0);
        oauth::log_in(&app, request, provider.0.into(), &answer).await
    }

    /// The end of a login with Twitch
    ///
    /// For clients that go on from here: the callback has opened the session already, and this sends the browser on if it
    /// has.
    #[oai(path = "/auth/twitch/complete", method = "get", operation_id = "completeTwitchLogin")]
    async fn complete_twitch_login(
        &self,
        _viewer: Viewer,
        /// Where the browser goes: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        oauth::complete(redirect_to.0.as_deref())
    }

    /// Link an account
    ///
    /// The same for somebody who is logged in: the account at the platform will be one more way to log in here. One that is
    /// mine already gets new rights. Needs a fresh proof: a browser without one is sent back with `error=step_up_required`, and
    /// one without a session to the front page, with `error=unauthorized` and `redirect_to` as it was given.
    #[oai(path = "/auth/:provider/link", method = "get", operation_id = "startLink")]
    async fn start_link(
        &self,
        app: Data<&App>,
        request: &Request,
        visitor: Visitor,
        provider: Path<IdentityProvider>,
        /// Where the browser goes in the end: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        link(&app, request, provider.0, redirect_to.0, visitor, &[]).await
    }

    /// Link YouTube with the right to write
    ///
    /// As linking YouTube, and asks for `youtube.force-ssl`, without which nothing can be said in live chats.
    #[oai(path = "/auth/youtube/link/force-ssl", method = "get", operation_id = "startYouTubeForceSslLink")]
    async fn start_force_ssl_link(
        &self,
        app: Data<&App>,
        request: &Request,
        visitor: Visitor,
        /// Where the browser goes in the end: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        link(&app, request, IdentityProvider::YouTube, redirect_to.0, visitor, &[FORCE_SSL]).await
    }

    /// Link an account: the way back
    ///
    /// As the login's, in the session that began it. 409 `ACCOUNT_ALREADY_LINKED` when the account is somebody else's here.
    #[oai(path = "/auth/:provider/link/callback", method = "get", operation_id = "finishLink")]
    #[expect(clippy::too_many_arguments, reason = "what platforms send is what it is")]
    async fn finish_link(
        &self,
        app: Data<&App>,
        request: &Request,
        provider: Path<IdentityProvider>,
        /// As it was given to the platform.
        state: Query<Option<String>>,
        /// What the platform lets us ask with who came.
        code: Query<Option<String>>,
        /// Instead of a code: why there is none.
        error: Query<Option<String>>,
        /// Who sends the browser (RFC 9207).
        iss: Query<Option<String>>,
        /// Of VK.
        device_id: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        let answer = Answer::new(state.0, code.0, error.0, iss.0, device_id.0);
        oauth::link(&app, request, provider.0.into(), &answer).await
    }

    /// My accounts on other platforms
    ///
    /// In the order in which they were linked.
    #[oai(path = "/auth/accounts", method = "get", operation_id = "listMyAccounts")]
    async fn list(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<Vec<AccountView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let accounts = identities::list(&mut conn, viewer.id).await?;
        Ok(Json(accounts.into_iter().map(AccountView::from).collect()))
    }

    /// Unlink an account
    ///
    /// It opens this account no more, and its tokens are given back to the platform. A channel that it stood for has none there
    /// any more: its bot is switched off. Needs a fresh proof. 409
    /// `LAST_ACCOUNT` when nothing else would let me in; 409 `CONFLICT` for one that speaks in chats, with the `hint` where to let go
    /// of it first.
    #[oai(path = "/auth/accounts/:id", method = "delete", operation_id = "unlinkAccount")]
    async fn unlink(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        /// As in the list.
        id: Path<Uuid>,
    ) -> Result<Unlinked, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        if let (true, _) | (_, true) = bot_accounts::seats_of(&mut tx, id.0).await? {
            return Err(speaks(&mut tx, viewer.id, id.0).await?);
        }
        let gone = identities::unlink(&mut tx, &app.vault, viewer.id, id.0).await?;
        bots::let_go(&mut tx, viewer.id, gone.provider, &gone.provider_user_id).await?;
        let before = json!({ "provider": gone.provider.as_str(), "login": gone.login });
        let act = Act::new("unlink_account").to(viewer.id).with(id.0).changing(before, Value::Null);
        acts::note(&mut tx, &by_id(viewer.id), act).await?;
        let details = format!("{}: {}", gone.provider, gone.display_name);
        tell(&app, &mut tx, request, viewer.id, Kind::AccountUnlinked, Some(&details)).await?;
        tx.commit().await?;
        Ok(Unlinked::Done)
    }
}

/// An account that speaks in chats is not unlinked: the problem says where it is let go of first. Of somebody else's account it
/// says nothing.
async fn speaks(tx: &mut queue::Tx, viewer: Uuid, account: Uuid) -> Result<Problem, Problem> {
    let mine = identities::list(tx, viewer).await?.into_iter().find(|mine| mine.id == account);
    let Some(mine) = mine else { return Ok(domain::identities::IdentityError::NotFound.into()) };
    let provider = mine.provider;
    let (all, one) = bot_accounts::seats_of(tx, account).await?;
    let all = all.then(|| format!("DELETE /owner/bots/{provider}/default (global)"));
    let one = one.then(|| format!("DELETE /streamer/bots/{provider}/bot (per-channel)"));
    let hint = all.into_iter().chain(one).collect::<Vec<_>>().join(" and ");
    let detail = format!("this account speaks in chats: first {hint}");
    Ok(Problem::conflict(ErrorCode::Conflict, detail).with("hint", hint))
}

async fn link(
    app: &App,
    request: &Request,
    provider: IdentityProvider,
    redirect_to: Option<String>,
    visitor: Visitor,
    scopes: &[&str],
) -> Result<WithCookies<Sent>, Problem> {
    let link = Link { provider: provider.into(), redirect_to: redirect_to.as_deref(), scopes };
    oauth::begin_link(app, request, &link, visitor.0.map(|viewer| (viewer, None))).await
}
