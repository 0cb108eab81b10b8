//! What the pool counts; each series exists from the start, at zero.

use metrics::{counter, describe_counter};

pub(crate) const MESSAGES: &str = "outbox_messages_total";

pub(crate) const MAILS: &str = "outbox_mails_total";

pub(crate) fn describe() {
    describe_counter!(MESSAGES, "Runs of chat messages, by what came of them");
    for result in ["sent", "failed", "deferred", "unknown"] {
        counter!(MESSAGES, "result" => result).absolute(0);
    }
    describe_counter!(MAILS, "Runs of mails, by what came of them");
    for result in ["sent", "failed", "deferred", "needless"] {
        counter!(MAILS, "result" => result).absolute(0);
    }
}
