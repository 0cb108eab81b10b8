//! The secret of a bot account.

use std::fmt;

/// An OAuth token without its `oauth:` prefix. Prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthToken(String);

impl OauthToken {
    /// Takes the token with or without the prefix.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        let raw = raw.trim();
        Self(raw.strip_prefix("oauth:").unwrap_or(raw).to_owned())
    }

    /// The value of `PASS`.
    #[must_use]
    pub fn pass(&self) -> String {
        format!("oauth:{}", self.0)
    }
}

impl fmt::Debug for OauthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OauthToken(..)")
    }
}
