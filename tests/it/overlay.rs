//! The overlay's doors: polls, rotated tokens, screens, pages.

use std::time::{Duration, Instant};

use domain::events::Audience;
use harness::{Answer, Session, wait_until};
use serde_json::{Value, json};

use crate::realtime::{api, channel, numbered, numbers, open_and_do_not_read, overlay_path, record, record_numbers};

fn polled_numbers(page: &Value) -> Vec<(String, i64)> {
    let events = page["events"].as_array().unwrap().iter().filter(|event| event["event"] == "test:number");
    events.map(|event| (event["id"].as_str().unwrap().to_owned(), event["data"]["number"].as_i64().unwrap())).collect()
}

async fn poll_with(session: &Session, path: &str, etag: &str) -> Answer {
    Session::send(session.request(reqwest::Method::GET, path).header("if-none-match", etag)).await
}

#[tokio::test]
async fn a_poll_tells_the_same_events_with_the_same_ids() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    let mut events = demo.events(&format!("{path}/events")).await;
    let first = demo.get(&format!("{path}/poll")).await.expect(200);
    let names: Vec<_> = first["events"].as_array().unwrap().iter().map(|event| &event["event"]).collect();
    assert_eq!(names, ["overlay:config", "overlay:state"]);
    let cursor = first["cursor"].as_str().unwrap();

    record_numbers(&app, "demo", 1..=250).await;
    let mut streamed = Vec::new();
    for number in 1..=250 {
        let event = events.wait_for("test:number").await;
        streamed.push((event.id, number));
    }
    let page = demo.get(&format!("{path}/poll?cursor={cursor}")).await.expect(200);
    let mut polled = polled_numbers(&page);
    assert!(polled.len() < 250, "one answer is bounded");
    let rest = demo.get(&format!("{path}/poll?cursor={}", page["cursor"].as_str().unwrap())).await.expect(200);
    polled.extend(polled_numbers(&rest));
    assert_eq!(polled, streamed);

    let lost = demo.get(&format!("{path}/poll?cursor=9-9")).await.expect(200);
    let names: Vec<_> = lost["events"].as_array().unwrap().iter().map(|event| &event["event"]).collect();
    assert_eq!(names, ["overlay:config", "reset", "overlay:state"]);
}

#[tokio::test]
async fn a_token_may_stand_in_a_header_where_no_log_of_addresses_sees_it() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    let mut screen = app.anonymous();
    screen.token = path.strip_prefix("/overlay/t/").map(str::to_owned);
    let mut events = screen.events("/overlay/t/-/events").await;
    events.wait_for("overlay:state").await;
    let polled = screen.get("/overlay/t/-/poll").await.expect(200);
    assert_eq!(polled, demo.get(&format!("{path}/poll")).await.expect(200));
    // The play is not there; whether the token is good is asked first.
    let ack = json!({ "state": "done", "playEpoch": 1 });
    let place = format!("/overlay/t/-/activations/{}/ack", uuid::Uuid::now_v7());
    screen.post(&place, &ack).await.expect(404);
    // The session of a person is no token of an overlay, and neither is nothing.
    for stranger in [&demo, &app.anonymous()] {
        stranger.get("/overlay/t/-/poll").await.expect(401);
        stranger.post(&place, &ack).await.expect(401);
    }
    // The token behind `#` never comes here: the page is for anybody, and shows nothing without one.
    let page = app.anonymous().get("/overlay/t/-").await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.text.contains("overlay.js"));
}

#[tokio::test]
async fn a_poll_says_not_modified_or_waits_for_the_first_event() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    record_numbers(&app, "demo", [1]).await;
    let first = demo.get(&format!("{path}/poll")).await;
    let etag = first.header("etag").to_owned();
    let poll = format!("{path}/poll?cursor={}", first.json["cursor"].as_str().unwrap());
    assert_eq!(demo.get(&poll).await.header("etag"), etag);
    let nothing = poll_with(&demo, &poll, &etag).await;
    assert_eq!((nothing.status.as_u16(), nothing.text.as_str()), (304, ""));
    // What is for others is nothing new here.
    record(&app, vec![numbered(channel("demo"), Audience::CREDITS, 2)]).await;
    assert_eq!(poll_with(&demo, &poll, &etag).await.status.as_u16(), 304);

    let waiting = tokio::spawn({
        let (demo, poll) = (demo.clone(), format!("{poll}&wait=25"));
        async move { (demo.get(&poll).await.expect(200), Instant::now()) }
    });
    tokio::task::yield_now().await;
    record_numbers(&app, "demo", [3]).await;
    let recorded = Instant::now();
    let (page, answered) = waiting.await.unwrap();
    assert_eq!(polled_numbers(&page).iter().map(|(_, number)| *number).collect::<Vec<_>>(), [3]);
    assert!(answered.saturating_duration_since(recorded) < Duration::from_secs(3));
    assert_eq!(demo.get(&format!("{path}/poll?wait=26")).await.status.as_u16(), 400);
}

#[tokio::test]
async fn rotating_the_token_cuts_its_streams_on_every_process() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let other = app.beside().pools(&[]).start().await;
    let path = overlay_path(&demo).await;
    let mut here = demo.events(&format!("{path}/events")).await;
    let mut there = other.anonymous().events(&format!("{path}/events")).await;
    let mut panel = demo.events("/streamer/events").await;
    demo.post("/streamer/overlay/token/rotate", &json!({})).await.expect(200);
    let rotated = Instant::now();
    for events in [&mut here, &mut there] {
        assert_eq!(events.wait_for("closed").await.data["reason"], "revoked");
        assert_eq!(events.pull().await, None);
    }
    assert!(rotated.elapsed() < Duration::from_secs(2));

    for door in ["", "/events", "/poll"] {
        assert_eq!(app.anonymous().get(&format!("{path}{door}")).await.status.as_u16(), 401, "{door}");
    }
    let new = overlay_path(&demo).await;
    assert_ne!(new, path);
    let mut events = demo.events(&format!("{new}/events")).await;
    events.wait_for("overlay:state").await;
    // The panel reads by its session: it goes on.
    record_numbers(&app, "demo", [1]).await;
    assert_eq!(numbers(&mut panel, 1).await, [1]);
    assert_eq!(numbers(&mut events, 1).await, [1]);
}

#[tokio::test]
async fn a_screen_is_there_while_its_stream_is_open() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    let screens = async || {
        let state: Vec<(String,)> =
            sqlx::query_as("select kind from screens order by kind").fetch_all(app.pool()).await.unwrap();
        state.into_iter().map(|(kind,)| kind).collect::<Vec<_>>()
    };
    let id = uuid::Uuid::new_v4();
    let address = format!("{path}/events?screen=obs&screenId={id}");
    // Raw connections: a browser closes its own at once, the client library waits for the next byte.
    let obs = open_and_do_not_read(&app, &address).await;
    let tab = open_and_do_not_read(&app, &format!("{path}/events")).await;
    wait_until("both are there", async || (screens().await == ["browser", "obs"]).then_some(())).await;
    // A refresh opens the new stream before or after the old one has gone: the screen stays.
    let again = open_and_do_not_read(&app, &address).await;
    drop(obs);
    drop(tab);
    wait_until("the tab is gone", async || (screens().await == ["obs"]).then_some(())).await;
    drop(again);
    wait_until("OBS is gone", async || screens().await.is_empty().then_some(())).await;

    demo.get(&format!("{path}/poll?screenId={}", uuid::Uuid::new_v4())).await.expect(200);
    assert_eq!(screens().await, ["browser"]);
}

#[tokio::test]
async fn pages_are_shown_to_good_tokens_and_load_nothing_from_elsewhere() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    let nobody = app.anonymous();
    let page = nobody.get(&path).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    for (name, kind) in [
        ("overlay.js", "text/javascript"),
        ("stage.js", "text/javascript"),
        ("sound.js", "text/javascript"),
        ("answers.js", "text/javascript"),
        ("connection.js", "text/javascript"),
        ("overlay.css", "text/css"),
        ("credits.js", "text/javascript"),
        ("credits.css", "text/css"),
    ] {
        let asset = nobody.get(&format!("/overlay/assets/{name}")).await;
        assert_eq!(asset.status.as_u16(), 200, "{name}");
        assert!(asset.header("content-type").starts_with(kind), "{name}");
        assert!(!asset.text.contains("http://") && !asset.text.contains("https://"), "{name}");
        let again = poll_with(&nobody, &format!("/overlay/assets/{name}"), asset.header("etag")).await;
        assert_eq!(again.status.as_u16(), 304, "{name}");
    }
    for wrong in [format!("{path}0"), "/overlay/t/ot_x".to_owned(), "/overlay/credits/t/nothing".to_owned()] {
        let refused = nobody.get(&wrong).await;
        assert_eq!(refused.status.as_u16(), 401, "{wrong}");
        assert!(refused.text.contains("<body></body>"), "an error must not show on stream: {}", refused.text);
    }
}
