//! What is mailed, and in which language.

use std::{fmt, str::FromStr, time::Duration};

use uuid::Uuid;

use super::Link;
use crate::attempts::Budget;

/// Mails of one kind that somebody may ask for to one address from one network.
pub const MOST: Budget = Budget { tries: 3, window: Duration::from_hours(1) };

/// The same from all networks where the person has not logged in lately.
pub const MOST_ANYWHERE: Budget = Budget { tries: 10, window: Duration::from_hours(1) };

/// What a mail is about. To add one: a variant, its name, and its words in pool `outbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A link: the address is the person's.
    VerifyEmail,
    /// A link: this address shall take the place of the present one.
    ChangeEmail,
    /// A link: another password.
    ResetPassword,
    /// To the former address.
    EmailChanged,
    PasswordChanged,
    /// Logins ask for codes from now on.
    CodesOn,
    CodesOff,
    RecoveryCodeUsed,
    /// Somebody has the password, and has used up the guesses at codes. For all of an hour.
    CodesGuessed,
    /// Guesses at the password from everywhere are used up. For all of a day.
    PasswordGuessed,
    /// Those that there were are good for nothing.
    RecoveryCodesReplaced,
    /// `details`: the platform, and the account's name there.
    AccountLinked,
    /// `details`: the same.
    AccountUnlinked,
    /// `details`: the role.
    RoleChanged,
    /// `details`: why, where that was said.
    Banned,
    Unbanned,
    /// An admin gave or took coins; for all of an hour.
    CoinsAdjusted,
    /// The person is in a channel's team now, or has another role in it; `details`: the channel's slug, and the role.
    TeamRoleGiven,
    /// The person is in it no more; `details`: the channel's slug.
    TeamRoleTaken,
    /// A dock or a program may act in the person's name; `details`: its name.
    TokenMade,
    /// The channel's token comes from two networks at once; `details`: its name, and the networks. For all of an hour.
    TokenElsewhere,
    /// A refresh token came twice: its session was ended.
    SessionStolen,
    /// The last mail: nothing is kept of whom it went to.
    AccountDeleted,
}

impl Kind {
    pub const ALL: [Self; 23] = [
        Self::VerifyEmail,
        Self::ChangeEmail,
        Self::ResetPassword,
        Self::EmailChanged,
        Self::PasswordChanged,
        Self::CodesOn,
        Self::CodesOff,
        Self::RecoveryCodeUsed,
        Self::CodesGuessed,
        Self::PasswordGuessed,
        Self::RecoveryCodesReplaced,
        Self::AccountLinked,
        Self::AccountUnlinked,
        Self::RoleChanged,
        Self::Banned,
        Self::Unbanned,
        Self::CoinsAdjusted,
        Self::TeamRoleGiven,
        Self::TeamRoleTaken,
        Self::TokenMade,
        Self::TokenElsewhere,
        Self::SessionStolen,
        Self::AccountDeleted,
    ];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
            Self::EmailChanged => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::CodesOn => "codes_on",
            Self::CodesOff => "codes_off",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::CodesGuessed => "codes_guessed",
            Self::PasswordGuessed => "password_guessed",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::AccountLinked => "account_linked",
            Self::AccountUnlinked => "account_unlinked",
            Self::RoleChanged => "role_changed",
            Self::Banned => "banned",
            Self::Unbanned => "unbanned",
            Self::CoinsAdjusted => "coins_adjusted",
            Self::TeamRoleGiven => "team_role_given",
            Self::TeamRoleTaken => "team_role_taken",
            Self::TokenMade => "token_made",
            Self::TokenElsewhere => "token_elsewhere",
            Self::SessionStolen => "session_stolen",
            Self::AccountDeleted => "account_deleted",
        }
    }

    /// How long its link is good; none for a mail without one.
    #[must_use]
    pub const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => Some(Duration::from_hours(24)),
            Self::ResetPassword => Some(Duration::from_mins(30)),
            _ => None,
        }
    }
}

impl Kind {
    /// How long after such news no other of the kind are told; none where each counts.
    pub(super) const fn pause(self) -> Option<Duration> {
        match self {
            Self::PasswordGuessed => Some(Duration::from_hours(24)),
            Self::CodesGuessed | Self::CoinsAdjusted | Self::TokenElsewhere => Some(Duration::from_hours(1)),
            _ => None,
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Languages that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Russian,
}

impl Language {
    /// As stored and in `Accept-Language`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// English for a word that the database cannot hold (a check constraint forbids it).
    pub(super) fn parse(word: &str) -> Self {
        if word == Self::Russian.as_str() { Self::Russian } else { Self::English }
    }
}

/// A mail to be written now.
#[derive(Debug)]
pub struct Letter {
    pub id: Uuid,
    pub kind: Kind,
    pub language: Language,
    pub recipient: String,
    /// The person's login.
    pub login: String,
    pub details: Option<String>,
    /// For kinds with a link.
    pub link: Option<Link>,
}
