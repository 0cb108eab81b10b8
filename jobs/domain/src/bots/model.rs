//! Switches and commands.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::outbox::Provider;

/// The switch of one platform's bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integration {
    pub provider: Provider,
    pub enabled: bool,
    /// `None`: never touched.
    pub updated_at: Option<OffsetDateTime>,
}

/// A message that may call a command.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub channel_id: Uuid,
    pub text: &'a str,
    /// As the chat shows the viewer.
    pub author: &'a str,
}

/// What a command says to a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub channel_id: Uuid,
    pub text: String,
}

/// A command as it is matched.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) channel_id: Uuid,
    pub(super) slug: String,
    /// Normalized.
    pub(super) trigger: String,
    pub(super) response: String,
}

impl Command {
    /// Whether the text is the trigger, alone or followed by more words.
    pub(super) fn is_called_by(&self, normalized: &str) -> bool {
        normalized.strip_prefix(self.trigger.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }
}

/// Lower case, one space between words.
pub(super) fn normalize(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_called_by_its_words_in_any_case_with_or_without_more() {
        let command = Command {
            channel_id: Uuid::nil(),
            slug: String::new(),
            trigger: normalize("!My  Memes"),
            response: String::new(),
        };
        for (text, called) in [
            ("!my memes", true),
            ("  !MY   MEMES  ", true),
            ("!my memes please", true),
            ("!my memesplease", false),
            ("say !my memes", false),
            ("", false),
        ] {
            assert_eq!(command.is_called_by(&normalize(text)), called, "{text:?}");
        }
    }
}
