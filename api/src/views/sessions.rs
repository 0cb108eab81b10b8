//! Words of sessions. Tokens are named as OAuth names them.

use domain::sessions::{ACCESS_SECONDS, Session};
use poem_openapi::Object;
use time::OffsetDateTime;
use uuid::Uuid;

/// What opens the API for a program.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct TokensView {
    /// Goes into `Authorization: Bearer`.
    pub(crate) access_token: String,
    /// Good for one refresh. Keep it as you would keep a password.
    pub(crate) refresh_token: String,
    /// Always `Bearer`.
    pub(crate) token_type: String,
    /// Seconds for which the access token is good.
    pub(crate) expires_in: i64,
}

impl TokensView {
    pub(crate) fn new(access_token: String, refresh_token: String) -> Self {
        Self { access_token, refresh_token, token_type: "Bearer".to_owned(), expires_in: ACCESS_SECONDS }
    }
}

/// A wish for the next minutes.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct Refresh {
    /// Without it, the one in the cookie counts.
    #[oai(validator(max_length = 512))]
    pub(crate) refresh_token: Option<String>,
}

/// A device on which I am logged in.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct SessionView {
    id: Uuid,
    created_at: OffsetDateTime,
    /// When it was last refreshed.
    seen_at: OffsetDateTime,
    /// When I last proved to be me.
    authenticated_at: OffsetDateTime,
    /// When it ends if it is not used.
    expires_at: OffsetDateTime,
    /// As the program called itself.
    user_agent: String,
    /// The IP address that it came from.
    address: String,
    /// How I was proven, e.g. `twitch`, or `password` and `totp`.
    methods: Vec<String>,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    pub(crate) fn new(session: Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            seen_at: session.seen_at,
            authenticated_at: session.authenticated_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            address: session.address,
            methods: session.methods,
            current: session.id == current,
        }
    }
}

/// How many sessions have ended.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct SessionsEndedView {
    pub(crate) ended: u64,
}
