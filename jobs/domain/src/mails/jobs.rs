//! Orders about mails.

use std::time::Duration;

use queue::{Dedupe, Job, Limit, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Write one mail and hand it to the mail server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendMail {
    pub mail_id: Uuid,
}

impl Job for SendMail {
    const NAME: &'static str = "send-mail";
    const POOL: &'static str = "outbox";
    /// A mail server may sleep for a night.
    const RETRY: Retry = Retry::new(12, Duration::from_secs(10), Duration::from_hours(6));
    const TIMEOUT: Duration = Duration::from_secs(90);
    /// A server that hangs must not take the slots of those who speak in chats.
    const LIMIT: Option<Limit> = Some(Limit::running(4));

    fn limit_key(&self) -> Option<String> {
        Some("mail".to_owned())
    }
}

/// Forget mails a month after they were ordered. Ordered every hour by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ForgetMails {}

impl Job for ForgetMails {
    const NAME: &'static str = "forget-mails";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}
