//! Which scope opens an operation to the tokens of docks and programs. What is not named here is for people only: sessions,
//! money, the team, tokens themselves, and everything of other people.

use domain::tokens::Scope;
use poem::http::Method;

/// None for an operation that no token opens. `path` may be the template of a path.
pub(crate) fn of_operation(method: &Method, path: &str) -> Option<Scope> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let reads = *method == Method::GET;
    let parts = match &parts[..] {
        ["streamer", parts @ ..] => parts,
        ["api", "v1", "messages" | "events", ..] if reads => return Some(Scope::BotsRead),
        _ => return None,
    };
    match parts {
        ["channel", "settings"] if reads => Some(Scope::ChannelRead),
        ["channel", "settings" | "live"] => Some(Scope::ChannelWrite),
        ["team"] | ["stats", _] if reads => Some(Scope::ChannelRead),
        ["queue"] | ["queue", "history"] | ["dock", "queue", "state"] | ["events"] if reads => Some(Scope::QueueRead),
        ["queue", ..] | ["dock", ..] if !reads => Some(Scope::QueueControl),
        ["overlay", "preview-meme" | "preview-memes" | "presets"] if reads => Some(Scope::ChannelRead),
        ["overlay", "presets"] => Some(Scope::ChannelWrite),
        ["memes"] if reads => Some(Scope::MemesRead),
        ["memes", _] | ["memes", _, "restore"] => Some(Scope::MemesWrite),
        ["test-event"] => Some(Scope::OverlayTest),
        ["credits", "state" | "settings"] if reads => Some(Scope::CreditsRead),
        ["credits", "settings" | "reset"] => Some(Scope::CreditsWrite),
        ["bots"] | ["bot", "outbox", _, _] if reads => Some(Scope::BotsRead),
        ["bots", _] => Some(Scope::BotsWrite),
        ["bot", "say"] => Some(Scope::BotsSay),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_opens_its_own_operations() {
        for (method, path, scope) in [
            (Method::GET, "/streamer/queue", Some(Scope::QueueRead)),
            (Method::GET, "/streamer/events", Some(Scope::QueueRead)),
            (Method::GET, "/streamer/dock/queue/state", Some(Scope::QueueRead)),
            (Method::POST, "/streamer/dock/queue/skip", Some(Scope::QueueControl)),
            (Method::POST, "/streamer/queue/playback/pause", Some(Scope::QueueControl)),
            (Method::PATCH, "/streamer/memes/{id}", Some(Scope::MemesWrite)),
            (Method::GET, "/streamer/team", Some(Scope::ChannelRead)),
            (Method::PUT, "/streamer/team/{login}", None),
            (Method::GET, "/streamer/tokens", None),
            (Method::POST, "/streamer/tokens", None),
            (Method::GET, "/streamer/overlay/token", None),
            (Method::POST, "/streamer/credits/token/rotate", None),
            (Method::GET, "/api/v1/messages/{id}", Some(Scope::BotsRead)),
            (Method::GET, "/me", None),
            (Method::POST, "/memes/{id}/activate", None),
            (Method::GET, "/owner/users", None),
            (Method::POST, "/auth/logout", None),
        ] {
            assert_eq!(of_operation(&method, path), scope, "{method} {path}");
        }
    }
}
