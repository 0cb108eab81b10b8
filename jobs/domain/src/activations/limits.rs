//! How often a meme may be played.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::PlaceError;

/// Limits of a meme, and what has been played of it that counts.
#[derive(Debug, Clone)]
pub(in crate::activations) struct Limits {
    /// Seconds from one play to the next, of anybody and of the same viewer.
    pub(in crate::activations) cooldown: i32,
    pub(in crate::activations) viewer_cooldown: i32,
    /// Plays in one stream, of everybody and of one viewer.
    pub(in crate::activations) max_per_stream: Option<i32>,
    pub(in crate::activations) max_per_viewer: Option<i32>,
    pub(in crate::activations) played: Played,
    pub(in crate::activations) played_by_viewer: Played,
}

/// Plays of this stream, and when the last one was placed, in it or before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::activations) struct Played {
    pub(in crate::activations) last: Option<OffsetDateTime>,
    pub(in crate::activations) count: i64,
}

impl Played {
    const fn and_at(self, now: OffsetDateTime) -> Self {
        Self { last: Some(now), count: self.count + 1 }
    }

    /// Whole seconds of the pause that are left.
    fn rests(self, pause: i32, now: OffsetDateTime) -> Option<i64> {
        let left = self.last? + Duration::seconds(pause.into()) - now;
        let begun = i64::from(left.subsec_nanoseconds() > 0);
        left.is_positive().then(|| left.whole_seconds() + begun)
    }

    fn is_out(self, most: Option<i32>) -> Option<i32> {
        most.filter(|most| self.count >= i64::from(*most))
    }
}

impl Limits {
    fn refusal(&self, now: OffsetDateTime) -> Option<PlaceError> {
        if let Some(most) = self.played_by_viewer.is_out(self.max_per_viewer) {
            return Some(PlaceError::PlayedOut { most, own: true });
        }
        if let Some(most) = self.played.is_out(self.max_per_stream) {
            return Some(PlaceError::PlayedOut { most, own: false });
        }
        let own = self.played_by_viewer.rests(self.viewer_cooldown, now);
        let all = self.played.rests(self.cooldown, now);
        // The longer one is what there is to wait for.
        let seconds = own.max(all)?;
        Some(PlaceError::Resting { seconds, own: own == Some(seconds) && all != Some(seconds) })
    }
}

/// What the wishes of one batch have been granted so far, on top of what the quotes know.
#[derive(Debug, Default)]
pub(in crate::activations) struct Granted {
    plays: HashMap<Uuid, Played>,
    plays_of_viewers: HashMap<(Uuid, Uuid), Played>,
}

impl Granted {
    /// Whether the viewer may play the meme once more.
    pub(in crate::activations) fn check(
        &self,
        limits: &Limits,
        meme: Uuid,
        viewer: Uuid,
        now: OffsetDateTime,
    ) -> Result<(), PlaceError> {
        let limits = Limits {
            played: self.plays.get(&meme).copied().unwrap_or(limits.played),
            played_by_viewer: self.plays_of_viewers.get(&(meme, viewer)).copied().unwrap_or(limits.played_by_viewer),
            ..limits.clone()
        };
        limits.refusal(now).map_or(Ok(()), Err)
    }

    /// The viewer plays it.
    pub(in crate::activations) fn note(&mut self, limits: &Limits, meme: Uuid, viewer: Uuid, now: OffsetDateTime) {
        let plays = self.plays.entry(meme).or_insert(limits.played);
        *plays = plays.and_at(now);
        let plays = self.plays_of_viewers.entry((meme, viewer)).or_insert(limits.played_by_viewer);
        *plays = plays.and_at(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn limits() -> Limits {
        Limits {
            cooldown: 0,
            viewer_cooldown: 0,
            max_per_stream: None,
            max_per_viewer: None,
            played: Played::default(),
            played_by_viewer: Played::default(),
        }
    }

    /// What the second wish of the same viewer, and then one of somebody else, are told.
    fn told(limits: &Limits, later: Duration) -> [Option<String>; 2] {
        let (mut granted, meme, anna, boris) = (Granted::default(), Uuid::nil(), Uuid::now_v7(), Uuid::now_v7());
        granted.check(limits, meme, anna, NOW).unwrap();
        granted.note(limits, meme, anna, NOW);
        [anna, boris]
            .map(|viewer| granted.check(limits, meme, viewer, NOW + later).err().map(|error| error.to_string()))
    }

    #[test]
    fn a_meme_rests_for_everybody_or_for_the_viewer() {
        let rests = |seconds| Some(PlaceError::Resting { seconds, own: false }.to_string());
        let all = Limits { cooldown: 30, ..limits() };
        assert_eq!(told(&all, Duration::milliseconds(500)), [rests(30), rests(30)]);
        assert_eq!(told(&all, Duration::seconds(29)), [rests(1), rests(1)]);
        assert_eq!(told(&all, Duration::seconds(30)), [None, None]);
        let own = Limits { viewer_cooldown: 60, ..limits() };
        assert_eq!(told(&own, Duration::seconds(1)), [rests(59), None]);
        let both = Limits { cooldown: 10, viewer_cooldown: 60, ..limits() };
        assert_eq!(told(&both, Duration::ZERO), [rests(60), rests(10)]);
    }

    #[test]
    fn a_meme_is_played_out_for_everybody_or_for_the_viewer() {
        let out = |most| Some(PlaceError::PlayedOut { most, own: false }.to_string());
        assert_eq!(told(&Limits { max_per_stream: Some(1), ..limits() }, Duration::DAY), [out(1), out(1)]);
        assert_eq!(told(&Limits { max_per_viewer: Some(1), ..limits() }, Duration::DAY), [out(1), None]);
        assert_eq!(told(&Limits { max_per_stream: Some(2), ..limits() }, Duration::ZERO), [None, None]);
    }
}
