//! Keys for each purpose, derived from `MEMALERTS_SECRET`.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// 256-bit keys. `Debug` prints nothing of them.
#[derive(Clone)]
pub struct Keys {
    /// Signs access tokens (HS256).
    pub session: [u8; 32],
    /// Seals refresh tokens.
    pub refresh: [u8; 32],
    /// Signs overlay and credits tokens.
    pub channel_tokens: [u8; 32],
    /// Names budgets without saying whose they are.
    pub budgets: [u8; 32],
    /// Signs what Twitch tells us where no secret of its own is set.
    pub eventsub: [u8; 32],
    /// Seals secrets at rest where no key of their own is set.
    pub data: [u8; 32],
    /// Opens nothing: says which secret they are derived from, and nothing about it.
    fingerprint: [u8; 4],
}

impl Keys {
    /// One key a purpose: `HMAC-SHA256(secret, label)`, so that no key says anything about another.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        Self {
            session: labelled(secret, b"session"),
            refresh: labelled(secret, b"refresh"),
            channel_tokens: labelled(secret, b"channel-tokens"),
            budgets: labelled(secret, b"budgets"),
            eventsub: labelled(secret, b"eventsub"),
            data: labelled(secret, b"data"),
            fingerprint: {
                let [a, b, c, d, ..] = labelled(secret, b"fingerprint");
                [a, b, c, d]
            },
        }
    }

    /// The same for all processes that have the same secret, in 8 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.fingerprint)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// `HMAC-SHA256(key, message)`.
pub(crate) fn hmac(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length: `new_from_slice` cannot fail for it.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn labelled(secret: &[u8], label: &[u8]) -> [u8; 32] {
    hmac(secret, &[b"memalerts:", label])
}
