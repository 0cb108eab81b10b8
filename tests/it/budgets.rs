//! How much anybody may ask, and that it is the same at each process.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::media::MediaType;
use futures_util::future::join_all;
use harness::{Answer, Rendition, Session, TestApp, wait_until};
use reqwest::{Method, multipart};
use serde_json::json;

use crate::{realtime::overlay_path, sizes::size};

/// A system with the budgets that it has in production.
async fn limited() -> TestApp {
    TestApp::builder().env("RATE_LIMIT_FACTOR", "1").pools(&[]).start().await
}

/// A question that any address may ask; 404 when it may.
const QUESTION: &str = "/channels/nobody";

async fn ask_as(app: &TestApp, header: &'static str, client: &str) -> Answer {
    Session::send(app.anonymous().request(Method::GET, QUESTION).header(header, client)).await
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer.header(header).parse().unwrap_or_else(|_| panic!("{header} of {:?}", answer.headers))
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (429, code), "{}", answer.text);
}

#[tokio::test]
async fn the_hundred_and_first_request_of_a_minute_is_refused_until_its_time_has_come() {
    let app = limited().await;
    let nobody = app.anonymous();
    for left in (0..100).rev() {
        let answer = nobody.get(QUESTION).await;
        assert_eq!(answer.status.as_u16(), 404, "with {left} left: {}", answer.text);
        assert_eq!((number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining")), (100, left));
        assert_eq!(number(&answer, "x-ratelimit-remaining"), left);
        assert_eq!(answer.header("ratelimit-policy"), "100;w=60");
        assert!(answer.header("retry-after").is_empty());
    }
    let over = nobody.get(QUESTION).await;
    refused(&over, "RATE_LIMITED");
    assert_eq!(over.header("content-type"), "application/problem+json");
    let wait = number(&over, "retry-after");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!((number(&over, "ratelimit-remaining"), number(&over, "ratelimit-reset")), (0, wait));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(number(&over, "x-ratelimit-reset").abs_diff(now + wait) <= 2);
    // What nobody answers counts as well, and so does what somebody else asks from there.
    refused(&nobody.get("/nowhere").await, "RATE_LIMITED");
    refused(&nobody.post("/auth/dev/login", &json!({ "login": "anna", "role": "viewer" })).await, "RATE_LIMITED");

    app.advance(Duration::from_secs(wait)).await;
    wait_until("the address may ask again", async || (nobody.get(QUESTION).await.status == 404).then_some(())).await;
}

#[tokio::test]
async fn overlays_files_and_health_have_budgets_of_their_own() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let overlay = overlay_path(&demo).await;
    while demo.get("/me").await.status == 200 {}
    refused(&demo.get("/me").await, "RATE_LIMITED");
    let nobody = app.anonymous();
    let mut screens = Vec::new();
    for _ in 0..10 {
        screens.push(nobody.events(&format!("{overlay}/events")).await);
        assert_eq!(nobody.get(&format!("{overlay}/poll")).await.status.as_u16(), 200);
    }
    for screen in &mut screens {
        screen.wait_for("overlay:state").await;
    }
    assert_eq!(nobody.get("/health").await.status.as_u16(), 200);
    assert_eq!(nobody.get("/overlay/assets/overlay.js").await.status.as_u16(), 200);
    assert_eq!(nobody.get(&format!("/uploads/{}", "0".repeat(64))).await.status.as_u16(), 404);
    refused(&demo.get("/me").await, "RATE_LIMITED");
}

#[tokio::test]
async fn two_processes_share_one_budget() {
    let app = limited().await;
    let other = app.beside().env("RATE_LIMIT_FACTOR", "1").pools(&[]).start().await;
    let sessions = [app.anonymous(), other.anonymous()];
    let answers = join_all((0..300).map(|number| sessions[number % 2].get(QUESTION))).await;
    let granted = answers.iter().filter(|answer| answer.status == 404).count();
    // Less, if one of them has something in advance that nobody asks it for.
    assert!((80..=100).contains(&granted), "{granted}");
    assert!(answers.iter().all(|answer| answer.status == 404 || answer.status == 429));
    // What one had in advance is given back at last, and then it is a hundred, whoever is asked.
    let mut total = granted;
    wait_until("all is used", async || {
        for session in &sessions {
            total += usize::from(session.get(QUESTION).await.status == 404);
        }
        assert!(total <= 100, "{total}");
        (total == 100).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_activation_in_three_seconds_and_a_repeated_one_at_any_time() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let eva = app.login("eva", "streamer").await;
    let picture = |bytes| Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 1000, bytes };
    let meme = app.meme(&demo, picture(b"one")).await;
    let path = format!("/memes/{meme}/activate");
    let activate = |session: &Session, key: &'static str| {
        Session::send(session.request(Method::POST, &path).header("idempotency-key", key).json(&json!({})))
    };
    // A client that was impatient, and asked again while it was being worked on.
    let (first, twin) = tokio::join!(activate(&demo, "first"), activate(&demo, "first"));
    assert_eq!((first.status.as_u16(), twin.status.as_u16()), (200, 200), "{} {}", first.text, twin.text);
    assert_eq!(first.text, twin.text);
    // Whichever of them came first used the budget.
    let used = [&first, &twin].into_iter().find(|answer| answer.header("ratelimit-policy") == "1;w=3").unwrap();
    assert_eq!(number(used, "ratelimit-limit"), 1);
    let second = activate(&demo, "second").await;
    refused(&second, "TOO_MANY_REQUESTS");
    assert!((1..=3).contains(&number(&second, "retry-after")));
    // Its answer was lost, perhaps.
    assert_eq!(activate(&demo, "first").await.text, first.text);
    // A key that cannot be one is refused as such, whatever is left.
    let long: &str = "long".repeat(33).leak();
    for key in [long, ""] {
        let answer = activate(&demo, key).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{}", answer.text);
    }
    // Others may, and so may this one do everything else.
    assert_ne!(activate(&eva, "hers").await.status.as_u16(), 429);
    assert_eq!(demo.get("/streamer/queue").await.status.as_u16(), 200);
    assert_eq!(demo.post("/streamer/queue/intake/pause", &json!({})).await.status.as_u16(), 200);
    demo.post("/streamer/queue/intake/resume", &json!({})).await.expect(200);

    app.advance(Duration::from_secs(3)).await;
    let third = wait_until("the next one", async || {
        let answer = activate(&demo, "third").await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_ne!(third.json["activation"]["id"], first.json["activation"]["id"]);
    // Nothing was paid or kept for the one that was refused: under its key it can still be had.
    app.advance(Duration::from_secs(3)).await;
    wait_until("the refused one", async || (activate(&demo, "second").await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn who_could_not_pay_has_used_nothing_up() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let (anna, admin) = (app.login("anna", "viewer").await, app.login("boss", "admin").await);
    let bytes = b"one".as_slice();
    let meme =
        app.meme(&demo, Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 1000, bytes }).await;
    let path = format!("/memes/{meme}/activate");
    // Twice without a pause; on a slow day one of them may be forgotten before it is given back.
    wait_until("nothing is used", async || {
        for _ in 0..2 {
            let poor = anna.post(&path, &json!({})).await;
            if poor.status == 429 || number(&poor, "ratelimit-remaining") == 0 {
                return None;
            }
            assert_eq!((poor.status.as_u16(), poor.error_code()), (402, "INSUFFICIENT_COINS"), "{}", poor.text);
        }
        Some(())
    })
    .await;
    let channel = demo.get("/me").await.expect(200)["channelId"].as_str().unwrap().to_owned();
    let wallet = format!("/owner/wallets/{}/{channel}/adjust", anna.user_id);
    admin.post(&wallet, &json!({ "delta": 1000, "reason": "late" })).await.expect(200);
    wait_until("it is paid", async || (anna.post(&path, &json!({})).await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn a_request_that_another_process_is_at_is_answered_with_its_answer_and_not_refused() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let other = app.beside().env("RATE_LIMIT_FACTOR", "1").pools(&[]).start().await;
    let there = other.anonymous().with_token(demo.token.as_deref().unwrap());
    let picture = |bytes| Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 1000, bytes };
    let meme = app.meme(&demo, picture(b"one")).await;
    let path = format!("/memes/{meme}/activate");
    let activate = |session: &Session| {
        Session::send(session.request(Method::POST, &path).header("idempotency-key", "first").json(&json!({})))
    };
    // The first one has used the budget up and cannot go on.
    let mut held = app.pool().begin().await.unwrap();
    sqlx::query("lock table activations in exclusive mode").execute(&mut *held).await.unwrap();
    let waits = "select count(*) from pg_locks where not granted and relation = 'activations'::regclass
        and database = (select oid from pg_database where datname = current_database())";
    let release = async {
        wait_until("the first one waits", async || {
            (sqlx::query_scalar::<_, i64>(waits).fetch_one(app.pool()).await.unwrap() > 0).then_some(())
        })
        .await;
        let go_on = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            held.rollback().await.unwrap();
        };
        tokio::join!(activate(&there), go_on).0
    };
    let (first, twin) = tokio::join!(activate(&demo), release);
    assert_eq!((first.status.as_u16(), twin.status.as_u16()), (200, 200), "{} {}", first.text, twin.text);
    assert_eq!(first.text, twin.text);
}

#[tokio::test]
async fn an_answer_that_is_heard_again_uses_nothing_up() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let make = |key: &'static str, trigger: &'static str| {
        let request = demo.request(Method::POST, "/streamer/bot/commands").header("idempotency-key", key);
        Session::send(request.json(&json!({ "trigger": trigger, "response": "hello" })))
    };
    let made = make("one", "!one").await;
    assert_eq!((made.status.as_u16(), made.header("ratelimit-policy")), (201, "60;w=60"), "{}", made.text);
    for _ in 0..5 {
        assert_eq!(make("one", "!one").await.text, made.text);
    }
    assert_eq!(number(&made, "ratelimit-remaining"), 59);
    assert_eq!(number(&make("two", "!two").await, "ratelimit-remaining"), 58);
    // Also when nothing is left.
    while demo.post("/streamer/queue/clear", &json!({})).await.status == 200 {}
    refused(&make("three", "!three").await, "TOO_MANY_REQUESTS");
    let again = make("one", "!one").await;
    assert_eq!((again.status.as_u16(), again.text), (201, made.text));
}

#[tokio::test]
async fn uploads_moderation_and_what_takes_a_secret_are_counted_apart() {
    let app = limited().await;
    let demo = app.login("demo", "streamer").await;
    let upload = || {
        let file = multipart::Part::bytes(vec![0; 1 << 20]).file_name("x.txt").mime_str("text/plain").unwrap();
        Session::send(demo.request(Method::POST, "/submissions").multipart(multipart::Form::new().part("file", file)))
    };
    for number in 0..30 {
        assert_ne!(upload().await.status.as_u16(), 429, "upload {number}");
    }
    refused(&upload().await, "TOO_MANY_REQUESTS");
    assert_eq!(demo.get("/submissions/mine").await.status.as_u16(), 200);

    let nobody = app.anonymous();
    let slip = async || nobody.post("/auth/register", &json!({})).await;
    for number in 0..10 {
        assert_ne!(slip().await.status.as_u16(), 429, "registration {number}");
    }
    refused(&slip().await, "TOO_MANY_REQUESTS");
    let guess = async || nobody.post("/auth/login", &json!({})).await;
    for number in 0..10 {
        assert_ne!(guess().await.status.as_u16(), 429, "guess {number}");
    }
    refused(&guess().await, "TOO_MANY_REQUESTS");

    let clear = demo.post("/streamer/queue/clear", &json!({})).await;
    assert_eq!((clear.status.as_u16(), clear.header("ratelimit-policy")), (200, "60;w=60"));
}

#[tokio::test]
async fn nobody_gets_another_budget_by_saying_that_he_is_somebody_else() {
    let app = limited().await;
    let (mut granted, begun) = (0, Instant::now());
    for number in 0..size(150, 20_000) {
        for (header, client) in [
            ("x-forwarded-for", format!("203.0.{}.{}", number / 250, number % 250)),
            ("forwarded", format!("for=203.0.{}.{}", number / 250, number % 250)),
            ("x-real-ip", format!("203.0.{}.{}", number / 250, number % 250)),
            ("authorization", format!("Bearer {number}")),
            ("x-request-id", number.to_string()),
        ] {
            granted += usize::from(ask_as(&app, header, &client).await.status == 404);
        }
    }
    // The first hundred at once, and what the time that passed has given back since.
    let most = 100 + usize::try_from(begun.elapsed().as_secs()).unwrap() * 100 / 60;
    assert!((100..=most + 1).contains(&granted), "{granted} of at most {most}");
}

#[tokio::test]
async fn behind_a_proxy_that_is_trusted_each_client_has_a_budget_and_a_household_has_one() {
    let app = TestApp::builder()
        .env("RATE_LIMIT_FACTOR", "1")
        .env("RATE_LIMIT_PER_MINUTE", "5")
        .env("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
        .pools(&[])
        .start()
        .await;
    for client in ["203.0.113.1", "203.0.113.2", "6.6.6.6, 203.0.113.3, 10.1.1.1"] {
        for _ in 0..5 {
            assert_eq!(ask_as(&app, "x-forwarded-for", client).await.status.as_u16(), 404, "{client}");
        }
        refused(&ask_as(&app, "x-forwarded-for", client).await, "RATE_LIMITED");
    }
    refused(&ask_as(&app, "x-forwarded-for", "7.7.7.7, 203.0.113.3").await, "RATE_LIMITED");
    // The proxy does not write this one: it came from the client, and is no way out of the client's budget or into the
    // proxy's.
    for forged in ["for=6.6.6.6", "for=203.0.113.9", "for="] {
        let request = app.anonymous().request(Method::GET, QUESTION).header("forwarded", forged);
        refused(&Session::send(request.header("x-forwarded-for", "203.0.113.1")).await, "RATE_LIMITED");
    }
    let mut granted = 0;
    for number in 0..20 {
        granted +=
            usize::from(ask_as(&app, "x-forwarded-for", &format!("2001:db8:0:1::{number:x}")).await.status == 404);
    }
    assert_eq!(granted, 5, "one household");
    assert_eq!(ask_as(&app, "x-forwarded-for", "2001:db8:0:2::1").await.status.as_u16(), 404, "its neighbour");
}

#[tokio::test]
async fn when_budgets_cannot_be_shared_a_process_counts_by_itself_and_tells_later() {
    let app =
        TestApp::builder().env("RATE_LIMIT_FACTOR", "1").env("RATE_LIMIT_PER_MINUTE", "20").pools(&[]).start().await;
    let rename = async |from: &str, to: &str| {
        let statement = format!("alter table {from} rename to {to}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(app.pool()).await.unwrap();
    };
    rename("budgets", "lost_budgets").await;
    let nobody = app.anonymous();
    for number in 0..20 {
        assert_eq!(nobody.get(QUESTION).await.status.as_u16(), 404, "question {number}");
    }
    refused(&nobody.get(QUESTION).await, "RATE_LIMITED");
    rename("lost_budgets", "budgets").await;
    // Another process hears what was granted meanwhile.
    let other = app.beside().env("RATE_LIMIT_FACTOR", "1").env("RATE_LIMIT_PER_MINUTE", "20").pools(&[]).start().await;
    wait_until("it was told", async || {
        let told: i64 = sqlx::query_scalar("select coalesce(sum(used), 0) from budgets, unnest(slices) as used")
            .fetch_one(app.pool())
            .await
            .unwrap();
        (told == 20).then_some(())
    })
    .await;
    refused(&other.anonymous().get(QUESTION).await, "RATE_LIMITED");
}

#[tokio::test]
async fn what_was_used_is_forgotten_in_time_and_never_says_by_whom() {
    let app = TestApp::builder().env("RATE_LIMIT_FACTOR", "1").start().await;
    app.anonymous().get(QUESTION).await;
    let rows = async || {
        let rows: Vec<String> =
            sqlx::query_scalar("select budgets::text from budgets").fetch_all(app.pool()).await.unwrap();
        rows
    };
    let kept = rows().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(!kept[0].contains("127.0.0"), "{kept:?}");
    app.advance(Duration::from_mins(11)).await;
    wait_until("it is forgotten", async || rows().await.is_empty().then_some(())).await;
    app.drain().await;
}
