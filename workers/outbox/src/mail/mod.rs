//! The way to people's mailboxes: one mail server, which is told the mail and who shall have it.

mod words;

use std::{fmt, time::Duration};

use domain::mails::Letter;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{Error, extension::ClientId},
};
use url::{Host, Url};

/// A server that says nothing for so long is given up until the next try.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the pool must be told about mails.
#[derive(Clone)]
pub struct Settings {
    /// As [`check_url`] takes it; `None`: there is no mail server.
    pub smtp_url: Option<String>,
    /// As [`check_sender`] takes it.
    pub sender: String,
    /// Where the pages are that links lead to, without a trailing slash.
    pub public_url: String,
    /// Without a mail server mails are shown in the log, with their links: on dev machines only.
    pub shown: bool,
}

/// The address of the server has a password in it.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("sender", &self.sender).field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// What is wrong with the address of a mail server, if anything: `smtp://user:password@host:port` begins in clear and goes
/// on with TLS (STARTTLS), `smtps://` is TLS from the first byte. To a server on this machine `smtp://` stays in clear, and
/// `?tls=opportunistic` or `?tls=required` says what shall be else.
#[must_use]
pub fn check_url(url: &str) -> Option<&'static str> {
    transport(url).err()
}

/// What is wrong with the sender, if anything: `Name <address>`, or the address alone.
#[must_use]
pub fn check_sender(sender: &str) -> Option<&'static str> {
    sender
        .parse::<Mailbox>()
        .is_err()
        .then_some("must be an address, or a name and an address: MemAlerts <us@example.org>")
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Each mail has a connection of its own: they are few, and one that was kept may be dead.
fn transport(url: &str) -> Result<lettre::transport::smtp::AsyncSmtpTransportBuilder, &'static str> {
    const FORM: &str =
        "must be smtp://user:password@host:port or smtps://..., with ?tls=required or ?tls=opportunistic at most";
    let mut url = Url::parse(url).map_err(|_| FORM)?;
    let here = match url.host().ok_or(FORM)? {
        // Schemes that no browser knows keep addresses as names.
        Host::Domain(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    if !url.path().trim_matches('/').is_empty() {
        return Err(FORM);
    }
    // Passwords and links in clear over the net: never by default.
    if url.scheme() == "smtp" && url.query().is_none() && !here {
        url.set_query(Some("tls=required"));
    }
    Transport::from_url(url.as_str()).map_err(|_| FORM)
}

/// What became of a mail.
#[derive(Debug)]
pub(crate) enum Fate {
    Taken,
    /// The server will not have it, whenever it is asked.
    Refused(String),
    /// Nobody knows, or the server said that it may be had later.
    NotNow(String),
}

/// Where mails are posted.
pub(crate) struct Post {
    door: Door,
    public_url: String,
}

enum Door {
    Server { transport: Box<Transport>, sender: Box<Mailbox>, domain: String },
    Log,
    None(&'static str),
}

impl Post {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { door: Door::of(settings), public_url: settings.public_url.clone() }
    }

    /// Writes the mail and hands it over.
    pub(crate) async fn send(&self, letter: &Letter) -> Fate {
        let words = words::of(letter, &self.public_url);
        match &self.door {
            Door::None(reason) => Fate::NotNow((*reason).to_owned()),
            Door::Log => {
                tracing::info!(
                    to = letter.recipient,
                    subject = words.subject,
                    "a mail, shown here because SMTP_URL is not set:\n{}",
                    words.text()
                );
                Fate::Taken
            }
            Door::Server { transport, sender, domain } => {
                match message(letter, &words, sender, domain) {
                    Ok(message) => match transport.send(message).await {
                        Ok(_) => Fate::Taken,
                        Err(error) => judged(&error),
                    },
                    // An address that no mail can be sent to is none later either.
                    Err(reason) => Fate::Refused(reason),
                }
            }
        }
    }
}

impl Door {
    fn of(settings: &Settings) -> Self {
        let Some(url) = &settings.smtp_url else {
            return if settings.shown { Self::Log } else { Self::None("SMTP_URL is not set") };
        };
        let Ok(sender) = settings.sender.parse::<Mailbox>() else { return Self::None("MAIL_FROM is no address") };
        let domain = sender.email.domain().to_owned();
        match transport(url) {
            Ok(builder) => {
                let named = builder.hello_name(ClientId::Domain(domain.clone())).timeout(Some(PATIENCE));
                Self::Server { transport: Box::new(named.build()), sender: Box::new(sender), domain }
            }
            Err(_) => Self::None("SMTP_URL is no address of a mail server"),
        }
    }
}

fn message(letter: &Letter, words: &words::Words, sender: &Mailbox, domain: &str) -> Result<Message, String> {
    let to = letter.recipient.parse().map_err(|error| format!("the recipient's address: {error}"))?;
    let message = Message::builder()
        .from(sender.clone())
        .to(Mailbox::new(None, to))
        .subject(words.subject)
        .message_id(Some(format!("<{}@{domain}>", letter.id)))
        // Absent people's machines do not answer it.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(words.text(), words.html()));
    message.map_err(|error| error.to_string())
}

/// A server that does not know us any more says nothing about the mail: somebody will mend the settings. Of what a server answers
/// its codes are kept and not its words, in which it may repeat what it was sent, our password too.
fn judged(error: &Error) -> Fate {
    let code = error.status().map(|status| status.to_string().parse::<u16>().unwrap_or(0));
    let ours = matches!(code, Some(530 | 534 | 535 | 538));
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    let reason = match code {
        Some(code) => {
            let class = if error.is_permanent() { "permanent" } else { "transient" };
            format!("the mail server: {class} error {code}{}", enhanced(&words).unwrap_or_default())
        }
        None => format!("the mail server: {words}"),
    };
    if error.is_permanent() && !ours { Fate::Refused(reason) } else { Fate::NotNow(reason) }
}

/// The code of RFC 3463 in what a server says, behind a space: `5.1.1` is a mailbox that is not there.
fn enhanced(words: &str) -> Option<String> {
    let is_code = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let [class, subject, detail] = parts[..] else { return false };
        let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        matches!(class, "2" | "4" | "5") && number(subject) && number(detail)
    };
    words.split_whitespace().find(is_code).map(|code| format!(" {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_server_says_only_its_code_is_kept() {
        assert_eq!(enhanced("permanent error (550): 5.1.1 no such user x").as_deref(), Some(" 5.1.1"));
        for words in ["535 bad: AUTH PLAIN AHVzZXI", "1.2.3.4", "6.1.1", "5.1", "5.1.1234", "5.a.1"] {
            assert_eq!(enhanced(words), None, "{words}");
        }
    }

    #[test]
    fn a_mail_server_is_named_by_its_address_and_nothing_else_is() {
        for good in [
            "smtp://localhost:2525",
            "smtp://127.0.0.1",
            "smtp://me:secret@mail.example:587",
            "smtps://me:secret@mail.example",
            "smtp://mail.example?tls=opportunistic",
        ] {
            assert_eq!(check_url(good), None, "{good}");
        }
        for bad in
            ["", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example?tls=none", "smtp://h/path"]
        {
            assert!(check_url(bad).is_some(), "{bad}");
        }
        assert_eq!(check_sender("MemAlerts <us@example.org>"), None);
        assert_eq!(check_sender("us@example.org"), None);
        assert!(check_sender("MemAlerts").is_some());
    }

    #[test]
    fn over_the_net_nothing_is_said_in_clear_by_default() {
        let shown = |url: &str| format!("{:?}", transport(url).unwrap());
        assert!(shown("smtp://mail.example").contains("Required"), "{}", shown("smtp://mail.example"));
        assert!(shown("smtps://mail.example").contains("Wrapper"));
        assert!(shown("smtp://127.0.0.1:25").contains("None"));
    }
}
