//! What a token is.

use std::fmt;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::TokenError;
use crate::{
    channels::Channel,
    unseen::{is_blank, is_unseen},
};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A source in OBS: it stands in the overlay's address, reads its events and acknowledges plays.
    Overlay,
    /// A dock: the queue in the streamer's hands.
    Dock,
    /// A program, with the scopes that it was given.
    Api,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Overlay, Self::Dock, Self::Api];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Dock => "dock",
            Self::Api => "api",
        }
    }

    /// What programs that look for lost secrets know it by.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Overlay => "ma_overlay_",
            Self::Dock => "ma_dock_",
            Self::Api => "ma_api_",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Self::Overlay)
    }
}

/// What a token lets a program do on its channel, of what the channel's owner may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
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
    BotsSay,
}

impl Scope {
    pub const ALL: [Self; 12] = [
        Self::ChannelRead,
        Self::ChannelWrite,
        Self::QueueRead,
        Self::QueueControl,
        Self::MemesRead,
        Self::MemesWrite,
        Self::OverlayTest,
        Self::CreditsRead,
        Self::CreditsWrite,
        Self::BotsRead,
        Self::BotsWrite,
        Self::BotsSay,
    ];

    /// Stable: stored, and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChannelRead => "channel:read",
            Self::ChannelWrite => "channel:write",
            Self::QueueRead => "queue:read",
            Self::QueueControl => "queue:control",
            Self::MemesRead => "memes:read",
            Self::MemesWrite => "memes:write",
            Self::OverlayTest => "overlay:test",
            Self::CreditsRead => "credits:read",
            Self::CreditsWrite => "credits:write",
            Self::BotsRead => "bots:read",
            Self::BotsWrite => "bots:write",
            Self::BotsSay => "bots:say",
        }
    }

    /// None for a word of another release: it lets nobody do anything.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token as its holder has it: `ma_<kind>_` and 256 random bits in lower-case hexadecimal. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(super) fn new(kind: Kind) -> Self {
        let bits: [u8; 32] = rand::random();
        Self(format!("{}{}", kind.prefix(), hex::encode(bits)))
    }

    /// Which kind the text claims to be, if it has the form of one of our tokens; proves nothing yet.
    #[must_use]
    pub fn kind_of(text: &str) -> Option<Kind> {
        let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let bits = &text.as_bytes()[kind.prefix().len()..];
        let formed = bits.len() == 64 && bits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        formed.then_some(kind)
    }

    /// What is stored of a token.
    #[must_use]
    pub fn hash(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }

    /// For the one to whom it belongs, once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: Uuid,
    pub kind: Kind,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// One of the channel's own links, which are rotated instead of revoked.
    pub own: bool,
    /// Of these the one to the credits.
    pub credits: bool,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
    /// Its time is over: it opens nothing, and is removed after a while.
    pub expired: bool,
    /// To the minute.
    pub seen_at: Option<OffsetDateTime>,
    /// Of IPv4 a /24, of IPv6 a /64.
    pub seen_network: Option<String>,
    pub alarm: Option<Alarm>,
}

/// A token came from two networks at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub at: OffsetDateTime,
    /// The new one.
    pub network: String,
    /// The one that was there.
    pub other: String,
}

/// A wish for a token.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub kind: Kind,
    pub name: String,
    /// For [`Kind::Api`] at least one; none for the others, which have those of their kind.
    pub scopes: Vec<Scope>,
    pub expires_at: Option<OffsetDateTime>,
}

impl NewToken {
    /// The scopes that it gets, if all is as it must be.
    pub(super) fn check(&self) -> Result<Vec<Scope>, TokenError> {
        check_name(&self.name)?;
        let invalid = |problem| Err(TokenError::Invalid { field: "scopes", problem });
        match (self.kind, self.scopes.is_empty()) {
            (Kind::Api, true) => invalid("a program needs at least one"),
            (Kind::Api, false) => Ok(Scope::ALL.into_iter().filter(|scope| self.scopes.contains(scope)).collect()),
            (Kind::Overlay | Kind::Dock, false) => invalid("a token of this kind has its own: leave them away"),
            (Kind::Overlay, true) => Ok(Vec::new()),
            (Kind::Dock, true) => Ok(vec![Scope::QueueRead, Scope::QueueControl]),
        }
    }
}

/// New values; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    /// Both networks of the alarm are the streamer's own.
    pub acknowledge_alarm: bool,
}

pub(super) fn check_name(name: &str) -> Result<(), TokenError> {
    let length = name.chars().count();
    if length > 100 || is_blank(name) || name.chars().any(is_unseen) {
        let problem = "1 to 100 characters that can be seen";
        return Err(TokenError::Invalid { field: "name", problem });
    }
    Ok(())
}

/// A good token of a dock or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub token: Uuid,
    pub channel: Uuid,
    /// The channel's owner, in whose name it acts.
    pub owner: Uuid,
    pub scopes: Vec<Scope>,
}

/// What a token in an address opens.
#[derive(Debug)]
pub struct Opened {
    pub channel: Channel,
    /// Names the token where it comes from is noted.
    pub token: Uuid,
    /// It can be revoked alone: what it has opened ends with [`ended_since`](super::ended_since), not with a rotation.
    pub revocable: bool,
}

/// A token was used from a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    pub token: Uuid,
    /// Of IPv4 a /24, of IPv6 a /64.
    pub network: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_its_kind_and_nothing_else_looks_like_one() {
        for kind in Kind::ALL {
            let token = Secret::new(kind).expose().to_owned();
            assert_eq!(Secret::kind_of(&token), Some(kind));
            assert_ne!(Secret::new(kind).expose(), token);
            for wrong in [&token[1..], &token[..token.len() - 1], &format!("{token}0"), &token.to_uppercase()] {
                assert_eq!(Secret::kind_of(wrong), None, "{wrong}");
            }
        }
        let token = Secret::new(Kind::Api);
        assert!(!format!("{token:?}").contains(&token.expose()[7..]));
        for wrong in ["", "ma_", "ma_api_", "ot_1_2", "ma_api_зззз"] {
            assert_eq!(Secret::kind_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_kind_has_its_scopes_and_a_program_those_that_it_was_given() {
        let wish = |kind, scopes: &[Scope]| {
            NewToken { kind, name: "a".to_owned(), scopes: scopes.to_vec(), expires_at: None }.check()
        };
        assert_eq!(wish(Kind::Overlay, &[]).unwrap(), []);
        assert_eq!(wish(Kind::Dock, &[]).unwrap(), [Scope::QueueRead, Scope::QueueControl]);
        let twice = [Scope::MemesRead, Scope::ChannelRead, Scope::MemesRead];
        assert_eq!(wish(Kind::Api, &twice).unwrap(), [Scope::ChannelRead, Scope::MemesRead]);
        assert!(wish(Kind::Api, &[]).is_err() && wish(Kind::Overlay, &[Scope::BotsSay]).is_err());
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), kind);
        }
    }
}
