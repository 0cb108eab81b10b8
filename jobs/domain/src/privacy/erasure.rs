//! To be forgotten.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ErasePerson, HOLDINGS, Holding, PrivacyError, SweepExports, repo};
use crate::{
    access::{Purpose, Vault},
    accounts::{self, Role},
    acts::{self, Act, By},
    channels,
    events::{self, NewEvent},
    identities,
    mails::{self, Kind, Language},
    media::{self, NewFile},
    requests,
    sessions::{self, EndReason},
};

/// In the place of answers to others that spoke of the person: a problem as the API tells them.
const FORGOTTEN: &str = r#"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"Idempotency-Key: it was used before, for somebody who is forgotten since","instance":"","errorCode":"IDEMPOTENCY_KEY_REUSED","error":"Idempotency-Key: it was used before, for somebody who is forgotten since","requestId":"","traceId":""}"#;

/// Shuts the person out, closes the person's channel, and orders the rest. There is no way back. `farewell`: a last mail
/// says so, in this language.
///
/// From the commit on no row can be written that is the person's (the tables refuse it), and whoever was writing one is
/// waited for.
///
/// # Errors
/// [`PrivacyError::Admin`].
pub async fn ask_erasure(
    tx: &mut Tx,
    vault: &Vault,
    by: &By,
    user: Uuid,
    farewell: Option<Language>,
) -> Result<(), PrivacyError> {
    repo::lock_channel(&mut *tx, user).await?;
    let Some(person) = accounts::lock_alone(&mut *tx, user).await? else { return Ok(()) };
    if person.role == Role::Admin {
        return Err(PrivacyError::Admin);
    }
    // As all that follows before the end: while there is somebody of whom it can be said.
    acts::note(&mut *tx, by, Act::new("forget").to(user)).await?;
    if let Some(language) = farewell {
        mails::tell(tx, user, Kind::AccountDeleted, None, Some(language)).await?;
    }
    repo::shut_out(&mut *tx, user).await?;
    sessions::end_all_of_user(tx, user, None, EndReason::Erased).await?;
    identities::give_back_all(tx, vault, user).await?;
    queue::enqueue(tx, &ErasePerson { user }).await?;
    if let Some(before) = channels::find_of_owner(&mut *tx, user).await? {
        repo::close_channel(&mut *tx, before.id).await?;
        if let Some(channel) = channels::find_of_owner(&mut *tx, user).await? {
            // Open overlays end at once, and whoever else follows the channel.
            let doors = [Purpose::Overlay, Purpose::Credits].map(|door| channels::revoked_event(&channel, door));
            let ends = doors.into_iter().chain(NewEvent::shut(&channel.slug));
            events::record(tx, ends.collect()).await?;
        }
    }
    Ok(())
}

/// Erases some of the person's rows in the table as the map says; 0 when none are left.
///
/// # Errors
/// The database refused.
pub async fn erase_some(conn: &mut PgConnection, holding: &Holding, user: Uuid) -> Result<u64, sqlx::Error> {
    repo::erase_some(conn, holding, user).await
}

/// Something to show that nobody but the erased person has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: Uuid,
    pub file_hash: String,
    pub source_hash: Option<String>,
    pub poster_hash: Option<String>,
    pub preview_hash: Option<String>,
}

impl Asset {
    /// Of its files: it has a reference to each.
    pub(super) fn hashes(&self) -> impl Iterator<Item = &String> {
        let more = [&self.source_hash, &self.poster_hash, &self.preview_hash];
        std::iter::once(&self.file_hash).chain(more.into_iter().flatten())
    }
}

/// The end: nothing is left that says who it was. Assets of the person's show `nothing` from now on, an empty file. The
/// caller holds all hashes ([`super::hold_assets`]) and has published that file; what is given back was the last of its
/// bytes and is to be removed after the commit.
///
/// # Errors
/// [`PrivacyError::Drawn`]: to be tried again, from the hashes on; or the database refused.
pub async fn finish(
    tx: &mut Tx,
    user: Uuid,
    assets: &[Asset],
    nothing: NewFile<'_>,
) -> Result<Vec<String>, PrivacyError> {
    // What the tables do not refuse (answers under keys, events, lines of chats) may have come after it was erased.
    for holding in HOLDINGS {
        while repo::erase_some(&mut *tx, holding, user).await? > 0 {}
    }
    let gone = requests::Stored { status: 422, body: FORGOTTEN.to_owned() };
    requests::forget_person(&mut *tx, user, &gone).await?;
    let mut unneeded = Vec::new();
    for asset in assets.iter().filter(|asset| asset.file_hash != nothing.hash) {
        media::add_reference(&mut *tx, nothing).await?;
        if !repo::empty_asset(&mut *tx, asset, nothing.hash).await? {
            return Err(PrivacyError::Drawn);
        }
        for hash in asset.hashes() {
            if media::release(&mut *tx, hash).await? {
                unneeded.push(hash.clone());
            }
        }
    }
    repo::expire_exports(&mut *tx, user).await?;
    queue::enqueue(tx, &SweepExports {}).await?;
    repo::forget_accounts(&mut *tx, user).await?;
    repo::forget_channel(&mut *tx, user).await?;
    repo::forget_user(&mut *tx, user).await?;
    Ok(unneeded)
}
