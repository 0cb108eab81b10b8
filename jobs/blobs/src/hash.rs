//! The name of bytes.

use std::{fmt, str::FromStr};

/// SHA-256, written as 64 lower-case hex digits. A value of this type is safe as a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// The text is not 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in lower-case hex")]
pub struct InvalidHash;

impl From<[u8; 32]> for Hash {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // One name, one spelling: `hex` would accept capitals too.
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidHash);
        }
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| InvalidHash)?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_everything_that_is_not_a_plain_name() {
        let hex = "0".repeat(64);
        for bad in ["", "..", "../../etc/passwd", "0", &hex[1..], &format!("{hex}0"), &"A".repeat(64), &"g".repeat(64)]
        {
            assert_eq!(bad.parse::<Hash>(), Err(InvalidHash), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(digest: [u8; 32]) {
            let hash = Hash::from(digest);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }

        #[test]
        fn never_accepts_a_path(text in ".{0,80}") {
            if let Ok(hash) = text.parse::<Hash>() {
                prop_assert_eq!(hash.to_string(), text);
            }
        }
    }
}
