//! Words of tokens.

use domain::tokens::{Alarm, Change, Kind, NewToken, Scope, Token};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// What a token is for: a source in OBS, a dock, or a program.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum TokenKind {
    Overlay,
    Dock,
    Api,
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Overlay => Self::Overlay,
            Kind::Dock => Self::Dock,
            Kind::Api => Self::Api,
        }
    }
}

impl From<TokenKind> for Kind {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Overlay => Self::Overlay,
            TokenKind::Dock => Self::Dock,
            TokenKind::Api => Self::Api,
        }
    }
}

/// What a program may do on the channel; `x-scopes` of an operation names the one that it needs.
#[derive(Debug, Clone, Copy, Enum)]
pub(crate) enum TokenScope {
    #[oai(rename = "channel:read")]
    ChannelRead,
    #[oai(rename = "channel:write")]
    ChannelWrite,
    #[oai(rename = "queue:read")]
    QueueRead,
    #[oai(rename = "queue:control")]
    QueueControl,
    #[oai(rename = "memes:read")]
    MemesRead,
    #[oai(rename = "memes:write")]
    MemesWrite,
    #[oai(rename = "overlay:test")]
    OverlayTest,
    #[oai(rename = "credits:read")]
    CreditsRead,
    #[oai(rename = "credits:write")]
    CreditsWrite,
    #[oai(rename = "bots:read")]
    BotsRead,
    #[oai(rename = "bots:write")]
    BotsWrite,
    #[oai(rename = "bots:say")]
    BotsSay,
}

/// Both ways, so that neither list can lack a word of the other.
macro_rules! scopes {
    ($($scope:ident),*) => {
        impl From<Scope> for TokenScope {
            fn from(scope: Scope) -> Self {
                match scope { $(Scope::$scope => Self::$scope),* }
            }
        }

        impl From<TokenScope> for Scope {
            fn from(scope: TokenScope) -> Self {
                match scope { $(TokenScope::$scope => Self::$scope),* }
            }
        }
    };
}

scopes!(
    ChannelRead,
    ChannelWrite,
    QueueRead,
    QueueControl,
    MemesRead,
    MemesWrite,
    OverlayTest,
    CreditsRead,
    CreditsWrite,
    BotsRead,
    BotsWrite,
    BotsSay
);

/// A token that I gave to something, without what proves it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct TokenView {
    id: Uuid,
    kind: TokenKind,
    name: String,
    /// None for overlays: they read their events and acknowledge plays.
    scopes: Vec<TokenScope>,
    /// The channel's own link to the overlay, of `GET /streamer/overlay/token`, or to the credits: it is rotated instead of
    /// revoked.
    own: bool,
    /// Its own link to the credits, of `GET /streamer/credits/token`.
    credits: bool,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    /// That time is over: it opens nothing any more, does not count, and is gone from here after 30 days.
    expired: bool,
    /// When it was used last, to the minute.
    last_seen_at: Option<OffsetDateTime>,
    /// From where: of IPv4 a /24, of IPv6 a /64.
    last_address: Option<String>,
    alarm: Option<TokenAlarmView>,
}

/// Somebody used the token from another address at the same time. If that is nobody of yours, revoke it; else acknowledge.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct TokenAlarmView {
    at: OffsetDateTime,
    /// The new one: of IPv4 a /24, of IPv6 a /64.
    address: String,
    /// The one that was there.
    other_address: String,
}

impl From<Alarm> for TokenAlarmView {
    fn from(alarm: Alarm) -> Self {
        Self { at: alarm.at, address: alarm.network, other_address: alarm.other }
    }
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            kind: token.kind.into(),
            name: token.name,
            scopes: token.scopes.into_iter().map(Into::into).collect(),
            own: token.own,
            credits: token.credits,
            created_at: token.created_at,
            expires_at: token.expires_at,
            expired: token.expired,
            last_seen_at: token.seen_at,
            last_address: token.seen_network,
            alarm: token.alarm.map(Into::into),
        }
    }
}

/// A wish for a token.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct TokenWish {
    kind: TokenKind,
    /// For whom it is, 1 to 100 characters.
    name: String,
    /// For kind `api`, at least one; a dock gets `queue:read` and `queue:control`.
    #[oai(validator(max_items = "12"))]
    scopes: Option<Vec<TokenScope>>,
    /// Never when absent.
    expires_at: Option<OffsetDateTime>,
}

impl From<TokenWish> for NewToken {
    fn from(wish: TokenWish) -> Self {
        Self {
            kind: wish.kind.into(),
            name: wish.name,
            scopes: wish.scopes.unwrap_or_default().into_iter().map(Into::into).collect(),
            expires_at: wish.expires_at,
        }
    }
}

/// A token that was just made.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MadeTokenView {
    pub(crate) token: TokenView,
    /// What proves it, shown this once: `ma_<kind>_` and 64 hexadecimal digits. Docks and programs send it as
    /// `Authorization: Bearer`.
    pub(crate) secret: String,
    /// Of an overlay: the address for OBS' browser source.
    pub(crate) url: Option<String>,
}

/// New values; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct TokenPatch {
    /// 1 to 100 characters.
    name: Option<String>,
    /// True: the addresses from which it was used are all mine. They raise no alarm any more.
    acknowledge_alarm: Option<bool>,
}

impl From<TokenPatch> for Change {
    fn from(patch: TokenPatch) -> Self {
        Self { name: patch.name, acknowledge_alarm: patch.acknowledge_alarm == Some(true) }
    }
}
