//! Why a store cannot be used, in sentences for whoever starts the system.

use std::{io, path::PathBuf};

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the upload directory {dir} belongs to database {found}, but this is database {expected}; \
         set UPLOAD_DIR to this database's own directory (or DATABASE_URL to the directory's database)"
    )]
    AnotherDatabase { dir: PathBuf, found: String, expected: String },
    #[error("the upload directory {dir} cannot be used: {error}")]
    Io { dir: PathBuf, error: io::Error },
    #[error(
        "{bucket} belongs to database {found}, but this is database {expected}; \
         set S3_BUCKET or S3_PREFIX to this database's own place (or DATABASE_URL to the bucket's database)"
    )]
    BucketOfAnotherDatabase { bucket: String, found: String, expected: String },
    #[error("there is no {bucket}: make it, or set S3_ENDPOINT, S3_REGION and S3_BUCKET to where it is: {error}")]
    NoBucket { bucket: String, error: String },
    #[error(
        "{bucket} does not let us {what}: S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY need the rights to get, put, delete \
         and list objects there: {error}"
    )]
    BucketRefuses { bucket: String, what: &'static str, error: String },
    #[error("{bucket} cannot be used, it does not let us {what}: {error}")]
    Bucket { bucket: String, what: &'static str, error: String },
}
