//! What is asked of YouTube costs units, of which there are so many a day for all callers together (PLATFORMS 2.6). The day is
//! that of its people: it ends at midnight Pacific time.

use std::time::Duration;

use time::{Date, Month, OffsetDateTime, UtcOffset, ext::NumericalDuration as _, macros::offset};

/// Units, unless Google has granted more.
pub const A_DAY: u32 = 10_000;
/// A page of a chat ([`crate::YouTube::messages`]).
pub const MESSAGES: u32 = 5;
/// A look at a video, a channel or broadcasts.
pub const LOOK: u32 = 1;
/// A message that is said. Google's papers differ, and name 20 by now: this is the safe side.
pub const SAY: u32 = 50;
/// A message that is taken away; the same.
pub const DELETE: u32 = 50;

const STANDARD: UtcOffset = offset!(-8);
const SUMMER: UtcOffset = offset!(-7);

/// The day whose units are spent at that time.
#[must_use]
pub fn day(at: OffsetDateTime) -> Date {
    at.to_offset(pacific(at)).date()
}

/// How long until there are new ones.
#[must_use]
pub fn until_next_day(at: OffsetDateTime) -> Duration {
    let Some(next) = day(at).next_day() else { return Duration::ZERO };
    // Clocks are changed at two: midnight by the wrong ones is one o'clock at most, and by the same ones.
    let about = next.midnight().assume_offset(STANDARD);
    (next.midnight().assume_offset(pacific(about)) - at).unsigned_abs()
}

/// Of California's clocks, by the rule since 2007: summer is from two o'clock on the second Sunday of March to two o'clock on
/// the first one of November.
fn pacific(at: OffsetDateTime) -> UtcOffset {
    let year = at.to_offset(STANDARD).year();
    let begin = sunday(year, Month::March, 2).map(|day| day.midnight().assume_offset(STANDARD) + 2.hours());
    let end = sunday(year, Month::November, 1).map(|day| day.midnight().assume_offset(SUMMER) + 2.hours());
    match begin.zip(end) {
        Some((begin, end)) if (begin..end).contains(&at) => SUMMER,
        _ => STANDARD,
    }
}

fn sunday(year: i32, month: Month, which: u8) -> Option<Date> {
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let until_sunday = (7 - first.weekday().number_days_from_sunday()) % 7;
    first.replace_day(1 + until_sunday + 7 * (which - 1)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_california() {
        for (at, expected) in [
            (datetime!(2026-01-15 07:59:59 UTC), date!(2026 - 01 - 14)),
            (datetime!(2026-01-15 08:00 UTC), date!(2026 - 01 - 15)),
            (datetime!(2026-07-15 06:59:59 UTC), date!(2026 - 07 - 14)),
            (datetime!(2026-07-15 07:00 UTC), date!(2026 - 07 - 15)),
            (datetime!(2026-07-15 09:00 +3), date!(2026 - 07 - 14)),
            (datetime!(2027-01-01 07:59 UTC), date!(2026 - 12 - 31)),
        ] {
            assert_eq!(day(at), expected, "{at}");
        }
    }

    #[test]
    fn clocks_are_changed_on_sundays_at_two() {
        for (at, expected) in [
            (datetime!(2026-03-08 09:59:59 UTC), STANDARD),
            (datetime!(2026-03-08 10:00 UTC), SUMMER),
            (datetime!(2026-11-01 08:59:59 UTC), SUMMER),
            (datetime!(2026-11-01 09:00 UTC), STANDARD),
            (datetime!(2025-03-09 10:00 UTC), SUMMER),
            (datetime!(2025-11-02 08:59:59 UTC), SUMMER),
            (datetime!(2024-03-10 09:59:59 UTC), STANDARD),
            (datetime!(2028-11-05 09:00 UTC), STANDARD),
        ] {
            assert_eq!(pacific(at), expected, "{at}");
        }
    }

    #[test]
    fn a_day_on_which_clocks_are_changed_is_shorter_or_longer() {
        let hours = |at| until_next_day(at).as_secs() / 3600;
        assert_eq!(hours(datetime!(2026-03-07 00:00 -8)), 24);
        assert_eq!(hours(datetime!(2026-03-08 00:00 -8)), 23);
        assert_eq!(hours(datetime!(2026-10-31 00:00 -7)), 24);
        assert_eq!(hours(datetime!(2026-11-01 00:00 -7)), 25);
        assert_eq!(until_next_day(datetime!(2026-07-15 06:59:59 UTC)), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn the_next_day_begins_when_it_is_said_to(second in 1_200_000_000i64..4_000_000_000, nano in 0i32..1_000_000_000) {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap() + time::Duration::nanoseconds(nano.into());
            let next = at + until_next_day(at);
            prop_assert_eq!(Some(day(next)), day(at).next_day());
            prop_assert_eq!(day(next - Duration::from_nanos(1)), day(at));
        }
    }
}
