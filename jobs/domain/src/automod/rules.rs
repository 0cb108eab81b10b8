//! What a message breaks, by its text alone.

use super::{Action, Rule, Settings, hosts};

/// The rule that the text breaks, the first in the order links, zalgo, capitals, repetitions. `may_link`: the author has a permit;
/// `ours`: our own host, which everybody may link to; `said`: so many times the author has said it within a minute, with this one.
pub(super) fn broken(settings: &Settings, text: &str, ours: &str, may_link: bool, said: i64) -> Option<Rule> {
    let holds = |rule: Rule| settings.action(rule) != Action::Off;
    let most = usize::try_from(settings.repeats_most).unwrap_or(usize::MAX);
    if holds(Rule::Links) && !may_link && links(settings, text, ours) {
        Some(Rule::Links)
    } else if holds(Rule::Zalgo) && marks(text) > usize::try_from(settings.zalgo_marks).unwrap_or(usize::MAX) {
        Some(Rule::Zalgo)
    } else if holds(Rule::Caps) && shouts(settings, text) {
        Some(Rule::Caps)
    } else if holds(Rule::Repeats) && (said > i64::from(settings.repeats_most) || longest_run(text) > most) {
        Some(Rule::Repeats)
    } else {
        None
    }
}

/// Whether the text links to a host that may not be linked to.
pub(super) fn links(settings: &Settings, text: &str, ours: &str) -> bool {
    let allowed = || settings.allowed_hosts.iter().map(String::as_str).chain([ours]);
    hosts::linked(text).any(|host| !hosts::is_among(&host, allowed()))
}

fn shouts(settings: &Settings, text: &str) -> bool {
    // Scripts without capitals shout never.
    let (letters, capital) = text
        .chars()
        .filter(|char| char.is_alphabetic())
        .fold((0_i64, 0_i64), |(all, large), char| (all + 1, large + i64::from(char.is_uppercase())));
    letters >= i64::from(settings.caps_letters) && capital * 100 > letters * i64::from(settings.caps_percent)
}

/// So many marks stand on one letter at most.
fn marks(text: &str) -> usize {
    let (mut most, mut now) = (0, 0);
    for char in text.chars() {
        now = if is_mark(char) { now + 1 } else { 0 };
        most = most.max(now);
    }
    most
}

/// Marks that combine with any letter; those of single scripts, which need them, are none.
fn is_mark(char: char) -> bool {
    matches!(
        char,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

/// So many times a word follows itself at most.
fn longest_run(text: &str) -> usize {
    let (mut most, mut now, mut before) = (0, 0, "");
    for word in text.split_whitespace() {
        now = if word == before { now + 1 } else { 1 };
        before = word;
        most = most.max(now);
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::automod::model::tests::settings;

    fn verdict(text: &str) -> Option<Rule> {
        broken(&settings(), text, "memes.example", false, 1)
    }

    #[test]
    fn each_rule_finds_what_it_is_for_and_leaves_the_rest() {
        for (text, rule) in [
            ("hello", None),
            ("come to evil.com", Some(Rule::Links)),
            ("clips.twitch.tv/x and https://memes.example/channels/a", None),
            ("THIS IS VERY LOUD", Some(Rule::Caps)),
            ("LOUD", None),
            ("ОЧЕНЬ ГРОМКО ЭТО", Some(Rule::Caps)),
            ("これはとても静かな文章です", None),
            ("h\u{300}\u{301}\u{302}\u{303}i", Some(Rule::Zalgo)),
            ("e\u{301}te\u{301} ที่นี่", None),
            ("KEK KEK KEK", None),
            ("kek kek kek kek", Some(Rule::Repeats)),
        ] {
            assert_eq!(verdict(text), rule, "{text}");
        }
        assert_eq!(broken(&settings(), "evil.com", "", true, 1), None, "who has a permit may");
        assert_eq!(broken(&settings(), "hi", "", false, 3), None);
        assert_eq!(broken(&settings(), "hi", "", false, 4), Some(Rule::Repeats));
        let off = Settings { links: Action::Off, ..settings() };
        assert_eq!(broken(&off, "evil.com", "", false, 1), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), said in any::<i64>()) {
            let _ = broken(&settings(), &text, "", false, said);
        }
    }
}
