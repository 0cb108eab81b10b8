//! A mail server: takes what it is given over a real socket, and misbehaves on order.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use harness::{Builder, wait_until};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the next connection is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// `421` instead of a greeting.
    Busy,
    /// `451` to the recipient.
    NotNow,
    /// `550` to the recipient.
    Never,
    /// Takes the mail, and goes away without a word.
    Lost,
    /// Goes away in the middle of the talk.
    HangUp,
    /// `535` to who logs in.
    Stranger,
}

/// A mail as it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) headers: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

#[derive(Debug, Default)]
struct State {
    moods: VecDeque<Mood>,
    taken: Vec<Mail>,
    /// Commands, without what follows them.
    heard: Vec<String>,
}

/// A running server; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct PostOffice {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl PostOffice {
    /// Open until the test's end, and on a thread of its own: a story that ends waits for its mails without running.
    pub(crate) fn open() -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let office = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let clerk = office.clone();
        thread::spawn(move || {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            tokio.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let clerk = clerk.clone();
                    // Who breaks off has no more to say.
                    tokio::spawn(async move { drop(clerk.serve(stream).await) });
                }
            });
        });
        office
    }

    /// `SMTP_URL`
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What makes a process post its mails here.
    pub(crate) fn env(&self) -> [(&'static str, String); 2] {
        [("SMTP_URL", self.url()), ("MAIL_FROM", "MemAlerts <us@memes.example>".to_owned())]
    }

    /// A system that posts its mails here.
    pub(crate) fn known_to(&self, builder: Builder) -> Builder {
        self.env().iter().fold(builder, |builder, (name, value)| builder.env(name, value))
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().moods.push_back(mood);
    }

    /// How often somebody came.
    pub(crate) fn heard(&self, command: &str) -> usize {
        self.state.lock().unwrap().heard.iter().filter(|heard| *heard == command).count()
    }

    /// All mails that were taken so far, the oldest first.
    pub(crate) fn taken(&self) -> Vec<Mail> {
        self.state.lock().unwrap().taken.clone()
    }

    /// The mail with this number, once it is there.
    pub(crate) async fn mail(&self, number: usize) -> Mail {
        wait_until("the mail is there", async || self.taken().get(number).cloned()).await
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mood = self.state.lock().unwrap().moods.pop_front();
        let (reading, mut say) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        if mood == Some(Mood::Busy) {
            return say.write_all(b"421 office too busy\r\n").await;
        }
        say.write_all(b"220 office ESMTP\r\n").await?;
        let mut to = String::new();
        while let Some(line) = lines.next_line().await? {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            self.state.lock().unwrap().heard.push(command.clone());
            let answer: &[u8] = match (command.as_str(), mood) {
                ("EHLO", _) => b"250-office\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
                ("AUTH", Some(Mood::Stranger)) => b"535 who are you\r\n",
                ("AUTH", _) => b"235 welcome\r\n",
                ("MAIL", Some(Mood::HangUp)) => return Ok(()),
                ("RCPT", Some(Mood::NotNow)) => b"451 come again\r\n",
                ("RCPT", Some(Mood::Never)) => b"550 nobody of this name here\r\n",
                ("RCPT", _) => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    b"250 yes\r\n"
                }
                ("DATA", _) => {
                    say.write_all(b"354 go ahead\r\n").await?;
                    let mut letter = String::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        letter.push_str(line.strip_prefix('.').unwrap_or(&line));
                        letter.push_str("\r\n");
                    }
                    self.state.lock().unwrap().taken.push(read(&to, &letter));
                    if mood == Some(Mood::Lost) {
                        return Ok(());
                    }
                    b"250 taken\r\n"
                }
                ("QUIT", _) => return say.write_all(b"221 bye\r\n").await,
                _ => b"250 yes\r\n",
            };
            say.write_all(answer).await?;
        }
        Ok(())
    }
}

fn read(to: &str, letter: &str) -> Mail {
    let (headers, body) = letter.split_once("\r\n\r\n").expect("a mail has headers and a body");
    let headers = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
    let boundary = format!("--{}", headers.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap());
    let parts: Vec<&str> = body.split(&boundary).collect();
    let part = |kind: &str| {
        let part = parts.iter().find(|part| part.to_lowercase().contains(&format!("content-type: {kind}")));
        let (headers, body) = part.unwrap_or_else(|| panic!("no {kind} in {letter}")).split_once("\r\n\r\n").unwrap();
        decoded(&headers.to_lowercase(), body)
    };
    Mail {
        to: to.to_owned(),
        subject: words(headers.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap()),
        text: part("text/plain"),
        html: part("text/html"),
        headers,
    }
}

fn decoded(headers: &str, body: &str) -> String {
    if headers.contains("base64") {
        let letters: String = body.split_whitespace().collect();
        return String::from_utf8(BASE64.decode(letters).unwrap()).unwrap();
    }
    if !headers.contains("quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut pieces = joined.split('=');
    bytes.extend_from_slice(pieces.next().unwrap().as_bytes());
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// A header with words of other alphabets in it.
fn words(header: &str) -> String {
    let mut bytes = Vec::new();
    for word in header.split(' ') {
        match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
            Some(word) => bytes.extend(BASE64.decode(word).unwrap()),
            None => {
                if !bytes.is_empty() {
                    bytes.push(b' ');
                }
                bytes.extend_from_slice(word.as_bytes());
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
