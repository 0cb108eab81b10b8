//! How a request carries its session, and how one begins.

use domain::sessions::{self, Opened, Origin};
use poem::Request;
use queue::Tx;
use uuid::Uuid;

use super::{
    access::{self, Named},
    cookies,
};
use crate::{
    app::{App, AppState, Environment},
    budgets::ClientAddress,
    problem::Problem,
    telemetry,
    views::sessions::TokensView,
};

/// The session that the request proves, if it is good and has not ended. Bearer counts before the cookie.
pub(crate) fn named(request: &Request, app: &AppState) -> Option<Named> {
    let environment = app.settings.environment;
    let token = bearer(request).or_else(|| cookies::access(request, environment))?;
    let named = access::verify(&app.keys, environment, token)?;
    (!app.ended.contains(named.session)).then_some(named)
}

/// The token of `Authorization: Bearer`.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// From where the request comes, for the list of sessions.
pub(crate) fn origin(request: &Request) -> Origin {
    let address = request.data::<ClientAddress>().map(|ClientAddress(address)| address.to_string());
    Origin::new(request.header("user-agent").unwrap_or_default(), &address.unwrap_or_default())
}

/// What a new or a refreshed session gives to its client.
pub(crate) struct Granted {
    environment: Environment,
    access: String,
    opened: Opened,
}

impl Granted {
    /// An access token for the session, beside its refresh token.
    pub(crate) fn new(app: &AppState, opened: Opened) -> Result<Self, Problem> {
        let named = Named { user: opened.user_id, session: opened.id };
        telemetry::asked_by(named.user);
        let environment = app.settings.environment;
        let access = access::issue(&app.keys, environment, named).map_err(Problem::internal)?;
        Ok(Self { environment, access, opened })
    }

    /// For a browser.
    pub(crate) fn cookies(&self) -> [String; 2] {
        cookies::of(self.environment, &self.access, self.opened.token.expose())
    }

    /// For a program.
    pub(crate) fn tokens(&self) -> TokensView {
        TokensView::new(self.access.clone(), self.opened.token.expose().to_owned())
    }
}

/// Opens a session for whoever was proven by `methods`, in the place of the one that the browser has, if it has one. Commit,
/// then [`Ended::catch_up`](super::Ended::catch_up).
pub(crate) async fn begin(
    app: &App,
    tx: &mut Tx,
    request: &Request,
    user: Uuid,
    methods: &[&str],
) -> Result<Granted, Problem> {
    if let Some(former) = cookies::refresh(request, app.settings.environment) {
        sessions::end_of_token(tx, &app.keys, former, sessions::EndReason::Replaced).await?;
    }
    Granted::new(app, sessions::open(tx, &app.keys, user, methods, &origin(request)).await?)
}
