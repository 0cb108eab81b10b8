//! What the pool counts; each series exists from the start, at zero.

use metrics::{counter, describe_counter};

pub(crate) const RELAYS: &str = "credits_relays_total";

pub(crate) fn describe() {
    describe_counter!(RELAYS, "Chatters told to an instance, by what came of it");
    for result in ["delivered", "failed", "unknown_channel"] {
        counter!(RELAYS, "result" => result).absolute(0);
    }
}
