//! Whether a message calls a command.

use super::Matching;

/// Characters of the beginning of a message in which a trigger is looked for: some letters become two in lower case.
const LONGEST: usize = 100;

/// Lower case, one space between words.
pub(super) fn normalize(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// What the normalized text begins with: its first word, its first two words and so on, as far as a trigger can reach.
pub(super) fn beginnings(normalized: &str) -> impl Iterator<Item = &str> {
    let ends = normalized.match_indices(' ').map(|(place, _)| place).chain([normalized.len()]);
    ends.map(|end| &normalized[..end])
        .filter(|beginning| !beginning.is_empty())
        .take_while(|beginning| beginning.chars().count() <= LONGEST)
}

/// Whether these words call a command in the normalized text.
pub(super) fn calls(matching: Matching, word: &str, normalized: &str) -> bool {
    match matching {
        Matching::Command => normalized.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
        Matching::Keyword => normalized.match_indices(word).any(|(place, _)| {
            let before = normalized[..place].chars().next_back();
            let after = normalized[place + word.len()..].chars().next();
            let edge = |inside: Option<char>, outside: Option<char>| {
                !(inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric))
            };
            edge(word.chars().next(), before) && edge(word.chars().next_back(), after)
        }),
    }
}

/// What stands in the message after the words that call the command; all of it for a keyword.
pub(super) fn arguments<'a>(matching: Matching, word: &str, text: &'a str) -> &'a str {
    if matching == Matching::Keyword {
        return text.trim();
    }
    let mut rest = text.trim_start();
    for _ in word.split(' ') {
        rest = rest.find(char::is_whitespace).map_or("", |end| rest[end..].trim_start());
    }
    rest.trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_called_by_its_words_in_any_case_with_or_without_more() {
        let word = normalize("!My  Memes");
        for (text, called) in [
            ("!my memes", true),
            ("  !MY   MEMES  ", true),
            ("!my memes please", true),
            ("!my memesplease", false),
            ("say !my memes", false),
            ("", false),
        ] {
            assert_eq!(calls(Matching::Command, &word, &normalize(text)), called, "{text:?}");
            assert_eq!(beginnings(&normalize(text)).any(|it| it == word), called, "{text:?}");
        }
    }

    #[test]
    fn a_keyword_stands_anywhere_as_a_word_of_its_own() {
        for (word, text, called) in [
            ("discord", "where is the Discord?", true),
            ("discord", "discord", true),
            ("discord", "discordant", false),
            ("discord", "discordant discord", true),
            ("привет", "всем ПРИВЕТ!", true),
            ("how old", "so how  old are you", true),
            (":)", "nice:)", true),
        ] {
            assert_eq!(calls(Matching::Keyword, word, &normalize(text)), called, "{text:?}");
        }
    }

    #[test]
    fn what_follows_the_words_are_its_arguments() {
        assert_eq!(arguments(Matching::Command, "!so", " !SO   Anna  and all "), "Anna  and all");
        assert_eq!(arguments(Matching::Command, "!my memes", "!my   Memes"), "");
        assert_eq!(arguments(Matching::Keyword, "hi", " Oh Hi there "), "Oh Hi there");
    }

    proptest! {
        #[test]
        fn what_a_beginning_finds_is_what_calls(
            word in "[!a-b ]{1,6}".prop_filter("a word", |word| !word.trim().is_empty()),
            text in "[!a-bA-B ]{0,12}",
        ) {
            let (word, normalized) = (normalize(&word), normalize(&text));
            let found = beginnings(&normalized).any(|beginning| beginning == word);
            prop_assert_eq!(found, calls(Matching::Command, &word, &normalized));
        }

        #[test]
        fn no_message_makes_it_panic(word in "\\PC{1,10}", text in any::<String>()) {
            let (word, normalized) = (normalize(&word), normalize(&text));
            for matching in [Matching::Command, Matching::Keyword] {
                let _ = (calls(matching, &word, &normalized), arguments(matching, &word, &text));
            }
        }
    }
}
