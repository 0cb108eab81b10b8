//! What a message is, as far as its words tell.

use std::{fmt, str::FromStr};

/// Words that say no more than that somebody likes it, or laughs. Lower case.
const CHEERS: [&str; 22] = [
    "cool",
    "gg",
    "класс",
    "круто",
    "кек",
    "лол",
    "лайк",
    "lmao",
    "lol",
    "nice",
    "огонь",
    "ого",
    "omg",
    "pog",
    "poggers",
    "супер",
    "super",
    "топ",
    "вау",
    "wow",
    "wp",
    "ура",
];
/// What laughter is made of, over and over.
const LAUGHTER: [&str; 4] = ["ха", "ах", "ha", "хе"];

/// One of these, decided by the first rule that fits:
///
/// 1. [`Question`](Self::Question): a word ends with a question mark, and is no link and not the mark alone;
/// 2. [`Reaction`](Self::Reaction): the last word ends with an exclamation mark, or a word is one of cheer or laughter
///    (`круто`, `wow`, `gg`, `хахаха`);
/// 3. [`General`](Self::General).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Question,
    Reaction,
    General,
}

impl Category {
    pub const ALL: [Self; 3] = [Self::Question, Self::Reaction, Self::General];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Reaction => "reaction",
            Self::General => "general",
        }
    }

    /// What these words are.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.split_whitespace().any(asks) {
            return Self::Question;
        }
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let last = words.peek().is_none();
            if last && word.trim_end_matches(is_closing).ends_with(['!', '！']) || cheers(word) {
                return Self::Reaction;
            }
        }
        Self::General
    }
}

/// What may stand behind the mark that ends a sentence.
fn is_closing(letter: char) -> bool {
    matches!(letter, ')' | ']' | '"' | '\'' | '»' | '”' | '’')
}

fn asks(word: &str) -> bool {
    let is_mark = |letter: char| matches!(letter, '?' | '？' | '!' | '！');
    let marked = word.trim_end_matches(is_closing);
    let bare = marked.trim_end_matches(is_mark);
    let marks = marked.get(bare.len()..).unwrap_or_default();
    marks.contains(['?', '？']) && bare.chars().any(char::is_alphanumeric) && !bare.contains("://")
}

fn cheers(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    CHEERS.contains(&word.as_str()) || is_laughter(&word)
}

/// Two syllables or more, of whose last one the end may be missing.
fn is_laughter(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    letters.len() >= 4
        && LAUGHTER
            .iter()
            .any(|syllable| letters.iter().zip(syllable.chars().cycle()).all(|(one, other)| *one == other))
}

impl FromStr for Category {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|category| category.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_a_question_and_a_link_asks_nothing() {
        for text in ["How?", "почему так?", "really?!", "«правда?»", "what is it? tell me", "why？", "ok? gg!"]
        {
            assert_eq!(Category::of(text), Category::Question, "{text}");
        }
        for text in ["see https://x.example/?q=1", "https://x.example/a?", "?", "???", "a?b", ""] {
            assert_eq!(Category::of(text), Category::General, "{text}");
        }
    }

    #[test]
    fn cheer_and_laughter_are_reactions_and_a_command_is_none() {
        for text in ["Круто", "это было СУПЕР", "wow...", "хахахах", "ahahaha hahaha", "no way!", "(yes!)", "gg wp"]
        {
            assert_eq!(Category::of(text), Category::Reaction, "{text}");
        }
        for text in ["!meme cat", "hi! all of you", "ах", "hello", "superb", "ha"] {
            assert_eq!(Category::of(text), Category::General, "{text}");
        }
        assert!(Category::ALL.iter().all(|category| category.as_str().parse() == Ok(*category)));
    }
}
