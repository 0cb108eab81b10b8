//! The welcome of `memalerts all` in dev mode: demo data, and the links to click on.

use std::net::SocketAddr;

use super::Process;
use crate::{console::say, demo_data};

/// Where the platforms are that this process simulates; HTTP there steers them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Simulated {
    pub(super) chat: Option<SocketAddr>,
    pub(super) platforms: Option<SocketAddr>,
    pub(super) vkvideo: Option<SocketAddr>,
}

/// Makes the demo data and prints the links. What fails is said; the system runs all the same.
pub(super) async fn welcome(process: &Process, metrics: SocketAddr, simulated: Simulated) {
    let base = process.config.http.public_url();
    say("==> demo data: streamer demo, viewer viewer, admin admin");
    let links = demo_data::make(&format!("http://{}", process.config.http.socket_address())).await;
    say("");
    say(format_args!(
        "MemAlerts runs in dev mode. Ctrl-C stops it; its data stays in {}",
        process.config.database.data_dir.display()
    ));
    say("");
    match links {
        Ok(links) => {
            say(format_args!("  Overlay   {}   (a browser source in OBS, or a tab)", links.overlay));
            say(format_args!("  Credits   {}", links.credits));
        }
        Err(error) => say(format_args!("  The demo data could not be made: {error:#}")),
    }
    say(format_args!("  API       {base}/docs"));
    say(format_args!("  Health    {base}/health"));
    say(format_args!("  Metrics   http://{metrics}/metrics"));
    if let Some(twitch) = &process.config.chat.twitch {
        say(format_args!("  Chat      {} (the simulator of Twitch, channel #{})", twitch.irc_url, demo_data::STREAMER));
    }
    if let Some(address) = simulated.chat {
        say(format_args!(
            "            http://{address}   (say, subscribe, raid, drop: workers/chat/README.md; /frames shows what it was told)"
        ));
    }
    if let Some(address) = simulated.platforms {
        say(format_args!(
            "  Platforms http://{address}   (simulated logins and Twitch's API; /calls and /said show what it was asked)"
        ));
    }
    if let Some(address) = simulated.vkvideo {
        say(format_args!(
            "  VK Video  http://{address}   (its simulated API and chats; /calls and /said: workers/chat/README.md)"
        ));
    }
    say("");
    let program = std::env::current_exe().map_or_else(|_| "memalerts".to_owned(), |path| path.display().to_string());
    say(format_args!("  Try it    {program} demo --base-url {base}"));
    say("");
}
