//! The command that tells for how long the stream runs.

use queue::Tx;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CommandError, matching::normalize, model, repo};
use crate::{channels, templates::Occasion};

/// Minutes of a break at most that a stream may have and go on.
const MAX_BREAK: i32 = 1_440;

/// How the command is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationSettings {
    pub enabled: bool,
    pub trigger: String,
    /// With `{hours}`, `{minutes}` and `{totalMinutes}`.
    pub response: String,
    /// Minutes: a stream that comes back within them goes on, and its break counts. 0 to 1440.
    pub break_credit_minutes: i32,
    pub only_when_live: bool,
    /// None: never touched.
    pub updated_at: Option<OffsetDateTime>,
}

/// New values; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DurationChange {
    pub enabled: Option<bool>,
    pub trigger: Option<String>,
    pub response: Option<String>,
    pub break_credit_minutes: Option<i32>,
    pub only_when_live: Option<bool>,
}

/// How the channel's command is set.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn duration(conn: &mut PgConnection, channel: Uuid) -> Result<DurationSettings, CommandError> {
    repo::duration(conn, channel).await?.ok_or(CommandError::NotFound)
}

/// Changes it, and says what it was and what it is. Where nothing is to be changed, it stays untouched.
///
/// # Errors
/// [`CommandError::Invalid`], [`CommandError::Taken`] by a command of the channel, or the database
/// refused.
pub async fn change_duration(
    tx: &mut Tx,
    channel: Uuid,
    change: DurationChange,
) -> Result<(DurationSettings, DurationSettings), CommandError> {
    channels::hold(&mut *tx, channel).await?;
    let before = duration(&mut *tx, channel).await?;
    if change == DurationChange::default() {
        return Ok((before.clone(), before));
    }
    let new = DurationSettings {
        enabled: change.enabled.unwrap_or(before.enabled),
        trigger: change.trigger.unwrap_or_else(|| before.trigger.clone()),
        response: change.response.unwrap_or_else(|| before.response.clone()),
        break_credit_minutes: change.break_credit_minutes.unwrap_or(before.break_credit_minutes),
        only_when_live: change.only_when_live.unwrap_or(before.only_when_live),
        updated_at: None,
    };
    let new = DurationSettings { trigger: model::trigger("trigger", &new.trigger)?, ..new };
    model::response("responseTemplate", &new.response, Occasion::Duration)?;
    if !(0..=MAX_BREAK).contains(&new.break_credit_minutes) {
        let problem = format!("0 to {MAX_BREAK}");
        return Err(CommandError::Invalid { field: "breakCreditMinutes", problem });
    }
    let word = normalize(&new.trigger);
    model::not_ours("trigger", std::slice::from_ref(&word), &[normalize(&before.trigger)])?;
    if new.trigger != before.trigger
        && let Some(word) = repo::taken(&mut *tx, channel, None, std::slice::from_ref(&word)).await?
    {
        return Err(CommandError::Taken(word));
    }
    repo::set_duration(&mut *tx, channel, &new, &word).await?;
    let after = duration(&mut *tx, channel).await?;
    Ok((before, after))
}
