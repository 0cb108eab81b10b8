//! How Twitch proves that a message is its own (PLATFORMS 1.6): `sha256=` and `HMAC-SHA256(secret, id, timestamp, body)` in
//! hexadecimal, over the bytes as they came, with nothing between the three.

use subtle::ConstantTimeEq;

use crate::access::hmac;

/// The value of `Twitch-Eventsub-Message-Signature`.
#[must_use]
pub fn sign(secret: &[u8], message_id: &str, timestamp: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac(secret, &[message_id.as_bytes(), timestamp.as_bytes(), body])))
}

/// Whether the signature is the secret's over exactly this. Takes as long for a wrong one as for the right one.
#[must_use]
pub fn is_genuine(secret: &[u8], message_id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    sign(secret, message_id, timestamp, body).as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by another program: `printf ... | openssl dgst -sha256 -hmac`.
    const MADE: &str = "sha256=147c2fad6d7c832bf1807c0515382bac6a56152d35cb3a426d38edf34347147d";

    #[test]
    fn a_signature_that_another_program_made_is_genuine() {
        assert!(is_genuine(b"s3cre77890ab", "e76c6bd4", "2026-01-01T00:00:00.634234626Z", b"{\"a\":1}", MADE));
    }

    #[test]
    fn no_byte_can_be_changed() {
        let (secret, id, time, body) = (b"s3cre77890ab", "e76c6bd4", "2026-01-01T00:00:00Z", b"{\"a\":1}");
        let signature = sign(secret, id, time, body);
        assert!(is_genuine(secret, id, time, body, &signature));
        assert!(!is_genuine(b"s3cre77890ac", id, time, body, &signature));
        assert!(!is_genuine(secret, "e76c6bd5", time, body, &signature));
        assert!(!is_genuine(secret, id, "2026-01-01T00:00:01Z", body, &signature));
        assert!(!is_genuine(secret, id, time, b"{\"a\":2}", &signature));
        for at in 0..signature.len() {
            let mut bytes = signature.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(!is_genuine(secret, id, time, body, std::str::from_utf8(&bytes).unwrap()), "byte {at}");
        }
        for wrong in ["", "sha256=", &signature[7..], &signature.to_uppercase(), &format!("{signature} ")] {
            assert!(!is_genuine(secret, id, time, body, wrong), "{wrong}");
        }
    }
}
