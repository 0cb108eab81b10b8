//! What the pool counts; each series exists from the start, at zero.

use metrics::{counter, describe_counter};

pub(crate) const MESSAGES: &str = "outbox_messages_total";

pub(crate) fn describe() {
    describe_counter!(MESSAGES, "Runs of chat messages, by what came of them");
    for result in ["sent", "failed", "deferred", "unknown"] {
        counter!(MESSAGES, "result" => result).absolute(0);
    }
}
