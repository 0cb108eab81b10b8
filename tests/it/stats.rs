//! What channels have shown: by day, by viewer, by meme.

use std::time::Duration;

use domain::stats::RollUpPlays;
use harness::Session;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Screen, Stage};

/// So many items are shown.
async fn show(stage: &Stage, screen: &mut Screen, items: usize) {
    for _ in 0..items {
        let item = screen.next_item().await.data;
        screen.play(&item).await;
    }
    stage.app.drain().await;
    added_up(stage).await;
}

async fn added_up(stage: &Stage) {
    let mut tx = stage.app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &RollUpPlays {}).await.unwrap();
    tx.commit().await.unwrap();
    stage.app.drain().await;
}

async fn bought(stage: &Stage, viewer: &Session, meme: Uuid, times: usize) {
    for _ in 0..times {
        stage.activate(viewer, meme).await;
    }
}

/// The same figures, counted from the plays themselves, by what the statement says.
async fn recounted(stage: &Stage, statement: &'static str) -> Vec<(String, i64, i64)> {
    sqlx::query_as(statement).bind(stage.channel_id).fetch_all(stage.app.pool()).await.unwrap()
}

const BY_DAY: &str =
    "select (ended_at at time zone 'utc')::date::text, count(*), sum(final_price)::bigint from activations
                      where status = 'done' and source = 'meme' and channel_id = $1 group by 1 order by 1";
const BY_VIEWER: &str = "select user_id::text, count(*), sum(final_price)::bigint from activations
                         where status = 'done' and source = 'meme' and channel_id = $1 group by 1 order by 1";
const BY_MEME: &str = "select meme_id::text, count(*), sum(final_price)::bigint from activations
                       where status = 'done' and source = 'meme' and channel_id = $1 group by 1 order by 1";

/// As [`recounted`], of what the statistics say.
fn told(list: &Value, by: &str) -> Vec<(String, i64, i64)> {
    let of = |item: &Value| {
        let number = |name: &str| item[name].as_i64().unwrap();
        (item[by].as_str().unwrap().to_owned(), number("plays"), number("coins"))
    };
    let mut told: Vec<_> = list.as_array().unwrap().iter().map(of).collect();
    told.sort();
    told
}

#[tokio::test]
async fn statistics_say_what_the_plays_themselves_say_and_refunds_are_not_in_them() {
    let stage = Stage::open().await;
    let (first, second) = (stage.meme(1000).await, stage.meme(1000).await);
    let (anna, boris) = (stage.viewer("anna", 1000).await, stage.viewer("boris", 1000).await);
    let mut screen = stage.screen().await;
    bought(&stage, &anna, first, 2).await;
    bought(&stage, &anna, second, 1).await;
    bought(&stage, &boris, first, 1).await;
    // Nothing of these counts: taken back, for testing.
    let withdrawn = stage.activate(&boris, second).await;
    boris.delete(&format!("/me/activations/{withdrawn}")).await.expect(200);
    stage.streamer.post("/streamer/test-event", &json!({})).await.expect(200);
    show(&stage, &mut screen, 5).await;
    drop(screen);
    stage.app.advance(Duration::from_hours(24)).await;
    let boris = stage.app.login("boris", "viewer").await;
    let streamer = stage.app.login("demo", "streamer").await;
    streamer.patch("/streamer/channel/settings", &json!({ "defaultPrice": 70 })).await.expect(200);
    let stage = Stage { streamer, ..stage };
    let mut screen = stage.screen().await;
    bought(&stage, &boris, second, 2).await;
    show(&stage, &mut screen, 2).await;

    let today: String = sqlx::query_scalar("select (app_now() at time zone 'utc')::date::text")
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    let span = format!("?to={today}");
    let list = async |by: &str| stage.streamer.get(&format!("/streamer/stats/{by}{span}")).await.expect(200);
    let (days, viewers, memes) = (list("days").await, list("viewers").await, list("memes").await);
    assert_eq!(told(&days, "day"), recounted(&stage, BY_DAY).await);
    assert_eq!(told(&viewers, "userId"), recounted(&stage, BY_VIEWER).await);
    assert_eq!(told(&memes, "memeId"), recounted(&stage, BY_MEME).await);
    assert_eq!(told(&viewers, "login"), [("anna".to_owned(), 3, 300), ("boris".to_owned(), 3, 240)]);
    assert_eq!((&viewers[0]["login"], &viewers[1]["login"]), (&json!("anna"), &json!("boris")), "more coins first");
    assert_eq!((&days[0]["viewers"], &days[1]["viewers"]), (&json!(2), &json!(1)));
    // Once more adds nothing.
    added_up(&stage).await;
    assert_eq!(list("days").await, days);

    let channel = stage.streamer.get("/streamer/stats/channel").await.expect(200);
    let sum = |name: &str| days.as_array().unwrap().iter().map(|day| day[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("plays"), sum("coins")), (6, 540));
    assert_eq!((&channel["activationsDone"], &channel["coinsSpent"]), (&json!(6), &json!(540)));
    let before = days[0]["day"].as_str().unwrap();
    let one =
        stage.streamer.get(&format!("/streamer/stats/viewers?from={before}&to={before}&limit=1")).await.expect(200);
    assert_eq!(told(&one, "login"), [("anna".to_owned(), 3, 300)]);
    for wrong in ["from=2026-01-02&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "from=soon", "limit=0"] {
        let answer = stage.streamer.get(&format!("/streamer/stats/viewers?{wrong}")).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
}

#[tokio::test]
async fn the_catalogue_knows_what_was_shown_most() {
    let stage = Stage::open().await;
    let memes = [stage.meme(1000).await, stage.meme(1000).await, stage.meme(1000).await];
    let anna = stage.viewer("anna", 1000).await;
    let mut screen = stage.screen().await;
    bought(&stage, &anna, memes[1], 2).await;
    bought(&stage, &anna, memes[0], 1).await;
    show(&stage, &mut screen, 3).await;
    let nobody = stage.app.anonymous();
    let ids = |page: &Value, of: &str| -> Vec<Uuid> {
        page.as_array().unwrap().iter().map(|meme| meme[of].as_str().unwrap().parse().unwrap()).collect()
    };
    let popular = nobody.get("/channels/demo/memes?sort=popular&limit=2").await;
    assert_eq!(ids(&popular.json, "id"), [memes[1], memes[0]]);
    let rest = format!("/channels/demo/memes?sort=popular&cursor={}", popular.header("x-next-cursor"));
    assert_eq!(ids(&nobody.get(&rest).await.expect(200), "id"), [memes[2]]);
    let stats = format!("/memes/stats?channelId={}", stage.channel_id);
    let most = nobody.get(&stats).await.expect(200);
    assert_eq!(ids(&most, "memeId"), [memes[1], memes[0]]);
    stage.streamer.delete(&format!("/streamer/memes/{}", memes[1])).await.expect(204);
    assert_eq!(ids(&nobody.get(&stats).await.expect(200), "memeId"), [memes[0]]);
    assert_eq!(ids(&stage.streamer.get("/streamer/stats/memes").await.expect(200), "memeId"), [memes[1], memes[0]]);
}
