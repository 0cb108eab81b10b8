//! Characters that nobody sees: they make two names look alike, or turn the text around them.

/// Whether a reader sees nothing of the character, or only what it does to others: control characters, zero-width and
/// tag characters, marks of direction, fillers. Not the joiners and selectors that emoji and some scripts are made of.
#[must_use]
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
                | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether the character has no place in a word that is shown on one line: a control character, or one that turns the text
/// after it around. Milder than [`is_unseen`], for words in which people mean no harm by what they paste.
#[must_use]
pub(crate) fn is_unruly(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether there is anything to see in it at all.
#[must_use]
pub(crate) fn is_blank(text: &str) -> bool {
    let joins = |character| matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{2800}');
    text.chars().all(|character| character.is_whitespace() || is_unseen(character) || joins(character))
}

/// A name as it may be shown beside others: without the characters that nobody sees, one space between words, at most `most`
/// characters. Empty when there is nothing to see in it.
#[must_use]
pub(crate) fn plain(name: &str, most: usize) -> String {
    let seen: String =
        name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_unseen(*c)).collect();
    if is_blank(&seen) {
        return String::new();
    }
    let words = seen.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(most).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_on_one_line_without_what_nobody_sees() {
        assert_eq!(plain("  Анна \n\u{202e} Ann\u{200b}a ", 50), "Анна Anna");
        assert_eq!(plain("ab cd", 3), "ab");
        assert_eq!(plain("\u{200d}\u{feff}", 50), "");
    }

    #[test]
    fn tells_what_turns_a_line_around_from_what_people_paste() {
        for text in ["a\0b", "a\nb", "a\u{7}", "a\u{85}", "\u{202e}txt.exe", "\u{2066}a", "a\u{2069}"] {
            assert!(text.chars().any(is_unruly), "{text:?}");
        }
        for text in ["Кот", "👨‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "soft\u{ad}hyphen", "\u{feff}a", "a\u{200e}b"]
        {
            assert!(!text.chars().any(is_unruly), "{text:?}");
        }
    }

    #[test]
    fn tells_what_is_seen_from_what_is_not() {
        assert!("a\u{200b}b".chars().any(is_unseen) && "a\u{202e}b".chars().any(is_unseen));
        for text in ["Кот", "❤️", "👨‍👩‍👧", "می‌خواهم", "a b"] {
            assert!(!text.chars().any(is_unseen) && !is_blank(text), "{text}");
        }
        for text in ["", " ", "\u{200b}", "\u{200d}\u{feff}", "\u{2800}"] {
            assert!(is_blank(text), "{text:?}");
        }
    }
}
