//! Names, addresses and passwords as people write them.

use uuid::Uuid;

use super::{PasswordError, common};

/// What a login must know of an account.
#[derive(Clone)]
pub struct Credentials {
    pub user_id: Uuid,
    pub login: String,
    /// None: the account has no password.
    pub password_hash: Option<String>,
    /// Lower case.
    pub email: Option<String>,
    /// Whether the address was proven to be the person's.
    pub is_verified: bool,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// As [`crate::accounts::parse_login`] gave it.
    pub login: String,
    pub display_name: String,
    /// As [`parse_email`] gave it.
    pub email: String,
}

/// An address in the form in which it is kept: trimmed, lower case.
///
/// # Errors
/// [`PasswordError::Invalid`] when nothing could be sent to it.
pub fn parse_email(input: &str) -> Result<String, PasswordError> {
    let invalid = PasswordError::Invalid { field: "email", problem: "this is no e-mail address" };
    let email = input.trim().to_ascii_lowercase();
    let Some((local, domain)) = email.split_once('@') else { return Err(invalid) };
    let local_fits = (1..=64).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let domain_fits = domain.contains('.') && domain.split('.').all(label);
    if local_fits && domain_fits && email.len() <= 255 { Ok(email) } else { Err(invalid) }
}

/// A password that may be chosen by whoever has these names: login and e-mail address.
///
/// # Errors
/// [`PasswordError::Invalid`]: fewer than 8 characters or more than 128, one of the names, what stands before the `@` of one, the
/// name of this system, or one of those that are tried first.
pub fn parse_password<'a>(password: &'a str, names: &[&str]) -> Result<&'a str, PasswordError> {
    let invalid = |problem| Err(PasswordError::Invalid { field: "password", problem });
    if !(8..=128).contains(&password.chars().count()) {
        return invalid("a password has 8 to 128 characters");
    }
    let local = names.iter().filter_map(|name| Some(name.split_once('@')?.0));
    if names.iter().copied().chain(local).any(|name| is_nearly(password, name)) {
        return invalid("your own name or address is no password");
    }
    if is_nearly(password, "memalerts") {
        return invalid("the name of this place is no password");
    }
    if password.chars().all(|letter| password.starts_with(letter)) {
        return invalid("one character over and over is no password");
    }
    if common::is_common(password) {
        return invalid("this password is one of the few thousand that everybody tries first");
    }
    Ok(password)
}

/// Whether the password is the name, whatever digits and signs stand before and behind it.
fn is_nearly(password: &str, name: &str) -> bool {
    let core = |text: &str| text.trim_matches(|letter: char| !letter.is_alphabetic()).to_lowercase();
    let bare = core(password);
    password.eq_ignore_ascii_case(name) || (!bare.is_empty() && bare == core(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case_and_can_be_sent_to() {
        assert_eq!(parse_email(" Anna.B+x@Example.ORG ").unwrap(), "anna.b+x@example.org");
        let long = format!("{}@example.org", "x".repeat(65));
        for wrong in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "anna@localhost",
            "a b@example.org",
            "anna@exa mple.org",
            "a@b@c.de",
            "anna@example.org\r\nRCPT TO:<x@y.z>",
            "anna@-x.de",
            "anna@x..de",
            ".a@x.de",
            "a..b@x.de",
            "änna@x.de",
            &long,
            "<anna@example.org>",
            "anna@[127.0.0.1]",
        ] {
            assert!(parse_email(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_password_is_long_enough_and_no_name() {
        assert!(parse_password("correct horse", &["anna"]).is_ok());
        assert!(parse_password("пароль-п", &[]).is_ok(), "characters count, not bytes");
        assert!(parse_password("short77", &[]).is_err());
        assert!(parse_password(&"x".repeat(129), &[]).is_err());
        assert!(parse_password("Anna_1234", &["anna_1234"]).is_err());
        for name in ["Anna.Berta@Example.org", "anna.berta", "MemAlerts"] {
            assert!(parse_password(name, &["anna", "anna.berta@example.org"]).is_err(), "{name}");
        }
    }

    #[test]
    fn what_everybody_tries_first_is_no_password() {
        for common in ["password", "Password1", "QWERTYUIOP", "12345678", "iloveyou"] {
            assert!(parse_password(common, &[]).is_err(), "{common}");
        }
    }
}
