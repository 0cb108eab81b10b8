//! The mail server, and in whose name mails come.

use url::Url;

use super::{Environment, Reader, Secret};

#[derive(Debug, Clone)]
pub struct Mail {
    /// `SMTP_URL`: the mail server, `smtp://user:password@host:port` (STARTTLS, unless it is on this machine) or `smtps://`.
    /// Unset: in dev mails are shown in the log, else what needs one answers 503.
    pub smtp_url: Option<Secret>,
    /// `MAIL_FROM`: the sender, `MemAlerts <us@example.org>`. Required with `SMTP_URL`.
    pub sender: String,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let smtp_url = reader.secret("SMTP_URL");
        if let Some(url) = &smtp_url {
            if let Some(flaw) = outbox::mail::check_url(url.expose()) {
                reader.complain(format!("SMTP_URL {flaw} (its value is not shown here)"));
            }
            let place = Url::parse(url.expose()).ok().and_then(|url| {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
            });
            reader.show("SMTP_URL", place.unwrap_or_else(|| url.to_string()));
        }
        let sender = reader.text("MAIL_FROM");
        match &sender {
            Some(sender) => {
                if let Some(flaw) = outbox::mail::check_sender(sender) {
                    reader.complain(format!("MAIL_FROM {flaw}, not {sender:?}"));
                }
            }
            None if smtp_url.is_some() && !environment.is_dev() => {
                reader.complain("MAIL_FROM is not set, in whose name are mails to come? MemAlerts <us@example.org>");
            }
            None => {}
        }
        if environment.is_dev() {
            reader.otherwise("SMTP_URL", "none: mails are shown in the log");
        } else {
            reader.otherwise("SMTP_URL", "none: no mails are sent");
        }
        let sender = sender.unwrap_or_else(|| "MemAlerts <memalerts@localhost>".to_owned());
        reader.otherwise("MAIL_FROM", &sender);
        Self { smtp_url, sender }
    }
}
