//! What the server does with a line of a client.

use irc::{Line, Tags};

use super::{
    happenings::Speech,
    hub::{Client, ClientId, Fault, Hub, State, number, person, server},
};

/// Handles one line; answers go out through the hub.
pub(super) fn hear(hub: &Hub, id: ClientId, raw: &[u8]) {
    let mut state = hub.state();
    state.log(id, &String::from_utf8_lossy(raw));
    if state.silent {
        return;
    }
    let Ok(line) = Line::parse_bytes(raw) else { return };
    match line.command.as_str() {
        "CAP" => capabilities(&mut state, id, &line),
        "PASS" => {
            if let Some(client) = state.clients.get_mut(&id) {
                client.pass = line.params.last().cloned();
            }
        }
        "NICK" => log_in(hub, &mut state, id, &line),
        "PING" => {
            let token = line.params.last().map_or("", String::as_str);
            state.send(id, &[server("PONG", ["tmi.twitch.tv", token])]);
        }
        "JOIN" | "PART" | "PRIVMSG" => {
            let Some(nick) = state.clients.get(&id).and_then(|client| client.nick.clone()) else { return };
            let channels: Vec<String> = line
                .param(0)
                .unwrap_or_default()
                .split(',')
                .filter_map(|channel| channel.strip_prefix('#'))
                .map(str::to_lowercase)
                .filter(|channel| !channel.is_empty())
                .collect();
            match (line.command.as_str(), channels.as_slice()) {
                ("JOIN", channels) => channels.iter().for_each(|channel| join(hub, &mut state, id, &nick, channel)),
                ("PART", channels) => channels.iter().for_each(|channel| part(&mut state, id, &nick, channel)),
                (_, [channel]) => message(hub, &mut state, id, &nick, channel, &line),
                _ => {}
            }
        }
        "QUIT" => state.close(id),
        _ => {}
    }
}

fn capabilities(state: &mut State, id: ClientId, line: &Line) {
    match line.param(0) {
        Some("REQ") => {}
        Some("LS") => {
            return state
                .send(id, &[server("CAP", ["*", "LS", "twitch.tv/commands twitch.tv/membership twitch.tv/tags"])]);
        }
        _ => return,
    }
    let asked = line.param(1).unwrap_or_default().to_owned();
    let known = |name: &str| matches!(name, "twitch.tv/tags" | "twitch.tv/commands" | "twitch.tv/membership");
    let answer = if asked.split(' ').all(known) { "ACK" } else { "NAK" };
    if let Some(client) = state.clients.get_mut(&id)
        && answer == "ACK"
    {
        client.tags |= asked.contains("twitch.tv/tags");
        client.commands |= asked.contains("twitch.tv/commands");
    }
    state.send(id, &[server("CAP", ["*", answer, asked.as_str()])]);
}

fn log_in(hub: &Hub, state: &mut State, id: ClientId, line: &Line) {
    let Some(Client { pass, nick: None, commands, .. }) = state.clients.get(&id) else { return };
    let nick = line.param(0).unwrap_or_default().to_lowercase();
    let anonymous = nick.strip_prefix("justinfan").is_some_and(|digits| digits.parse::<u64>().is_ok());
    let refusal = match pass.as_deref().map(|pass| pass.strip_prefix("oauth:")) {
        _ if nick.is_empty() => Some("Improperly formatted auth"),
        _ if anonymous => None,
        Some(Some(token)) if hub.settings.bad_tokens.iter().any(|bad| bad == token) => {
            Some("Login authentication failed")
        }
        Some(Some(token)) if !token.is_empty() => None,
        _ => Some("Improperly formatted auth"),
    };
    if let Some(reason) = refusal {
        state.send(id, &[server("NOTICE", ["*", reason])]);
        state.close(id);
        return;
    }
    let mut greeting: Vec<Line> = [
        ("001", "Welcome, GLHF!"),
        ("002", "Your host is tmi.twitch.tv"),
        ("003", "This server is rather new"),
        ("004", "-"),
        ("375", "-"),
        ("372", "You are in a maze of twisty passages, all alike."),
        ("376", ">"),
    ]
    .into_iter()
    .map(|(number, text)| server(number, [nick.as_str(), text]))
    .collect();
    if *commands {
        greeting.push(server("GLOBALUSERSTATE", []).with_tags(self_tags(&nick).with("user-id", number(&nick))));
    }
    state.send(id, &greeting);
    if let Some(client) = state.clients.get_mut(&id) {
        client.nick = Some(nick);
    }
}

fn join(hub: &Hub, state: &mut State, id: ClientId, nick: &str, channel: &str) {
    if hub.settings.enforce_limits && !state.may_join(nick) {
        // Twitch says nothing: the echo never comes.
        return;
    }
    state.rooms.entry(channel.to_owned()).or_default().insert(id);
    let room = format!("#{channel}");
    let host = format!("{nick}.tmi.twitch.tv");
    let mut lines = vec![
        Line::new("JOIN", [room.as_str()]).with_prefix(person(nick)),
        Line::new("353", [nick, "=", room.as_str(), nick]).with_prefix(host.clone()),
        Line::new("366", [nick, room.as_str(), "End of /NAMES list"]).with_prefix(host),
    ];
    if state.clients.get(&id).is_some_and(|client| client.commands) {
        let settings = Tags::new()
            .with("emote-only", "0")
            .with("followers-only", "-1")
            .with("r9k", "0")
            .with("room-id", number(channel))
            .with("slow", "0")
            .with("subs-only", "0");
        lines.push(server("USERSTATE", [room.as_str()]).with_tags(self_tags(nick)));
        lines.push(server("ROOMSTATE", [room.as_str()]).with_tags(settings));
    }
    state.send(id, &lines);
}

fn part(state: &mut State, id: ClientId, nick: &str, channel: &str) {
    if state.rooms.get_mut(channel).is_some_and(|members| members.remove(&id)) {
        state.send(id, &[Line::new("PART", [format!("#{channel}").as_str()]).with_prefix(person(nick))]);
    }
}

fn message(hub: &Hub, state: &mut State, id: ClientId, nick: &str, channel: &str, line: &Line) {
    // An anonymous reader may not speak; the words go nowhere.
    let (false, Some(text)) = (nick.starts_with("justinfan"), line.param(1)) else { return };
    let fault = state.next_fault();
    let refusal = match &fault {
        Some(Fault::Refuse { code }) => Some(code.as_str()),
        _ if text.trim().is_empty() => return,
        _ if text.chars().count() > 500 => Some("msg_rejected"),
        _ if hub.settings.enforce_limits && !state.may_send(nick) => Some("msg_ratelimit"),
        _ if hub.settings.refuse_duplicates && state.is_copy(nick, channel, text) => Some("msg_duplicate"),
        _ => None,
    };
    if fault == Some(Fault::Ignore) {
        return;
    }
    let room = format!("#{channel}");
    if let Some(code) = refusal {
        let notice = server("NOTICE", [room.as_str(), "Your message was not sent."]);
        return state.send(id, &[notice.with_tags(Tags::new().with("msg-id", code))]);
    }
    let speech =
        Speech { channel: channel.to_owned(), nick: nick.to_owned(), text: text.to_owned(), ..Speech::default() };
    let message_id = state.speak(Some(id), &speech, &line.tags);
    if fault == Some(Fault::Lose) {
        return state.close(id);
    }
    if state.clients.get(&id).is_some_and(|client| client.commands) {
        let tags = self_tags(nick).with("id", message_id);
        state.send(id, &[server("USERSTATE", [room.as_str()]).with_tags(tags)]);
    }
}

/// The tags of the state lines about oneself.
fn self_tags(nick: &str) -> Tags {
    Tags::new()
        .with("badge-info", "")
        .with("badges", "")
        .with("color", "#1E90FF")
        .with("display-name", nick)
        .with("emote-sets", "0")
        .with("mod", "0")
        .with("subscriber", "0")
        .with("user-type", "")
}
