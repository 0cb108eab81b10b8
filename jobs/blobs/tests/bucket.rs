//! What is particular about the store in a bucket: whose it is, its addresses, and what goes wrong on the way to it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{io::ErrorKind, time::Duration};

use blobs::{Blobs, BucketSettings, Hash, OpenError, Staged};
use test_s3::{Fault, Server};
use tokio::io::AsyncReadExt as _;

fn settings(server: &Server) -> BucketSettings {
    BucketSettings {
        endpoint: Some(server.endpoint().parse().unwrap()),
        region: test_s3::REGION.to_owned(),
        bucket: test_s3::BUCKET.to_owned(),
        prefix: String::new(),
        access_key_id: test_s3::ACCESS_KEY.to_owned(),
        secret_access_key: test_s3::SECRET_KEY.to_owned(),
        path_style: true,
        patience: Duration::from_millis(500),
    }
}

fn open(settings: &BucketSettings, dir: &tempfile::TempDir) -> Blobs {
    Blobs::bucket(settings, dir.path()).unwrap()
}

async fn staged(blobs: &Blobs, bytes: &[u8]) -> Staged {
    let mut staging = blobs.stage(1 << 30).await.unwrap();
    staging.write(bytes).await.unwrap();
    staging.seal().await.unwrap()
}

async fn whole(blobs: &Blobs, hash: &Hash) -> std::io::Result<Vec<u8>> {
    let blob = blobs.open(hash).await?.unwrap();
    let (mut bytes, size) = (Vec::new(), blob.size);
    blob.into_range(0, size).await?.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

#[tokio::test]
async fn belongs_to_the_first_database_that_comes_and_says_so_to_others() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&settings(&server), &dir);
    blobs.claim("database-1").await.unwrap();
    blobs.claim("database-1").await.unwrap();
    let error = blobs.claim("database-2").await.unwrap_err();
    assert!(matches!(&error, OpenError::BucketOfAnotherDatabase { found, .. } if found == "database-1"));
    assert!(error.to_string().contains("S3_PREFIX"), "{error}");
    assert_eq!(server.keys().into_iter().collect::<Vec<_>>(), [".memalerts-database"], "the trial leaves nothing");
    // With a prefix of its own it has a place of its own.
    let beside = BucketSettings { prefix: "two".to_owned(), ..settings(&server) };
    open(&beside, &dir).claim("database-2").await.unwrap();
}

#[tokio::test]
async fn many_first_starts_at_once_agree_on_one_database() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&settings(&server), &dir);
    let claims = (0..8).map(|n| {
        let blobs = blobs.clone();
        async move { blobs.claim(&format!("db-{}", n % 2)).await.is_ok() }
    });
    let outcomes = futures_util::future::join_all(claims).await;
    let won = std::fs::read_to_string(server.file(".memalerts-database")).unwrap();
    for (n, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome, won == format!("db-{}", n % 2));
    }
}

#[tokio::test]
async fn says_in_words_why_a_bucket_cannot_be_used() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let good = settings(&server);
    let claimed = async |settings: BucketSettings| {
        let error = open(&settings, &dir).claim("database-1").await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&settings.secret_access_key), "{error}");
        error
    };
    let error = claimed(BucketSettings { bucket: "elsewhere".to_owned(), ..good.clone() }).await;
    assert!(matches!(error, OpenError::NoBucket { .. }), "{error}");
    let error = claimed(BucketSettings { secret_access_key: "a-wrong-key".to_owned(), ..good.clone() }).await;
    assert!(matches!(error, OpenError::BucketRefuses { .. }), "{error}");
    let error = claimed(BucketSettings { endpoint: Some("http://127.0.0.1:9".parse().unwrap()), ..good.clone() }).await;
    assert!(matches!(error, OpenError::Bucket { .. }), "{error}");
    // Keys that may read and not write, and that may write and not remove.
    open(&good, &dir).claim("database-1").await.unwrap();
    for (method, what) in [("PUT", "put an object"), ("DELETE", "delete an object"), ("GET", "get an object")] {
        server.fail(Fault::Status(403), method, "", 1);
        let error = claimed(good.clone()).await;
        assert!(matches!(&error, OpenError::BucketRefuses { what: told, .. } if *told == what), "{error}");
    }
    server.fail(Fault::Status(403), "GET", "list-type", 1);
    let error = claimed(good).await;
    assert!(error.to_string().contains("list objects"), "{error}");
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_in_is_tried_again_until_the_bytes_are_there() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&settings(&server), &dir);
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::DoneBut(500),
        Fault::Silence,
        Fault::Reset,
        Fault::WrongTag,
        Fault::ErrorIn200,
        Fault::Forgotten,
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let bytes = vec![n as u8; 1000];
        server.fail(fault, "PUT", "/memes/", 2);
        let hash = blobs.publish(staged(&blobs, &bytes).await).await.unwrap();
        assert_eq!(server.heal(), 0, "{fault:?}");
        assert!(whole(&blobs, &hash).await.unwrap() == bytes, "{fault:?}");
    }
    assert_eq!(server.keys().len(), faults.len(), "nothing else is left");
}

#[tokio::test]
async fn an_upload_in_parts_survives_what_becomes_of_its_parts_and_of_its_end() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&BucketSettings { patience: Duration::from_secs(5), ..settings(&server) }, &dir);
    for (n, (fault, method, part)) in [
        (Fault::Reset, "PUT", "partNumber=1"),
        (Fault::WrongTag, "PUT", "partNumber=2"),
        (Fault::Forgotten, "PUT", "partNumber=2"),
        (Fault::DoneBut(500), "POST", "uploadId="),
        (Fault::ErrorIn200, "POST", "uploadId="),
    ]
    .into_iter()
    .enumerate()
    {
        let bytes = vec![n as u8; 8 << 20 | 1];
        server.fail(fault, method, part, 1);
        let hash = blobs.publish(staged(&blobs, &bytes).await).await.unwrap();
        assert_eq!(server.heal(), 0, "{fault:?}");
        assert!(whole(&blobs, &hash).await.unwrap() == bytes, "{fault:?}");
    }
    // Parts of tries that failed are taken back.
    let left =
        std::fs::read_dir(server.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.starts_with(".upload_id")).collect::<Vec<_>>(), Vec::<String>::new());
}

#[tokio::test]
async fn what_never_gets_there_is_not_published_and_ends_within_bounds() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&settings(&server), &dir);
    for fault in [Fault::Status(503), Fault::Forgotten, Fault::ErrorIn200, Fault::Reset] {
        let file = staged(&blobs, b"never").await;
        server.fail(fault, "PUT", "/memes/", usize::MAX);
        let before = server.requests().len();
        assert!(blobs.publish(file).await.is_err(), "{fault:?}");
        assert!(server.requests().len() - before <= 20, "{fault:?}");
        server.heal();
        assert!(server.keys().is_empty(), "{fault:?}");
    }
    // What cannot become better is not tried again.
    let file = staged(&blobs, b"never").await;
    server.fail(Fault::Status(403), "PUT", "/memes/", usize::MAX);
    let before = server.requests().len();
    assert_eq!(blobs.publish(file).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(server.requests().len() - before, 1);
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_out_is_tried_again_or_told_and_never_taken_for_the_bytes() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let blobs = open(&settings(&server), &dir);
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n / 7) as u8).collect();
    let hash = blobs.publish(staged(&blobs, &bytes).await).await.unwrap();
    let copy = async || {
        let mut copy = Vec::new();
        std::io::Read::read_to_end(&mut blobs.open_file(&hash).await?.unwrap(), &mut copy)?;
        std::io::Result::Ok(copy)
    };
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Silence,
        Fault::Reset,
        Fault::Truncated,
        Fault::Short,
        Fault::Flipped,
        Fault::ErrorIn200,
    ];
    for fault in faults {
        server.fail(fault, "GET", "/memes/", 1);
        assert!(copy().await.unwrap() == bytes, "{fault:?}");
        assert_eq!(server.heal(), 0, "{fault:?}");
    }
    // Read in a stream, bytes that have gone out cannot be taken back; too few are an error, not an end.
    for fault in [Fault::Truncated, Fault::Short, Fault::Reset, Fault::Status(500)] {
        server.fail(fault, "GET", "/memes/", 1);
        match whole(&blobs, &hash).await {
            Ok(read) => assert!(read == bytes, "{fault:?}"),
            Err(error) => assert!(fault == Fault::Short, "{fault:?}: {error}"),
        }
    }
    // Damage that stays is told.
    server.heal();
    server.fail(Fault::Flipped, "GET", "/memes/", usize::MAX);
    assert_eq!(copy().await.unwrap_err().kind(), ErrorKind::InvalidData);
    server.heal();
    assert_eq!(std::fs::read_dir(dir.path().join("staging")).unwrap().count(), 0);
}
