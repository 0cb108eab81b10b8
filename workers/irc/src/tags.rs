//! IRCv3 tags: `@name=value;flag`, with the escapes of Twitch.

use std::fmt::{self, Write as _};

/// The tags of one line, in their order. A missing value and an empty one are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what stands between `@` and the first space.
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        Self(
            raw.split(';')
                .filter(|tag| !tag.is_empty())
                .map(|tag| {
                    let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
                    (name.to_owned(), unescape(value))
                })
                .collect(),
        )
    }

    /// The value of the tag; `None` when it is absent or empty. Of doubles, the last one counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// Adds a tag at the end. Characters that no name may have would change the line's shape: they are dropped.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let name: String = name.chars().filter(|c| !matches!(c, '=' | ';' | ' ' | '\r' | '\n' | '\0')).collect();
        if !name.is_empty() {
            self.0.push((name, value.into()));
        }
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ";" };
            write!(f, "{separator}{name}=")?;
            escape(value, f)?;
        }
        Ok(())
    }
}

/// A backslash before any other character is dropped, as is a lone one at the end.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('s') => out.push(' '),
            Some(':') => out.push(';'),
            Some('r') => out.push('\r'),
            Some('n') => out.push('\n'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn escape(value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for char in value.chars() {
        match char {
            ' ' => f.write_str("\\s")?,
            ';' => f.write_str("\\:")?,
            '\\' => f.write_str("\\\\")?,
            '\r' => f.write_str("\\r")?,
            '\n' => f.write_str("\\n")?,
            // No escape exists for it, and it may not stand in a line.
            '\0' => {}
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_every_escape_and_drops_the_unknown_ones() {
        for (raw, meant) in
            [(r"a\sb", "a b"), (r"a\:b", "a;b"), (r"a\\b", r"a\b"), (r"\r\n", "\r\n"), (r"a\bc", "abc"), (r"a\", "a")]
        {
            assert_eq!(unescape(raw), meant, "{raw}");
        }
    }

    #[test]
    fn an_empty_value_and_a_missing_one_are_the_same() {
        let tags = Tags::parse("a=;b;c=1");
        assert_eq!((tags.get("a"), tags.get("b"), tags.get("c"), tags.get("d")), (None, None, Some("1"), None));
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_back(value in "[^\0]{0,64}") {
            let tags = Tags::new().with("k", value.clone());
            let written = tags.to_string();
            prop_assert!(!written.contains([' ', '\r', '\n']));
            let read = Tags::parse(&written);
            prop_assert_eq!(read.get("k").unwrap_or_default(), value);
        }

        #[test]
        fn any_text_is_read_without_a_panic(raw in any::<String>()) {
            let _ = Tags::parse(&raw);
        }
    }
}
