//! Refresh tokens.
//!
//! `mr_<session>_<secret><seal>`, all hexadecimal: 256 random bits, and 128 bits of HMAC over session and secret. The
//! database has the SHA-256 of the newest secret only; the seal tells a token that was ours once, however long ago, from one
//! that somebody made up, who must not be able to end a session by guessing at it.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::access::{Keys, hmac};

const SECRET: usize = 32;
const SEAL: usize = 16;

/// A refresh token. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    pub(super) fn new(keys: &Keys, session: Uuid) -> Self {
        let secret: [u8; SECRET] = rand::random();
        Self::of(keys, session, &secret)
    }

    fn of(keys: &Keys, session: Uuid, secret: &[u8]) -> Self {
        let seal = seal(keys, session, secret);
        Self(format!("mr_{}_{}{}", session.simple(), hex::encode(secret), hex::encode(seal)))
    }

    /// The session that the token was made for, if we made it.
    pub(super) fn session_of(keys: &Keys, token: &str) -> Option<Uuid> {
        let (session, rest) = token.strip_prefix("mr_")?.split_once('_')?;
        let session = Uuid::try_parse(session).ok()?;
        let mut bytes = [0; SECRET + SEAL];
        hex::decode_to_slice(rest, &mut bytes).ok()?;
        // Letter by letter: the same bytes in other letters were never given out.
        let genuine = Self::of(keys, session, &bytes[..SECRET]);
        bool::from(genuine.0.as_bytes().ct_eq(token.as_bytes())).then_some(session)
    }

    /// For the one to whom it belongs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// What is stored of a token.
pub(super) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn seal(keys: &Keys, session: Uuid, secret: &[u8]) -> [u8; SEAL] {
    let mac = hmac(&keys.refresh, &[session.as_bytes(), secret]);
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&mac[..SEAL]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_session_under_our_key_only_and_no_byte_of_it_may_differ() {
        let (keys, session) = (Keys::derive(b"a secret"), Uuid::now_v7());
        let token = RefreshToken::new(&keys, session).expose().to_owned();
        assert_eq!(RefreshToken::session_of(&keys, &token), Some(session));
        assert_eq!(RefreshToken::session_of(&Keys::derive(b"another"), &token), None);
        let other = Uuid::now_v7().simple().to_string();
        assert_eq!(RefreshToken::session_of(&keys, &token.replace(&session.simple().to_string(), &other)), None);
        for at in 3..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(RefreshToken::session_of(&keys, &forged), None, "at {at}");
        }
        for cut in 0..token.len() {
            assert_eq!(RefreshToken::session_of(&keys, &token[..cut]), None, "cut at {cut}");
        }
        assert_eq!(RefreshToken::session_of(&keys, &format!("{token}00")), None);
        assert_eq!(RefreshToken::session_of(&keys, &token.replace(['a', 'b', 'c', 'd', 'e', 'f'], "F")), None);
        let hyphens = token.replace(&session.simple().to_string(), &session.to_string());
        assert_eq!(RefreshToken::session_of(&keys, &hyphens), None);
    }
}
