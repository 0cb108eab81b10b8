//! Into the bucket.
//!
//! The signature of each request names the hash of its body, which the server compares: what arrives is what was sent.
//! That it has stayed is asked afterwards.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use bytes::Bytes;
use futures_util::FutureExt as _;
use object_store::{MultipartUpload as _, ObjectStoreExt as _, PutPayload, PutResult, path::Path as Key};

use super::{Bucket, again::again, failed};
use crate::{Hash, Staged, blocking, staging::Place};

/// Bytes that are sent at once, and so held in memory.
const PART: u64 = 8 << 20;
/// S3 takes no more parts than ten thousand.
const MOST_PARTS: u64 = 9_000;

impl Bucket {
    pub(crate) async fn send(&self, staged: Staged) -> io::Result<Staged> {
        let Staged { place: Place::Nameless(file) | Place::Sent(file), hash, size } = staged else {
            return Err(io::Error::other("staged for another store"));
        };
        fail::fail_point!("blobs::send::before");
        again("send", || self.send_once(&file, &hash, size).boxed()).await?;
        fail::fail_point!("blobs::send::after");
        Ok(Staged { place: Place::Sent(file), hash, size })
    }

    /// Sends again over an object that is there already: its age starts anew, and if it was damaged it is whole again.
    pub(crate) async fn publish(&self, staged: Staged) -> io::Result<Hash> {
        let hash = staged.hash;
        // Somebody else's last reference to the same bytes may have gone since they were sent.
        let there = match &staged.place {
            Place::Sent(_) => self.find(&hash).await?.is_some_and(|found| found.size == staged.size),
            _ => false,
        };
        if !there {
            self.send(staged).await?;
        }
        Ok(hash)
    }

    async fn send_once(&self, file: &File, hash: &Hash, size: u64) -> io::Result<()> {
        let key = self.key(hash);
        let sent = if size <= PART {
            let bytes = read_at(file, 0, size).await?;
            self.s3.put(&key, bytes.into()).await.map_err(failed)?
        } else {
            self.send_in_parts(file, &key, size).await?
        };
        let Some(found) = self.find(hash).await? else {
            return Err(io::Error::other(format!("object {hash} was sent and is not there")));
        };
        if found.size != size {
            return Err(io::Error::other(format!("object {hash} has {} bytes instead of {size}", found.size)));
        }
        if let (Some(sent), Some(found)) = (sent.e_tag, found.tag)
            && sent != found
        {
            return Err(io::Error::other(format!("object {hash} has the ETag {found} instead of {sent}")));
        }
        Ok(())
    }

    /// One after the other: a part is memory, and there are many uploads at once. What fails is taken back, for S3 keeps
    /// parts that nobody has put together.
    async fn send_in_parts(&self, file: &File, key: &Key, size: u64) -> io::Result<PutResult> {
        let mut upload = self.s3.put_multipart(key).await.map_err(failed)?;
        let sent = async {
            let part = PART.max(size.div_ceil(MOST_PARTS));
            let mut start = 0;
            while start < size {
                let length = part.min(size - start);
                let bytes = read_at(file, start, length).await?;
                upload.put_part(PutPayload::from(bytes)).await.map_err(failed)?;
                start += length;
            }
            // Whatever it says: the parts were taken. Asked twice, because the answer was lost, some servers say that nobody
            // may do that; the next try sends everything again.
            upload.complete().await.map_err(io::Error::other)
        };
        let outcome = sent.await;
        if outcome.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "parts of an upload stay in the bucket until its lifecycle rule removes them");
        }
        outcome
    }
}

async fn read_at(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let file = file.try_clone()?;
    let length = usize::try_from(length).map_err(io::Error::other)?;
    blocking(move || {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, start)?;
        Ok(Bytes::from(bytes))
    })
    .await
}
