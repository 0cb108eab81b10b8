//! What screens say about a play.

use queue::Tx;
use uuid::Uuid;

use super::{PlaybackError, finish::finish, news::started_event, repo};
use crate::{
    activations::{self, Activation, End, Reason, Status},
    channels::Channel,
    events,
};

/// What a screen says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedState {
    /// It is on the screen.
    Started,
    /// It has ended as it should.
    Done,
    /// It cannot be shown.
    Failed,
}

impl ReportedState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A screen's word about a play.
#[derive(Debug, Clone)]
pub struct Report {
    pub activation_id: Uuid,
    pub state: ReportedState,
    /// The play it speaks of; `None` from clients that do not know epochs means the present one.
    pub play_epoch: Option<i64>,
    /// The screen's own id; all clients without one count as one screen.
    pub screen_id: Option<Uuid>,
    /// Why it failed, in the screen's words; at most 500 characters.
    pub reason: Option<String>,
}

/// Takes a screen's word. Saying the same again changes nothing.
///
/// The first `started` starts the clock; `done` before the deadline captures the coins, later it refunds them; `failed`
/// refunds them unless another screen shows the item or may yet do so. While an OBS screen is connected, browser tabs are
/// heard but decide nothing.
///
/// # Errors
/// [`PlaybackError::NotFound`] for an activation of another channel, [`PlaybackError::StalePlay`] for a play that is over,
/// [`PlaybackError::WhichScreen`].
pub async fn acknowledge(tx: &mut Tx, channel: &Channel, report: &Report) -> Result<Activation, PlaybackError> {
    let found = activations::lock(&mut *tx, report.activation_id).await?;
    let mut activation = found.filter(|it| it.channel_id == channel.id).ok_or(PlaybackError::NotFound)?;
    let same_play = report.play_epoch.is_none_or(|epoch| epoch == activation.play_epoch);
    if activation.status != Status::Playing || !same_play {
        return settled_already(activation, report, same_play);
    }
    let screen = repo::report(&mut *tx, &activation, report).await?;
    if !screen.decides {
        // Whoever cannot be an OBS screen learns that nothing came of it; a tab knows that it is one.
        if report.screen_id.is_none() {
            return Err(PlaybackError::WhichScreen);
        }
        return Ok(activation);
    }
    match report.state {
        ReportedState::Started => {
            if activation.started_at.is_none() {
                activation = repo::begin_clock(&mut *tx, &activation).await?;
                events::record(tx, vec![started_event(&activation)]).await?;
            }
            return Ok(activation);
        }
        ReportedState::Failed if screen.another_may_show => return Ok(activation),
        ReportedState::Failed => {
            let end = End::Refund { reason: Reason::ScreenFailed, detail: report.reason.clone() };
            finish(tx, &mut activation, &end, None).await?;
        }
        ReportedState::Done if screen.in_time => finish(tx, &mut activation, &End::Done, None).await?,
        ReportedState::Done => finish(tx, &mut activation, &End::refund(Reason::NeverEnded), None).await?,
    }
    Ok(activation)
}

/// A second word about a play that is over: the same again is fine, another is not.
fn settled_already(activation: Activation, report: &Report, same_play: bool) -> Result<Activation, PlaybackError> {
    let agrees = match report.state {
        ReportedState::Done => activation.status == Status::Done,
        ReportedState::Failed => activation.status == Status::Failed,
        ReportedState::Started => false,
    };
    if same_play && agrees {
        return Ok(activation);
    }
    Err(PlaybackError::StalePlay { status: activation.status, play_epoch: activation.play_epoch })
}
