//! What a bot says, with gaps: `{user}` and the like are filled in when it is said.
//!
//! A template is read once, when the streamer writes it, and whatever is unknown in it is refused then. A value is put in as
//! it is and never read again: a viewer whose name is `{args}` is called so. What comes from a viewer is one line without
//! characters that nobody sees, and what an answer begins with is never taken for an order ([`Template::fill`]).

mod fill;
mod parse;

pub use fill::{Values, hours_and_minutes};
pub use parse::TemplateError;
pub(crate) use parse::check;

/// Characters of a template.
pub const MAX_TEMPLATE: usize = 450;
/// Characters of a counter's name.
pub const MAX_COUNTER_NAME: usize = 30;

/// A text with gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Gap(Gap),
}

/// What is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gap {
    /// The viewer's name.
    User,
    /// The first word after the command without its `@`, or the viewer's name where there is none.
    ToUser,
    Channel,
    ChannelUrl,
    /// All words after the command.
    Args,
    /// One of them, from 1.
    Word(usize),
    /// Answers of this command, with this one.
    Count,
    /// A counter of the channel, after one more.
    Counter(String),
    /// A counter as it is.
    Peek(String),
    /// `2h 5m`, or `offline`.
    Uptime,
    Hours,
    Minutes,
    TotalMinutes,
    /// One of these texts.
    Choice(Vec<String>),
    /// A number between these, both included.
    Number(i64, i64),
}

/// What a template is for, which decides what can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A viewer has called a command.
    Command,
    /// A viewer has asked for how long the stream runs.
    Duration,
    /// Somebody follows.
    Greeting,
    /// Nobody in particular.
    Timer,
}

impl Occasion {
    /// As an error names them.
    #[must_use]
    pub const fn variables(self) -> &'static str {
        match self {
            Self::Command => {
                "{user}, {touser}, {args}, {1} to {9}, {channel}, {channelUrl}, {uptime}, {count}, {counter:name}, \
                 {peek:name}, {random:a|b} and {random:1-6}"
            }
            Self::Duration => "{hours}, {minutes}, {totalMinutes}, {user}, {channel}, {channelUrl} and {uptime}",
            Self::Greeting => "{user}, {channel}, {channelUrl} and {random:a|b}",
            Self::Timer => "{channel}, {channelUrl}, {uptime}, {peek:name}, {random:a|b} and {random:1-6}",
        }
    }

    fn allows(self, gap: &Gap) -> bool {
        match gap {
            Gap::Channel | Gap::ChannelUrl => true,
            Gap::User => self != Self::Timer,
            Gap::Uptime => self != Self::Greeting,
            Gap::ToUser | Gap::Args | Gap::Word(_) | Gap::Count | Gap::Counter(_) => self == Self::Command,
            Gap::Peek(_) => matches!(self, Self::Command | Self::Timer),
            Gap::Hours | Gap::Minutes | Gap::TotalMinutes => self == Self::Duration,
            Gap::Choice(_) | Gap::Number(..) => self != Self::Duration,
        }
    }
}

impl Template {
    /// The text itself, in which nothing is filled in: what was kept by a release that read fewer marks.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Counters that it counts, each once.
    #[must_use]
    pub fn counted(&self) -> Vec<&str> {
        self.names(|gap| if let Gap::Counter(name) = gap { Some(name) } else { None })
    }

    /// Counters that it only says, each once.
    #[must_use]
    pub fn peeked(&self) -> Vec<&str> {
        self.names(|gap| if let Gap::Peek(name) = gap { Some(name) } else { None })
    }

    fn names<'a>(&'a self, name: impl Fn(&'a Gap) -> Option<&'a String>) -> Vec<&'a str> {
        let gaps = self.0.iter().filter_map(|part| if let Part::Gap(gap) = part { Some(gap) } else { None });
        let mut names: Vec<&str> = gaps.filter_map(name).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod cases {
    use proptest::prelude::ProptestConfig;

    /// So many random inputs, or more when the fuzzer asks for more.
    pub(super) fn at_least(cases: u32) -> ProptestConfig {
        let asked = ProptestConfig::default();
        ProptestConfig { cases: asked.cases.max(cases), ..asked }
    }
}
