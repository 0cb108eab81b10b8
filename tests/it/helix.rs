//! Twitch's API: with whose token it is asked, and what its moods mean.

use std::time::Duration;

use domain::identities::Provider;
use harness::{TestApp, wait_until};
use helix::{Caller, Helix, HelixError, Said, Wanted};
use identity::{
    Platforms,
    simulator::{Fault, Simulator},
};
use serde_json::json;
use uuid::Uuid;

use crate::identities::{self, Visitor};

async fn stage() -> (Simulator, TestApp, Helix) {
    let platforms = identities::simulator().await;
    let builder = TestApp::builder().pools(&[]).env("TWITCH_SCOPES", "chat:read user:write:chat");
    let app = identities::knowing(&platforms, builder).start().await;
    let known = Platforms::new(app.process.config.identity.access.clone()).unwrap();
    let helix = Helix::new(known, app.process.vault.clone()).unwrap();
    (platforms, app, helix)
}

/// An account that somebody has linked; its id here and there.
async fn account(app: &TestApp, login: &str) -> (Uuid, String) {
    let visitor = Visitor::new(app);
    visitor.log_in(Provider::Twitch, login).await;
    let id = visitor.accounts().await[0]["id"].as_str().unwrap().parse().unwrap();
    (id, Simulator::subject(Provider::Twitch, login))
}

fn renewals(platforms: &Simulator, grant: &str) -> usize {
    platforms.requests().iter().filter(|seen| seen.grant == grant).count()
}

#[tokio::test]
async fn people_streams_and_subscriptions_are_asked_for_in_the_name_of_the_application() {
    let (platforms, _app, helix) = stage().await;
    let logins: Vec<String> = (0..250).map(|number| format!("person{number}")).collect();
    let users = helix.users(Caller::App, &logins).await.unwrap();
    assert_eq!((users.len(), &*users[7].login), (250, "person7"));
    assert_eq!(platforms.calls().len(), 3, "a hundred at a time");
    platforms.set_live("person7", Some("2026-11-20T10:00:00Z"));
    let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    let streams = helix.streams(Caller::App, &ids).await.unwrap();
    assert_eq!((streams.len(), &streams[0].user_id), (1, &users[7].id));
    let user = helix.user(Caller::App, &users[3].id).await.unwrap().unwrap();
    assert_eq!(user.login, "person3");

    for number in 0..120 {
        let wanted = Wanted {
            kind: "stream.online",
            version: "1",
            condition: json!({ "broadcaster_user_id": number.to_string() }),
            callback: "http://127.0.0.1:9/nobody",
            secret: "a-long-secret",
        };
        assert!(helix.subscribe(&wanted).await.unwrap().is_some());
        assert!(helix.subscribe(&wanted).await.unwrap().is_none(), "there is one already");
    }
    let all = helix.subscriptions().await.unwrap();
    assert_eq!((all.len(), all[0].callback()), (120, "http://127.0.0.1:9/nobody"));
    helix.unsubscribe(&all[0].id).await.unwrap();
    helix.unsubscribe(&all[0].id).await.unwrap();
    assert_eq!(platforms.subscriptions().len(), 119);
    platforms.forbid("channel.follow", true);
    let wanted = Wanted {
        kind: "channel.follow",
        version: "2",
        condition: json!({}),
        callback: "http://x",
        secret: "a-long-secret",
    };
    assert!(matches!(helix.subscribe(&wanted).await, Err(HelixError::Forbidden(_))));
    assert_eq!(renewals(&platforms, "client_credentials"), 1, "one token for all of it");
    assert!(platforms.calls().iter().all(|call| !call.body.to_string().contains("a-long-secret")));
}

#[tokio::test]
async fn a_token_that_is_over_is_renewed_once_and_the_question_asked_again_once() {
    let (platforms, app, helix) = stage().await;
    helix.users(Caller::App, &["anna".to_owned()]).await.unwrap();
    platforms.fault(Provider::Twitch, Fault::HelixExpired);
    helix.users(Caller::App, &["anna".to_owned()]).await.unwrap();
    assert_eq!(renewals(&platforms, "client_credentials"), 2);

    let (bot, id) = account(&app, "bot").await;
    let say = async |text: &str| helix.say(Caller::Account(&app.db, bot), "1337", &id, text).await;
    assert!(matches!(say("one").await, Ok(Said::Sent { .. })));
    platforms.fault(Provider::Twitch, Fault::HelixExpired);
    assert!(matches!(say("two").await, Ok(Said::Sent { .. })));
    assert_eq!(renewals(&platforms, "refresh_token"), 1);
    let said: Vec<String> = platforms.said().into_iter().map(|said| said.text).collect();
    assert_eq!(said, ["one", "two"]);
    // Twice in a row: it is not the token.
    platforms.fault(Provider::Twitch, Fault::HelixExpired);
    platforms.fault(Provider::Twitch, Fault::HelixExpired);
    assert!(matches!(say("three").await, Err(HelixError::Forbidden(_))));
    // The person took everything back.
    platforms.revoke(Provider::Twitch, "bot");
    for _ in 0..5 {
        assert!(matches!(say("four").await, Err(HelixError::Relink(_))));
    }
    assert_eq!(renewals(&platforms, "refresh_token"), 3, "nobody asks again for what was refused");
    assert_eq!(platforms.said().len(), 2);
}

#[tokio::test]
async fn of_many_who_speak_with_a_token_that_is_over_one_renews_it_and_all_are_heard_once() {
    let (platforms, app, helix) = stage().await;
    let (bot, id) = account(&app, "bot").await;
    for round in 0..5 {
        app.advance(Duration::from_hours(5)).await;
        let before = renewals(&platforms, "refresh_token");
        let say = async |number: usize| {
            let text = format!("{round}: {number}");
            helix.say(Caller::Account(&app.db, bot), "1337", &id, &text).await
        };
        let said = futures_util::future::join_all((0..32).map(say)).await;
        assert!(said.iter().all(|said| matches!(said, Ok(Said::Sent { .. }))), "{said:?}");
        assert_eq!(renewals(&platforms, "refresh_token") - before, 1);
    }
    let mut texts: Vec<String> = platforms.said().into_iter().map(|said| said.text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!((texts.len(), platforms.said().len()), (160, 160));
}

#[tokio::test]
async fn each_mood_of_the_platform_says_what_may_be_done_next() {
    let (platforms, app, helix) = stage().await;
    let (bot, id) = account(&app, "bot").await;
    let say = async || helix.say(Caller::Account(&app.db, bot), "1337", &id, "hello").await;
    let ask = async || helix.users(Caller::App, &["anna".to_owned()]).await;
    let meet = |fault: Fault| platforms.fault(Provider::Twitch, fault);

    meet(Fault::HelixLimited { reset: Some(7) });
    assert!(matches!(say().await, Err(HelixError::Limited(Some(wait))) if (5..=7).contains(&wait.as_secs())));
    meet(Fault::HelixLimited { reset: None });
    assert!(matches!(say().await, Err(HelixError::Limited(None))));
    meet(Fault::HelixLimited { reset: Some(-100) });
    assert!(matches!(say().await, Err(HelixError::Limited(Some(wait))) if wait.as_secs() == 1), "never a hot loop");
    meet(Fault::HelixLimited { reset: Some(1_000_000) });
    assert!(matches!(say().await, Err(HelixError::Limited(Some(wait))) if wait.as_secs() == 300), "nor for ever");
    meet(Fault::HelixStatus { status: 503 });
    assert!(matches!(say().await, Err(HelixError::Unavailable(_))));
    meet(Fault::HelixStatus { status: 403 });
    assert!(matches!(say().await, Err(HelixError::Forbidden(_))));
    meet(Fault::HelixStatus { status: 422 });
    assert!(matches!(say().await, Err(HelixError::Refused { status: 422, .. })));
    assert_eq!(platforms.said().len(), 0);
    // What may have been said is in doubt; what was only asked may be asked again.
    for fault in [Fault::HelixStatus { status: 500 }, Fault::HelixHangUp, Fault::HelixJunk, Fault::HelixHuge] {
        meet(fault.clone());
        assert!(matches!(say().await, Err(HelixError::Doubtful(_))), "{fault:?}");
        meet(fault.clone());
        assert!(matches!(ask().await, Err(HelixError::Unavailable(_))), "{fault:?}");
    }
    meet(Fault::HelixLost);
    assert!(matches!(say().await, Err(HelixError::Doubtful(_))));
    assert_eq!(platforms.said().len(), 1);
    meet(Fault::HelixDrop { code: "msg_duplicate".to_owned() });
    assert_eq!(say().await.unwrap(), Said::Dropped { code: "msg_duplicate".to_owned() });
    assert!(platforms.faults().is_empty());
    assert!(ask().await.is_ok());
}

#[tokio::test]
async fn an_answer_that_never_comes_is_waited_for_no_longer_than_ten_seconds() {
    let (platforms, _app, helix) = stage().await;
    helix.check().unwrap();
    platforms.fault(Provider::Twitch, Fault::HelixHang);
    let asked = tokio::spawn(async move { helix.users(Caller::App, &["anna".to_owned()]).await });
    let ended = wait_until("somebody gives up", async || asked.is_finished().then_some(()));
    tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    assert!(matches!(asked.await.unwrap(), Err(HelixError::Unavailable(_))));
}
