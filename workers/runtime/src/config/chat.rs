//! Chat platforms, the bot that speaks there, and how chatters reach the credits.

use std::time::Duration;

use chat::platforms::vkvideo::RoleStubs;
use uuid::Uuid;

use super::{Environment, Reader, Secret, strength};

#[derive(Debug, Clone)]
pub struct Chat {
    /// Twitch's doors; `None`: a simulator is to be run, and nobody has.
    pub twitch: Option<Twitch>,
    /// In dev without `TWITCH_IRC_URL`, `memalerts all` runs a simulator and is its own Twitch.
    pub simulate_twitch: bool,
    pub vkvideo: VkVideo,
    /// `CHAT_BOT_USER_ID`: who speaks on Twitch where no account is linked for it: the one of this person here.
    pub bot_user_id: Option<Uuid>,
    /// `CHAT_BOT_TWITCH_USER_ID`: the same, by the account's id there.
    pub bot_twitch_user_id: Option<String>,
    /// `CHAT_BOT_LOGIN` without `CHAT_BOT_OAUTH_TOKEN`: the same, by the account's name there.
    pub bot_login: Option<String>,
    /// `TWITCH_EVENTSUB_SECRET`: what Twitch signs its webhooks with, 10 to 100 ASCII characters. Default derived from
    /// `MEMALERTS_SECRET`.
    pub eventsub_secret: Option<Secret>,
    /// `CHATBOT_BACKEND_BASE_URLS`: instances that hear of each new chatter for their credits, comma separated. Default
    /// this machine's API.
    pub backend_base_urls: Vec<String>,
    /// `CHATBOT_SYNC_SECONDS`: how often the list of chats to join is read again when no wake-up comes. Default 30.
    pub sync_every: Duration,
    /// `CHATBOT_OUTBOX_POLL_MS`: how often the outbox is looked at when no wake-up comes. Default 1000.
    pub outbox_poll: Duration,
    /// `CHATBOT_CHANNEL_INTERVAL_MS`: an account says one message in this time in one chat, over all processes. Default 1000,
    /// which is what Twitch takes; 0: as fast as the account's budget lets it.
    pub channel_interval: Duration,
    /// `CHATBOT_COMMANDS_REFRESH_SECONDS`: how late a changed command may count. Commands are read with the messages that
    /// may call them, so that any value is kept. Default 30.
    pub commands_refresh: Duration,
}

/// Twitch's doors, and our account there.
#[derive(Debug, Clone)]
pub struct Twitch {
    /// `TWITCH_IRC_URL`: where chats are read, `ws://` or `wss://`. Default wss://irc-ws.chat.twitch.tv:443.
    pub irc_url: String,
    /// `TWITCH_IRC_SEND_URL`: where messages are written, `irc://` or `ircs://`. Default ircs://irc.chat.twitch.tv:6697; in
    /// dev host and port of `TWITCH_IRC_URL`, as a simulator has both doors on one port.
    pub irc_send_url: String,
    /// None: chats are read without an account, and only linked ones speak.
    pub account: Option<BotAccount>,
}

/// VK Video's chats.
#[derive(Debug, Clone)]
pub struct VkVideo {
    /// `VKVIDEO_CHAT_BOT_ENABLED`: 1: its chats are read. Default 0, in dev 1.
    pub enabled: bool,
    /// `VKVIDEO_PUBSUB_WS_URL`: where news are told, `ws://` or `wss://`.
    pub pubsub_url: String,
    /// `VKVIDEO_PUBSUB_REFRESH_SECONDS`: how often a connection shows a new token, if the platform asks for no earlier one.
    /// Default 600.
    pub refresh_every: Duration,
    /// `VKVIDEO_ROLE_STUBS_JSON`: roles of people in channels, in place of the platform's.
    pub role_stubs: RoleStubs,
}

/// The account that reads, and speaks where none is linked for it.
#[derive(Debug, Clone)]
pub struct BotAccount {
    /// `CHAT_BOT_LOGIN`. Default `memalerts_bot` in dev.
    pub login: String,
    /// `CHAT_BOT_OAUTH_TOKEN`: its token, with scopes chat:read and chat:edit. Any text in dev.
    pub token: Secret,
}

impl BotAccount {
    /// Whom a simulator lets in.
    pub(crate) fn of_dev() -> Self {
        Self { login: "memalerts_bot".to_owned(), token: Secret::new("dev") }
    }
}

impl Chat {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let irc_url = address(reader, "TWITCH_IRC_URL", &["ws://", "wss://"]);
        let irc_send_url = address(reader, "TWITCH_IRC_SEND_URL", &["irc://", "ircs://"]);
        let mut login = reader.text("CHAT_BOT_LOGIN").map(|login| login.to_lowercase());
        let mut token = reader.secret("CHAT_BOT_OAUTH_TOKEN");
        if environment.is_dev() {
            let BotAccount { login: usual, token: any } = BotAccount::of_dev();
            reader.otherwise("CHAT_BOT_LOGIN", &usual);
            reader.otherwise("CHAT_BOT_OAUTH_TOKEN", any.clone());
            login = login.or(Some(usual));
            token = token.or(Some(any));
        } else if login.is_none() && token.is_some() {
            reader.complain("CHAT_BOT_OAUTH_TOKEN without CHAT_BOT_LOGIN: say whose token it is");
        }
        let bot_login = login.clone().filter(|_| token.is_none());
        let bot_user_id = reader.text("CHAT_BOT_USER_ID").and_then(|text| {
            let id = Uuid::parse_str(&text).ok();
            if id.is_none() {
                reader.complain("CHAT_BOT_USER_ID must be the id of a person here");
            }
            id
        });
        let bot_twitch_user_id = reader.text("CHAT_BOT_TWITCH_USER_ID");
        for name in ["CHAT_BOT_USER_ID", "CHAT_BOT_TWITCH_USER_ID"] {
            reader.otherwise(name, "nobody's");
        }
        let simulate_twitch = environment.is_dev() && irc_url.is_none();
        for (name, usual) in [
            ("TWITCH_IRC_URL", chat::platforms::twitch::DEFAULT_URL),
            ("TWITCH_IRC_SEND_URL", outbox::twitch::DEFAULT_URL),
        ] {
            reader.otherwise(name, if simulate_twitch { "the simulator within memalerts all" } else { usual });
        }
        let twitch = (!simulate_twitch).then(|| {
            let beside = irc_url.as_deref().filter(|_| environment.is_dev()).and_then(|url| url.split_once("://"));
            let irc_send_url = irc_send_url
                .or_else(|| beside.map(|(_, rest)| format!("irc://{}", rest.trim_end_matches('/'))))
                .unwrap_or_else(|| outbox::twitch::DEFAULT_URL.to_owned());
            let irc_url = irc_url.unwrap_or_else(|| chat::platforms::twitch::DEFAULT_URL.to_owned());
            reader.otherwise("TWITCH_IRC_SEND_URL", &irc_send_url);
            let account = login.zip(token).map(|(login, token)| BotAccount { login, token });
            Twitch { irc_url, irc_send_url, account }
        });
        Self {
            twitch,
            simulate_twitch,
            vkvideo: VkVideo::read(reader, environment),
            bot_user_id,
            bot_twitch_user_id,
            bot_login,
            eventsub_secret: eventsub_secret(reader, environment),
            backend_base_urls: addresses(reader, "CHATBOT_BACKEND_BASE_URLS"),
            sync_every: reader.seconds("CHATBOT_SYNC_SECONDS", 30, 1),
            outbox_poll: reader.milliseconds("CHATBOT_OUTBOX_POLL_MS", 1000, 10),
            channel_interval: reader.milliseconds("CHATBOT_CHANNEL_INTERVAL_MS", 1000, 0),
            commands_refresh: reader.seconds("CHATBOT_COMMANDS_REFRESH_SECONDS", 30, 1),
        }
    }
}

impl VkVideo {
    fn read(reader: &mut Reader, environment: Environment) -> Self {
        let pubsub_url = address(reader, "VKVIDEO_PUBSUB_WS_URL", &["ws://", "wss://"]);
        let usual = chat::platforms::vkvideo::DEFAULT_URL;
        reader.otherwise("VKVIDEO_PUBSUB_WS_URL", usual);
        Self {
            enabled: reader.switch("VKVIDEO_CHAT_BOT_ENABLED", environment.is_dev()),
            pubsub_url: pubsub_url.unwrap_or_else(|| usual.to_owned()),
            refresh_every: reader.seconds("VKVIDEO_PUBSUB_REFRESH_SECONDS", 600, 1),
            role_stubs: role_stubs(reader),
        }
    }
}

fn role_stubs(reader: &mut Reader) -> RoleStubs {
    let name = "VKVIDEO_ROLE_STUBS_JSON";
    let text = reader.text(name);
    reader.otherwise(name, "none");
    match text.map(|text| RoleStubs::parse(&text)) {
        None => RoleStubs::default(),
        Some(Ok(stubs)) => stubs,
        Some(Err(why)) => {
            reader.complain(format!("{name}: {why}"));
            RoleStubs::default()
        }
    }
}

fn eventsub_secret(reader: &mut Reader, environment: Environment) -> Option<Secret> {
    let name = "TWITCH_EVENTSUB_SECRET";
    let secret = reader.secret(name);
    reader.otherwise(name, "derived from MEMALERTS_SECRET");
    let secret = secret?;
    let text = secret.expose();
    if !(10..=100).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.complain(format!("{name} must have 10 to 100 visible ASCII characters"));
    } else if !environment.is_dev()
        && let Some(weakness) = strength::weakness(text)
    {
        // Whoever guesses it tells us what they like in the platform's name.
        reader.complain(format!("{name} {weakness}, so that it can be guessed: take one of `openssl rand -hex 32`"));
    }
    Some(secret)
}

fn address(reader: &mut Reader, name: &'static str, schemes: &[&str]) -> Option<String> {
    let url = reader.text(name)?;
    if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
        reader.complain(format!("{name} must begin with {}, not {url:?}", schemes.join(" or ")));
    }
    Some(url)
}

fn addresses(reader: &mut Reader, name: &'static str) -> Vec<String> {
    let list = reader.text(name).unwrap_or_default();
    reader.otherwise(name, "the API of this machine");
    let urls: Vec<String> =
        list.split(',').map(|url| url.trim().trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()).collect();
    for url in &urls {
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            reader.complain(format!("{name} must hold http:// or https:// addresses, not {url:?}"));
        }
    }
    urls
}
