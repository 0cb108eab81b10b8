//! One person, many accounts.

use domain::identities::Provider;
use futures_util::future::join;
use harness::{Pool, TestApp, wait_until};
use identity::simulator::Fault;
use reqwest::Method;
use serde_json::json;

use super::{Visitor, counts, knowing, simulator, system};
use crate::mails::PostOffice;

const PASSWORD: &str = "correct horse";

/// Anna, who came with a password, in her browser; and her access token.
async fn registered(app: &TestApp) -> (Visitor, String) {
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": PASSWORD });
    let made = app.anonymous().post("/auth/register", &wish).await.expect(201);
    let token = made["access_token"].as_str().unwrap().to_owned();
    let anna = Visitor::new(app);
    anna.set_cookie("token_dev", &token);
    (anna, token)
}

#[tokio::test]
async fn all_linked_accounts_lead_to_one_person() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    let id = anna.log_in(Provider::Twitch, "anna").await["id"].clone();
    let others = [Provider::YouTube, Provider::Vk, Provider::VkVideo, Provider::Kick, Provider::Oidc];
    for provider in others {
        assert_eq!(anna.link(provider, "anna_there").await.header("location"), "/linked", "{provider}");
        assert_eq!(anna.me().await["id"], id, "{provider}");
    }
    let linked: Vec<String> =
        anna.accounts().await.iter().map(|account| account["provider"].as_str().unwrap().to_owned()).collect();
    assert_eq!(linked, ["twitch", "youtube", "vk", "vkvideo", "kick", "oidc"]);
    for provider in others {
        assert_eq!(Visitor::new(&app).log_in(provider, "anna_there").await["id"], id, "{provider}");
    }
    assert_eq!(counts(&app).await.0, 1);
}

#[tokio::test]
async fn an_account_that_is_somebody_elses_stays_theirs() {
    let (_platforms, app) = system().await;
    let (anna, bert) = (Visitor::new(&app), Visitor::with_pages(&app));
    let id = anna.log_in(Provider::Twitch, "anna").await["id"].clone();
    anna.link(Provider::Kick, "kicker").await;
    bert.log_in(Provider::Twitch, "bert").await;
    let answer = bert.link(Provider::Kick, "kicker").await;
    let told = "/linked?error=account_already_linked&provider=kick";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, told), "a browser is told in its address");
    let program = Visitor::new(&app);
    program.log_in(Provider::Twitch, "bert").await;
    let answer = program.link(Provider::Kick, "kicker").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (409, "ACCOUNT_ALREADY_LINKED"));
    assert_eq!(bert.accounts().await.len(), 1);
    assert_eq!(Visitor::new(&app).log_in(Provider::Kick, "kicker").await["id"], id);
}

#[tokio::test]
async fn of_two_who_link_one_account_at_once_one_gets_it() {
    let (_platforms, app) = system().await;
    for round in 0..8 {
        let (anna, bert) = (Visitor::new(&app), Visitor::new(&app));
        anna.log_in(Provider::Twitch, "anna").await;
        bert.log_in(Provider::Twitch, "bert").await;
        let account = format!("both_{round}");
        let answers = join(anna.link(Provider::Kick, &account), bert.link(Provider::Kick, &account)).await;
        let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [302, 409], "round {round}");
    }
    assert_eq!(counts(&app).await.1, 10);
}

#[tokio::test]
async fn linking_an_account_again_only_renews_what_it_grants() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    anna.link(Provider::YouTube, "anna").await;
    let before = anna.accounts().await;
    assert_eq!(before[1]["scopes"], json!(["https://www.googleapis.com/auth/youtube.readonly"]));
    let answer = anna.travel("/auth/youtube/link/force-ssl?redirect_to=/bot", "anna").await;
    assert_eq!(answer.header("location"), "/bot", "{}", answer.text);
    let after = anna.accounts().await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[1]["id"], before[1]["id"]);
    let scopes =
        ["https://www.googleapis.com/auth/youtube.readonly", "https://www.googleapis.com/auth/youtube.force-ssl"];
    assert_eq!(after[1]["scopes"], json!(scopes));
}

#[tokio::test]
async fn a_google_account_without_a_channel_is_told_so() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let answer = anna.link(Provider::YouTube, "nochannel").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "YOUTUBE_CHANNEL_REQUIRED"));
}

#[tokio::test]
async fn who_says_no_at_the_platform_is_back_where_it_began() {
    let (platforms, app) = system().await;
    let anna = Visitor::with_pages(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    platforms.fault(Provider::Kick, Fault::Deny);
    let answer = anna.travel("/auth/kick/link?redirect_to=/panel%3Fa=b%23top", "kicker").await;
    assert_eq!(answer.header("location"), "/panel?a=b&error=access_denied&provider=kick#top");
    assert_eq!(anna.accounts().await.len(), 1);
}

#[tokio::test]
async fn an_unlinked_account_opens_nothing_and_can_be_somebody_elses() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    let id = anna.log_in(Provider::Twitch, "anna").await["id"].clone();
    anna.link(Provider::Kick, "kicker").await;
    let accounts = anna.accounts().await;
    let path = format!("/auth/accounts/{}", accounts[1]["id"].as_str().unwrap());
    let bert = Visitor::new(&app);
    bert.log_in(Provider::Twitch, "bert").await;
    bert.send(Method::DELETE, &path).await.expect(404);
    assert_eq!(anna.send(Method::DELETE, &path).await.status, 204);
    anna.send(Method::DELETE, &path).await.expect(404);
    assert_eq!(anna.accounts().await.len(), 1);
    assert_ne!(Visitor::new(&app).log_in(Provider::Kick, "kicker").await["id"], id);
}

#[tokio::test]
async fn the_last_account_stays() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let path = |account: &serde_json::Value| format!("/auth/accounts/{}", account["id"].as_str().unwrap());
    let answer = anna.send(Method::DELETE, &path(&anna.accounts().await[0])).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (409, "LAST_ACCOUNT"));
    // Of two that go at once one stays, too.
    for _ in 0..8 {
        anna.link(Provider::Kick, "kicker").await;
        let accounts = anna.accounts().await;
        let paths = [path(&accounts[0]), path(&accounts[1])];
        let answers = join(anna.send(Method::DELETE, &paths[0]), anna.send(Method::DELETE, &paths[1])).await;
        let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        anna.link(Provider::Twitch, "anna").await;
        let accounts = anna.accounts().await;
        if let Some(kick) = accounts.iter().find(|account| account["provider"] == "kick") {
            assert_eq!(anna.send(Method::DELETE, &path(kick)).await.status, 204);
        }
    }
}

#[tokio::test]
async fn who_has_a_password_may_unlink_every_account() {
    let (_platforms, app) = system().await;
    let (anna, _) = registered(&app).await;
    anna.link(Provider::Twitch, "anna").await;
    let id = anna.accounts().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(anna.send(Method::DELETE, &format!("/auth/accounts/{id}")).await.status, 204);
    assert_eq!(anna.accounts().await.len(), 0);
    let login = json!({ "username": "anna", "password": PASSWORD });
    app.anonymous().post("/auth/login", &login).await.expect(200);
}

#[tokio::test]
async fn links_come_and_go_with_a_fresh_proof_only() {
    let (_platforms, app) = system().await;
    let (anna, token) = registered(&app).await;
    anna.link(Provider::Twitch, "anna").await;
    let id = anna.accounts().await[0]["id"].as_str().unwrap().to_owned();
    for path in ["/auth/kick/link", "/auth/youtube/link/force-ssl"] {
        let answer = anna.lured(path).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "CSRF_INVALID"), "{path}");
    }
    let bert = Visitor::with_pages(&app);
    bert.log_in(Provider::Twitch, "bert").await;
    app.advance(std::time::Duration::from_mins(11)).await;
    for path in ["/auth/kick/link", "/auth/youtube/link/force-ssl"] {
        let answer = anna.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "STEP_UP_REQUIRED"), "{path}");
    }
    let answer = bert.get("/auth/kick/link?redirect_to=/panel%3Ftab=1").await;
    let back = "/panel?tab=1&error=step_up_required&provider=kick";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, back), "a browser sees no bare problem");
    let answer = anna.send(Method::DELETE, &format!("/auth/accounts/{id}")).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "STEP_UP_REQUIRED"));
    let session = app.anonymous().with_token(&token);
    session.post("/auth/step-up", &json!({ "password": PASSWORD })).await.expect(204);
    assert_eq!(anna.send(Method::DELETE, &format!("/auth/accounts/{id}")).await.status, 204);
    assert_eq!(anna.link(Provider::Kick, "kicker").await.header("location"), "/linked");
}

#[tokio::test]
async fn a_verified_address_is_told_of_a_new_account_once_and_whatever_its_name_is() {
    let (platforms, office) = (simulator().await, PostOffice::open());
    let builder = knowing(&platforms, office.known_to(TestApp::builder().pools(&[Pool::Outbox])));
    let app = builder.start().await;
    let (anna, _) = registered(&app).await;
    sqlx::query("update users set is_verified = true").execute(app.pool()).await.unwrap();
    app.drain().await;
    let before = office.taken().len();
    platforms.fault(Provider::Kick, Fault::ProfileStrangeNames);
    for _ in 0..2 {
        assert_eq!(anna.link(Provider::Kick, "kicker").await.header("location"), "/linked");
        app.drain().await;
    }
    let told = wait_until("it is told", async || office.taken().get(before).cloned()).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("anna@example.org", "An account was linked"));
    assert!(told.text.contains("kick: ") && !told.text.contains('\u{202e}'), "{}", told.text);
    assert!(!told.html.contains("<script>"), "{}", told.html);
    assert_eq!(office.taken().len(), before + 1);
}

#[tokio::test]
async fn who_unlinks_an_account_lets_go_of_its_channel_there() {
    let (_platforms, app) = system().await;
    let signed_in = |visitor: &Visitor| app.anonymous().with_token(&visitor.cookie("token_dev").unwrap());
    let is_on = async |streamer: &harness::Session| {
        let bots = streamer.get("/streamer/bots").await.expect(200);
        bots.as_array().unwrap().iter().find(|bot| bot["provider"] == "twitch").unwrap()["enabled"].clone()
    };
    let streams = async |visitor: &Visitor, slug: &str| {
        let wish = json!({ "slug": slug });
        signed_in(visitor).post("/channels", &wish).await.expect(201);
        signed_in(visitor).patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    };
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Discord, "anna").await;
    anna.link(Provider::Twitch, "streamer").await;
    streams(&anna, "annas").await;
    assert_eq!(is_on(&signed_in(&anna)).await, true);
    let account = anna.accounts().await.into_iter().find(|account| account["provider"] == "twitch").unwrap();
    let path = format!("/auth/accounts/{}", account["id"].as_str().unwrap());
    assert_eq!(anna.send(Method::DELETE, &path).await.status, 204);

    assert_eq!(is_on(&signed_in(&anna)).await, false);
    let again = signed_in(&anna).patch("/streamer/bots/twitch", &json!({ "enabled": true })).await;
    assert_eq!((again.status.as_u16(), again.error_code()), (400, "TWITCH_CHANNEL_NOT_LINKED"));
    // Whose account it is now has the channel there, too.
    let bert = Visitor::new(&app);
    bert.log_in(Provider::Twitch, "streamer").await;
    streams(&bert, "berts").await;
    let named: Vec<String> = sqlx::query_scalar(
        "select slug from channels c join channel_accounts h on h.channel_id = c.id where h.account is not null",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    assert_eq!(named, ["berts"]);
}

#[tokio::test]
async fn a_browser_without_a_session_that_links_is_told_to_log_in_first() {
    let (_platforms, app) = system().await;
    let (browser, program) = (Visitor::with_pages(&app), Visitor::new(&app));
    let answer = browser.get("/auth/kick/link?redirect_to=/panel").await;
    let front = "/?redirect_to=%2Fpanel&error=unauthorized&provider=kick";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    let page = browser.get(front).await;
    assert!(page.text.contains("You are not logged in. Log in first, then try again. (kick)"), "{}", page.text);
    assert!(page.text.contains("href=\"/auth/twitch?redirect_to=%2Fpanel\""), "{}", page.text);
    let answer = browser.get("/auth/youtube/link/force-ssl").await;
    let front = "/?error=unauthorized&provider=youtube";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    let answer = browser.get("/streamer/bots/twitch/bot/link?redirect_to=/panel").await;
    let front = "/?redirect_to=%2Fpanel&error=unauthorized&provider=twitch";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    let answer = browser.get("/owner/bots/twitch/default/link").await;
    let front = "/?error=unauthorized&provider=twitch";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    let away = browser.get("/auth/kick/link?redirect_to=//evil.example").await;
    assert_eq!((away.status.as_u16(), away.error_code()), (400, "VALIDATION_ERROR"));
    let answer = program.get("/auth/kick/link?redirect_to=/panel").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (401, "UNAUTHORIZED"));
    // Who may not do it hears that, and is not told to log in.
    browser.log_in(Provider::Twitch, "streamer").await;
    for (path, back) in [
        ("/owner/bots/twitch/default/link?redirect_to=/panel", "/panel?error=forbidden&provider=twitch"),
        ("/streamer/bots/twitch/bot/link", "/?error=forbidden&provider=twitch"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, back), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_browser_that_comes_back_too_late_or_to_a_platform_that_is_not_there_is_told_so_on_a_page() {
    // No platform is set up.
    let app = TestApp::builder().pools(&[]).start().await;
    let (browser, program) = (Visitor::with_pages(&app), Visitor::new(&app));
    let answer = browser.get("/auth/kick").await;
    let front = "/?error=oauth_not_configured&provider=kick";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    assert!(browser.get(front).await.text.contains("This platform is not set up here. (kick)"));
    assert_eq!(program.get("/auth/kick").await.error_code(), "OAUTH_NOT_CONFIGURED");

    let (_platforms, app) = system().await;
    let (browser, late_program) = (Visitor::with_pages(&app), Visitor::new(&app));
    let late = "/auth/twitch/callback?code=long_gone&state=unknown";
    let answer = browser.get(late).await;
    let front = "/?error=oauth_state_mismatch&provider=twitch";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, front), "{}", answer.text);
    assert!(browser.get(front).await.text.contains("Begin anew."));
    let answer = late_program.get(late).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "OAUTH_STATE_MISMATCH"));
}

#[tokio::test]
async fn a_process_of_the_release_before_knows_a_channels_account_and_names_it_where_it_looks() {
    let app = TestApp::start().await;
    app.login("demo", "streamer").await;
    type Named = (Option<String>, Option<String>);
    let column = async || -> Named {
        let named = "select twitch_channel_id, twitch_login from channels";
        sqlx::query_as(named).fetch_one(app.pool()).await.unwrap()
    };
    let row = async || -> Option<Named> {
        let named = "select account, login from channel_accounts";
        sqlx::query_as(named).fetch_optional(app.pool()).await.unwrap()
    };
    let run = async |statement: &'static str| {
        sqlx::query(statement).execute(app.pool()).await.unwrap();
    };
    let named = |account: &str, login: &str| (Some(account.to_owned()), Some(login.to_owned()));
    assert_eq!((column().await, row().await), ((None, Some("demo".into())), Some((None, Some("demo".into())))));
    run("update channel_accounts set account = '1'").await;
    assert_eq!(column().await, named("1", "demo"));
    run("update channels set twitch_channel_id = '2', twitch_login = 'other'").await;
    assert_eq!(row().await, Some(named("2", "other")));
    run("update channels set twitch_channel_id = null, twitch_login = null").await;
    assert_eq!(row().await, None);
    run("update channels set twitch_login = 'again'").await;
    assert_eq!(row().await, Some((None, Some("again".into()))));
    run("delete from channel_accounts").await;
    assert_eq!(column().await, (None, None));
}
