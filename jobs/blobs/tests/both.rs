//! What every store does, of a directory and of a bucket.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{path::Path, time::Duration};

use blobs::{Blobs, BucketSettings, Hash, StageError};
use sha2::{Digest as _, Sha256};
use test_s3::Server;
use tokio::io::AsyncReadExt as _;

/// A store, with what it lives on.
struct Kept {
    blobs: Blobs,
    dir: tempfile::TempDir,
    server: Option<Server>,
}

impl Kept {
    fn in_directory() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { blobs: Blobs::local(dir.path(), "database-1").unwrap(), dir, server: None }
    }

    async fn in_bucket() -> Self {
        let (dir, server) = (tempfile::tempdir().unwrap(), Server::start());
        let blobs = Blobs::bucket(&settings(&server), dir.path()).unwrap();
        blobs.claim("database-1").await.unwrap();
        Self { blobs, dir, server: Some(server) }
    }

    async fn each() -> [Self; 2] {
        [Self::in_directory(), Self::in_bucket().await]
    }

    /// The file behind an object.
    fn object(&self, hash: &Hash) -> std::path::PathBuf {
        let name = hash.to_string();
        let key = format!("{}/{}/{name}", &name[..2], &name[2..4]);
        match &self.server {
            Some(server) => server.file(&format!("a/prefix/{key}")),
            None => self.dir.path().join(key),
        }
    }

    /// Nothing is being made on this machine's disk.
    fn is_idle(&self) -> bool {
        std::fs::read_dir(self.dir.path().join("staging")).unwrap().count() == 0
    }
}

fn settings(server: &Server) -> BucketSettings {
    BucketSettings {
        endpoint: Some(server.endpoint().parse().unwrap()),
        region: test_s3::REGION.to_owned(),
        bucket: test_s3::BUCKET.to_owned(),
        prefix: "/a/prefix/".to_owned(),
        access_key_id: test_s3::ACCESS_KEY.to_owned(),
        secret_access_key: test_s3::SECRET_KEY.to_owned(),
        path_style: true,
        patience: Duration::from_secs(10),
    }
}

async fn put(blobs: &Blobs, bytes: &[u8]) -> Hash {
    let mut staging = blobs.stage(1 << 30).await.unwrap();
    for chunk in bytes.chunks(1 << 20) {
        staging.write(chunk).await.unwrap();
    }
    blobs.publish(staging.seal().await.unwrap()).await.unwrap()
}

async fn read(blobs: &Blobs, hash: &Hash, start: u64, length: u64) -> Vec<u8> {
    let blob = blobs.open(hash).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    blob.into_range(start, length).await.unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

async fn objects(blobs: &Blobs) -> Vec<(Hash, u64)> {
    let mut seen = Vec::new();
    for shard in 0..=u8::MAX {
        seen.extend(blobs.objects(shard).await.unwrap().iter().map(|object| (object.hash, object.size)));
    }
    seen
}

#[tokio::test]
async fn names_bytes_by_their_sha256_and_reads_ranges() {
    for store in Kept::each().await {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let hash = put(&store.blobs, &bytes).await;
        let expected: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(hash, Hash::from(expected));
        assert_eq!(std::fs::read(store.object(&hash)).unwrap(), bytes);
        assert!(store.is_idle());

        assert_eq!(store.blobs.open(&hash).await.unwrap().unwrap().size, 100_000);
        assert_eq!(read(&store.blobs, &hash, 0, 100_000).await, bytes);
        assert_eq!(read(&store.blobs, &hash, 99_000, 500).await, &bytes[99_000..99_500]);
        assert_eq!(read(&store.blobs, &hash, 99_999, 1).await, &bytes[99_999..]);
        assert!(read(&store.blobs, &hash, 5, 0).await.is_empty());
    }
}

#[tokio::test]
async fn takes_files_of_many_parts_and_of_no_bytes() {
    for store in Kept::each().await {
        let large: Vec<u8> = (0..(20u32 << 20) + 7).map(|n| (n / 251) as u8).collect();
        for bytes in [&large[..], &[]] {
            let hash = put(&store.blobs, bytes).await;
            assert_eq!(read(&store.blobs, &hash, 0, bytes.len() as u64).await, bytes);
            let mut copy = Vec::new();
            let mut file = store.blobs.open_file(&hash).await.unwrap().unwrap();
            std::io::Read::read_to_end(&mut file, &mut copy).unwrap();
            assert!(copy == bytes);
        }
        assert_eq!(objects(&store.blobs).await.len(), 2);
        assert!(store.is_idle());
    }
}

#[tokio::test]
async fn hands_a_file_to_programs_of_other_accounts_which_cannot_write_it() {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};
    for store in Kept::each().await {
        let hash = put(&store.blobs, b"upload").await;
        let mut file = store.blobs.open_file(&hash).await.unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o444);
        assert!(file.write_all(b"other").is_err());
    }
}

#[tokio::test]
async fn stores_the_same_bytes_once_and_forgets_them_once() {
    for store in Kept::each().await {
        let (one, two) = (put(&store.blobs, b"same").await, put(&store.blobs, b"same").await);
        assert_eq!(one, two);
        assert_eq!(objects(&store.blobs).await, [(one, 4)]);
        assert!(store.blobs.delete(&one).await.unwrap());
        assert!(!store.blobs.delete(&one).await.unwrap());
        assert!(store.blobs.open(&one).await.unwrap().is_none());
        assert!(store.blobs.open_file(&one).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn what_was_sent_ahead_is_published_even_if_it_was_removed_in_between() {
    for store in Kept::each().await {
        let staged = async || {
            let mut staging = store.blobs.stage(10).await.unwrap();
            staging.write(b"ahead").await.unwrap();
            store.blobs.send(staging.seal().await.unwrap()).await.unwrap()
        };
        let (first, second) = (staged().await, staged().await);
        let hash = store.blobs.publish(first).await.unwrap();
        assert!(store.blobs.delete(&hash).await.unwrap());
        store.blobs.publish(second).await.unwrap();
        assert_eq!(read(&store.blobs, &hash, 0, 5).await, b"ahead");
        // Published again, damage is mended.
        std::fs::remove_file(store.object(&hash)).unwrap();
        std::fs::write(store.object(&hash), b"damaged!").unwrap();
        store.blobs.publish(staged().await).await.unwrap();
        assert_eq!(read(&store.blobs, &hash, 0, 5).await, b"ahead");
    }
}

#[tokio::test]
async fn refuses_the_first_byte_over_the_limit_and_leaves_nothing() {
    for store in Kept::each().await {
        let mut staging = store.blobs.stage(10).await.unwrap();
        staging.write(&[0; 10]).await.unwrap();
        assert!(matches!(staging.write(&[0]).await, Err(StageError::TooLarge { limit: 10 })));
        drop(staging);
        let mut staging = store.blobs.stage(10).await.unwrap();
        staging.write(b"never published").await.unwrap_err();
        drop(staging.seal().await.unwrap());
        assert!(store.is_idle() && objects(&store.blobs).await.is_empty());
    }
}

#[tokio::test]
async fn takes_over_what_another_program_wrote() {
    use std::io::Write as _;
    for store in Kept::each().await {
        let scratch = store.blobs.scratch().await.unwrap();
        scratch.open_for_writing().unwrap().write_all(b"rendition").unwrap();
        let mut staging = store.blobs.stage(100).await.unwrap();
        staging.copy(&mut scratch.open_for_reading().await.unwrap()).await.unwrap();
        drop(scratch);
        let hash = store.blobs.publish(staging.seal().await.unwrap()).await.unwrap();
        assert_eq!(objects(&store.blobs).await, [(hash, 9)]);
    }
}

#[tokio::test]
async fn shows_how_old_objects_are_and_publishing_again_makes_them_young() {
    const HOUR: Duration = Duration::from_secs(3600);
    for store in Kept::each().await {
        let hash = put(&store.blobs, b"bytes").await;
        let shard = u8::from_str_radix(&hash.to_string()[..2], 16).unwrap();
        // Not ours: neither shown nor removed.
        let strange = store.object(&hash).with_file_name("a-file-of-somebody-else");
        std::fs::write(&strange, b"strange").unwrap();
        assert!(store.blobs.old_objects(shard, HOUR).await.unwrap().is_empty());
        assert_eq!(store.blobs.old_objects(shard, Duration::ZERO).await.unwrap(), [hash]);
        age(&store.object(&hash), 2 * HOUR);
        assert_eq!(store.blobs.old_objects(shard, HOUR).await.unwrap(), [hash]);
        put(&store.blobs, b"bytes").await;
        assert!(store.blobs.old_objects(shard, HOUR).await.unwrap().is_empty());
        assert!(strange.is_file());
    }
}

fn age(file: &Path, by: Duration) {
    // Reading suffices to set times of a file of our own.
    std::fs::File::open(file).unwrap().set_modified(std::time::SystemTime::now() - by).unwrap();
}
