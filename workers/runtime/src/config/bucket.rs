//! The bucket that files are kept in, where they are kept in one.

use std::time::Duration;

use url::{Host, Url};

use super::{Reader, Secret};

#[derive(Debug, Clone)]
pub struct Bucket {
    /// `S3_ENDPOINT`: `https://host[:port]` of the server. Default: Amazon's, of the region.
    pub endpoint: Option<Url>,
    /// `S3_REGION`: default us-east-1, which most servers other than Amazon's take for theirs.
    pub region: String,
    /// `S3_BUCKET`: its name. Required with `UPLOAD_STORAGE=s3`.
    pub name: String,
    /// `S3_PREFIX`: what all keys begin with, so that several systems can share a bucket. Default none.
    pub prefix: String,
    /// `S3_ACCESS_KEY_ID`: required with `UPLOAD_STORAGE=s3`.
    pub access_key_id: String,
    /// `S3_SECRET_ACCESS_KEY`: required with `UPLOAD_STORAGE=s3`.
    pub secret_access_key: Secret,
    /// `S3_PATH_STYLE`: the bucket is in the path (`true`) or in the host's name (`false`). Default: in the path of an
    /// endpoint that is named, in the host's name of Amazon's.
    pub path_style: bool,
    /// `S3_TIMEOUT_MS`: a request that says nothing for so long is tried again. Default 30000.
    pub timeout: Duration,
}

impl Bucket {
    /// Reads all of it, also where files are on disk: the settings may stay when the store is another one for a while.
    pub(super) fn read(reader: &mut Reader, wanted: bool) -> Option<Self> {
        let plain = reader.parse("S3_ALLOW_HTTP", "true or false").unwrap_or(false);
        reader.otherwise("S3_ALLOW_HTTP", plain);
        let endpoint = endpoint(reader, plain || !wanted);
        reader.otherwise("S3_ENDPOINT", "none: Amazon's");
        let region = reader.text("S3_REGION").unwrap_or_else(|| "us-east-1".to_owned());
        reader.otherwise("S3_REGION", &region);
        let prefix = reader.text("S3_PREFIX").unwrap_or_default();
        reader.otherwise("S3_PREFIX", "none");
        let path_style = reader.parse("S3_PATH_STYLE", "true or false").unwrap_or(endpoint.is_some());
        reader.otherwise("S3_PATH_STYLE", path_style);
        let timeout = reader.milliseconds("S3_TIMEOUT_MS", 30_000, 1);
        let name = reader.text("S3_BUCKET");
        let access_key_id = reader.text("S3_ACCESS_KEY_ID");
        let secret_access_key = reader.secret("S3_SECRET_ACCESS_KEY");
        for (variable, given) in [
            ("S3_BUCKET", name.is_some()),
            ("S3_ACCESS_KEY_ID", access_key_id.is_some()),
            ("S3_SECRET_ACCESS_KEY", secret_access_key.is_some()),
        ] {
            reader.otherwise(variable, "none");
            if wanted && !given {
                reader.complain(format!("{variable} is not set, UPLOAD_STORAGE=s3 needs it"));
            }
        }
        wanted.then(|| Self {
            endpoint,
            region,
            name: name.unwrap_or_default(),
            prefix,
            access_key_id: access_key_id.unwrap_or_default(),
            secret_access_key: secret_access_key.unwrap_or_else(|| Secret::new("")),
            path_style,
            timeout,
        })
    }

    /// In the words of the store.
    #[must_use]
    pub fn settings(&self) -> blobs::BucketSettings {
        blobs::BucketSettings {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            bucket: self.name.clone(),
            prefix: self.prefix.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.expose().to_owned(),
            path_style: self.path_style,
            patience: self.timeout,
        }
    }
}

/// Files and signatures travel there: not in the open, unless that stays on this machine or is wished.
fn endpoint(reader: &mut Reader, plain: bool) -> Option<Url> {
    let text = reader.text("S3_ENDPOINT")?;
    let url = Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let Some(url) = url else {
        reader.complain("S3_ENDPOINT must be https://host[:port], without a path and without a password");
        return None;
    };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !here && !plain {
        reader.complain(format!(
            "S3_ENDPOINT {url} sends files in the open: take https, or set S3_ALLOW_HTTP=true on a network that is yours"
        ));
    }
    Some(url)
}
