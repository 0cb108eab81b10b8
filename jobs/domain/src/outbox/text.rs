//! What a bot may say: one line, within the platform's limit, and never an order to the platform.

use std::fmt;

use crate::unseen::is_unseen;

/// Of one message, in characters.
pub const MAX_CHARS: usize = 500;

/// Stands before a text that begins with `/` or `.`: the platform would read it as an order (`/ban`). Not seen in chat.
const SHIELD: char = '\u{200B}';
/// Stands after a text that was refused as a copy of the last one. Not seen in chat.
const VARIATION: char = '\u{E0000}';

/// Stands where a text was cut.
const CUT: char = '…';

/// A text that is exactly one message: no line breaks, within the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the message is empty")]
    Empty,
    #[error("the message has more than {MAX_CHARS} characters")]
    TooLong,
    #[error("the message begins like an order to the platform (/ban, .ban), which a bot does not give")]
    Order,
}

impl Text {
    /// Makes line breaks and other control characters spaces, trims, and disarms a leading `/` or `.`.
    ///
    /// # Errors
    /// Nothing is left, or it does not fit into one message.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        let text = clean(raw);
        match text.is_empty() {
            true => Err(TextError::Empty),
            false if !fits(&text) => Err(TextError::TooLong),
            false => Ok(Self(text)),
        }
    }

    /// [`Text::new`] for what a person wants said: who writes `/ban ann` means an order and not these words, and is told
    /// that it is none. A dot before anything but a letter is no order (`...`).
    ///
    /// # Errors
    /// As [`Text::new`]; [`TextError::Order`].
    pub fn of_person(raw: &str) -> Result<Self, TextError> {
        let text = Self::new(raw)?;
        let mut seen = text.0.chars().skip_while(|char| is_unseen(*char) || char.is_whitespace());
        match (seen.next(), seen.next()) {
            (Some('/'), _) => Err(TextError::Order),
            (Some('.'), Some(next)) if next.is_alphabetic() => Err(TextError::Order),
            _ => Ok(text),
        }
    }

    /// [`Text::new`] that cuts what is too long, at a character; `None` when nothing is left.
    #[must_use]
    pub fn cut(raw: &str) -> Option<Self> {
        let mut text = clean(raw);
        if !fits(&text) {
            text = text.chars().take(MAX_CHARS - 1).collect();
            text.push(CUT);
        }
        (!text.is_empty()).then_some(Self(text))
    }

    /// The same text in another shape, for a platform that drops copies. A text at the limit loses its last character.
    #[must_use]
    pub fn varied(&self) -> Self {
        let mut text = self.0.clone();
        text.push(VARIATION);
        while !fits(&text) {
            text.pop();
            text.pop();
            text.push(VARIATION);
        }
        Self(text)
    }

    /// The text as lines of at most so many bytes of UTF-8 (20 at least), for a way that counts them: what is too long goes on in the
    /// next one, from a space where there is one. None of them is an order, and each has the mark of [`Text::varied`] where the
    /// whole has it.
    #[must_use]
    pub fn lines(&self, bytes: usize) -> Vec<Self> {
        if self.0.len() <= bytes {
            return vec![self.clone()];
        }
        let (mut rest, mark) = match self.0.strip_suffix(VARIATION) {
            Some(said) => (said, VARIATION.to_string()),
            None => (self.0.as_str(), String::new()),
        };
        let room = bytes.saturating_sub(mark.len() + SHIELD.len_utf8());
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let fits = if rest.len() <= room { rest.len() } else { rest.floor_char_boundary(room) };
            let space = rest[..fits].rfind(' ').filter(|at| fits < rest.len() && *at > fits / 2);
            let (line, further) = rest.split_at(space.unwrap_or(fits));
            let line = clean(line);
            if !line.is_empty() {
                lines.push(Self(format!("{line}{mark}")));
            }
            rest = further.trim_start();
        }
        lines
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the text says, without the marks of [`Text::new`] and [`Text::varied`]: equal for a message and its echo.
    #[must_use]
    pub fn plain(raw: &str) -> &str {
        raw.trim_start_matches(SHIELD).trim_end_matches(VARIATION).trim()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn clean(raw: &str) -> String {
    let spaced: String = raw.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let text = spaced.trim();
    match text.starts_with(['/', '.']) {
        true => format!("{SHIELD}{text}"),
        false => text.to_owned(),
    }
}

fn fits(text: &str) -> bool {
    text.chars().count() <= MAX_CHARS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_break_becomes_a_space() {
        assert_eq!(Text::new("hi\r\nPRIVMSG #other :boo\0").unwrap().as_str(), "hi  PRIVMSG #other :boo");
    }

    #[test]
    fn an_order_to_the_platform_is_disarmed() {
        for raw in ["/ban ann", ".ban ann", "  /ban ann"] {
            let text = Text::new(raw).unwrap();
            assert!(!text.as_str().starts_with(['/', '.']), "{raw}");
            assert_eq!(Text::plain(text.as_str()), raw.trim());
        }
    }

    #[test]
    fn a_person_who_gives_an_order_is_told_that_it_is_none() {
        for raw in ["/ban ann", ".ban ann", "  /ban ann", "\r\n/me waves", "\u{200b}/ban ann", "\u{a0}.BAN ann", "//"] {
            assert_eq!(Text::of_person(raw), Err(TextError::Order), "{raw:?}");
        }
        for raw in ["hi /ban", "...and then", ".", ". so", ".5 is half", "!memes"] {
            assert!(Text::of_person(raw).is_ok(), "{raw:?}");
        }
    }

    #[test]
    fn the_limit_is_500_characters_however_many_bytes() {
        assert!(Text::new(&"a".repeat(500)).is_ok());
        assert_eq!(Text::new(&"a".repeat(501)), Err(TextError::TooLong));
        assert!(Text::new(&"я".repeat(500)).is_ok());
        assert_eq!(Text::new(&"я".repeat(501)), Err(TextError::TooLong));
        assert_eq!(Text::new(" \n "), Err(TextError::Empty));
    }

    #[test]
    fn what_a_way_has_no_bytes_for_goes_on_in_the_next_line_and_keeps_its_mark() {
        let lines = |text: &Text, bytes| -> Vec<String> { text.lines(bytes).into_iter().map(|line| line.0).collect() };
        let long = Text::new(&"я".repeat(500)).unwrap();
        assert_eq!(lines(&long, 512), ["я".repeat(254), "я".repeat(246)]);
        let varied = Text::new(&"я".repeat(300)).unwrap().varied();
        assert_eq!(
            lines(&varied, 512),
            [format!("{}{VARIATION}", "я".repeat(252)), format!("{}{VARIATION}", "я".repeat(48))]
        );
        assert_eq!(lines(&Text::new("short").unwrap(), 512), ["short"]);
        assert_eq!(
            lines(&Text::new("say nothing here /ban anna").unwrap(), 20),
            ["say nothing here", "\u{200b}/ban anna"]
        );
    }

    proptest! {
        #[test]
        fn whatever_goes_on_in_further_lines_is_all_there_and_no_order(raw in any::<String>(), bytes in 20_usize..600) {
            let Ok(text) = Text::new(&raw) else { return Ok(()) };
            let bare = |text: &str| -> String {
                text.chars().filter(|char| !char.is_whitespace() && *char != SHIELD && *char != VARIATION).collect()
            };
            for text in [text.varied(), text] {
                let lines = text.lines(bytes);
                prop_assert!(lines.iter().all(|line| line.0.len() <= bytes && !line.0.starts_with(['/', '.'])));
                let all: String = lines.iter().map(|line| bare(&line.0)).collect();
                prop_assert_eq!(all, bare(&text.0));
            }
        }

        #[test]
        fn whatever_is_said_is_one_line_within_the_limits(raw in any::<String>()) {
            let Ok(text) = Text::new(&raw) else { return Ok(()) };
            for text in [text.varied(), text] {
                prop_assert!(fits(text.as_str()));
                prop_assert!(!text.as_str().chars().any(char::is_control));
                prop_assert!(!text.as_str().starts_with(['/', '.']));
            }
        }

        #[test]
        fn a_cut_text_fits_and_keeps_its_beginning(raw in "[a-zа-я /.]{0,700}") {
            let Some(text) = Text::cut(&raw) else { return Ok(()) };
            prop_assert!(fits(text.as_str()));
            let kept = Text::plain(text.as_str()).trim_end_matches('…').trim_end();
            prop_assert!(raw.trim().starts_with(kept));
        }
    }
}
