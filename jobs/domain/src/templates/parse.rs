//! Reading a template.

use super::{Gap, MAX_COUNTER_NAME, MAX_TEMPLATE, Occasion, Part, Template};
use crate::{outbox::Text, unseen::is_blank};

/// Texts of which one is chosen.
const MAX_CHOICES: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("{{{name}}} is no variable here: there are {known}; write {{{{ for a brace", known = occasion.variables())]
    Unknown { name: String, occasion: Occasion },
    #[error("a {{ is never closed: write {{{{ for a brace")]
    NotClosed,
    #[error("a }} without a {{ before it: write }}}} for a brace")]
    NotOpened,
    #[error("{{{0}}}: a counter's name has 1 to {MAX_COUNTER_NAME} of a to z, 0 to 9 and _")]
    CounterName(String),
    #[error(
        "{{{0}}}: texts with | between them, 2 to {MAX_CHOICES}, or two numbers with - between them, the smaller first"
    )]
    Random(String),
}

/// Whether the text can be kept as a template: it can be seen, is not too long, is understood, and is no order to the platform.
///
/// # Errors
/// What is wrong, for whoever wrote it.
pub(crate) fn check(text: &str, occasion: Occasion) -> Result<(), String> {
    if is_blank(text) || text.chars().count() > MAX_TEMPLATE {
        return Err(format!("1 to {MAX_TEMPLATE} characters, not all of them blank"));
    }
    // What is longer than a chat message is cut when it is said; an order is refused now.
    let beginning: String = text.chars().take(100).collect();
    Text::of_person(&beginning).map_err(|error| error.to_string())?;
    Template::parse(text, occasion).map_err(|error| error.to_string())?;
    Ok(())
}

impl Template {
    /// Reads what a streamer has written. `{{` and `}}` are braces.
    ///
    /// # Errors
    /// What is not understood, for whoever wrote it.
    pub fn parse(text: &str, occasion: Occasion) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            plain.push_str(&rest[..place]);
            let brace = &rest[place..=place];
            let after = &rest[place + 1..];
            if let Some(doubled) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = doubled;
                continue;
            }
            if brace == "}" {
                return Err(TemplateError::NotOpened);
            }
            let (name, after) = after.split_once('}').ok_or(TemplateError::NotClosed)?;
            if name.contains('{') {
                return Err(TemplateError::NotClosed);
            }
            let unknown = || TemplateError::Unknown { name: name.to_owned(), occasion };
            let gap = gap(name)?.filter(|gap| occasion.allows(gap)).ok_or_else(unknown)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Gap(gap));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

/// What stands between the braces; none when nothing is called so.
fn gap(name: &str) -> Result<Option<Gap>, TemplateError> {
    if let Some((kind, argument)) = name.split_once(':') {
        return match kind {
            "counter" => Ok(Some(Gap::Counter(counter(name, argument)?))),
            "peek" => Ok(Some(Gap::Peek(counter(name, argument)?))),
            "random" => random(argument).map(Some).ok_or_else(|| TemplateError::Random(name.to_owned())),
            _ => Ok(None),
        };
    }
    Ok(Some(match name {
        "user" => Gap::User,
        "touser" => Gap::ToUser,
        "channel" => Gap::Channel,
        "channelUrl" => Gap::ChannelUrl,
        "args" => Gap::Args,
        "count" => Gap::Count,
        "uptime" => Gap::Uptime,
        "hours" => Gap::Hours,
        "minutes" => Gap::Minutes,
        "totalMinutes" => Gap::TotalMinutes,
        _ => match name.as_bytes() {
            [digit @ b'1'..=b'9'] => Gap::Word(usize::from(digit - b'0')),
            _ => return Ok(None),
        },
    }))
}

/// A counter's name, in lower case.
fn counter(whole: &str, name: &str) -> Result<String, TemplateError> {
    let name = name.trim().to_ascii_lowercase();
    let sound = (1..=MAX_COUNTER_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if sound { Ok(name) } else { Err(TemplateError::CounterName(whole.to_owned())) }
}

fn random(argument: &str) -> Option<Gap> {
    if argument.contains('|') {
        let choices: Vec<String> = argument.split('|').map(|choice| choice.trim().to_owned()).collect();
        return (choices.len() <= MAX_CHOICES).then_some(Gap::Choice(choices));
    }
    let (least, most) = argument.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u32>().ok().map(i64::from);
    let (least, most) = (number(least)?, number(most)?);
    (least < most).then_some(Gap::Number(least, most))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn command(text: &str) -> Result<Template, TemplateError> {
        Template::parse(text, Occasion::Command)
    }

    #[test]
    fn reads_text_and_gaps() {
        let parts = command("Hi {user}, {{x}} {random: a | b}{2}").unwrap().0;
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(
            parts,
            [
                text("Hi "),
                Part::Gap(Gap::User),
                text(", {x} "),
                Part::Gap(Gap::Choice(vec!["a".to_owned(), "b".to_owned()])),
                Part::Gap(Gap::Word(2)),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_said_to_whoever_wrote_it() {
        let says = |text: &str| command(text).unwrap_err().to_string();
        assert!(says("{usr}").starts_with("{usr} is no variable here: there are {user},"), "{}", says("{usr}"));
        assert!(says("{}").starts_with("{} is no variable"));
        assert!(says("{0}").starts_with("{0} is no variable"));
        assert!(says("{hours}").starts_with("{hours} is no variable here"), "not of a command");
        assert_eq!(says("a { b"), "a { is never closed: write {{ for a brace");
        assert_eq!(says("{user {args}"), "a { is never closed: write {{ for a brace");
        assert_eq!(says("a } b"), "a } without a { before it: write }} for a brace");
        assert!(says("{counter:}").starts_with("{counter:}: a counter's name"));
        assert!(says("{peek:a b}").contains("1 to 30"));
        for wrong in ["{random:}", "{random:a}", "{random:6-1}", "{random:1-99999999999}"] {
            assert!(says(wrong).contains("with | between them"), "{wrong}");
        }
        assert!(Template::parse("{user}", Occasion::Timer).is_err());
        assert!(Template::parse("{hours}h", Occasion::Duration).is_ok());
    }

    #[test]
    fn tells_its_counters_once_each() {
        let template = command("{counter:B} {counter:a} {counter:b} {peek:c} {peek:a}").unwrap();
        assert_eq!((template.counted(), template.peeked()), (vec!["a", "b"], vec!["a", "c"]));
    }

    proptest! {
        #![proptest_config(crate::templates::cases::at_least(2_000))]
        #[test]
        fn nothing_makes_it_panic(text in "(\\PC|[{}:|]|user|counter|random|[0-9-]){0,60}") {
            for occasion in [Occasion::Command, Occasion::Duration, Occasion::Greeting, Occasion::Timer] {
                let _ = Template::parse(&text, occasion);
            }
        }
    }
}
