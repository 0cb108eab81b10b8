//! Tokens that name a channel and say what their holder may see.

use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Keys, keys::hmac};

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The meme overlay: read its events, acknowledge plays.
    Overlay,
    /// The credits overlay: read its events.
    Credits,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Overlay => "ot",
            Self::Credits => "ct",
        }
    }
}

/// The channel's token for the purpose at this version.
#[must_use]
pub fn channel_token(keys: &Keys, purpose: Purpose, channel: Uuid, version: i32) -> String {
    let mac = hmac(&keys.channel_tokens, &[purpose.prefix().as_bytes(), channel.as_bytes(), &version.to_be_bytes()]);
    format!("{}_{}_{}", purpose.prefix(), channel.simple(), hex::encode(mac))
}

/// The channel that the token claims to be for; proves nothing yet.
#[must_use]
pub fn named_channel(purpose: Purpose, token: &str) -> Option<Uuid> {
    let rest = token.strip_prefix(purpose.prefix())?.strip_prefix('_')?;
    let (id, _) = rest.split_once('_')?;
    Uuid::try_parse(id).ok()
}

/// Whether the token is the channel's at this version; compared in constant time.
#[must_use]
pub fn token_matches(keys: &Keys, purpose: Purpose, channel: Uuid, version: i32, token: &str) -> bool {
    channel_token(keys, purpose, channel, version).as_bytes().ct_eq(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_door_at_its_own_version_only() {
        let keys = Keys::derive(b"a secret");
        let channel = Uuid::now_v7();
        let token = channel_token(&keys, Purpose::Overlay, channel, 1);
        assert_eq!(named_channel(Purpose::Overlay, &token), Some(channel));
        assert!(token_matches(&keys, Purpose::Overlay, channel, 1, &token));
        assert!(!token_matches(&keys, Purpose::Overlay, channel, 2, &token), "rotated");
        assert!(!token_matches(&keys, Purpose::Credits, channel, 1, &token), "another door");
        assert!(!token_matches(&Keys::derive(b"another"), Purpose::Overlay, channel, 1, &token), "another house");
        assert_eq!(named_channel(Purpose::Credits, &token), None);
        for wrong in ["", "ot_", "ot__", "ot_x_y", "ot_0", "ct_"] {
            assert_eq!(named_channel(Purpose::Overlay, wrong), None, "{wrong}");
        }
    }
}
