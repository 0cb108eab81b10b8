//! Filling the gaps.

use std::collections::BTreeMap;

use time::Duration;

use super::{Gap, Part, Template};
use crate::unseen::{is_unseen, plain};

/// Characters of a viewer's name and of one word of theirs.
const MAX_WORD: usize = 100;
/// Characters of all words of theirs.
const MAX_ARGS: usize = 400;

/// What an order to a platform begins with, and what other bots take for one.
const ORDERS: [char; 4] = ['/', '.', '!', '\\'];

/// What gaps are filled with.
#[derive(Debug, Clone, Default)]
pub struct Values<'a> {
    /// The viewer's name, as the chat shows it.
    pub user: &'a str,
    /// What the viewer wrote after the command.
    pub args: &'a str,
    /// The channel's name.
    pub channel: &'a str,
    /// Where its page is.
    pub channel_url: &'a str,
    pub count: i64,
    /// What counters say; one that is not there says 0.
    pub counters: BTreeMap<String, i64>,
    /// How long the stream has run.
    pub runs: Duration,
    /// It runs now.
    pub live: bool,
}

impl Template {
    /// The text with all gaps filled. `chance` gives a number below the one that it is given.
    ///
    /// What comes from a viewer cannot begin the text like an order, to the platform (`/ban`) or to another bot that obeys
    /// ours (`!ban`): such marks are left away there.
    #[must_use]
    pub fn fill(&self, values: &Values<'_>, mut chance: impl FnMut(u64) -> u64) -> String {
        let mut text = String::new();
        for part in &self.0 {
            let said = match part {
                Part::Text(plain) => Said::Ours(plain.clone()),
                Part::Gap(gap) => say(gap, values, &mut chance),
            };
            match said {
                Said::Ours(said) => text.push_str(&said),
                Said::Viewers(said) if text.chars().all(is_nothing) => {
                    text.push_str(said.trim_start_matches(|char| is_nothing(char) || ORDERS.contains(&char)));
                }
                Said::Viewers(said) => text.push_str(&said),
            }
        }
        text
    }
}

/// Words and whose they are.
enum Said {
    Ours(String),
    Viewers(String),
}

fn say(gap: &Gap, values: &Values<'_>, chance: &mut impl FnMut(u64) -> u64) -> Said {
    let counter = |name: &str| values.counters.get(name).copied().unwrap_or(0).to_string();
    let minutes = values.runs.whole_minutes().max(0);
    Said::Ours(match gap {
        Gap::User => return Said::Viewers(plain(values.user, MAX_WORD)),
        Gap::ToUser => {
            let first = word(values.args, 1);
            let named = first.trim_start_matches('@');
            return Said::Viewers(if named.is_empty() { plain(values.user, MAX_WORD) } else { named.to_owned() });
        }
        Gap::Args => return Said::Viewers(plain(values.args, MAX_ARGS)),
        Gap::Word(place) => return Said::Viewers(word(values.args, *place)),
        Gap::Channel => values.channel.to_owned(),
        Gap::ChannelUrl => values.channel_url.to_owned(),
        Gap::Count => values.count.to_string(),
        Gap::Counter(name) | Gap::Peek(name) => counter(name),
        Gap::Uptime if values.live => hours_and_minutes(values.runs),
        Gap::Uptime => "offline".to_owned(),
        Gap::Hours => (minutes / 60).to_string(),
        Gap::Minutes => (minutes % 60).to_string(),
        Gap::TotalMinutes => minutes.to_string(),
        Gap::Choice(choices) => {
            let place = usize::try_from(chance(choices.len() as u64)).unwrap_or(0);
            choices.get(place).cloned().unwrap_or_default()
        }
        Gap::Number(least, most) => {
            let width = u64::try_from(most - least + 1).unwrap_or(1);
            (least + i64::try_from(chance(width)).unwrap_or(0)).to_string()
        }
    })
}

/// `2h 5m`, or `5m` within the first hour.
#[must_use]
pub fn hours_and_minutes(runs: Duration) -> String {
    let minutes = runs.whole_minutes().max(0);
    if minutes < 60 { format!("{minutes}m") } else { format!("{}h {}m", minutes / 60, minutes % 60) }
}

/// A word of the viewer's, from 1; empty when there are fewer.
fn word(args: &str, place: usize) -> String {
    // What nobody sees is no word.
    plain(args, MAX_ARGS).split(' ').nth(place - 1).map(|word| plain(word, MAX_WORD)).unwrap_or_default()
}

fn is_nothing(char: char) -> bool {
    char.is_whitespace() || is_unseen(char)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{outbox::Text, templates::Occasion};

    fn values<'a>() -> Values<'a> {
        Values {
            user: "Anna",
            args: "@Boris  good\u{200b} night",
            channel: "Demo",
            channel_url: "http://localhost/channels/demo/memes",
            count: 7,
            counters: BTreeMap::from([("deaths".to_owned(), 3)]),
            runs: Duration::minutes(125),
            live: true,
        }
    }

    fn filled(template: &str, values: &Values<'_>) -> String {
        Template::parse(template, Occasion::Command).unwrap().fill(values, |below| below - 1)
    }

    #[test]
    fn fills_every_gap() {
        let said = filled("{user} {touser} [{args}] {1} {3} {4}. {channel} {channelUrl}", &values());
        assert_eq!(said, "Anna Boris [@Boris good night] @Boris night . Demo http://localhost/channels/demo/memes");
        assert_eq!(filled("{count} {counter:deaths} {peek:wins} {uptime}", &values()), "7 3 0 2h 5m");
        assert_eq!(filled("{random:a|b|c} {random:1-6}", &values()), "c 6");
        assert_eq!(filled("{uptime}", &Values { live: false, ..values() }), "offline");
        assert_eq!(filled("{touser}", &Values { args: " @ ", ..values() }), "Anna");
        let duration = Template::parse("{hours}h {minutes}m ({totalMinutes}m)", Occasion::Duration).unwrap();
        assert_eq!(duration.fill(&values(), |_| 0), "2h 5m (125m)");
    }

    #[test]
    fn what_a_viewer_writes_is_not_read_again() {
        let sly = Values { user: "{args}", args: "{counter:deaths} {{", ..values() };
        assert_eq!(filled("{user}: {args}", &sly), "{args}: {counter:deaths} {{");
    }

    #[test]
    fn what_a_viewer_writes_never_begins_an_order() {
        for args in ["/ban anna", " \u{200b}/ban anna", "!!ban anna", "./ban anna", "\r\n.ban anna"] {
            assert_eq!(filled("{args}", &Values { args, ..values() }), "ban anna", "{args:?}");
            assert_eq!(filled(" {1}", &Values { args, ..values() }).trim(), "ban", "{args:?}");
        }
        assert_eq!(filled("so: {args}", &Values { args: "/ban anna", ..values() }), "so: /ban anna");
        assert_eq!(filled("!so {1}", &Values { args: "anna", ..values() }), "!so anna", "the streamer may");
    }

    proptest! {
        #![proptest_config(crate::templates::cases::at_least(2_000))]
        #[test]
        fn whatever_a_viewer_writes_it_is_one_line_and_no_order(
            template in "(\\{user\\}|\\{touser\\}|\\{args\\}|\\{1\\}|\\{2\\}| ){1,5}",
            user in any::<String>(),
            args in "(\\PC|[/.! \\r\\n\\x00\u{200b}\u{202e}]){0,40}",
        ) {
            let said = filled(&template, &Values { user: &user, args: &args, ..values() });
            prop_assert!(!said.chars().any(char::is_control), "{said:?}");
            prop_assert!(!said.trim_start_matches(is_nothing).starts_with(ORDERS), "{said:?}");
            if let Some(text) = Text::cut(&said) {
                prop_assert!(!text.as_str().starts_with(['/', '.', '!']), "{text:?}");
            }
        }

        #[test]
        fn a_text_with_doubled_braces_says_itself(text in "[a-z{} ]{0,40}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(filled(&doubled, &values()), text);
        }
    }
}
