//! How often somebody may guess: so many tries at one thing in a window of time, counted before the guess is looked at, so
//! that a thousand guesses at once are no more than the budget either. A right one gives the budget back.
//!
//! Not `budgets`, which are of whoever asks, may be lent to processes in advance and are gone after a crash of
//! the database: a guess is of the account that is guessed at, and each one is written down.

mod jobs;
mod repo;

use std::time::Duration;

use sqlx::PgConnection;

pub use jobs::ForgetAttempts;
pub use repo::{clear, clear_all, forget_old};

/// A number of tries within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub tries: i32,
    pub window: Duration,
}

/// At a password, of one network at a login, or of the person's own sessions.
pub const PASSWORD: Budget = Budget { tries: 10, window: Duration::from_mins(15) };

/// At a password from everywhere: nobody reaches it from one network, and whoever spreads guesses over many finds an end.
pub const PASSWORD_ANYWHERE: Budget = Budget { tries: 100, window: Duration::from_hours(1) };

/// At a code of six digits.
pub const CODE: Budget = Budget { tries: 5, window: Duration::from_mins(15) };

/// Whether there was a try left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// There was; so many are left beside it.
    Taken { left: i32 },
    /// There was none, and there is none for so long.
    None { wait: Duration },
}

impl Try {
    /// How long there is none; nothing when there was one.
    #[must_use]
    pub const fn refused(self) -> Option<Duration> {
        match self {
            Self::Taken { .. } => None,
            Self::None { wait } => Some(wait),
        }
    }
}

/// Takes one try at the subject, if there is one left. A try that is rolled back was none: a guess is counted on a connection of
/// its own.
///
/// # Errors
/// The database refused.
pub async fn take(conn: &mut PgConnection, subject: &str, budget: Budget) -> Result<Try, sqlx::Error> {
    let taken = repo::take(conn, subject, budget.tries, budget.window.as_secs_f64()).await?;
    if taken.count <= budget.tries {
        return Ok(Try::Taken { left: budget.tries - taken.count });
    }
    Ok(Try::None { wait: Duration::try_from_secs_f64(taken.wait.max(1.0)).unwrap_or(budget.window) })
}
