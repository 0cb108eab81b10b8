//! How an internal request proves where it comes from.
//!
//! `HMAC-SHA256(secret, "<timestamp>.<event id>.<body>")`, hex, over the raw body, with a timestamp (unix seconds) that
//! is at most five minutes off. The event id is signed too: otherwise a copied request with a new id would count again.

use subtle::ConstantTimeEq;

use crate::access::hmac;

/// Names the sender's kind; without it the routes do not exist.
pub const INTERNAL_HEADER: &str = "x-memalerts-internal";
/// The value of [`INTERNAL_HEADER`].
pub const INTERNAL_VALUE: &str = "credits-event";
pub const EVENT_HEADER: &str = "x-memalerts-event";
pub const TIMESTAMP_HEADER: &str = "x-memalerts-timestamp";
pub const SIGNATURE_HEADER: &str = "x-memalerts-signature";

/// Seconds by which the two clocks may differ, travel included.
const WINDOW: u64 = 300;

/// The shared secret (`MEMALERTS_INTERNAL_SECRET`). Prints nothing.
#[derive(Clone)]
pub struct InternalSecret(Vec<u8>);

impl InternalSecret {
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.to_vec())
    }
}

impl std::fmt::Debug for InternalSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InternalSecret(..)")
    }
}

/// The value of [`SIGNATURE_HEADER`] for a body sent at `timestamp` (unix seconds).
#[must_use]
pub fn sign(secret: &InternalSecret, timestamp: i64, event_id: &str, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let parts: [&[u8]; 5] = [timestamp.as_bytes(), b".", event_id.as_bytes(), b".", body];
    hex::encode(hmac(&secret.0, &parts))
}

/// Whether the signature is the secret's over exactly this, and fresh at `now` (unix seconds).
#[must_use]
pub fn verify(
    secret: &InternalSecret,
    now: i64,
    timestamp: &str,
    event_id: &str,
    body: &[u8],
    signature: &str,
) -> bool {
    let Ok(sent) = timestamp.parse::<i64>() else { return false };
    let genuine: bool = sign(secret, sent, event_id, body).as_bytes().ct_eq(signature.as_bytes()).into();
    genuine && now.abs_diff(sent) <= WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_body_id_time_and_secret_verify() {
        let secret = InternalSecret::new(b"shared");
        let signature = sign(&secret, 1000, "e1", b"{}");
        assert!(verify(&secret, 1000, "1000", "e1", b"{}", &signature));
        assert!(verify(&secret, 1300, "1000", "e1", b"{}", &signature));
        assert!(!verify(&secret, 1301, "1000", "e1", b"{}", &signature), "too old");
        assert!(!verify(&secret, 699, "1000", "e1", b"{}", &signature), "from the future");
        assert!(!verify(&secret, 1000, "1001", "e1", b"{}", &signature), "another time");
        assert!(!verify(&secret, 1000, "1000", "e2", b"{}", &signature), "another event");
        assert!(!verify(&secret, 1000, "1000", "e1", b"{ }", &signature), "another body");
        assert!(!verify(&InternalSecret::new(b"other"), 1000, "1000", "e1", b"{}", &signature), "another secret");
        for (timestamp, signature) in [("", ""), ("x", &*signature), ("1000", ""), ("1000", "00")] {
            assert!(!verify(&secret, 1000, timestamp, "e1", b"{}", signature));
        }
    }
}
