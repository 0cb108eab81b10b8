//! Whose bucket it is, and whether it can be used.

use bytes::Bytes;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, path::Path as Key};
use uuid::Uuid;

use super::Bucket;
use crate::{MARKER, OpenError};

impl Bucket {
    pub(crate) async fn claim(&self, database_id: &str) -> Result<(), OpenError> {
        let found = match self.marked().await? {
            Some(found) => found,
            None => {
                self.mark(database_id).await?;
                self.marked().await?.unwrap_or_default()
            }
        };
        if found != database_id {
            let expected = database_id.to_owned();
            return Err(OpenError::BucketOfAnotherDatabase { bucket: self.place.clone(), found, expected });
        }
        self.try_out().await
    }

    /// Whose it is; none: nobody's yet.
    async fn marked(&self) -> Result<Option<String>, OpenError> {
        let marker = self.prefix.clone().join(MARKER);
        let read = async { self.s3.get(&marker).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.unusable("get an object", &error)),
        }
    }

    /// When two processes start at once, the first one's marker stays.
    async fn mark(&self, database_id: &str) -> Result<(), OpenError> {
        let marker = self.prefix.clone().join(MARKER);
        let bytes = Bytes::copy_from_slice(database_id.as_bytes());
        let first = PutOptions::from(PutMode::Create);
        match self.s3.put_opts(&marker, bytes.clone().into(), first).await {
            Ok(_) | Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
            // Some stores know no conditions. The second look sees who came last.
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                let put = self.s3.put(&marker, bytes.into()).await;
                put.map(drop).map_err(|error| self.unusable("put an object", &error))
            }
            Err(error) => Err(self.unusable("put an object", &error)),
        }
    }

    /// Keys that may only read are noticed now, and not at the first upload.
    async fn try_out(&self) -> Result<(), OpenError> {
        let key: Key = self.prefix.clone().join(format!(".memalerts-trial-{}", Uuid::new_v4().simple()));
        let put = self.s3.put(&key, Bytes::from_static(b"may be removed").into()).await;
        put.map_err(|error| self.unusable("put an object", &error))?;
        self.s3.delete(&key).await.map_err(|error| self.unusable("delete an object", &error))?;
        self.objects(0).await.map(drop).map_err(|error| {
            let error = error
                .downcast::<Error>()
                .unwrap_or_else(|error| Error::Generic { store: "S3", source: Box::new(error) });
            self.unusable("list objects", &error)
        })
    }

    fn unusable(&self, what: &'static str, error: &Error) -> OpenError {
        let (bucket, text) = (self.place.clone(), error.to_string());
        match error {
            Error::NotFound { .. } => OpenError::NoBucket { bucket, error: text },
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                OpenError::BucketRefuses { bucket, what, error: text }
            }
            _ => OpenError::Bucket { bucket, what, error: text },
        }
    }
}

/// The object is not there, but the bucket is: only the text tells the two apart.
fn is_absent(error: &Error) -> bool {
    matches!(error, Error::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket"))
}
