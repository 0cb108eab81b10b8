//! Credits: from a chat line to the overlay, and the door between our own processes.

use std::time::{Duration, Instant};

use domain::credits::signature::{InternalSecret, sign};
use harness::{Answer, Browser, Session, TestApp, wait_until};
use serde_json::{Value, json};

use crate::twitch::{recorded, simulator, streamer_with_bot, system};

async fn overlay_events(streamer: &Session) -> harness::Events {
    let token = streamer.get("/streamer/credits/token").await.expect(200);
    streamer.events(&format!("/overlay/credits/t/{}/events", token["token"].as_str().unwrap())).await
}

/// How a call to the internal door departs from a right one.
#[derive(Clone)]
struct Call {
    path: &'static str,
    event: &'static str,
    kind: Option<&'static str>,
    secret: Option<&'static str>,
    age: i64,
    extra: Option<(&'static str, &'static str)>,
}

const CALL: Call = Call {
    path: "/internal/credits/chatter",
    event: "e1",
    kind: Some("credits-event"),
    secret: None,
    age: 0,
    extra: None,
};

async fn call(app: &TestApp, how: &Call, body: &Value) -> Answer {
    let body = serde_json::to_vec(body).unwrap();
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap() - how.age;
    let own = app.process.instance.keys.internal.expose();
    let secret = InternalSecret::new(how.secret.unwrap_or(own).as_bytes());
    let mut request = app
        .anonymous()
        .request(reqwest::Method::POST, how.path)
        .header("content-type", "application/json")
        .header("x-memalerts-event", how.event)
        .header("x-memalerts-timestamp", now.to_string())
        .header("x-memalerts-signature", sign(&secret, now, how.event, &body))
        .body(body);
    for (name, value) in how.kind.map(|kind| ("x-memalerts-internal", kind)).into_iter().chain(how.extra) {
        request = request.header(name, value);
    }
    Session::send(request).await
}

fn chatter(name: &str) -> Value {
    json!({ "channelSlug": "demo", "userId": name, "displayName": name })
}

#[tokio::test]
async fn a_new_chatter_is_shown_in_the_credits_once() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let mut overlay = overlay_events(&demo).await;
    assert_eq!(overlay.next().await.name, "credits:config");
    for text in ["hello", "hello again", "!memes"] {
        twitch.say("demo", "anna", text);
    }
    let state = overlay.wait_where("anna in the credits", |event| event.data["chatters"][0]["name"] == "anna").await;
    assert_eq!((state.name.as_str(), &state.data["chatters"]), ("credits:state", &json!([{ "name": "anna" }])));
    // Three of hers, one answer of the bot.
    recorded(&app, 4).await;
    let relayed: i64 = sqlx::query_scalar("select count(*) from jobs_done where kind = 'relay-chatter'")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(relayed, 1, "one event per new chatter and session");

    demo.post("/streamer/credits/reset", &json!({})).await.expect(204);
    let acts = app.login("chef", "admin").await.get("/owner/audit?act=reset_credits").await.expect(200);
    let (before, after) = (&acts["acts"][0]["before"]["session"], &acts["acts"][0]["after"]["session"]);
    assert!(before.is_string() && after.is_string() && before != after, "{acts}");
    overlay.wait_where("empty credits", |event| event.data["chatters"] == json!([])).await;
    twitch.say("demo", "anna", "back again");
    overlay.wait_where("anna anew", |event| event.data["chatters"][0]["name"] == "anna").await;
    recorded(&app, 5).await;
}

#[tokio::test]
async fn a_day_after_a_reset_the_session_that_ended_is_forgotten_and_the_present_one_is_not() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let donation = async |event| {
        let how = Call { path: "/internal/credits/donor", event, ..CALL };
        call(&app, &how, &json!({ "channelSlug": "demo", "name": "Boris", "amount": 100 })).await.expect(200);
    };
    let rows = async || -> (i64, i64, i64) {
        let counts = "select (select count(*) from credits_sightings), (select count(*) from credits_chatters),
                             (select count(*) from credits_donors)";
        sqlx::query_as(counts).fetch_one(app.pool()).await.unwrap()
    };
    for (session, event) in ["d1", "d2"].into_iter().enumerate() {
        if session > 0 {
            demo.post("/streamer/credits/reset", &json!({})).await.expect(204);
        }
        twitch.say("demo", "anna", &format!("in session {session}"));
        donation(event).await;
        recorded(&app, i64::try_from(session).unwrap() + 1).await;
    }
    assert_eq!(rows().await, (2, 2, 2));
    app.advance(Duration::from_hours(23)).await;
    app.drain().await;
    assert_eq!(rows().await, (2, 2, 2), "relay jobs may still read it");
    app.advance(Duration::from_hours(2)).await;
    app.drain().await;
    assert_eq!(rows().await, (1, 1, 1));
    let state = demo.get("/streamer/credits/state").await.expect(200);
    assert_eq!(
        (&state["chatters"][0]["name"], &state["donors"][0]["amount"]),
        (&json!("anna"), &json!(100.0)),
        "{state}"
    );
}

#[tokio::test]
async fn the_last_state_is_always_told_and_at_most_one_a_second() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let mut overlay = overlay_events(&demo).await;
    let begun = Instant::now();
    for number in 0..40 {
        let how = Call { event: Box::leak(format!("e{number}").into_boxed_str()), ..CALL };
        call(&app, &how, &chatter(&format!("viewer {number:02}"))).await.expect(200);
    }
    let mut told = 0;
    let last = loop {
        let event = overlay.wait_for("credits:state").await;
        // The first is what the overlay gets on its arrival.
        told += u32::from(!event.data["chatters"].as_array().unwrap().is_empty());
        if event.data["chatters"].as_array().unwrap().len() == 40 {
            break event;
        }
    };
    assert!(f64::from(told) <= begun.elapsed().as_secs_f64() + 1.0, "{told} in {:?}", begun.elapsed());
    assert_eq!(last.data["chatters"][39]["name"], "viewer 39");
    assert_eq!(demo.get("/streamer/credits/state").await.expect(200)["chatters"], last.data["chatters"]);
    app.drain().await;
}

#[tokio::test]
async fn donations_are_summed_and_every_event_counts_once() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let donor = |event| Call { path: "/internal/credits/donor", event, ..CALL };
    let gift = |amount: Value| json!({ "channelSlug": "DEMO", "name": "Boris", "amount": amount });
    for (event, amount) in [("d1", json!(100)), ("d1", json!(100)), ("d2", json!(99.5)), ("d3", json!("0.5"))] {
        call(&app, &donor(event), &gift(amount)).await.expect(200);
    }
    let state = demo.get("/streamer/credits/state").await.expect(200);
    assert_eq!(state["donors"], json!([{ "name": "Boris", "amount": 200.0, "currency": "RUB" }]));
    for amount in [json!(0), json!(-5), json!("x"), json!(null)] {
        assert_eq!(call(&app, &donor("d4"), &gift(amount)).await.error_code(), "VALIDATION_ERROR");
    }
    app.drain().await;
}

#[tokio::test]
async fn the_internal_door_does_not_exist_for_whoever_cannot_prove_himself() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let unknown = app.anonymous().post("/internal/credits/nothing", &json!({})).await;
    let detail =
        |answer: &Answer| (answer.status.as_u16(), answer.error_code().to_owned(), answer.json["detail"].clone());
    for (why, how) in [
        ("no header", Call { kind: None, ..CALL }),
        ("another kind", Call { kind: Some("wallet"), ..CALL }),
        ("another secret", Call { secret: Some("guessed"), ..CALL }),
        ("too old", Call { age: 301, ..CALL }),
        ("from the future", Call { age: -310, ..CALL }),
        ("for somebody else", Call { extra: Some(("x-forwarded-for", "203.0.113.9")), ..CALL }),
    ] {
        let answer = call(&app, &how, &chatter("anna")).await;
        assert_eq!(detail(&answer), detail(&unknown), "{why}");
    }
    let get = app.anonymous().get("/internal/credits/chatter").await;
    assert_eq!(get.status.as_u16(), 404);
    let state = demo.get("/streamer/credits/state").await.expect(200);
    assert_eq!(state, json!({ "chatters": [], "donors": [] }));

    let nowhere = json!({ "channelSlug": "nowhere", "userId": "1", "displayName": "Anna" });
    assert_eq!(call(&app, &CALL, &nowhere).await.error_code(), "CHANNEL_NOT_FOUND", "who has proven himself gets help");
    call(&app, &CALL, &chatter("anna")).await.expect(200);
    app.drain().await;
}

#[tokio::test]
async fn a_target_that_is_down_does_not_lose_the_others_chatter() {
    let twitch = simulator().await;
    let other = TestApp::builder().env("MEMALERTS_INTERNAL_SECRET", &"s".repeat(32)).start().await;
    let there = other.login("demo", "streamer").await;
    // A port that was free a moment ago: nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut app = system(&twitch)
        .env("MEMALERTS_INTERNAL_SECRET", &"s".repeat(32))
        .env("CHATBOT_BACKEND_BASE_URLS", &format!("http://{closed}/, {} ", other.base))
        .start()
        .await;
    app.leaves_jobs_behind();
    streamer_with_bot(&app, &twitch, "demo").await;
    twitch.say("demo", "anna", "hello");
    wait_until("the other instance knows anna", async || {
        let state = there.get("/streamer/credits/state").await.expect(200);
        (state["chatters"] == json!([{ "name": "anna" }])).then_some(())
    })
    .await;
    let waiting: i64 = wait_until("the other relay waits for its next try", async || {
        sqlx::query_scalar(
            "select count(*) from jobs where kind = 'relay-chatter' and state = 'ready' and attempts > 0",
        )
        .fetch_one(app.pool())
        .await
        .ok()
        .filter(|&count| count > 0)
    })
    .await;
    assert_eq!(waiting, 1);
    other.drain().await;
}

#[tokio::test]
async fn names_that_are_pages_of_their_own_roll_by_as_the_text_that_they_are() {
    let Some(mut browser) = Browser::start("names_that_are_pages_of_their_own_roll_by_as_the_text_that_they_are").await
    else {
        return;
    };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    // Would throw or load from elsewhere, both of which the browser tells.
    let (writer, donor) = ("<img src=//x onerror=x()>", "<script>x()</script>&lt;b>");
    call(&app, &Call { event: "e1", ..CALL }, &chatter(writer)).await.expect(200);
    let gift = json!({ "channelSlug": "demo", "name": donor, "amount": 5 });
    call(&app, &Call { path: "/internal/credits/donor", event: "d1", ..CALL }, &gift).await.expect(200);
    let token = demo.get("/streamer/credits/token").await.expect(200);
    let url = format!("{}/overlay/credits/t/{}", app.base, token["token"].as_str().unwrap());
    assert_eq!(browser.open(&url, true).await, 200);
    let look = wait_until("both roll by", async || {
        let look = browser.look().await;
        (look.text.contains(writer) && look.text.contains(donor)).then_some(look)
    })
    .await;
    assert_eq!(look.complaints, Vec::<String>::new());
    app.drain().await;
}

#[tokio::test]
async fn a_rotated_token_opens_nothing_any_more() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let path = async || {
        let token = demo.get("/streamer/credits/token").await.expect(200);
        format!("/overlay/credits/t/{}/poll", token["token"].as_str().unwrap())
    };
    let old = path().await;
    app.anonymous().get(&old).await.expect(200);
    demo.post("/streamer/credits/token/rotate", &json!({})).await.expect(200);
    app.anonymous().get(&old).await.expect(401);
    app.anonymous().get(&path().await).await.expect(200);
    let mut overlay = overlay_events(&demo).await;
    assert!(overlay.next().await.name == "credits:config" && !overlay.is_silent_for(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn the_look_of_the_credits_is_set_and_told_at_once_and_is_an_object_of_some_size() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let mut overlay = overlay_events(&demo).await;
    assert_eq!(overlay.wait_for("credits:config").await.data, json!({ "creditsStyleJson": null }));
    let path = "/streamer/credits/settings";
    assert_eq!(demo.get(path).await.expect(200), json!({}));

    let largest = format!("{{\"color\":\"{}\"}}", "я".repeat((16 * 1024 - 12) / 2));
    assert_eq!(largest.len(), 16 * 1024);
    for style in ["{\"speed\":60}", &largest] {
        let settings = json!({ "creditsStyleJson": style });
        assert_eq!(demo.post(path, &settings).await.expect(200), settings);
        assert_eq!(overlay.wait_for("credits:config").await.data, settings);
        assert_eq!(demo.get(path).await.expect(200), settings);
    }
    for style in ["[]", "speed", "", &largest.replace("я", "яя")] {
        let answer = demo.post(path, &json!({ "creditsStyleJson": style })).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"));
        assert!(answer.json["detail"].as_str().unwrap().starts_with("creditsStyleJson: "), "{}", answer.text);
    }
    assert_eq!(demo.get(path).await.expect(200)["creditsStyleJson"], largest);
    demo.post(path, &json!({})).await.expect(200);
    assert_eq!(overlay.wait_for("credits:config").await.data, json!({ "creditsStyleJson": null }));
}
