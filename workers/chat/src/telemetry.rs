//! What the pool counts; each series exists from the start, at zero.

use metrics::{counter, describe_counter, describe_gauge, gauge};

pub(crate) const SESSIONS: &str = "chat_sessions";
pub(crate) const CONNECTS: &str = "chat_connects_total";
pub(crate) const LINES: &str = "chat_lines_total";
pub(crate) const BATCHES: &str = "chat_batches_total";
pub(crate) const MESSAGES: &str = "chat_messages_total";
pub(crate) const ANSWERS: &str = "chat_answers_total";
pub(crate) const DEAD_LETTERS: &str = "chat_dead_letters_total";

pub(crate) fn describe() {
    describe_gauge!(SESSIONS, "Chats that this process reads");
    describe_counter!(CONNECTS, "Connections begun, by result");
    describe_counter!(LINES, "Lines read and kept");
    describe_counter!(BATCHES, "Batches in which they were kept");
    describe_counter!(MESSAGES, "Messages recorded for the first time");
    describe_counter!(ANSWERS, "Answers to commands, by result");
    describe_counter!(DEAD_LETTERS, "Lines put aside");
    gauge!(SESSIONS).set(0.0);
    for result in ["ready", "unreachable", "refused"] {
        counter!(CONNECTS, "result" => result).absolute(0);
    }
    for result in ["queued", "dropped"] {
        counter!(ANSWERS, "result" => result).absolute(0);
    }
    for name in [LINES, BATCHES, MESSAGES, DEAD_LETTERS] {
        counter!(name).absolute(0);
    }
}
