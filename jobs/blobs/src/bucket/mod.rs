//! The store in a bucket of S3: the same layout as on disk, with keys for paths.
//!
//! What goes wrong on the way is tried again by the client (no connection, no answer in time, 5xx, 429; backoff with
//! jitter), and what comes out wrong (another length, another ETag, other bytes) by [`again`].

mod again;
mod claim;
mod fetch;
mod send;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use futures_util::TryStreamExt as _;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path as Key,
    signer::{Method, SignedUrlOptions, Signer as _},
};
use url::Url;

pub(crate) use self::fetch::Found;
use crate::{
    Hash, Object, OpenError, STAGING,
    staging::{fresh_path, make_dir},
    sweep::passed_since,
};

/// Tries of a request after the first.
const RETRIES: usize = 4;
/// The first wait between them, about, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// No further try of a request after as many times its patience.
const PATIENCE: u32 = 3;
const CONNECT: Duration = Duration::from_secs(5);
/// What browsers keep of it: a name is never given to other bytes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Where a bucket is, and what opens it.
#[derive(Clone)]
pub struct Settings {
    /// `https://host[:port]`; none: of Amazon, in this region.
    pub endpoint: Option<Url>,
    pub region: String,
    pub bucket: String,
    /// What all keys begin with; may be empty. Slashes at its ends mean nothing.
    pub prefix: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// The bucket is the first part of the path, and not of the host's name.
    pub path_style: bool,
    /// A request that says nothing for so long has failed.
    pub patience: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl Settings {
    /// The bucket in words, without what opens it.
    #[must_use]
    pub fn place(&self) -> String {
        let at = self.endpoint.as_ref().map_or_else(|| self.region.clone(), |url| url.to_string());
        let prefix = self.prefix.trim_matches('/');
        format!("bucket {}/{prefix} at {}", self.bucket, at.trim_end_matches('/')).replace("/ at", " at")
    }

    /// Where it is asked; none at Amazon, which the client knows.
    fn address(&self) -> Option<String> {
        let mut url = self.endpoint.clone()?;
        if !self.path_style {
            let host = format!("{}.{}", self.bucket, url.host_str().unwrap_or_default());
            // An address in digits has no names below it.
            url.set_host(Some(&host)).ok()?;
        }
        Some(url.to_string().trim_end_matches('/').to_owned())
    }
}

/// A bucket that can be asked.
#[derive(Debug)]
pub(crate) struct Bucket {
    s3: AmazonS3,
    prefix: Key,
    /// In words.
    place: String,
    staging: PathBuf,
}

impl Bucket {
    pub(crate) fn new(settings: &Settings, dir: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Io { dir: dir.to_owned(), error };
        make_dir(&dir.join(STAGING)).map_err(unusable)?;
        let dir = std::fs::canonicalize(dir).map_err(unusable)?;
        let client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            // A file may be read for as long as somebody watches; only silence is a failure.
            .with_timeout_disabled()
            .with_read_timeout(settings.patience)
            // Whether plain HTTP is allowed was the settings' question.
            .with_allow_http(true);
        let retry = RetryConfig {
            backoff: BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 },
            max_retries: RETRIES,
            retry_timeout: settings.patience * PATIENCE,
        };
        let mut builder = AmazonS3Builder::new()
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(&settings.secret_access_key)
            .with_virtual_hosted_style_request(!settings.path_style)
            // Not every store can remove several at once.
            .with_disable_bulk_delete(true)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(address) = settings.address() {
            builder = builder.with_endpoint(address);
        }
        let place = settings.place();
        let s3 = builder.build().map_err(|error| OpenError::Bucket {
            bucket: place.clone(),
            what: "ask it",
            error: error.to_string(),
        })?;
        Ok(Self { s3, prefix: Key::from(settings.prefix.as_str()), place, staging: dir.join(STAGING) })
    }

    pub(crate) fn staging_dir(&self) -> &Path {
        &self.staging
    }

    pub(crate) fn staging_path(&self) -> PathBuf {
        fresh_path(&self.staging)
    }

    /// As on disk, so that a folder can be copied into a bucket and back.
    fn key(&self, hash: &Hash) -> Key {
        let name = hash.to_string();
        self.prefix.clone().join(&name[..2]).join(&name[2..4]).join(name)
    }

    pub(crate) async fn objects(&self, shard: u8) -> io::Result<Vec<Object>> {
        let folder = self.prefix.clone().join(format!("{shard:02x}"));
        let mut objects = Vec::new();
        let mut listed = self.s3.list(Some(&folder));
        while let Some(meta) = listed.try_next().await.map_err(failed)? {
            // Keys with other names are not ours and stay.
            let Some(hash) = meta.location.filename().and_then(|name| name.parse::<Hash>().ok()) else { continue };
            if self.key(&hash) == meta.location {
                let age = passed_since(SystemTime::from(meta.last_modified));
                objects.push(Object { hash, size: meta.size, age });
            }
        }
        Ok(objects)
    }

    pub(crate) async fn delete(&self, hash: &Hash) -> io::Result<bool> {
        // S3 removes what is not there, too, and says nothing of it.
        let there = self.find(hash).await?.is_some();
        if there {
            self.s3.delete(&self.key(hash)).await.map_err(failed)?;
        }
        Ok(there)
    }

    /// The type is the caller's and not the object's: bytes have no type until somebody says what they are.
    pub(crate) async fn address(&self, hash: &Hash, mime_type: &str, life: Duration) -> io::Result<String> {
        let query = [
            ("response-content-type", mime_type),
            ("response-cache-control", FOR_EVER),
            ("response-content-disposition", "inline"),
        ];
        let options = SignedUrlOptions::new().with_query(query);
        let url = self.s3.signed_url_opts(Method::GET, &self.key(hash), life, &options).await.map_err(failed)?;
        Ok(url.into())
    }
}

/// The client's error, as the rest of the house knows it.
fn failed(error: object_store::Error) -> io::Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
