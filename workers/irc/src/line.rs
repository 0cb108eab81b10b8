//! One line: `@tags :prefix COMMAND middle middle :trailing`.

use std::fmt;

use crate::Tags;

/// A line of the protocol, without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub tags: Tags,
    /// `nick!user@host` or a server's name.
    pub prefix: Option<String>,
    /// Upper case, or three digits.
    pub command: String,
    /// In order; only the last may hold spaces, be empty or begin with a colon.
    pub params: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the line is empty")]
    Empty,
    #[error("the line is not UTF-8")]
    NotUtf8,
    #[error("the line holds a CR, LF or NUL")]
    ForbiddenByte,
    #[error("the line has no command")]
    NoCommand,
    #[error("the command is neither letters nor three digits")]
    BadCommand,
}

impl Line {
    /// A line of ours without tags and prefix.
    #[must_use]
    pub fn new<'a>(command: &str, params: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            tags: Tags::new(),
            prefix: None,
            command: command.to_owned(),
            params: params.into_iter().map(str::to_owned).collect(),
        }
    }

    /// `PRIVMSG #channel :text`, for the channel with this login.
    #[must_use]
    pub fn privmsg(login: &str, text: &str) -> Self {
        Self::new("PRIVMSG", [format!("#{login}").as_str(), text])
    }

    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    #[must_use]
    pub fn with_tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }

    /// Reads a line as it came from the wire, line end removed.
    ///
    /// # Errors
    /// The bytes are not a line; which rule they broke.
    pub fn parse_bytes(raw: &[u8]) -> Result<Self, ParseError> {
        Self::parse(std::str::from_utf8(raw).map_err(|_| ParseError::NotUtf8)?)
    }

    /// [`Line::parse_bytes`] of text.
    ///
    /// # Errors
    /// The text is not a line; which rule it broke.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        if raw.contains(['\r', '\n', '\0']) {
            return Err(ParseError::ForbiddenByte);
        }
        if raw.trim_matches(' ').is_empty() {
            return Err(ParseError::Empty);
        }
        let mut rest = raw;
        let mut tags = Tags::new();
        if let Some(tagged) = rest.strip_prefix('@') {
            let (written, after) = tagged.split_once(' ').ok_or(ParseError::NoCommand)?;
            tags = Tags::parse(written);
            rest = after.trim_start_matches(' ');
        }
        let mut prefix = None;
        if let Some(prefixed) = rest.strip_prefix(':') {
            let (written, after) = prefixed.split_once(' ').ok_or(ParseError::NoCommand)?;
            prefix = Some(written.to_owned());
            rest = after.trim_start_matches(' ');
        }
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let numeric = command.len() == 3 && command.bytes().all(|byte| byte.is_ascii_digit());
        match command.is_empty() {
            true => return Err(ParseError::NoCommand),
            false if !numeric && !command.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                return Err(ParseError::BadCommand);
            }
            false => {}
        }
        let mut params = Vec::new();
        loop {
            rest = rest.trim_start_matches(' ');
            if let Some(trailing) = rest.strip_prefix(':') {
                params.push(trailing.to_owned());
                break;
            }
            if rest.is_empty() {
                break;
            }
            let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
            params.push(param.to_owned());
            rest = after;
        }
        Ok(Self { tags, prefix, command: command.to_ascii_uppercase(), params })
    }

    /// The login in the prefix `login!user@host`; `None` when a server speaks.
    #[must_use]
    pub fn nick(&self) -> Option<&str> {
        self.prefix.as_deref()?.split_once('!').map(|(nick, _)| nick)
    }

    #[must_use]
    pub fn param(&self, index: usize) -> Option<&str> {
        self.params.get(index).map(String::as_str)
    }

    /// The login in a parameter `#login`.
    #[must_use]
    pub fn channel(&self, index: usize) -> Option<&str> {
        self.param(index)?.strip_prefix('#').filter(|login| !login.is_empty())
    }
}

/// The line without its end. Bytes that would end it early (CR, LF, NUL) become spaces: whatever the parts hold, the
/// result is one line.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let safe = |part: &str| part.replace(['\r', '\n', '\0'], " ");
        if !self.tags.is_empty() {
            write!(f, "@{} ", self.tags)?;
        }
        if let Some(prefix) = &self.prefix {
            write!(f, ":{} ", safe(prefix))?;
        }
        f.write_str(&safe(&self.command))?;
        if let Some((last, middle)) = self.params.split_last() {
            for param in middle {
                write!(f, " {}", safe(param))?;
            }
            let last = safe(last);
            let colon = if last.is_empty() || last.contains(' ') || last.starts_with(':') { ":" } else { "" };
            // Twitch writes the colon before every message, also of one word.
            let colon = if self.command == "PRIVMSG" { ":" } else { colon };
            write!(f, " {colon}{last}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_tags_prefix_command_and_trailing() {
        let line = Line::parse("@id=1;mod=0 :ann!ann@ann.tmi.twitch.tv PRIVMSG #chan :hello : world").unwrap();
        assert_eq!(line.nick(), Some("ann"));
        assert_eq!(
            (line.command.as_str(), line.channel(0), line.param(1)),
            ("PRIVMSG", Some("chan"), Some("hello : world"))
        );
        assert_eq!(line.tags.get("id"), Some("1"));
    }

    #[test]
    fn refuses_what_is_not_a_line() {
        for (raw, error) in [
            ("", ParseError::Empty),
            ("   ", ParseError::Empty),
            ("@a=1", ParseError::NoCommand),
            (":server", ParseError::NoCommand),
            ("@a=1 :server ", ParseError::NoCommand),
            ("PING\u{1F600}", ParseError::BadCommand),
            ("PING a\nPRIVMSG #b :c", ParseError::ForbiddenByte),
        ] {
            assert_eq!(Line::parse(raw), Err(error), "{raw:?}");
        }
        assert_eq!(Line::parse_bytes(b"PRIVMSG #a :\xff"), Err(ParseError::NotUtf8));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(raw in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = Line::parse_bytes(&raw);
        }

        #[test]
        fn a_written_line_is_read_back(
            tags in proptest::collection::vec(("[a-z-]{1,8}", "[^\0]{0,12}"), 0..4),
            prefix in proptest::option::of("[a-z0-9_]{1,8}![a-z]{1,4}@[a-z.]{1,8}"),
            command in "[A-Z]{1,8}|[0-9]{3}",
            middle in proptest::collection::vec("[#a-z0-9_*]{1,8}", 0..3),
            last in proptest::option::of("[^\r\n\0]{0,40}"),
        ) {
            let tags = tags.into_iter().fold(Tags::new(), |tags, (name, value)| tags.with(&name, value));
            let params = middle.into_iter().chain(last).collect();
            let line = Line { tags, prefix, command, params };
            prop_assert_eq!(Line::parse(&line.to_string()), Ok(line));
        }

        #[test]
        fn no_parts_make_two_lines(prefix in any::<String>(), command in any::<String>(), param in any::<String>(), tag in any::<String>()) {
            let line = Line {
                tags: Tags::new().with(&tag, tag.clone()),
                prefix: Some(prefix),
                command,
                params: vec![param.clone(), param],
            };
            prop_assert!(!line.to_string().contains(['\r', '\n', '\0']));
        }
    }
}
