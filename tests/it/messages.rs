//! What a channel's chats show.

use domain::{
    chat::{self, ChatMessage, Roles},
    outbox::Provider,
};
use harness::{Session, TestApp, wait_until};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    channel_tokens::give,
    twitch::{simulator, streamer_with_bot, system},
};

/// Somebody says this in the channel's chat on the platform, as its connector would tell.
pub(crate) async fn heard(app: &TestApp, channel: Uuid, platform: Provider, author: &str, text: &str) {
    let message = ChatMessage {
        channel_id: channel,
        content_id: Uuid::now_v7().to_string(),
        author_id: author.to_owned(),
        author_login: author.to_owned(),
        author_name: author.to_owned(),
        roles: Roles::default(),
        text: text.to_owned(),
        sent_at: OffsetDateTime::now_utc(),
        foreign: false,
        late: false,
        role_ids: Vec::new(),
    };
    let recorded = chat::record(&mut app.pool().acquire().await.unwrap(), platform, &[message]).await.unwrap();
    assert_eq!(recorded.fresh.len(), 1);
}

async fn shown(session: &Session, query: &str) -> Value {
    session.get(&format!("/api/v1/messages{query}")).await.expect(200)
}

fn texts(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|message| message["message"].as_str().unwrap()).collect()
}

async fn channel_of(streamer: &Session) -> Uuid {
    streamer.get("/me").await.expect(200)["channelId"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_said_in_the_chat_is_shown_with_what_it_is_until_it_is_taken_away() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let begun = OffsetDateTime::now_utc().unix_timestamp() - 60;
    // In the order of `at`, whatever their ids are.
    let say = |id: &str, at: i64, author: &str, text: &str| {
        let at = (begun + at) * 1000;
        let tags = format!("@id={id};tmi-sent-ts={at};user-id={author};display-name=Dr_{author}");
        let line = format!("{tags} :{author}!{author}@{author} PRIVMSG #demo :{text}");
        twitch.inject("demo", line.as_bytes());
    };
    let mut events = demo.events("/api/v1/events").await;
    say("c", 1, "anna", "what is this song?");
    say("b", 2, "bert", "круто");
    say("a", 3, "carl", "I am here");
    let page = wait_until("all three are shown", async || {
        let page = shown(&demo, "").await;
        (page["pagination"]["total"] == 3).then_some(page)
    })
    .await;
    assert_eq!(page["pagination"], json!({ "page": 1, "limit": 50, "total": 3, "pages": 1 }));
    let found: Vec<Value> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["platform"], it["channel"], it["username"], it["message"], it["category"]]))
        .collect();
    let expected = [
        json!(["twitch", "demo", "Dr_carl", "I am here", "general"]),
        json!(["twitch", "demo", "Dr_bert", "круто", "reaction"]),
        json!(["twitch", "demo", "Dr_anna", "what is this song?", "question"]),
    ];
    assert_eq!(found, expected);
    assert_eq!(texts(&shown(&demo, "?category=question").await), ["what is this song?"]);
    let id = page["messages"][2]["id"].as_str().unwrap();
    let link = format!("/api/v1/messages/{id}");
    // Whoever reads along has heard the same.
    for number in [2, 1, 0] {
        assert_eq!(events.wait_for("new_message").await.data, page["messages"][number]);
    }
    assert_eq!(demo.get(&link).await.expect(200), page["messages"][2]);

    twitch.inject("demo", b"@target-msg-id=c;login=anna :tmi.twitch.tv CLEARMSG #demo :what is this song?");
    wait_until("the question is gone", async || (shown(&demo, "").await["pagination"]["total"] == 2).then_some(()))
        .await;
    let gone = events.wait_for("messages_removed").await.data;
    assert_eq!((&gone["platform"], &gone["id"], gone.get("user_id")), (&json!("twitch"), &json!(id), None), "{gone}");
    assert_eq!(demo.get(&link).await.error_code(), "NOT_FOUND");
    twitch.inject("demo", b"@target-user-id=bert;ban-duration=9 :tmi.twitch.tv CLEARCHAT #demo :bert");
    let gone = events.wait_for("messages_removed").await.data;
    assert_eq!((gone.get("id"), &gone["user_id"]), (None, &json!("bert")), "{gone}");
    // What was sent away is not heard, whichever is read first; who says more later is.
    assert_eq!(texts(&shown(&demo, "").await), ["I am here"]);
    say("d", 9, "anna", "ok then");
    assert_eq!(events.wait_for("new_message").await.data["message"], "ok then");
    assert!(texts(&shown(&demo, "?category=question").await).is_empty());
}

#[tokio::test]
async fn the_chats_of_all_platforms_are_one_list_for_the_channels_own_people() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let other = app.login("other", "streamer").await;
    let (channel, elsewhere) = (channel_of(&demo).await, channel_of(&other).await);
    for (platform, text) in [(Provider::Twitch, "one"), (Provider::YouTube, "two"), (Provider::Kick, "three")] {
        heard(&app, channel, platform, "anna", text).await;
    }
    heard(&app, elsewhere, Provider::Twitch, "anna", "not here").await;
    assert_eq!(texts(&shown(&demo, "").await), ["three", "two", "one"]);
    assert_eq!(texts(&shown(&demo, "?platform=twitch").await), ["one"]);
    let second = shown(&demo, "?page=2&limit=2").await;
    assert_eq!(texts(&second), ["one"]);
    assert_eq!(second["pagination"], json!({ "page": 2, "limit": 2, "total": 3, "pages": 2 }));
    assert!(texts(&shown(&demo, "?page=9").await).is_empty());
    for query in ["?page=0", "?limit=0", "?limit=201", "?platform=icq", "?category=spam", "?page=x"] {
        let refused = demo.get(&format!("/api/v1/messages{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{query}");
    }

    // Who is shut out hears nothing more of the chats either.
    let mut events = other.events("/api/v1/events").await;
    let foreign = &shown(&other, "").await["messages"][0]["id"];
    for id in [foreign.as_str().unwrap(), "01a1fc55-e97f-7272-9a0b-3ed5ef258b15"] {
        assert_eq!(demo.get(&format!("/api/v1/messages/{id}")).await.error_code(), "NOT_FOUND");
    }
    let admin = app.login("boss", "admin").await;
    admin.post(&format!("/owner/users/{}/ban", other.user_id), &json!({})).await.expect(200);
    events.wait_for("closed").await;
    let mia = app.login("mia", "viewer").await;
    assert_eq!(mia.get("/api/v1/messages?channel=demo").await.error_code(), "CHANNEL_NOT_FOUND");
    demo.put("/streamer/team/mia", &json!({ "role": "moderator" })).await.expect(200);
    assert_eq!(texts(&shown(&mia, "?channel=demo&limit=1").await), ["three"]);
    let reader = give(&demo, "api", "Reader", &["bots:read"]).await;
    assert_eq!(texts(&shown(&app.anonymous().with_token(&reader.secret), "?limit=1").await), ["three"]);
    let deck = give(&demo, "api", "Deck", &["queue:read"]).await;
    let refused = app.anonymous().with_token(&deck.secret).get("/api/v1/messages").await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
}
