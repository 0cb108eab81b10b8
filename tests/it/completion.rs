//! Memes that are older than loudness, pictures and looks get them.

use domain::media::{self, CompleteAssets, MediaType};
use harness::{MemalertsProcess, Session, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::submissions::Upload;

async fn memes(who: &Session) -> Vec<Value> {
    let list = who.get("/channels/demo/memes?sort=title").await.expect(200);
    list.as_array().unwrap().clone()
}

/// As it was before any of it was found out: only what a row of then had is left.
async fn made_old(app: &TestApp) {
    let mut tx = app.db.begin().await.unwrap();
    let pictures = "select h from meme_assets, unnest(array[poster_hash, preview_hash]) h where h is not null";
    let pictures: Vec<String> = sqlx::query_scalar(pictures).fetch_all(&mut *tx).await.unwrap();
    let old = "update meme_assets set loudness_lufs = null, true_peak_dbtp = null, gain_db = null, poster_hash = null,
                                      preview_hash = null, completed_at = null";
    sqlx::query(old).execute(&mut *tx).await.unwrap();
    sqlx::query("delete from looks").execute(&mut *tx).await.unwrap();
    for picture in pictures {
        media::release(&mut tx, &picture).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn completes(app: &TestApp) {
    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &CompleteAssets {}).await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
}

async fn looks(app: &TestApp) -> Vec<(String, Vec<i64>)> {
    sqlx::query_as("select file_hash, frames from looks order by file_hash").fetch_all(app.pool()).await.unwrap()
}

async fn status(app: &TestApp) -> Value {
    let output = MemalertsProcess::spawn(&["memes", "status", "--json"], &app.process_env()).output().await;
    serde_json::from_str(&output).unwrap_or_else(|_| panic!("no figures: {output}"))
}

#[tokio::test]
async fn an_older_meme_gets_what_a_newer_one_has() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    for kind in MediaType::ALL {
        Upload::sample(kind).await.judged(&owner).await.expect(201);
    }
    app.drain().await;
    let (new, seen) = (memes(&owner).await, looks(&app).await);
    assert!(new.iter().any(|meme| meme["gainDb"].is_number()) && !seen.is_empty(), "{new:?}");
    made_old(&app).await;
    let old = memes(&owner).await;
    assert!(old.iter().all(|meme| meme.get("gainDb").is_none() && meme.get("posterUrl").is_none()), "{old:?}");
    completes(&app).await;
    assert_eq!(memes(&owner).await, new, "as if it were new");
    assert_eq!(looks(&app).await, seen);
    assert_eq!(status(&app).await, json!({ "waiting": 0, "ordered": 0, "dead": 0 }));
}

#[tokio::test]
async fn older_memes_are_completed_a_few_at_a_time_and_each_once() {
    // Nobody does what is ordered.
    let mut app = TestApp::builder().pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let mut tx = app.db.begin().await.unwrap();
    let many = usize::try_from(media::AT_ONCE).unwrap() + 1;
    for _ in 0..many {
        let hash = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let file = media::NewFile { hash: &hash, size: 1, mime_type: "video/mp4" };
        media::add_reference(&mut tx, file).await.unwrap();
        let asset = media::NewAsset {
            kind: MediaType::Video,
            file_hash: &hash,
            source_hash: None,
            duration_ms: 1000,
            width: Some(16),
            height: Some(16),
            loudness: None,
        };
        media::create_asset(&mut tx, asset).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(status(&app).await["waiting"], 0, "what is new has ordered what it lacks");
    let again = MemalertsProcess::spawn(&["memes", "complete"], &app.process_env()).output().await;
    assert!(again.starts_with(&format!("{many} memes lack something")), "{again}");
    for (waiting, ordered) in [(1, many - 1), (0, many), (0, many)] {
        let mut tx = app.db.begin().await.unwrap();
        media::order_some(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(&app).await, json!({ "waiting": waiting, "ordered": ordered, "dead": 0 }));
    }
    assert_eq!(memes(&owner).await, Vec::<Value>::new());
    app.leaves_jobs_behind();
}
