//! Whether somebody could guess a secret. Not how strong it is: only what nobody's dice have thrown is told from the rest.

use std::collections::HashSet;

/// What people write where a secret belongs.
const WORDS: [&str; 7] = ["secret", "password", "changeme", "change-me", "change_me", "example", "qwerty"];

/// Steps from a character to the next that came up once only; 32 random hexadecimal digits have about 24, and fewer than
/// this once in a hundred thousand draws.
const FRESH_STEPS: usize = 14;

/// Why it is no secret.
pub(super) fn weakness(secret: &str) -> Option<String> {
    let lower = secret.to_lowercase();
    if let Some(word) = WORDS.iter().find(|word| lower.contains(**word)) {
        return Some(format!("has the word {word:?} in it"));
    }
    // What is repeated brings no new step, and what runs up or down is not counted.
    let characters: Vec<char> = secret.chars().collect();
    let steps: HashSet<(char, char)> = characters.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let fresh = steps.iter().filter(|(from, to)| u32::from(*from).abs_diff(u32::from(*to)) > 1).count();
    (fresh < FRESH_STEPS).then(|| "repeats itself or counts".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_thrown_is_taken() {
        for seed in 0..2_000_u32 {
            let thrown: String = (0..8).map(|part| format!("{:08x}", rand::random::<u32>() ^ (seed + part))).collect();
            assert_eq!(weakness(&thrown), None, "{thrown}");
        }
        assert_eq!(weakness("correct horse battery staple, and a few words more"), None);
    }

    #[test]
    fn what_somebody_typed_is_not() {
        for typed in [
            "s".repeat(32),
            "0123456789abcdef0123456789abcdef".to_owned(),
            "abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
            "hunter2hunter2hunter2hunter2hunter2".to_owned(),
            "01".repeat(32),
        ] {
            assert_eq!(weakness(&typed).as_deref(), Some("repeats itself or counts"), "{typed}");
        }
        let words = weakness("my-Secret-of-37-long-characters-1x9q").unwrap();
        assert!(words.contains("secret"), "{words}");
    }
}
