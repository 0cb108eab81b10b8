//! From the bucket.

use std::io;

use bytes::Bytes;
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, path::Path as Key};
use tokio_util::io::StreamReader;

use super::{Bucket, again::again, failed};
use crate::{Hash, StageError, Staging};

/// An object that is there.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    key: Key,
    pub(crate) size: u64,
    pub(super) tag: Option<String>,
}

/// Reads an object as it comes.
pub(crate) type Reader = StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>;

impl Bucket {
    pub(crate) async fn find(&self, hash: &Hash) -> io::Result<Option<Found>> {
        let key = self.key(hash);
        match self.s3.head(&key).await {
            Ok(meta) => Ok(Some(Found { key, size: meta.size, tag: meta.e_tag })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// A part of it, of which no byte may be missing.
    pub(crate) async fn read(&self, found: &Found, start: u64, length: u64) -> io::Result<Reader> {
        // An empty range is none to S3.
        if length == 0 {
            return Ok(StreamReader::new(stream::empty().boxed()));
        }
        let range = Some(GetRange::Bounded(start..start + length));
        let options = GetOptions { range, if_match: found.tag.clone(), ..GetOptions::default() };
        let got = self.s3.get_opts(&found.key, options).await.map_err(failed)?;
        let pieces = got.into_stream().map(|piece| piece.map_err(failed)).boxed();
        Ok(StreamReader::new(whole(pieces, length).boxed()))
    }

    /// All of it, in a nameless file of this machine that only reads. The bytes are those of the hash.
    pub(crate) async fn fetch(&self, hash: &Hash) -> io::Result<Option<std::fs::File>> {
        again("fetch", || self.fetch_once(hash).boxed()).await
    }

    async fn fetch_once(&self, hash: &Hash) -> io::Result<Option<std::fs::File>> {
        let got = match self.s3.get(&self.key(hash)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut copy = Staging::create_nameless(self.staging_path(), u64::MAX).await?;
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.next().await {
            copy.write(&piece.map_err(failed)?).await.map_err(of_disk)?;
        }
        let copied = copy.seal().await.map_err(of_disk)?;
        if copied.hash != *hash {
            let what = format!("the {} bytes of object {hash} in the {} are others", copied.size, self.place);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        copied.reopen().map(Some)
    }
}

/// The same pieces; an end that comes too early is a failure.
fn whole(pieces: BoxStream<'static, io::Result<Bytes>>, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((pieces, length), |(mut pieces, left)| async move {
        match pieces.next().await {
            Some(piece) => {
                let piece = piece?;
                let left = left.saturating_sub(piece.len() as u64);
                Ok(Some((piece, (pieces, left))))
            }
            None if left > 0 => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the bucket left {left} bytes away")))
            }
            None => Ok(None),
        }
    })
}

fn of_disk(error: StageError) -> io::Error {
    match error {
        StageError::Io(error) => error,
        StageError::TooLarge { .. } => io::ErrorKind::FileTooLarge.into(),
    }
}
