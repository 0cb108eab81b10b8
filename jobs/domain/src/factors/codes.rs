//! The arithmetic of codes.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use sha2::{Digest, Sha256};

/// Seconds in which one code is good.
const STEP: i64 = 30;
/// A million.
const CODES: u32 = 1_000_000;

/// RFC 4648, as apps want their seeds; and no two letters look alike.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The code of the seed at this time (seconds since 1970), as an app shows it.
#[must_use]
pub fn code_at(seed: &[u8], seconds: i64) -> String {
    code_of(seed, step_at(seconds))
}

pub(super) fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(STEP)
}

/// RFC 4226 and 6238 with SHA-1 and six digits, the one form that all apps know.
pub(super) fn code_of(seed: &[u8], step: i64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let mac = sign(&key, &step.to_be_bytes());
    let mac = mac.as_ref();
    let at = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
    let word = mac.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:06}", (word & 0x7fff_ffff) % CODES)
}

/// The digits of a code as people write it: apps show it in two groups, and copy the space between them, too.
pub(super) fn digits(code: &str) -> String {
    code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
}

/// Base 32 without padding.
pub(super) fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(buffer >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(buffer << (5 - bits)) as usize & 31]));
    }
    text
}

/// What an app reads from a picture: `otpauth://totp/...`. `issuer`: under which name the app lists it, of letters and dashes.
#[must_use]
pub fn uri(issuer: &str, secret: &str, login: &str) -> String {
    format!("otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

/// A new recovery code: 120 random bits in six groups, too many to be guessed from a plain hash.
pub(super) fn new_recovery_code() -> String {
    let bits: [u8; 15] = rand::random();
    let text = letters(&bits).to_ascii_lowercase();
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// What is stored of a recovery code, however people write it.
pub(super) fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(plain.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1; the last six of its eight digits.
        let seed = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(seed, seconds), code, "{seconds}");
        }
    }

    #[test]
    fn letters_are_those_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(letters(bytes.as_bytes()), text);
        }
        let code = new_recovery_code();
        assert_eq!((code.len(), code.split('-').count()), (29, 6));
        assert_eq!(recovery_hash(&code), recovery_hash(&code.replace('-', " ").to_uppercase()));
        assert_ne!(new_recovery_code(), code);
    }
}
