//! What the bot writes, as a chat server that is not ours passes it on (ngircd, from Debian).
//!
//! The simulator was written by whoever wrote the bot: what both understand wrongly would look right. This server cuts lines at
//! 512 bytes, takes a CR or LF for the end of one, and knows nothing of Twitch's own commands.

use std::{path::Path, process::Stdio, time::Duration};

use harness::{Pool, Session, TestApp, wait_until};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    process::{Child, Command},
};

/// Where Debian puts it, which is not everybody's path.
const PROGRAM: &str = "/usr/sbin/ngircd";

#[expect(clippy::print_stderr, reason = "so a story says that it was skipped")]
fn skipped(story: &str) {
    eprintln!("SKIPPED {story}: no {PROGRAM}");
}

struct Server {
    port: u16,
    _process: Child,
    _files: TempDir,
}

impl Server {
    /// None, and says so, where it is not installed; in CI that is a failure.
    async fn start(story: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            assert!(std::env::var_os("CI").is_none(), "{story}: no {PROGRAM}, and in CI nothing is skipped");
            skipped(story);
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let files = TempDir::new().unwrap();
        let settings = files.path().join("ngircd.conf");
        let text = format!(
            "[Global]\nName = irc.test.invalid\nInfo = test\nMotdPhrase = welcome\nPassword = oauth:secret\nListen = 127.0.0.1\nPorts = {port}\nServerUID = nobody\n\
             ServerGID = nogroup\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\n\
             PAM = no\nChrootDir =\n"
        );
        std::fs::write(&settings, text).unwrap();
        let process = Command::new(PROGRAM)
            .args(["--nodaemon", "--config"])
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        wait_until("the server listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop)).await;
        Some(Self { port, _process: process, _files: files })
    }

    async fn connect(&self) -> (Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf) {
        let (reading, writing) = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap().into_split();
        (BufReader::new(reading).lines(), writing)
    }

    /// Somebody who sits in the channel and reads.
    async fn listener(&self, channel: &str) -> Lines<BufReader<OwnedReadHalf>> {
        let (mut lines, mut writing) = self.connect().await;
        let hello = format!("PASS oauth:secret\r\nNICK ear\r\nUSER ear 0 * :ear\r\nJOIN #{channel}\r\n");
        writing.write_all(hello.as_bytes()).await.unwrap();
        // 366 ends the names of a channel that one has joined.
        while !lines.next_line().await.unwrap().expect("the server hung up").contains(" 366 ") {}
        tokio::spawn(async move {
            // Held open; it ends with the server.
            let _held = writing;
            std::future::pending::<()>().await;
        });
        lines
    }

    /// What Twitch leaves out and adds, before this server: no USER is sent to it and no end of the wishes, and it confirms each
    /// message. All else goes through as it is. Its address.
    async fn twitch_like(&self) -> String {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("irc://{}", door.local_addr().unwrap());
        let port = self.port;
        tokio::spawn(async move {
            while let Ok((bot, _)) = door.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(relay(bot, server));
            }
        });
        address
    }
}

async fn relay(bot: TcpStream, server: TcpStream) {
    let (from_bot, mut to_bot) = bot.into_split();
    let (from_server, mut to_server) = server.into_split();
    let (mut from_bot, mut from_server) = (BufReader::new(from_bot), BufReader::new(from_server));
    let (mut said, mut told) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            read = from_bot.read_until(b'\n', &mut said) => {
                if !matches!(read, Ok(1..)) { return }
                to_server.write_all(&said).await.unwrap();
                if said.starts_with(b"NICK ") {
                    to_server.write_all(b"USER bot 0 * :bot\r\nCAP END\r\n").await.unwrap();
                }
                if let Some(rest) = said.strip_prefix(b"PRIVMSG ") {
                    let channel = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
                    let confirmed = [b":tmi.twitch.tv USERSTATE ", channel, b"\r\n"].concat();
                    to_bot.write_all(&confirmed).await.unwrap();
                }
                said.clear();
            }
            read = from_server.read_until(b'\n', &mut told) => {
                if !matches!(read, Ok(1..)) { return }
                to_bot.write_all(&told).await.unwrap();
                told.clear();
            }
        }
    }
}

async fn system(address: &str) -> (TestApp, Session) {
    let app = TestApp::builder()
        .pools(&[Pool::Outbox])
        .env("TWITCH_IRC_SEND_URL", address)
        // Nobody reads here.
        .env("TWITCH_IRC_URL", "ws://127.0.0.1:9")
        .env("CHAT_BOT_LOGIN", "demo_bot")
        .env("CHAT_BOT_OAUTH_TOKEN", "oauth:secret")
        .start()
        .await;
    let demo = app.login("demo", "streamer").await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    (app, demo)
}

#[tokio::test]
async fn each_message_is_one_line_for_a_server_that_is_not_ours_whatever_its_text() {
    let story = "each_message_is_one_line_for_a_server_that_is_not_ours_whatever_its_text";
    let Some(server) = Server::start(story).await else { return };
    let mut ear = server.listener("demo").await;
    let (_app, demo) = system(&server.twitch_like().await).await;
    let long = "x".repeat(400);
    let texts = [
        ("hello : there", "hello : there"),
        ("Привет, чат 👋🏽", "Привет, чат 👋🏽"),
        (":colon first", ":colon first"),
        ("one\r\nQUIT :gone\r\nPRIVMSG #demo :two", "one  QUIT :gone  PRIVMSG #demo :two"),
        ("one\nJOIN #other", "one JOIN #other"),
        (long.as_str(), long.as_str()),
    ];
    for (text, _) in texts {
        let body = demo.post("/streamer/bot/say", &json!({ "message": text })).await.expect(200);
        let path = format!("/streamer/bot/outbox/twitch/{}", body["outbox"]["id"].as_str().unwrap());
        wait_until(&format!("{text:?} is sent"), async || {
            (demo.get(&path).await.expect(200)["status"] == "sent").then_some(())
        })
        .await;
    }
    let mut heard = Vec::new();
    while heard.len() < texts.len() {
        let line = tokio::time::timeout(Duration::from_secs(30), ear.next_line()).await.expect("a line in time");
        let line = line.unwrap().expect("the server hung up");
        // The bot neither joined nor left, nor became anybody else.
        let (who, what) = line.strip_prefix(':').and_then(|rest| rest.split_once(' ')).expect(&line);
        assert!(who.starts_with("demo_bot!"), "{line}");
        heard.push(what.strip_prefix("PRIVMSG #demo :").expect(&line).to_owned());
    }
    let wanted: Vec<&str> = texts.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(heard, wanted);
}
