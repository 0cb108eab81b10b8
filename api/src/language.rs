//! In which language somebody is written to.

use domain::mails::Language;
use poem::{Request, http::header};

/// The one of ours that the browser likes best (`Accept-Language`); English where it says nothing of either.
pub(crate) fn of(request: &Request) -> Language {
    preferred(request.header(header::ACCEPT_LANGUAGE).unwrap_or_default())
}

fn preferred(accepted: &str) -> Language {
    let mut best = (0.0, Language::English);
    for wish in accepted.split(',') {
        let (tag, parameters) = wish.split_once(';').unwrap_or((wish, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0));
        let tag = tag.trim().to_ascii_lowercase();
        let language = match tag.split('-').next() {
            Some("ru") => Language::Russian,
            Some("en") => Language::English,
            _ => continue,
        };
        // Of two that are liked alike the first.
        if quality > best.0 {
            best = (quality, language);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_taken() {
        for (accepted, language) in [
            ("", Language::English),
            ("*", Language::English),
            ("ru", Language::Russian),
            ("ru-RU,ru;q=0.9,en-US;q=0.8", Language::Russian),
            ("en-GB, ru;q=0.7", Language::English),
            ("en;q=0.3, RU;q=0.7", Language::Russian),
            ("de, ru;q=0.1", Language::Russian),
            ("ru;q=0", Language::English),
            ("ru;q=lots", Language::English),
        ] {
            assert_eq!(preferred(accepted), language, "{accepted}");
        }
    }
}
