//! What is particular about the store in a directory. What all stores do is in `both.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use blobs::{Blobs, Hash, OpenError};

fn open(dir: &Path) -> Blobs {
    Blobs::local(dir, "database-1").unwrap()
}

async fn put(blobs: &Blobs, bytes: &[u8]) -> Hash {
    let mut staging = blobs.stage(1 << 20).await.unwrap();
    for chunk in bytes.chunks(7) {
        staging.write(chunk).await.unwrap();
    }
    blobs.publish(staging.seal().await.unwrap()).await.unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if !path.ends_with(".memalerts-database") {
                found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("uploads");
    let blobs = open(&root);
    let mut staging = blobs.stage(1 << 20).await.unwrap();
    staging.write(b"all that is known of a person").await.unwrap();
    let name = blobs.publish(staging.seal_private().await.unwrap()).await.unwrap().to_string();
    let shard = root.join(&name[..2]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in [&root, &root.join("staging"), &shard, &shard.join(&name[2..4])] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&shard.join(&name[2..4]).join(&name)), 0o400);
    // What programs of other accounts are handed has no way to it either, but for them.
    let name = put(&blobs, b"a meme").await.to_string();
    assert_eq!(mode(&root.join(&name[..2])), 0o700);
    assert_eq!(mode(&root.join(&name[..2]).join(&name[2..4]).join(&name)), 0o444);
}

#[tokio::test]
async fn stores_the_same_bytes_once_and_forgets_them_once() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(dir.path());
    let (one, two) = (put(&blobs, b"same").await, put(&blobs, b"same").await);
    assert_eq!(one, two);
    assert_eq!(files(dir.path()), [one.to_string()]);
    assert!(blobs.delete(&one).await.unwrap());
    assert!(!blobs.delete(&one).await.unwrap());
    assert!(blobs.open(&one).await.unwrap().is_none());
}

#[tokio::test]
async fn removes_what_was_staged_but_never_published() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(dir.path());
    let mut staging = blobs.stage(10).await.unwrap();
    staging.write(b"abc").await.unwrap();
    drop(staging.seal().await.unwrap());
    assert!(files(dir.path()).is_empty());
    let _scratch = blobs.scratch().await.unwrap();
    assert!(files(dir.path()).is_empty(), "a kill leaves no scratch, for it has no name");
}

#[tokio::test]
async fn refuses_the_directory_of_another_database() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    drop(open(dir.path()));
    let error = Blobs::local(dir.path(), "database-2").unwrap_err();
    assert!(matches!(&error, OpenError::AnotherDatabase { found, .. } if found == "database-1"));
    assert!(error.to_string().contains("UPLOAD_DIR"), "{error}");
}

#[tokio::test]
async fn many_first_starts_at_once_agree_on_one_marker() {
    let dir = tempfile::tempdir().unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let path = dir.path();
        let starts: Vec<_> =
            (0..8).map(|n| scope.spawn(move || Blobs::local(path, &format!("db-{}", n % 2)))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let won = std::fs::read_to_string(dir.path().join(".memalerts-database")).unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), won == format!("db-{}", n % 2));
    }
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn shows_the_sweep_only_what_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(dir.path());
    let (keep, orphan) = (put(&blobs, b"keep").await, put(&blobs, b"orphan").await);
    // A staging file of a process that was killed.
    std::fs::write(dir.path().join("staging/left-behind"), b"half").unwrap();
    // Not ours: must survive everything.
    std::fs::write(dir.path().join("ab"), b"a file where a shard would be").unwrap();

    let old = async |age| {
        let mut seen = Vec::new();
        for shard in 0..=u8::MAX {
            seen.extend(blobs.old_objects(shard, age).await.unwrap());
        }
        seen
    };
    assert!(old(Duration::from_secs(3600)).await.is_empty());
    assert_eq!(blobs.sweep_staging(Duration::from_secs(3600)).await.unwrap(), 0);

    let seen = old(Duration::ZERO).await;
    assert!(seen.contains(&keep) && seen.contains(&orphan) && seen.len() == 2);
    for hash in seen.into_iter().filter(|hash| *hash != keep) {
        assert!(blobs.delete(&hash).await.unwrap());
    }
    assert_eq!(blobs.sweep_staging(Duration::ZERO).await.unwrap(), 1);
    assert!(blobs.open(&keep).await.unwrap().is_some());
    assert!(blobs.open(&orphan).await.unwrap().is_none());
    assert_eq!(files(dir.path()).len(), 2);
}

#[tokio::test]
async fn publishing_again_makes_an_object_young() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(dir.path());
    let hash = put(&blobs, b"bytes").await;
    let name = hash.to_string();
    let path = dir.path().join(&name[..2]).join(&name[2..4]).join(&name);
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    // Reading suffices to set times of a file of our own.
    std::fs::File::open(&path).unwrap().set_modified(old).unwrap();
    put(&blobs, b"bytes").await;
    let shard = u8::from_str_radix(&name[..2], 16).unwrap();
    assert!(blobs.old_objects(shard, Duration::from_secs(3600)).await.unwrap().is_empty());
}
