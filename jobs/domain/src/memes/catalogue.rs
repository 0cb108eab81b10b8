//! A channel's memes as they are looked through: in which order, which of them, and from where on.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Meme;
use crate::media::MediaType;

/// The most memes that are counted; whoever has more hears this many.
pub const MOST_COUNTED: i64 = 10_000;
/// Characters of what is searched for.
pub const MAX_QUERY: usize = 200;
/// Words of it that count.
const MAX_WORDS: usize = 8;

/// Each walks an index of its own; ties go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    /// Those that were shown most, of all time; of two the newer one.
    Popular,
    /// The cheapest first, before promotions.
    Price,
    /// By the alphabet, in small letters.
    Title,
}

/// Which memes; those that meet all conditions.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kind: Option<MediaType>,
    pub tag: Option<String>,
    /// Coins, before promotions.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
}

/// Right after this meme, in the order that the variant names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Place {
    Newest {
        #[serde(with = "time::serde::timestamp::microseconds")]
        at: OffsetDateTime,
        id: Uuid,
    },
    Popular {
        plays: i64,
        id: Uuid,
    },
    /// Of two at one price the one with a price of its own comes first, then the shorter one. `seconds`: none where the price
    /// is its own.
    Price {
        price: i64,
        seconds: Option<i32>,
        id: Uuid,
    },
    /// As it is compared.
    Title {
        title: String,
        id: Uuid,
    },
    /// Among what was found.
    Found {
        rank: f32,
        id: Uuid,
    },
}

impl Place {
    /// Whether it is one in this order; none: of what was found.
    #[must_use]
    pub const fn is_in(&self, order: Option<Order>) -> bool {
        matches!(
            (self, order),
            (Self::Newest { .. }, Some(Order::Newest))
                | (Self::Popular { .. }, Some(Order::Popular))
                | (Self::Price { .. }, Some(Order::Price))
                | (Self::Title { .. }, Some(Order::Title))
                | (Self::Found { .. }, None)
        )
    }
}

/// A meme, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub meme: Meme,
    pub place: Place,
}

/// A tag of a channel, and how many memes have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    pub tag: String,
    pub count: i64,
}

/// The words of a question, without what stands between them.
pub(super) fn words(question: &str) -> Vec<String> {
    question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(str::to_lowercase)
        .collect()
}

/// Whether somebody who meant `known` may have typed `typed`: one slip in a short word, two in a long one, of a letter too
/// many, too few, another one, or two that changed places. Words of three letters are what they are.
pub(super) fn slips(typed: &str, known: &str) -> Option<usize> {
    let (typed, known): (Vec<char>, Vec<char>) = (typed.chars().collect(), known.chars().collect());
    let allowed = match typed.len() {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    };
    let slips = distance(&typed, &known);
    (slips <= allowed).then_some(slips)
}

/// Optimal string alignment.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_its_words() {
        assert_eq!(words("  Смешной кот-космонавт, №7! "), ["смешной", "кот", "космонавт", "7"]);
        assert_eq!(words("' & | ! :* \\ <->"), [""; 0]);
        assert_eq!(words(&"a ".repeat(50)).len(), MAX_WORDS);
    }

    #[test]
    fn a_slip_of_the_finger_is_forgiven_and_another_word_is_not() {
        for (typed, known, slips_) in [
            ("котик", "котик", Some(0)),
            ("коитк", "котик", Some(1)),
            ("котк", "котик", Some(1)),
            ("коттик", "котик", Some(1)),
            ("explosoin", "explosion", Some(1)),
            ("eksplosion", "explosion", Some(2)),
            ("кит", "кот", None),
            ("собака", "котик", None),
            ("танец", "танк", None),
        ] {
            assert_eq!(slips(typed, known), slips_, "{typed} {known}");
        }
    }
}
