//! Which budget a request is of, and how large that is.

use std::time::Duration;

use domain::budgets::Budget;
use poem::http::Method;

use crate::problem::ErrorCode;

/// A budget has a largest count that PostgreSQL's integers hold, also when a factor raises it.
const MOST: u32 = 1_000_000_000;

/// The budgets that there are. To add one: a variant, its line in [`Kind::size`], and the requests that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Of an address: everything that has no budget of its own.
    General,
    /// Of an address: whoever watches over us asks often.
    Health,
    /// Of an address: files of memes, and what pages load. A channel's page shows hundreds.
    Files,
    /// Of an address: overlays, by the token in their address. Ten of them may stand behind one.
    Screens,
    /// Of an address: signed calls between processes.
    Calls,
    /// Of an address: what platforms tell, which they sign.
    Webhooks,
    /// Of an address, and of a person or token: what programs tell of other platforms, which come in storms.
    Programs,
    /// Of an address: whatever takes a secret that somebody could guess.
    Secrets,
    /// Of an address: whoever slips while registering may still log in.
    Registrations,
    /// Of an address: the link that switches submissions.
    Switch,
    /// Of a person.
    Activations,
    /// Of a person.
    Uploads,
    /// Of a person: what is taken from other channels.
    Takes,
    /// Of a person: what streamers and admins do.
    Moderation,
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::General,
        Self::Health,
        Self::Files,
        Self::Screens,
        Self::Calls,
        Self::Webhooks,
        Self::Programs,
        Self::Secrets,
        Self::Registrations,
        Self::Switch,
        Self::Activations,
        Self::Uploads,
        Self::Takes,
        Self::Moderation,
    ];

    /// Stable: the shared counts are found by it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Health => "health",
            Self::Files => "files",
            Self::Screens => "screens",
            Self::Calls => "calls",
            Self::Webhooks => "webhooks",
            Self::Programs => "programs",
            Self::Secrets => "secrets",
            Self::Registrations => "registrations",
            Self::Switch => "switch",
            Self::Activations => "activations",
            Self::Uploads => "uploads",
            Self::Takes => "takes",
            Self::Moderation => "moderation",
        }
    }

    /// Uses, and seconds.
    const fn size(self, settings: Limits) -> (u32, u64) {
        match self {
            Self::General => (settings.per_minute, 60),
            Self::Health => (600, 60),
            Self::Files | Self::Screens => (3000, 60),
            Self::Calls | Self::Webhooks => (6000, 60),
            Self::Programs => (600, 60),
            Self::Secrets | Self::Registrations => (10, 60),
            Self::Switch => (15, 60),
            Self::Activations => (1, 3),
            Self::Uploads | Self::Takes => (30, 60),
            Self::Moderation => (60, 60),
        }
    }

    /// What is told to whoever has used it up.
    pub(super) const fn error_code(self) -> ErrorCode {
        match self {
            Self::Secrets
            | Self::Registrations
            | Self::Switch
            | Self::Activations
            | Self::Uploads
            | Self::Takes
            | Self::Moderation
            | Self::Programs => ErrorCode::TooManyRequests,
            Self::General | Self::Health | Self::Files | Self::Screens | Self::Calls | Self::Webhooks => {
                ErrorCode::RateLimited
            }
        }
    }
}

/// How large budgets are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of one address a minute.
    pub per_minute: u32,
    /// All budgets are so many times their usual size; 0: there are none.
    pub factor: u32,
}

impl Limits {
    /// None where there is no limit.
    pub(super) fn budget(self, kind: Kind) -> Option<Budget> {
        let (most, seconds) = kind.size(self);
        let most = most.saturating_mul(self.factor).min(MOST);
        (most > 0).then(|| Budget { most, per: Duration::from_secs(seconds) })
    }
}

/// The budget of the address that asks: each request is of exactly one.
pub(super) fn of_address(path: &str) -> Kind {
    if path == "/health" {
        Kind::Health
    } else if ["/uploads/", "/overlay/assets/", "/favicon.ico"].iter().any(|begin| path.starts_with(begin)) {
        Kind::Files
    } else if ["/overlay/t/", "/overlay/credits/t/"].iter().any(|begin| path.starts_with(begin)) {
        Kind::Screens
    } else if path == "/streamer/queue/events" {
        Kind::Programs
    } else if path.starts_with("/internal/") {
        Kind::Calls
    } else if path.starts_with("/webhooks/") {
        Kind::Webhooks
    } else {
        Kind::General
    }
}

/// The budget of an operation, beside the address's; and the name under which its answers are kept, if they are: who only
/// wants to hear one again uses nothing up. `path` may be the template of a path.
pub(crate) fn of_operation(method: &Method, path: &str) -> Option<(Kind, Option<&'static str>)> {
    if method.is_safe() {
        return None;
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        ["memes", _, "activate"] => Some((Kind::Activations, Some("activate"))),
        ["submissions"] => Some((Kind::Uploads, Some("submit"))),
        ["submissions", "pool"] => Some((Kind::Takes, Some("take"))),
        ["submissions", "import"] => Some((Kind::Uploads, Some("import"))),
        ["submissions", _, "resubmit"] => Some((Kind::Uploads, Some("resubmit"))),
        ["public", "submissions", _] => Some((Kind::Switch, None)),
        ["streamer", "submissions", "bulk"] => Some((Kind::Moderation, Some("review-all"))),
        ["streamer", "submissions", _, _] => Some((Kind::Moderation, Some("review"))),
        ["owner", "wallets", _, _, "adjust"] => Some((Kind::Moderation, Some("adjust"))),
        ["streamer", "bot", "commands"] => Some((Kind::Moderation, Some("create-command"))),
        ["streamer", "bot", "automod", "permits"] => Some((Kind::Moderation, Some("create-permit"))),
        ["streamer", "bot", "timers"] => Some((Kind::Moderation, Some("create-timer"))),
        ["streamer", "bot", "say"] => Some((Kind::Moderation, Some("say"))),
        ["streamer", "queue", "skip"] | ["streamer", "dock", "queue", "skip"] => Some((Kind::Moderation, Some("skip"))),
        ["streamer", "queue", "clear"] | ["streamer", "dock", "queue", "clear"] => {
            Some((Kind::Moderation, Some("clear")))
        }
        ["streamer", "queue", "events"] => Some((Kind::Programs, Some("queue-event"))),
        ["streamer", "queue", "items", _] => Some((Kind::Moderation, Some("remove"))),
        ["streamer", "queue", "history", _, "replay"] => Some((Kind::Moderation, Some("replay"))),
        ["streamer", "promotions"] => Some((Kind::Moderation, Some("create-promotion"))),
        ["owner", "grants"] => Some((Kind::Moderation, Some("create-grant"))),
        ["streamer", "test-event"] => Some((Kind::Moderation, Some("test-event"))),
        ["streamer" | "admin" | "owner", ..] => Some((Kind::Moderation, None)),
        // The dev login takes no secret, and a session's own tokens are too long to be guessed.
        ["auth", "dev" | "logout" | "refresh" | "sessions" | "accounts", ..] => None,
        ["auth", "verify-email", "send"] => Some((Kind::Secrets, Some("verify-email"))),
        ["auth", "email"] => Some((Kind::Secrets, Some("change-email"))),
        ["auth", "register"] => Some((Kind::Registrations, None)),
        ["auth", ..] => Some((Kind::Secrets, None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ToJSON as _;
    use serde_json::Value;

    use super::*;

    #[test]
    fn overlays_files_and_health_take_nothing_from_the_general_budget() {
        for (path, kind) in [
            ("/health", Kind::Health),
            ("/uploads/abc", Kind::Files),
            ("/overlay/assets/overlay.js", Kind::Files),
            ("/overlay/t/ot_1_2/events", Kind::Screens),
            ("/overlay/credits/t/ct_1_2", Kind::Screens),
            ("/internal/credits/chatter", Kind::Calls),
            ("/webhooks/twitch/eventsub", Kind::Webhooks),
            ("/streamer/queue/events", Kind::Programs),
            ("/me", Kind::General),
            ("/", Kind::General),
            ("/healthy", Kind::General),
            ("/streamer/overlay/token", Kind::General),
        ] {
            assert_eq!(of_address(path), kind, "{path}");
        }
    }

    #[test]
    fn what_changes_something_has_a_budget_of_its_own() {
        let of = |method: Method, path: &str| of_operation(&method, path).map(|(kind, _)| kind);
        assert_eq!(of(Method::POST, "/memes/1/activate"), Some(Kind::Activations));
        assert_eq!(of(Method::POST, "/submissions"), Some(Kind::Uploads));
        assert_eq!(of(Method::POST, "/submissions/import"), Some(Kind::Uploads));
        assert_eq!(of(Method::POST, "/submissions/pool"), Some(Kind::Takes));
        assert_eq!(of(Method::PATCH, "/streamer/memes/{id}"), Some(Kind::Moderation));
        assert_eq!(of(Method::DELETE, "/admin/queues/{pool}/limit"), Some(Kind::Moderation));
        assert_eq!(of(Method::POST, "/auth/login"), Some(Kind::Secrets));
        assert_eq!(of(Method::POST, "/auth/register"), Some(Kind::Registrations));
        assert_eq!(of(Method::POST, "/public/submissions/toggle"), Some(Kind::Switch));
        assert_eq!(of(Method::POST, "/auth/dev/login"), None);
        assert_eq!(of(Method::GET, "/streamer/memes"), None);
        assert_eq!(of(Method::POST, "/overlay/t/{token}/activations/{id}/ack"), None);
    }

    #[test]
    fn whatever_takes_a_key_says_under_which_name_its_answers_are_kept() {
        let document: Value = serde_json::from_str(&crate::spec::spec_json()).unwrap();
        let mut keyed = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                if parameters.clone().all(|parameter| parameter["name"] != "Idempotency-Key") {
                    continue;
                }
                keyed += 1;
                let method: Method = method.to_uppercase().parse().unwrap();
                let named = of_operation(&method, path).is_none_or(|(_, name)| name.is_some());
                assert!(named, "{method} {path}: answers that are kept could not be heard again");
            }
        }
        assert!(keyed > 10, "{keyed}");
    }

    /// As the table of the README says them.
    #[test]
    fn the_readme_lists_all_budgets_as_large_as_they_are() {
        let readme = include_str!("../../README.md");
        let table = readme.split("## Rate limits").nth(1).unwrap().split("A request is of one").next().unwrap();
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = table.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect();
        let number = |count: u32| if count < 1000 { count.to_string() } else { format!("{},000", count / 1000) };
        for kind in Kind::ALL {
            let (most, seconds) = kind.size(Limits { per_minute: 100, factor: 1 });
            let size = format!("{} in {seconds} s", number(most));
            let code = format!("`{}`", kind.error_code().to_json_string().trim_matches('"'));
            let listed =
                rows.iter().any(|row| row[1].contains(kind.listed_as()) && row[3].starts_with(&size) && row[4] == code);
            assert!(listed, "{kind:?}: no row with {:?}, {size}, {code}", kind.listed_as());
        }
    }

    impl Kind {
        /// What its row begins with or names.
        const fn listed_as(self) -> &'static str {
            match self {
                Self::General => "everything that is not below",
                Self::Health => "`/health`",
                Self::Files => "files:",
                Self::Screens => "screens:",
                Self::Calls => "`/internal/`",
                Self::Webhooks => "`/webhooks/`",
                Self::Programs => "`/streamer/queue/events`",
                Self::Secrets => "what takes a secret",
                Self::Registrations => "registrations",
                Self::Switch => "`/public/submissions/`",
                Self::Activations => "activations",
                Self::Uploads => "uploads",
                Self::Takes => "taken from the pool",
                Self::Moderation => "what streamers and admins change",
            }
        }
    }

    #[test]
    fn a_factor_raises_all_budgets_and_nought_takes_them_away() {
        let most = |factor| Limits { per_minute: 100, factor }.budget(Kind::General).map(|budget| budget.most);
        assert_eq!((most(1), most(20), most(u32::MAX), most(0)), (Some(100), Some(2000), Some(MOST), None));
    }
}
