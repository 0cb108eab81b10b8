//! Why a mail is not sent, or its link is no good.

/// Facts only; none of them holds a link.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Unknown, used, too old, or a newer one took its place: which of them is nobody's business.
    #[error("the link is unknown, used or too old: ask for a new one")]
    LinkInvalid,
    #[error("the account has no e-mail address")]
    NoAddress,
    #[error("the address is verified already")]
    Verified,
    #[error("it is the account's address already: POST /auth/verify-email/send sends its link again")]
    OwnAddress,
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error("order the mail: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
