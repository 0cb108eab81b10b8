//! What becomes of mails.

use queue::Tx;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Kind, Language, Letter, Link, MailError, SendMail,
    repo::{self, Person},
};

/// What mails of a kind to an address that somebody asks for are counted under ([`super::MOST_ANYWHERE`]): whoever asks for
/// one kind takes nothing from who needs another.
#[must_use]
pub fn subject(kind: Kind, email: &str) -> String {
    format!("mail:{kind}:{}", hex::encode(Sha256::digest(email)))
}

/// Those of a network ([`super::MOST`]): strangers elsewhere do not use up what the person has.
#[must_use]
pub fn subject_from(network: &str, kind: Kind, email: &str) -> String {
    format!("mail:{network}:{kind}:{}", hex::encode(Sha256::digest(email)))
}

/// Those that one person has sent to addresses of others ([`super::MOST_ANYWHERE`]).
#[must_use]
pub fn subject_of(user: Uuid, kind: Kind) -> String {
    format!("mail:{user}:{kind}")
}

/// Sends the person a link that verifies the account's address.
///
/// # Errors
/// [`MailError::NoAddress`], [`MailError::Verified`].
pub async fn ask_to_verify(tx: &mut Tx, user: Uuid, language: Language) -> Result<(), MailError> {
    let person = repo::person(tx, user).await?.ok_or(MailError::NoAddress)?;
    let email = person.email.ok_or(MailError::NoAddress)?;
    if person.is_verified {
        return Err(MailError::Verified);
    }
    put(tx, Some(user), Kind::VerifyEmail, &email, language).await
}

/// Sends a link to the address, which takes the place of the account's present one once somebody comes with it.
///
/// # Errors
/// [`MailError::EmailTaken`]; [`MailError::Verified`] when it is the account's own and needs no link.
pub async fn ask_to_change(tx: &mut Tx, user: Uuid, email: &str, language: Language) -> Result<(), MailError> {
    match repo::person_with(tx, email).await? {
        Some(owner) if owner.id != user => Err(MailError::EmailTaken),
        Some(owner) if owner.is_verified => Err(MailError::Verified),
        Some(_) => Err(MailError::OwnAddress),
        None => put(tx, Some(user), Kind::ChangeEmail, email, language).await,
    }
}

/// Sends whoever has the address a link to another password. Takes as long where nobody has it.
///
/// # Errors
/// The database refused.
pub async fn ask_to_reset(tx: &mut Tx, email: &str, language: Language) -> Result<(), MailError> {
    put(tx, None, Kind::ResetPassword, email, language).await
}

/// Sends the person news, if there is a verified address; without a language, in that of the person's last mail. News that
/// come in swarms ([`Kind::pause`]) are told once.
///
/// # Errors
/// The database refused.
pub async fn tell(
    tx: &mut Tx,
    user: Uuid,
    kind: Kind,
    details: Option<&str>,
    language: Option<Language>,
) -> Result<(), MailError> {
    let Some(Person { email: Some(email), is_verified: true, .. }) = repo::person(tx, user).await? else {
        return Ok(());
    };
    if let Some(pause) = kind.pause() {
        repo::hold(tx, kind, Some(user), &email).await?;
        if repo::was_told(tx, user, kind, pause).await? {
            return Ok(());
        }
    }
    let language = match language {
        Some(language) => language,
        None => repo::language_of(tx, user).await?.map_or(Language::English, |word| Language::parse(&word)),
    };
    let id = Uuid::now_v7();
    let details = details.map(|details| crate::unseen::plain(details, 200));
    repo::insert(tx, id, Some(user), kind, &email, language, details.as_deref()).await?;
    queue::enqueue(tx, &SendMail { mail_id: id }).await?;
    Ok(())
}

/// A mail with a link, in the place of all earlier ones of its kind: the person's, or those to the address where nobody
/// knows yet whose it is.
async fn put(
    tx: &mut Tx,
    user: Option<Uuid>,
    kind: Kind,
    recipient: &str,
    language: Language,
) -> Result<(), MailError> {
    repo::hold(tx, kind, user, recipient).await?;
    // One that is being written right now is waited for, so its link is seen by what follows.
    repo::supersede(tx, kind, user, recipient).await?;
    repo::end_links_of(tx, kind, user, recipient).await?;
    let id = Uuid::now_v7();
    repo::insert(tx, id, user, kind, recipient, language, None).await?;
    queue::enqueue(tx, &SendMail { mail_id: id }).await?;
    Ok(())
}

/// What is to be written now, with a link of its own; none when there is nothing to be written any more.
///
/// # Errors
/// The database refused.
pub async fn begin(tx: &mut Tx, mail: Uuid) -> Result<Option<Letter>, sqlx::Error> {
    let Some(row) = repo::lock(tx, mail).await? else { return Ok(None) };
    if row.is_over {
        return Ok(None);
    }
    let Ok(kind) = row.kind.parse::<Kind>() else { return Ok(None) };
    let person = match row.user_id {
        Some(user) => repo::person(tx, user).await?,
        None => repo::person_with(tx, &row.recipient).await?,
    };
    let wanted = person.filter(|person| {
        let own = person.email.as_deref() == Some(row.recipient.as_str());
        match kind {
            Kind::VerifyEmail => own && !person.is_verified,
            Kind::ResetPassword => own && !person.is_banned,
            _ => true,
        }
    });
    let Some(person) = wanted else {
        // Nobody has it, or nobody wants it any more: that somebody asked is not worth keeping.
        repo::delete(tx, mail).await?;
        return Ok(None);
    };
    let link = match kind.lifetime() {
        Some(lifetime) => {
            let link = Link::random();
            repo::insert_link(tx, &link.hash(), mail, person.id, kind, &row.recipient, lifetime).await?;
            Some(link)
        }
        None => None,
    };
    Ok(Some(Letter {
        id: mail,
        kind,
        language: Language::parse(&row.language),
        recipient: row.recipient,
        login: person.login,
        details: row.details,
        link,
    }))
}

/// The mail server has taken it.
///
/// # Errors
/// The database refused.
pub async fn sent(conn: &mut PgConnection, mail: Uuid) -> Result<(), sqlx::Error> {
    repo::end(conn, mail, "sent").await
}

/// It is given up, unless somebody tries it again by hand.
///
/// # Errors
/// The database refused.
pub async fn fail(conn: &mut PgConnection, mail: Uuid) -> Result<(), sqlx::Error> {
    repo::end(conn, mail, "failed").await
}
