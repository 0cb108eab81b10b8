//! What rolls in the credits.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// `credits:state`: all of it, in order of first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CreditsState {
    pub chatters: Vec<Chatter>,
    pub donors: Vec<Donor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chatter {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// One person's donations in one currency, summed over the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Donor {
    pub name: String,
    pub amount: Amount,
    /// Upper case, e.g. `RUB`.
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// `credits:config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditsConfig {
    pub credits_style_json: Option<String>,
}

/// Money that was donated, in hundredths of its currency; on the wire a decimal number (`100`, `99.5`). Only shown,
/// never reckoned with coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    hundredths: i64,
}

impl Amount {
    /// No donation is larger (in hundredths); keeps sums far from overflow.
    const MAX: i64 = 100_000_000_000_000;

    #[must_use]
    pub const fn from_hundredths(hundredths: i64) -> Self {
        Self { hundredths }
    }

    /// As JSON has it, to be shown. `MAX` keeps every amount within what a float tells apart.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "MAX is below 2^53")]
    pub const fn as_f64(self) -> f64 {
        self.hundredths as f64 / 100.0
    }

    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.hundredths
    }
}

/// A positive decimal number. Digits after the second decimal are cut.
impl FromStr for Amount {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(());
        }
        let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
        let whole: i64 = whole.parse().map_err(drop)?;
        let rest: i64 = fraction.parse().map_err(drop)?;
        let hundredths = whole.checked_mul(100).and_then(|whole| whole.checked_add(rest)).ok_or(())?;
        if (1..=Self::MAX).contains(&hundredths) { Ok(Self { hundredths }) } else { Err(()) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.hundredths % 100 == 0 {
            return serializer.serialize_i64(self.hundredths / 100);
        }
        serializer.serialize_f64(self.as_f64())
    }
}

/// Somebody who wrote in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub channel_id: Uuid,
    /// The platform's id of the person.
    pub user_id: String,
    pub display_name: String,
}

/// A chatter to be told to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub id: Uuid,
    pub channel_slug: String,
    /// `<platform>:<the platform's id>`: ids of two platforms may be the same.
    pub user_id: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
}

/// `POST /internal/credits/chatter`.
#[derive(Debug, Clone)]
pub struct ChatterEvent {
    pub channel_slug: String,
    pub user_id: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
}

/// `POST /internal/credits/donor`.
#[derive(Debug, Clone)]
pub struct DonorEvent {
    pub channel_slug: String,
    pub name: String,
    pub amount: Amount,
    pub currency: String,
    pub avatar_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_numbers_with_two_places() {
        for (text, hundredths, shown) in [
            ("100", 10_000, "100"),
            ("99.5", 9_950, "99.5"),
            ("0.01", 1, "0.01"),
            ("1.239", 123, "1.23"),
            ("1.0", 100, "1"),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.hundredths(), amount.to_string().as_str()), (hundredths, shown), "{text}");
        }
        for text in ["", "0", "0.001", "-1", "1e3", "1.", ".5", "x", "99999999999999999999"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert_eq!(serde_json::to_string(&Amount::from_hundredths(9_950)).unwrap(), "99.5");
        assert_eq!(serde_json::to_string(&Amount::from_hundredths(10_000)).unwrap(), "100");
    }
}
