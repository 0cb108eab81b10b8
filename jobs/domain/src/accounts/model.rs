//! A person and a person's role.

use time::OffsetDateTime;
use uuid::Uuid;

/// What a person may do; each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Viewer,
    Streamer,
    Admin,
}

impl Role {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Streamer => "streamer",
            Self::Admin => "admin",
        }
    }

    /// The role that the word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Streamer, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }

    /// The least role for a word that the database cannot hold (a check constraint forbids it).
    pub(crate) fn parse(word: &str) -> Self {
        Self::named(word).unwrap_or(Self::Viewer)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: Uuid,
    /// Lower case, 1 to 50 of `a-z 0-9 _`.
    pub login: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub role: Role,
    pub created_at: OffsetDateTime,
    /// Has no sessions and gets none.
    pub banned_at: Option<OffsetDateTime>,
    /// May look at the pages of ops, whatever the role; an admin may anyway.
    pub observer: bool,
}

/// What a ban changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanNews {
    /// The person was not banned before.
    Banned,
    /// Why, and nothing else.
    Reason,
    None,
}

impl User {
    /// What stands for the person on their channel (overlays, docks, programs) is let in.
    #[must_use]
    pub fn may_stream(&self) -> bool {
        self.banned_at.is_none() && self.role >= Role::Streamer
    }
}

/// Characters of a login, at most: more than any platform allows.
pub(super) const LONGEST: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a login has 1 to 50 letters a-z, digits or underscores")]
pub struct LoginError;

/// A login in the form in which it is kept: trimmed, without a leading `@`, lower case.
///
/// # Errors
/// It is empty, longer than 50, or has a character outside `a-z 0-9 _`.
pub fn parse_login(input: &str) -> Result<String, LoginError> {
    let trimmed = input.trim();
    let login = trimmed.strip_prefix('@').unwrap_or(trimmed).to_ascii_lowercase();
    let fits = (1..=LONGEST).contains(&login.len())
        && login.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if fits { Ok(login) } else { Err(LoginError) }
}

/// What comes closest to the name and can be a login; `viewer` when nothing of it can.
pub(super) fn login_like(name: &str) -> String {
    let login: String = name
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c == ' ' || c == '-' || c == '.' { '_' } else { c })
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
        .take(LONGEST)
        .collect();
    let login = login.trim_matches('_');
    if login.is_empty() { "viewer".to_owned() } else { login.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_leads_to_a_login() {
        for (name, login) in [
            ("Anna", "anna"),
            ("@Anna.B-c", "anna_b_c"),
            ("  ", "viewer"),
            ("Анна", "viewer"),
            ("Анна 2", "2"),
            (&"x".repeat(99), &"x".repeat(50)),
        ] {
            assert_eq!(login_like(name), login, "{name}");
            assert!(parse_login(&login_like(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_login_is_kept_in_lower_case_without_its_at_sign() {
        assert_eq!(parse_login(" @Lotas_1 "), Ok("lotas_1".to_owned()));
    }

    #[test]
    fn a_login_with_other_characters_or_lengths_is_refused() {
        for wrong in ["", "@", "a b", "имя", "a-b", &"x".repeat(51)] {
            assert_eq!(parse_login(wrong), Err(LoginError), "{wrong}");
        }
    }
}
