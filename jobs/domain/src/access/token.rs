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
    signed(keys, purpose.prefix(), channel, version)
}

fn signed(keys: &Keys, prefix: &str, channel: Uuid, version: i32) -> String {
    let mac = hmac(&keys.channel_tokens, &[prefix.as_bytes(), channel.as_bytes(), &version.to_be_bytes()]);
    format!("{prefix}_{}_{}", channel.simple(), hex::encode(mac))
}

/// The channel that the token claims to be for; proves nothing yet.
#[must_use]
pub fn named_channel(purpose: Purpose, token: &str) -> Option<Uuid> {
    named(purpose.prefix(), token)
}

fn named(prefix: &str, token: &str) -> Option<Uuid> {
    let rest = token.strip_prefix(prefix)?.strip_prefix('_')?;
    let (id, _) = rest.split_once('_')?;
    Uuid::try_parse(id).ok()
}

/// Whether the token is the channel's at this version; compared in constant time.
#[must_use]
pub fn token_matches(keys: &Keys, purpose: Purpose, channel: Uuid, version: i32, token: &str) -> bool {
    channel_token(keys, purpose, channel, version).as_bytes().ct_eq(token.as_bytes()).into()
}

/// Before the tokens that switch a channel's submissions and do nothing else.
const SWITCH: &str = "st";

/// The token at this version that switches the channel's submissions.
#[must_use]
pub fn switch_token(keys: &Keys, channel: Uuid, version: i32) -> String {
    signed(keys, SWITCH, channel, version)
}

/// As [`named_channel`], of a token that switches submissions.
#[must_use]
pub fn switched_channel(token: &str) -> Option<Uuid> {
    named(SWITCH, token)
}

/// As [`token_matches`], of a token that switches submissions.
#[must_use]
pub fn switch_matches(keys: &Keys, channel: Uuid, version: i32, token: &str) -> bool {
    switch_token(keys, channel, version).as_bytes().ct_eq(token.as_bytes()).into()
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
        assert!(!switch_matches(&keys, channel, 1, &token) && switched_channel(&token).is_none(), "another door");
        assert!(switch_matches(&keys, channel, 2, &switch_token(&keys, channel, 2)));
        assert!(!switch_matches(&keys, channel, 2, &switch_token(&keys, channel, 1)), "rotated");
        for wrong in ["", "ot_", "ot__", "ot_x_y", "ot_0", "ct_"] {
            assert_eq!(named_channel(Purpose::Overlay, wrong), None, "{wrong}");
        }
    }
}
