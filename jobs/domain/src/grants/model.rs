//! Coins that wait, and for whom.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use super::GrantError;
use crate::{
    identities::{self, Provider},
    unseen, wallets,
};

/// Days that coins wait, unless something else is said.
pub const DEFAULT_DAYS: i32 = 180;
/// And at most.
pub const MOST_DAYS: i32 = 365;
/// Coins of one grant, at most.
const MOST: i64 = 1_000_000_000_000;

/// An account on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payee {
    /// Its id there.
    Id(String),
    /// Its name there, in lower case.
    Login(String),
}

impl Payee {
    /// Of what somebody wrote.
    ///
    /// # Errors
    /// [`GrantError::Payee`] unless exactly one is given and shows something; [`GrantError::Name`] for what no account there has.
    pub fn of(provider: Provider, id: Option<&str>, login: Option<&str>) -> Result<Self, GrantError> {
        let fits = |text: &str| (1..=255).contains(&text.chars().count()) && !unseen::is_blank(text);
        match (id.map(str::trim), login.map(name)) {
            (Some(id), None) if fits(id) => {
                let is_one = id.bytes().all(|byte| byte.is_ascii_graphic());
                is_one.then(|| Self::Id(id.to_owned())).ok_or(GrantError::Name("providerUserId"))
            }
            (None, Some(login)) if fits(&login) => {
                let is_one = !has_plain_names(provider)
                    || login.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                is_one.then_some(Self::Login(login)).ok_or(GrantError::Name("login"))
            }
            _ => Err(GrantError::Payee),
        }
    }

    pub(super) fn at(&self, provider: Provider) -> Name {
        Name { provider, id: self.id().map(str::to_owned), login: self.login().map(str::to_owned) }
    }

    pub(super) fn id(&self) -> Option<&str> {
        if let Self::Id(id) = self { Some(id) } else { None }
    }

    pub(super) fn login(&self) -> Option<&str> {
        if let Self::Login(login) = self { Some(login) } else { None }
    }
}

/// Where names of accounts are letters of ASCII, digits, dashes and underscores; elsewhere they may be anything.
const fn has_plain_names(provider: Provider) -> bool {
    matches!(provider, Provider::Twitch | Provider::Kick | Provider::Trovo | Provider::GitHub)
}

/// A platform's name for an account as two are compared.
pub(super) fn name(login: &str) -> String {
    let login = unseen::plain(login, 255).to_lowercase();
    login.strip_prefix('@').unwrap_or(&login).to_owned()
}

/// How an account may be named: by either, or by the one that is known.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) provider: Provider,
    pub(super) id: Option<String>,
    pub(super) login: Option<String>,
}

impl Name {
    pub(super) fn of(account: &identities::Account) -> Self {
        let login = Some(name(&account.login)).filter(|login| !login.is_empty());
        Self { provider: account.provider, id: Some(account.provider_user_id.clone()), login }
    }
}

/// What is promised.
#[derive(Debug, Clone)]
pub struct NewGrant {
    pub channel_id: Uuid,
    pub provider: Provider,
    pub payee: Payee,
    /// Coins, above 0.
    pub amount: i64,
    /// 1 to 200 characters, for the person.
    pub reason: String,
    /// Days until it ends.
    pub days: i32,
}

impl NewGrant {
    pub(super) fn check(&self) -> Result<(), GrantError> {
        if !(1..=MOST).contains(&self.amount) {
            return Err(GrantError::Amount);
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(GrantError::Days);
        }
        wallets::check_reason(&self.reason)?;
        Ok(())
    }
}

/// How far a grant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum GrantStatus {
    /// Another admin must agree first.
    Unapproved,
    /// The person was not here yet.
    Waiting,
    Paid,
}

impl GrantStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unapproved => "unapproved",
            Self::Waiting => "waiting",
            Self::Paid => "paid",
        }
    }
}

impl fmt::Display for GrantStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Coins that wait or waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub channel_slug: String,
    pub provider: String,
    pub provider_user_id: Option<String>,
    pub login: Option<String>,
    pub amount: i64,
    pub reason: String,
    pub status: GrantStatus,
    /// Above this sum of what its admin gives its person within a day it takes another one; none: whatever the sum.
    pub approval_above: Option<i64>,
    pub created_by: Uuid,
    pub approved_by: Option<Uuid>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    /// Who was paid.
    pub user_id: Option<Uuid>,
    pub paid_at: Option<OffsetDateTime>,
}

impl Grant {
    /// The sum up to which nobody has to agree; none where nobody has to, or somebody has.
    pub(super) const fn alone_up_to(&self) -> Option<i64> {
        if self.approved_by.is_some() { None } else { self.approval_above }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_an_id_or_a_name() {
        let of = |id, login| Payee::of(Provider::Twitch, id, login);
        assert_eq!(of(Some(" 42 "), None).unwrap(), Payee::Id("42".to_owned()));
        assert_eq!(of(None, Some("@Anna")).unwrap(), Payee::Login("anna".to_owned()));
        // What somebody has pasted and nobody sees.
        assert_eq!(of(None, Some("an\u{200b}na")).unwrap(), Payee::Login("anna".to_owned()));
        assert!(matches!(of(None, Some("\u{ff41}nna")), Err(GrantError::Name("login"))));
        assert!(matches!(of(Some("42\u{200b}"), None), Err(GrantError::Name("providerUserId"))));
        let discord = Payee::of(Provider::Discord, None, Some("Анна К.")).unwrap();
        assert_eq!(discord, Payee::Login("анна к.".to_owned()));
        let long = "x".repeat(256);
        for (id, login) in [
            (None, None),
            (Some("42"), Some("anna")),
            (Some(""), None),
            (Some("4\0"), None),
            (None, Some(" ")),
            (None, Some("\u{200b}")),
            (Some(long.as_str()), None),
        ] {
            assert!(of(id, login).is_err(), "{id:?} {login:?}");
        }
    }
}
