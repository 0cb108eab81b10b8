//! What a budget is, and what a window of time leaves of it.

use std::time::Duration;

use uuid::Uuid;

use crate::access::{Keys, hmac};

/// Slices of a window.
pub const SLICES: usize = 12;
/// A lease is this part of what is left: large enough that few requests ask for one, and small enough that processes
/// together come close to the end of the budget before the first of them refuses.
const LEASE: u32 = 8;
/// The largest lease.
const MOST_LEASED: u32 = 256;

/// So many uses in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At least 1.
    pub most: u32,
    pub per: Duration,
}

impl Budget {
    /// Milliseconds of one slice.
    fn slice_ms(self) -> i64 {
        i64::try_from(self.per.as_millis()).unwrap_or(i64::MAX).saturating_div(SLICES as i64).max(1)
    }
}

/// Which budget of whom, without saying who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Uuid);

impl Name {
    /// The name of somebody's budget; `whom` is an address or an id.
    #[must_use]
    pub fn of(keys: &Keys, budget: &str, whom: &[u8]) -> Self {
        let hash = hmac(&keys.budgets, &[budget.as_bytes(), &[0], whom]);
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Self(Uuid::from_bytes(half))
    }
}

/// What was used of one budget lately. Times are milliseconds since 1970.
///
/// A use counts until the slice in which it was taken is a window old: for the whole window if it came at the slice's
/// beginning, for eleven twelfths of it at least. The first use begins the first slice, so that a budget that was used up
/// at once is whole again when its time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When the first slice begins.
    pub began_ms: i64,
    /// Uses, the oldest slice first.
    pub slices: [u32; SLICES],
}

/// What a window granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub granted: u32,
    /// What is left for others.
    pub left: u32,
    /// When the slice began that the grant counts in: what is not used of it is given back to this slice.
    pub slice_ms: i64,
    /// The grant is for use until then.
    pub until_ms: i64,
    /// When more is left than now; the present moment if nothing is used.
    pub more_ms: i64,
}

impl Window {
    /// Nothing was used yet.
    #[must_use]
    pub const fn new(now_ms: i64) -> Self {
        Self { began_ms: now_ms, slices: [0; SLICES] }
    }

    /// Takes for `waiting` uses, and some in advance; grants what is left if that is less. With `waiting` 0 nothing is
    /// taken.
    pub fn take(&mut self, now_ms: i64, budget: Budget, waiting: u32) -> Taken {
        let slice = self.move_on(now_ms, budget);
        let left = budget.most.saturating_sub(self.used());
        let wanted = if waiting == 0 { 0 } else { waiting.max((left / LEASE).min(MOST_LEASED)) };
        let granted = wanted.min(left);
        self.slices[slice] += granted;
        let slice_ms = self.start_of(slice, budget);
        let oldest = self.slices.iter().position(|used| *used > 0);
        Taken {
            granted,
            left: left - granted,
            slice_ms,
            until_ms: slice_ms + budget.slice_ms(),
            more_ms: oldest.map_or(now_ms, |oldest| self.start_of(oldest + SLICES, budget)),
        }
    }

    /// Counts uses that were granted without asking.
    pub fn charge(&mut self, now_ms: i64, budget: Budget, uses: u32) {
        let slice = self.move_on(now_ms, budget);
        self.slices[slice] = self.slices[slice].saturating_add(uses);
    }

    /// Takes back what was granted in the slice and not used; nothing if that does not count any more.
    pub fn give_back(&mut self, slice_ms: i64, budget: Budget, uses: u32) {
        let since = slice_ms - self.began_ms;
        if since % budget.slice_ms() != 0 {
            // Of a window that is long over.
            return;
        }
        let slice = usize::try_from(since / budget.slice_ms()).ok().and_then(|slice| self.slices.get_mut(slice));
        if let Some(slice) = slice {
            *slice = slice.saturating_sub(uses);
        }
    }

    /// From then on nothing of it counts.
    #[must_use]
    pub fn ends_ms(&self, budget: Budget) -> i64 {
        let newest = self.slices.iter().rposition(|used| *used > 0);
        newest.map_or(self.began_ms, |newest| self.start_of(newest + SLICES, budget))
    }

    fn used(&self) -> u32 {
        self.slices.iter().fold(0, |sum, used| sum.saturating_add(*used))
    }

    fn start_of(&self, slice: usize, budget: Budget) -> i64 {
        self.began_ms + i64::try_from(slice).unwrap_or(i64::MAX).saturating_mul(budget.slice_ms())
    }

    /// Forgets slices that are a window old; the present one. A clock that was put back stays in the first slice until its
    /// time has come again.
    fn move_on(&mut self, now_ms: i64, budget: Budget) -> usize {
        let present = usize::try_from((now_ms - self.began_ms) / budget.slice_ms()).unwrap_or(0);
        let over = present.saturating_sub(SLICES - 1);
        if over > 0 {
            self.slices.rotate_left(over.min(SLICES));
            self.slices[SLICES - over.min(SLICES)..].fill(0);
            self.began_ms = self.start_of(over, budget);
        }
        if self.slices == [0; SLICES] {
            *self = Self::new(now_ms);
        }
        present.saturating_sub(over).min(usize::try_from((now_ms - self.began_ms) / budget.slice_ms()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Budget = Budget { most: 100, per: Duration::from_secs(60) };
    const ONE_IN_THREE_SECONDS: Budget = Budget { most: 1, per: Duration::from_secs(3) };

    /// One use without anything in advance.
    fn one(window: &mut Window, now_ms: i64, budget: Budget) -> bool {
        let taken = window.take(now_ms, budget, 1);
        window.give_back(taken.slice_ms, budget, taken.granted.saturating_sub(1));
        taken.granted > 0
    }

    #[test]
    fn a_budget_that_was_used_up_at_once_is_whole_again_when_its_time_has_passed() {
        let mut window = Window::new(7);
        assert_eq!((0..150).filter(|_| one(&mut window, 1000, MINUTE)).count(), 100);
        let refused = window.take(60_999, MINUTE, 1);
        assert_eq!((refused.granted, refused.more_ms), (0, 61_000));
        assert_eq!((0..150).filter(|_| one(&mut window, 61_000, MINUTE)).count(), 100);
    }

    #[test]
    fn one_in_three_seconds_is_one_in_three_seconds() {
        let mut window = Window::new(0);
        let granted: Vec<i64> =
            (0..100).map(|n| n * 100).filter(|now| one(&mut window, *now, ONE_IN_THREE_SECONDS)).collect();
        assert_eq!(granted, [0, 3000, 6000, 9000]);
    }

    #[test]
    fn nobody_gets_twice_the_budget_across_a_border() {
        let mut window = Window::new(0);
        assert!(one(&mut window, 0, MINUTE));
        assert_eq!((0..150).filter(|_| one(&mut window, 58_000, MINUTE)).count(), 99);
        assert_eq!((0..150).filter(|_| one(&mut window, 61_000, MINUTE)).count(), 1);
    }

    #[test]
    fn a_lease_is_a_part_of_what_is_left_and_ends_with_its_slice() {
        let mut window = Window::new(0);
        let taken = window.take(1000, MINUTE, 1);
        assert_eq!((taken.granted, taken.left, taken.slice_ms, taken.until_ms), (12, 88, 1000, 6000));
        assert_eq!(window.take(1000, MINUTE, 30).granted, 30, "all that wait, if there is as much");
        assert_eq!(window.take(1000, MINUTE, 70).granted, 58, "what is left");
        assert_eq!(
            window.take(1000, MINUTE, 0),
            Taken { granted: 0, left: 0, slice_ms: 1000, until_ms: 6000, more_ms: 61_000 }
        );
    }

    #[test]
    fn what_is_given_back_too_late_takes_nothing_from_others() {
        let mut window = Window::new(0);
        let taken = window.take(0, MINUTE, 10);
        window.take(61_000, MINUTE, 50);
        let before = window;
        window.give_back(taken.slice_ms, MINUTE, taken.granted);
        assert_eq!(window, before);
    }

    #[test]
    fn a_clock_that_was_put_back_grants_nothing_beyond_the_budget() {
        let mut window = Window::new(1_000_000);
        window.take(1_000_000, MINUTE, 60);
        assert_eq!(window.take(10, MINUTE, 60).granted, 40);
        assert_eq!(window.take(20, MINUTE, 1).granted, 0);
    }

    #[test]
    fn names_differ_by_budget_and_person_and_say_neither() {
        let keys = Keys::derive(b"a secret");
        let name = Name::of(&keys, "general", b"10.0.0.1");
        assert_eq!(name, Name::of(&keys, "general", b"10.0.0.1"));
        for other in [
            Name::of(&keys, "general", b"10.0.0.2"),
            Name::of(&keys, "genera", b"l10.0.0.1"),
            Name::of(&Keys::derive(b"another"), "general", b"10.0.0.1"),
        ] {
            assert_ne!(name, other);
        }
    }

    proptest! {
        /// Whoever asks when, for how much, and gives back whichever part: in no eleven twelfths of the window more is used
        /// than there is, and what is refused was not there.
        #[test]
        fn no_window_grants_more_than_there_is(
            most in 1u32..40,
            steps in prop::collection::vec((0i64..20_000, 0u32..8, 0u32..8), 1..200),
        ) {
            let budget = Budget { most, per: Duration::from_secs(60) };
            let mut window = Window::new(0);
            let (mut now, mut uses) = (0, Vec::new());
            for (pause, waiting, unused) in steps {
                now += pause;
                let taken = window.take(now, budget, waiting);
                let counted: u32 = uses.iter().filter(|(at, _)| now - at < 55_000).map(|(_, used)| used).sum();
                prop_assert!(counted + taken.granted <= most, "{counted} and {} of {most} at {now}", taken.granted);
                prop_assert!(taken.granted >= waiting || taken.left == 0);
                let unused = unused.min(taken.granted);
                window.give_back(taken.slice_ms, budget, unused);
                uses.push((now, taken.granted - unused));
                prop_assert!(window.ends_ms(budget) <= now + 60_000);
            }
        }
    }
}
