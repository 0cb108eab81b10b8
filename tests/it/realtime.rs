//! Event streams: nothing twice, nothing lost, nothing to the wrong person.

use std::time::{Duration, Instant};

use domain::events::{self, Audience, NewEvent, Stream};
use futures_util::future::join_all;
use harness::{DEADLINE, Events, Session, TestApp};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

pub(crate) const EVERYBODY: Audience = Audience::OVERLAY.and(Audience::PANEL).and(Audience::PUBLIC);

/// The API without pools: the stories here record their events themselves.
pub(crate) async fn api() -> TestApp {
    TestApp::builder().pools(&[]).start().await
}

pub(crate) fn channel(slug: &str) -> Stream {
    Stream::Channel(slug.to_owned())
}

pub(crate) fn numbered(stream: Stream, audience: Audience, number: i64) -> NewEvent {
    NewEvent::new(stream, audience, "test:number", &json!({ "number": number }))
}

pub(crate) async fn record(app: &TestApp, events: Vec<NewEvent>) {
    let mut tx = app.db.begin().await.unwrap();
    events::record(&mut tx, events).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn record_numbers(app: &TestApp, slug: &str, numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        record(app, vec![numbered(channel(slug), EVERYBODY, number)]).await;
    }
}

pub(crate) async fn numbers(events: &mut Events, count: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(events.wait_for("test:number").await.data["number"].as_i64().unwrap());
    }
    seen
}

pub(crate) async fn overlay_path(streamer: &Session) -> String {
    let token = streamer.get("/streamer/overlay/token").await.expect(200);
    format!("/overlay/t/{}", token["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_client_that_returns_gets_what_it_missed_once_and_in_order() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let anna = app.login("anna", "viewer").await;
    let mut events = anna.events("/channels/demo/events").await;
    record_numbers(&app, "demo", 1..=3).await;
    assert_eq!(numbers(&mut events, 3).await, [1, 2, 3]);

    for round in 0..5 {
        let last_id = events.last_id.clone();
        drop(events);
        let first = 4 + round * 300;
        record_numbers(&app, "demo", first..first + 250).await;
        // While the rest happens, history and live meet.
        let (mut again, ()) = tokio::join!(
            anna.events_after("/channels/demo/events", &last_id),
            record_numbers(&app, "demo", first + 250..first + 300)
        );
        assert_eq!(numbers(&mut again, 300).await, (first..first + 300).collect::<Vec<_>>());
        events = again;
    }
}

#[tokio::test]
async fn a_client_that_has_seen_nothing_yet_can_return_too() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let anna = app.login("anna", "viewer").await;
    let mut events = anna.events("/channels/demo/events").await;
    assert_eq!(events.next().await.name, "queue:state");
    let last_id = events.last_id.clone();
    drop(events);
    record_numbers(&app, "demo", 1..=2).await;
    assert_eq!(numbers(&mut anna.events_after("/channels/demo/events", &last_id).await, 2).await, [1, 2]);
}

#[tokio::test]
async fn transactions_that_commit_in_another_order_than_they_began_leave_no_gap() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let mut events = app.anonymous().events("/channels/demo/events").await;
    events.wait_for("queue:state").await;

    // The first to begin is the last to commit.
    let mut early = app.db.begin().await.unwrap();
    sqlx::query("select 1").execute(&mut *early).await.unwrap();
    record_numbers(&app, "demo", [1]).await;
    // It has its number but has not committed: whoever comes next must wait for it.
    events::record(&mut early, vec![numbered(channel("demo"), EVERYBODY, 2)]).await.unwrap();
    let late = tokio::spawn({
        let db = app.db.clone();
        async move {
            let mut tx = db.begin().await.unwrap();
            events::record(&mut tx, vec![numbered(channel("demo"), EVERYBODY, 3)]).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    assert_eq!(numbers(&mut events, 1).await, [1]);
    assert!(events.is_silent_for(Duration::from_millis(200)).await, "something passed an open transaction");
    assert!(!late.is_finished());
    early.commit().await.unwrap();
    late.await.unwrap();
    assert_eq!(numbers(&mut events, 2).await, [2, 3]);

    // One that rolls back leaves no hole either.
    let mut never = app.db.begin().await.unwrap();
    events::record(&mut never, vec![numbered(channel("demo"), EVERYBODY, 4)]).await.unwrap();
    never.rollback().await.unwrap();
    let before = events.last_id.clone();
    record_numbers(&app, "demo", [5]).await;
    assert_eq!(numbers(&mut events, 1).await, [5]);
    let seq = |id: &str| id.split_once('-').unwrap().1.parse::<i64>().unwrap();
    assert_eq!(seq(&events.last_id), seq(&before) + 1);
}

#[tokio::test]
async fn what_one_process_records_is_seen_on_another() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let other = app.beside().pools(&[]).start().await;
    let mut events = other.anonymous().events("/channels/demo/events").await;
    record_numbers(&app, "demo", 1..=20).await;
    assert_eq!(numbers(&mut events, 20).await, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_place_of_one_process_is_good_on_another() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let mut events = app.anonymous().events("/channels/demo/events").await;
    record_numbers(&app, "demo", 1..=2).await;
    assert_eq!(numbers(&mut events, 2).await, [1, 2]);
    let other = app.beside().pools(&[]).start().await;
    record_numbers(&app, "demo", 3..=4).await;
    let mut events = other.anonymous().events_after("/channels/demo/events", &events.last_id).await;
    assert_eq!(numbers(&mut events, 2).await, [3, 4]);
}

/// A client that asks for an event stream and then does not read.
pub(crate) async fn open_and_do_not_read(app: &TestApp, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_closed_with_a_reason_and_nobody_waits_for_it() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let slow = open_and_do_not_read(&app, "/channels/demo/events").await;
    let mut fast = app.anonymous().events("/channels/demo/events").await;
    fast.wait_for("queue:state").await;

    // More than a socket's buffers and the ring together hold.
    const SIZE: usize = 128 * 1024;
    const COUNT: i64 = 96;
    let padding = "x".repeat(SIZE);
    for number in 0..COUNT {
        let data = json!({ "number": number, "padding": padding });
        record(&app, vec![NewEvent::new(channel("demo"), EVERYBODY, "test:number", &data)]).await;
        let begun = Instant::now();
        assert_eq!(numbers(&mut fast, 1).await, [number]);
        assert!(begun.elapsed() < Duration::from_secs(2), "the slow client holds up the fast one");
    }

    let told = told_to_the_end(slow).await;
    let last = String::from_utf8_lossy(&told[told.len().saturating_sub(200)..]);
    assert!(last.contains("event: closed\ndata: {\"reason\":\"slow\"}"), "{last}");
    assert!(told.len() < SIZE * usize::try_from(COUNT).unwrap(), "everything was kept for it");
}

/// What a client that begins to read now finds, until the server ends it.
async fn told_to_the_end(mut slow: TcpStream) -> Vec<u8> {
    let mut told = Vec::new();
    tokio::time::timeout(DEADLINE, slow.read_to_end(&mut told)).await.expect("it is not ended").unwrap();
    told
}

#[tokio::test]
async fn twenty_clients_that_do_not_read_are_dropped_and_a_hundred_and_eighty_hear_everything() {
    const CHANNELS: usize = 9;
    const LISTENERS: usize = 20;
    let app = api().await;
    let slugs: Vec<String> = (0..CHANNELS).map(|number| format!("demo{number}")).collect();
    let mut listeners = Vec::new();
    for slug in &slugs {
        app.login(slug, "streamer").await;
        for _ in 0..LISTENERS {
            listeners.push(app.anonymous().events(&format!("/channels/{slug}/events")).await);
        }
    }
    let mut slow = Vec::new();
    for _ in 0..LISTENERS {
        slow.push(open_and_do_not_read(&app, "/channels/demo0/events").await);
    }
    // On the first channel more than a socket's buffers and the ring together hold.
    let padding = "x".repeat(128 * 1024);
    for number in 0..64 {
        let events = slugs.iter().enumerate().map(|(place, slug)| {
            let padding = if place == 0 { padding.as_str() } else { "" };
            NewEvent::new(channel(slug), EVERYBODY, "test:number", &json!({ "number": number, "padding": padding }))
        });
        record(&app, events.collect()).await;
        // The next event is not recorded before everybody has this one: whoever waits for a slow one waits for ever.
        let heard = join_all(listeners.iter_mut().map(|events| numbers(events, 1))).await;
        assert!(heard.iter().all(|heard| *heard == [number]), "{heard:?}");
    }
    for told in join_all(slow.into_iter().map(told_to_the_end)).await {
        let last = String::from_utf8_lossy(&told[told.len().saturating_sub(200)..]);
        assert!(last.contains("event: closed\ndata: {\"reason\":\"slow\"}"), "{last}");
    }
}

#[tokio::test]
async fn a_place_that_means_nothing_gets_one_reset_and_the_present_state() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let path = overlay_path(&demo).await;
    record_numbers(&app, "demo", 1..=3).await;
    let mut events = demo.events(&format!("{path}/events")).await;
    let begin = [events.next().await, events.next().await];
    assert_eq!(begin.each_ref().map(|event| event.name.as_str()), ["overlay:config", "overlay:state"]);
    let head = begin[1].id.clone();

    for nonsense in ["9-1", "1-999999", "0-0", "yesterday", "1-"] {
        let mut events = demo.events_after(&format!("{path}/events"), nonsense).await;
        let begin = [events.next().await, events.next().await, events.next().await];
        let names = begin.each_ref().map(|event| event.name.as_str());
        assert_eq!(names, ["overlay:config", "reset", "overlay:state"], "{nonsense}");
        assert_eq!([&begin[1].id, &begin[2].id], [&head, &head], "{nonsense}");
        assert!(events.is_silent_for(Duration::from_millis(50)).await);
    }

    // A place that was good until its events were forgotten.
    let old = "1-1";
    assert_eq!(numbers(&mut demo.events_after(&format!("{path}/events"), old).await, 2).await, [2, 3]);
    app.advance(Duration::from_secs(25 * 3600)).await;
    let mut conn = app.pool().acquire().await.unwrap();
    assert_eq!(events::trim(&mut conn, 1000).await.unwrap(), 3);
    let mut events = demo.events_after(&format!("{path}/events"), old).await;
    assert_eq!([events.next().await.name, events.next().await.name], ["overlay:config", "reset"]);
    // Who has seen all of it has missed nothing.
    let mut events = demo.events_after(&format!("{path}/events"), &head).await;
    assert_eq!([events.next().await.name, events.next().await.name], ["overlay:config", "overlay:state"]);
}

#[tokio::test]
async fn a_log_that_was_reset_begins_anew_for_those_who_listen() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let mut events = app.anonymous().events("/channels/demo/events").await;
    record_numbers(&app, "demo", 1..=2).await;
    assert_eq!(numbers(&mut events, 2).await, [1, 2]);
    sqlx::query("update event_streams set epoch = 7, seq = 0").execute(app.pool()).await.unwrap();
    let closed = events.wait_for("closed").await;
    assert_eq!(closed.data["reason"], "reset");
    let mut events = app.anonymous().events_after("/channels/demo/events", &events.last_id).await;
    assert_eq!(events.wait_for("reset").await.id, "7-0");
    record_numbers(&app, "demo", [1]).await;
    assert_eq!(numbers(&mut events, 1).await, [1]);
}

#[tokio::test]
async fn personal_events_go_to_their_person_only() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let anna = app.login("anna", "viewer").await;
    let boris = app.login("boris", "viewer").await;
    let path = overlay_path(&demo).await;
    let mut personal = anna.events("/me/events").await;
    let mut others = [
        boris.events("/me/events").await,
        demo.events("/me/events").await,
        demo.events("/streamer/events").await,
        demo.events("/channels/demo/events").await,
        demo.events(&format!("{path}/events")).await,
    ];
    let annas = Stream::User(anna.user_id.parse().unwrap());
    record(&app, vec![numbered(annas, Audience::USER, 1)]).await;
    record(&app, vec![numbered(channel("demo"), Audience::USER, 2)]).await;
    assert_eq!(numbers(&mut personal, 1).await, [1]);
    for events in &mut others {
        let leaked = tokio::time::timeout(Duration::from_millis(300), events.wait_for("test:number")).await;
        assert!(leaked.is_err(), "{leaked:?}");
    }
    assert_eq!(app.anonymous().get("/me/events").await.status.as_u16(), 401);
    assert_eq!(anna.get("/streamer/events").await.status.as_u16(), 403);
}

#[tokio::test]
async fn each_audience_sees_its_own_events() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let mut overlay = demo.events(&format!("{}/events", overlay_path(&demo).await)).await;
    let mut panel = demo.events("/streamer/events").await;
    let mut public = app.anonymous().events("/channels/demo/events").await;
    let events = [Audience::OVERLAY, Audience::PANEL, Audience::PUBLIC, Audience::CREDITS, EVERYBODY];
    record(&app, events.iter().zip(1..).map(|(to, number)| numbered(channel("demo"), *to, number)).collect()).await;
    assert_eq!(numbers(&mut overlay, 2).await, [1, 5]);
    assert_eq!(numbers(&mut panel, 2).await, [2, 5]);
    assert_eq!(numbers(&mut public, 2).await, [3, 5]);
}

#[tokio::test]
async fn a_slug_in_upper_case_is_the_same_stream() {
    let app = api().await;
    app.login("demo", "streamer").await;
    let mut events = app.anonymous().events("/channels/DeMo/events").await;
    record_numbers(&app, "demo", 1..=2).await;
    assert_eq!(numbers(&mut events, 2).await, [1, 2]);
    let answer = app.anonymous().get("/channels/nobody/events").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "CHANNEL_NOT_FOUND"));
}

#[tokio::test]
async fn streams_end_at_once_when_the_process_stops() {
    let mut app = api().await;
    let demo = app.login("demo", "streamer").await;
    let mut events = demo.events(&format!("{}/events", overlay_path(&demo).await)).await;
    events.wait_for("overlay:state").await;
    let begun = Instant::now();
    app.stop();
    assert!(begun.elapsed() < Duration::from_secs(3), "an open stream held the process up");
    assert_eq!(events.wait_for("closed").await.data["reason"], "shutdown");
}
