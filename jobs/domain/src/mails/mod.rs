//! Mails to people: links that prove an address, and news about an account.
//!
//! A mail is a row and a job ([`SendMail`]). Its words, and the secret of its link, are made when it is sent: the secret is
//! in the mail and nowhere else, here is its hash ([`Link`]). A link is good once and for a time ([`Kind::lifetime`]); a
//! newer mail of its kind ends it.
//!
//! - [`ask_to_verify`], [`ask_to_change`], [`ask_to_reset`] put a mail with a link, [`tell`] one with news.
//! - [`begin`], [`sent`], [`fail`] are the sender's.
//! - [`verify`], [`look`] and [`redeem`] are of who comes with a link.
//!
//! Who asks for another password is answered alike whether anybody has the address: that is found out by the sender.

mod commands;
mod error;
mod jobs;
mod links;
mod model;
mod repo;

pub use commands::{
    ask_to_change, ask_to_reset, ask_to_verify, begin, fail, sent, subject, subject_from, subject_of, tell,
};
pub use error::MailError;
pub use jobs::{ForgetMails, SendMail};
pub use links::{Link, Owner, end_links, look, redeem, verify};
pub use model::{Kind, Language, Letter, MOST, MOST_ANYWHERE};
pub use repo::forget_old;
