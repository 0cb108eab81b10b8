//! Links in what people write.

use crate::unseen::is_unseen;

/// Endings that make a bare word a link: those that people type. Behind `http://` any ending does.
const ENDINGS: [&str; 60] = [
    "ai", "app", "art", "biz", "blog", "bot", "cc", "cloud", "club", "co", "com", "de", "dev", "eu", "fm", "fr", "fun",
    "game", "games", "gg", "gl", "info", "ink", "io", "it", "life", "link", "live", "ly", "me", "media", "mobi", "moe",
    "monster", "net", "news", "one", "online", "org", "page", "pro", "ru", "sh", "shop", "site", "social", "space",
    "store", "stream", "tech", "to", "top", "tv", "uk", "us", "vip", "website", "win", "xyz", "рф",
];

/// Longest name of a host.
const LONGEST: usize = 253;

/// What people write for a dot so that no rule finds it. Behind those with letters or square brackets they leave spaces.
const DOTS: [(&str, bool); 8] = [
    ("[.]", true),
    ("[dot]", true),
    ("(dot)", true),
    ("{dot}", true),
    ("[точка]", true),
    ("(точка)", true),
    ("(.)", false),
    ("{.}", false),
];

/// Hosts that the text links to, in lower case.
pub(super) fn linked(text: &str) -> impl Iterator<Item = String> + use<> {
    let plain = plain(text);
    let words =
        plain.split(|char: char| char.is_whitespace() || matches!(char, ',' | '(' | ')' | '<' | '>' | '"' | '|'));
    words.filter_map(linked_by).collect::<Vec<_>>().into_iter()
}

/// The text as whoever reads it understands it: without characters that nobody sees, wide letters and dots as the usual ones, and
/// dots where they are meant.
fn plain(text: &str) -> String {
    let seen = |char: &char| char.is_whitespace() || !is_unseen(*char) && !matches!(char, '\u{200c}' | '\u{200d}');
    let usual = |char: char| match char {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
        '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
        char => char,
    };
    let mut plain: String = text.chars().filter(seen).map(usual).flat_map(char::to_lowercase).collect();
    for (dot, spaced) in DOTS {
        if plain.contains(dot) {
            let parts: Vec<&str> = plain.split(dot).map(|part| if spaced { part.trim() } else { part }).collect();
            plain = parts.join(".");
        }
    }
    plain
}

/// The host of a word that is a link.
fn linked_by(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let (schemed, rest) = match lower.split_once("://") {
        Some((scheme, rest)) if scheme.ends_with("http") || scheme.ends_with("https") => (true, rest),
        _ => (false, lower.as_str()),
    };
    let host = host_of(rest)?;
    let ending = host.rsplit('.').next()?;
    (schemed || host.starts_with("www.") || ENDINGS.contains(&ending)).then_some(host)
}

/// The host of an address without its scheme, as browsers read it.
fn host_of(rest: &str) -> Option<String> {
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.trim_matches(|char: char| !char.is_alphanumeric());
    let labels = || host.split('.');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || char == '-');
    let ending = labels().next_back()?;
    let named = ending.chars().count() >= 2 && ending.chars().any(char::is_alphabetic);
    let numbered = labels().count() == 4 && labels().all(|label| label.parse::<u8>().is_ok());
    (host.contains('.') && host.len() <= LONGEST && labels().all(is_label) && (named || numbered))
        .then(|| host.to_owned())
}

/// The host that a streamer names, with or without an address around it; none for what is no host.
pub(super) fn named(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    if rest.contains(char::is_whitespace) { None } else { host_of(rest) }
}

/// Whether the host is one of these, or below one of them.
pub(super) fn is_among<'a>(host: &str, mut hosts: impl Iterator<Item = &'a str>) -> bool {
    hosts.any(|allowed| {
        host == allowed || host.strip_suffix(allowed).is_some_and(|below| below.ends_with('.')) && !allowed.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_found_however_they_are_written() {
        for (text, host) in [
            ("look https://Example.com/a?b#c", "example.com"),
            ("example.com", "example.com"),
            ("(www.some-thing.museum)", "www.some-thing.museum"),
            ("http://1.2.3.4:8080/x", "1.2.3.4"),
            ("see:http://a.b.c.example.io!", "a.b.c.example.io"),
            ("https://twitch.tv@evil.ru/twitch.tv", "evil.ru"),
            ("https://evil.ru\\@twitch.tv", "evil.ru"),
            ("twitch.tv.evil.ru", "twitch.tv.evil.ru"),
            ("пример.рф", "пример.рф"),
            ("ｅｖｉｌ．ｃｏｍ", "evil.com"),
            ("ev\u{200b}il\u{200d}.c\u{feff}om", "evil.com"),
            ("evil[.]com/x", "evil.com"),
            ("evil (dot) com", "evil.com"),
            ("EVIL [DOT] COM", "evil.com"),
            ("evil(.)com", "evil.com"),
            ("evil。com", "evil.com"),
        ] {
            assert_eq!(linked(text).collect::<Vec<_>>(), [host], "{text}");
        }
        for text in [
            "hello. world",
            "3.14",
            "ok.now",
            "...",
            "a.b",
            "e.g. this",
            "1.2.3.4",
            "v1.2.3",
            ".com",
            "https://",
            "@anna",
        ] {
            assert_eq!(linked(text).collect::<Vec<_>>(), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_with_all_below_it_and_nothing_beside_it() {
        for (host, may) in [
            ("twitch.tv", true),
            ("clips.twitch.tv", true),
            ("eviltwitch.tv", false),
            ("twitch.tv.evil.ru", false),
            ("tv", false),
        ] {
            assert_eq!(is_among(host, ["youtube.com", "twitch.tv"].into_iter()), may, "{host}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            for host in linked(&text) {
                prop_assert!(host.contains('.') && named(&host).is_some());
            }
        }
    }
}
