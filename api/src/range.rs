//! Parts of a file, as `Range` asks for them (RFC 9110, section 14).

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything: nothing was asked, or not in a way that we follow (several parts, other units).
    Whole,
    /// `length` bytes from `start`; never empty.
    Bytes { start: u64, length: u64 },
    /// Nothing of what was asked exists.
    None,
}

impl Part {
    /// Reads a `Range` header for a file of `size` bytes.
    pub(crate) fn of(range: Option<&str>, size: u64) -> Self {
        let Some((first, last)) = range.and_then(|range| range.trim().strip_prefix("bytes=")).and_then(split) else {
            return Self::Whole;
        };
        let (start, end) = match (first, last) {
            // The last so many.
            (None, Some(0)) => return Self::None,
            (None, Some(count)) => (size.saturating_sub(count), size),
            (Some(first), None) => (first, size),
            (Some(first), Some(last)) if last < first => return Self::Whole,
            (Some(first), Some(last)) => (first, last.saturating_add(1).min(size)),
            (None, None) => return Self::Whole,
        };
        if start >= end { Self::None } else { Self::Bytes { start, length: end - start } }
    }
}

/// `first-last`, either of which may be missing. None when it is anything else.
fn split(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_what_browsers_ask() {
        for (range, part) in [
            (None, Part::Whole),
            (Some("bytes=0-"), Part::Bytes { start: 0, length: 100 }),
            (Some("bytes=10-19"), Part::Bytes { start: 10, length: 10 }),
            (Some("bytes=90-500"), Part::Bytes { start: 90, length: 10 }),
            (Some("bytes=-30"), Part::Bytes { start: 70, length: 30 }),
            (Some("bytes=-300"), Part::Bytes { start: 0, length: 100 }),
            (Some("bytes=99-99"), Part::Bytes { start: 99, length: 1 }),
            (Some("bytes=100-"), Part::None),
            (Some("bytes=-0"), Part::None),
            (Some("bytes=5-4"), Part::Whole),
            (Some("bytes=0-1,5-6"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("bytes=+1-2"), Part::Whole),
            (Some("lines=0-1"), Part::Whole),
            (Some("bytes=0-18446744073709551615"), Part::Bytes { start: 0, length: 100 }),
            (Some("bytes=0-99999999999999999999"), Part::Whole),
        ] {
            assert_eq!(Part::of(range, 100), part, "{range:?}");
        }
        assert_eq!(Part::of(Some("bytes=0-"), 0), Part::None);
        assert_eq!(Part::of(None, 0), Part::Whole);
    }
}
