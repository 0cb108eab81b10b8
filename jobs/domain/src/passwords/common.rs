//! Passwords that guessers try first.
//!
//! `common.txt` holds those with 8 characters or more of the 20,000 that stood most often in what had leaked elsewhere: the
//! list of Royce Williams as Django ships it (`django/contrib/auth/common-passwords.txt.gz`, licence in `common.LICENSE`).
//! In lower case, sorted by bytes, one a line.

use std::sync::LazyLock;

static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Whether the password is one of them, in capitals or not.
pub(super) fn is_common(password: &str) -> bool {
    LIST.binary_search(&password.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_enough_and_can_be_searched() {
        assert!(LIST.len() >= 3000, "{}", LIST.len());
        assert!(LIST.is_sorted());
        for password in LIST.iter() {
            assert!(password.chars().count() >= 8, "{password}: too short anyway");
            assert!(is_common(password) && is_common(&password.to_uppercase()), "{password}");
        }
    }

    #[test]
    fn what_nobody_tries_first_is_none_of_them() {
        for password in ["correct horse battery", "", "password-of-mine", "12345678 "] {
            assert!(!is_common(password), "{password}");
        }
    }
}
