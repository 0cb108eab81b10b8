//! Somebody comes in.

use domain::{access::Place, identities::Provider};
use futures_util::future::join_all;
use harness::TestApp;
use identity::simulator::Simulator;
use uuid::Uuid;

use super::{Visitor, counts, knowing, simulator, system};

#[tokio::test]
async fn who_comes_with_a_platform_is_a_new_person_once_and_the_same_one_ever_after() {
    let (_platforms, app) = system().await;
    for provider in Provider::ALL {
        let first = Visitor::new(&app).log_in(provider, "anna").await;
        assert_eq!(first["displayName"].as_str().unwrap().to_lowercase(), "anna", "{provider}");
        assert_eq!(first["role"], "viewer", "{provider}");
        let again = Visitor::new(&app).log_in(provider, "anna").await;
        assert_eq!(first["id"], again["id"], "{provider}");
        let other = Visitor::new(&app).log_in(provider, "bert").await;
        assert_ne!(first["id"], other["id"], "{provider}");
    }
    // The same name on ten platforms is ten people: nobody has said that they are one.
    let (people, accounts, _) = counts(&app).await;
    assert_eq!((people, accounts), (20, 20));
}

#[tokio::test]
async fn what_the_platform_tells_is_kept_and_its_tokens_are_sealed() {
    let (platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let accounts = anna.accounts().await;
    let [account] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(account["provider"], "twitch");
    assert_eq!(account["providerAccountId"], Simulator::subject(Provider::Twitch, "anna"));
    assert_eq!(account["login"], "anna");
    assert_eq!(account["avatarUrl"], "https://img.example/anna.png");
    assert_eq!(account["scopes"], serde_json::json!(["chat:read"]));
    assert_eq!(account["needsRelink"], false);
    let (id, access, refresh): (Uuid, Vec<u8>, Vec<u8>) =
        sqlx::query_as("select id, access_token, refresh_token from external_accounts")
            .fetch_one(app.pool())
            .await
            .unwrap();
    let place = |column| Place { table: "external_accounts", column, row: id };
    let vault = &app.process.vault;
    let token = vault.open(place("access_token"), &access).unwrap();
    let token = std::str::from_utf8(&token).unwrap();
    assert!(platforms.knows(Provider::Twitch, token), "what is sealed is the token");
    assert!(!access.windows(token.len()).any(|part| part == token.as_bytes()), "the token is in the database");
    assert!(vault.open(place("refresh_token"), &refresh).is_ok());
    assert!(vault.open(place("access_token"), &refresh).is_err(), "a token was sealed for another column");
}

#[tokio::test]
async fn a_login_asks_the_platform_for_what_the_settings_say() {
    let platforms = simulator().await;
    let app = knowing(&platforms, TestApp::builder().pools(&[]))
        .env("TWITCH_SCOPES", "chat:read chat:edit")
        .env("PUBLIC_BASE_URL", "http://memes.example")
        .start()
        .await;
    let visitor = Visitor::new(&app);
    for (provider, scope, pkce) in [
        ("twitch", Some("chat:read chat:edit"), false),
        ("google", Some("openid profile"), true),
        ("github", Some("read:user"), true),
        ("vkvideo", None, false),
        ("kick", Some("user:read"), true),
    ] {
        let address = visitor.depart(&format!("/auth/{provider}")).await;
        let asked =
            |name: &str| address.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        assert_eq!(asked("scope").as_deref(), scope, "{provider}");
        assert_eq!(asked("response_type").as_deref(), Some("code"), "{provider}");
        assert_eq!(asked("client_id"), Some(format!("{provider}-client")), "{provider}");
        let back = format!("http://memes.example/auth/{provider}/callback");
        assert_eq!(asked("redirect_uri"), Some(back), "{provider}");
        assert_eq!(asked("state").map(|state| state.len()), Some(43), "{provider}");
        assert_eq!(asked("code_challenge_method").is_some(), pkce, "{provider}");
        assert_eq!(asked("nonce").is_some(), provider == "google", "{provider}");
        assert!(!address.as_str().contains("secret"), "{address}");
    }
}

#[tokio::test]
async fn a_platform_that_is_not_set_up_says_which_setting_is_missing() {
    let app = TestApp::builder().pools(&[]).start().await;
    let nobody = Visitor::new(&app);
    for (provider, setting) in [("twitch", "TWITCH_CLIENT_ID"), ("oidc", "OIDC_CLIENT_ID"), ("vk", "VK_CLIENT_ID")] {
        for path in [format!("/auth/{provider}"), format!("/auth/{provider}/callback?state=x&code=y")] {
            let answer = nobody.get(&path).await;
            assert_eq!(answer.error_code(), "OAUTH_NOT_CONFIGURED", "{path}");
            assert!(answer.header("retry-after").is_empty(), "{path}: only an operator mends it");
            assert_eq!(answer.expect(503)["setting"], setting, "{path}");
        }
    }
    nobody.get("/auth/myspace").await.expect(400);
}

#[tokio::test]
async fn a_name_or_an_address_that_somebody_else_has_opens_nobodys_account() {
    let (_platforms, app) = system().await;
    let victim = app.login("anna", "streamer").await;
    let twitch = Visitor::new(&app).log_in(Provider::Twitch, "anna").await;
    assert_ne!(twitch["id"], victim.user_id.as_str());
    assert_ne!(twitch["login"], "anna", "the login is taken");
    // Both say that anna@mail.example is theirs, and that they have checked it.
    let google = Visitor::new(&app).log_in(Provider::Google, "anna").await;
    let oidc = Visitor::new(&app).log_in(Provider::Oidc, "anna").await;
    assert_ne!(google["id"], oidc["id"]);
    assert_ne!(google["id"], twitch["id"]);
}

#[tokio::test]
async fn many_first_logins_at_once_make_one_person() {
    let (_platforms, app) = system().await;
    let visitors: Vec<Visitor> = (0..8).map(|_| Visitor::new(&app)).collect();
    let people = join_all(visitors.iter().map(|visitor| visitor.log_in(Provider::Kick, "anna"))).await;
    assert!(people.iter().all(|person| person["id"] == people[0]["id"]), "{people:?}");
    assert_eq!(counts(&app).await, (1, 1, 8));
}

#[tokio::test]
async fn a_login_that_one_instance_began_is_ended_by_another() {
    let platforms = simulator().await;
    let public = ("PUBLIC_BASE_URL", "http://memes.example");
    let one = knowing(&platforms, TestApp::builder().pools(&[])).env(public.0, public.1).start().await;
    let two = knowing(&platforms, one.beside().pools(&[])).env(public.0, public.1).start().await;
    for provider in [Provider::Twitch, Provider::Oidc] {
        let visitor = Visitor::new(&one);
        let address = visitor.depart(&format!("/auth/{provider}")).await;
        let visitor = visitor.at(&two);
        let back = visitor.consent(address, "anna").await;
        assert_eq!(visitor.get(&back).await.status, 302, "{provider}");
        let there = visitor.me().await;
        assert_eq!(there["id"], visitor.at(&one).me().await["id"], "{provider}");
    }
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_spoil_each_others_login() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let first = visitor.depart("/auth/google?redirect_to=/first").await;
    let second = visitor.depart("/auth/oidc?redirect_to=/second").await;
    let first = visitor.consent(first, "anna").await;
    let second = visitor.consent(second, "anna").await;
    assert_eq!(visitor.get(&second).await.header("location"), "/second");
    assert_eq!(visitor.get(&first).await.header("location"), "/first");
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_but_to_paths_of_ours() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    for bad in
        ["https://evil.example", "//evil.example", "/%5Cevil.example", "/%09/evil.example", "panel", "/%0d%0ax:y"]
    {
        let answer = visitor.get(&format!("/auth/twitch?redirect_to={bad}")).await;
        assert_eq!(answer.error_code(), "VALIDATION_ERROR", "{bad}");
        answer.expect(400);
    }
    assert_eq!(visitor.travel("/auth/twitch", "anna").await.header("location"), "/", "without a wish");
}

#[tokio::test]
async fn addresses_of_logins_are_kept_by_nobody() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let address = visitor.depart("/auth/oidc").await;
    let back = visitor.consent(address, "anna").await;
    let answer = visitor.get(&back).await;
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_login_with_twitch_may_end_at_its_own_address() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    visitor.get("/auth/twitch/complete").await.expect(401);
    let answer = visitor.travel("/auth/twitch?redirect_to=/auth/twitch/complete%3Fredirect_to=/panel", "anna").await;
    let answer = visitor.get(answer.header("location")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/panel"));
    visitor.get("/auth/twitch/complete?redirect_to=//evil.example").await.expect(400);
}

#[tokio::test]
async fn who_is_banned_is_not_let_in_by_a_platform_either() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let id = visitor.log_in(Provider::Twitch, "anna").await["id"].as_str().unwrap().to_owned();
    let admin = app.login("boss", "admin").await;
    let path = format!("/owner/users/{id}/ban");
    let answer = admin.post(&path, &serde_json::json!({ "reason": "sells coins elsewhere" })).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let answer = Visitor::new(&app).travel("/auth/twitch", "anna").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "ACCOUNT_BANNED"), "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"));

    // A browser gets to a page that says so, and why; whatever else an address says, it is not told as a reason.
    let browser = Visitor::with_pages(&app);
    let answer = browser.travel("/auth/twitch?redirect_to=/panel", "anna").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/?error=account_banned&provider=twitch"));
    let page = browser.get("/?error=account_banned&provider=twitch&reason=none").await;
    assert!(page.text.contains("is banned. (twitch) What was said of why: sells coins elsewhere</p>"), "{}", page.text);
    let page = Visitor::with_pages(&app).get("/?error=account_banned&reason=none").await;
    assert!(page.text.contains("is banned.</p>"), "{}", page.text);
    // The next one at the same browser is somebody else, of whom nothing was said.
    let bert = Visitor::new(&app).log_in(Provider::Twitch, "bert").await["id"].as_str().unwrap().to_owned();
    let answer = admin.post(&format!("/owner/users/{bert}/ban"), &serde_json::json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let answer = browser.travel("/auth/twitch?redirect_to=/docs", "bert").await;
    let location = "/?redirect_to=%2Fdocs&error=account_banned&provider=twitch";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, location));
    let page = browser.get(location).await;
    assert!(page.text.contains("is banned. (twitch)</p>"), "{}", page.text);
}
