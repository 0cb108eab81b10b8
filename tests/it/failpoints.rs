//! The sweep: a process is killed at each failpoint, once in each business that comes by, and whoever goes on finds
//! everything in order. Nothing is lost, nothing happens twice, the money adds up.
//!
//! A story has one *cell* a failpoint: a database, a process of the real binary that is killed there (it must be: a point
//! that is not reached fails the cell), and an heir. What the harness checks at the end of each story is checked here too:
//! no job is left, failed or dead, and the audit of all money finds nothing.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt as _,
    sync::Mutex,
    thread,
    time::{Duration, SystemTime},
};

use domain::{
    access::Vault,
    audit::AuditMoney,
    chat::{self, RawLine},
    identities::Provider as Platform,
    media::MediaType,
    outbox::Provider,
    submissions::SweepBlobs,
};
use futures_util::future::LocalBoxFuture;
use harness::{Builder, MemalertsProcess, Pool, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use test_s3::Server;

use crate::{
    bucket,
    identities::{self, Visitor},
    imports::{self, host::Host},
    keys,
    mails::{Mail, PostOffice, token, verify},
    privacy::{World, left_after_a_day},
    stage::Stage,
    submissions::{Upload, reaches, stored},
    twitch::{env, knowing, recorded, said, simulator, streamer_with_bot, system},
};

/// A business with the points that it comes by.
struct Sweep {
    points: &'static [&'static str],
    cell: fn(&'static str) -> LocalBoxFuture<'static, ()>,
}

const ACTIVATION: Sweep = Sweep {
    points: &[
        "activations::place::before",
        "activations::place::after",
        "wallets::post::after",
        "queue::enqueue::after",
    ],
    cell: |point| Box::pin(activation(point)),
};
const ACKNOWLEDGEMENT: Sweep = Sweep {
    points: &["playback::acknowledge::before", "playback::acknowledge::after", "wallets::post::after"],
    cell: |point| Box::pin(acknowledgement(point)),
};
const WITHDRAWAL: Sweep = Sweep {
    points: &["playback::withdraw::before", "playback::withdraw::after", "wallets::post::after"],
    cell: |point| Box::pin(withdrawal(point)),
};
const START: Sweep = Sweep {
    points: &[
        "queue::claim::before",
        "queue::claim::after",
        "queue::run::before",
        "queue::run::after",
        "queue::finish::before",
        "queue::finish::after",
        "queue::enqueue::after",
        "playback::advance::before",
        "playback::advance::after",
    ],
    cell: |point| Box::pin(start(point)),
};
const PLAYS_END: Sweep = Sweep {
    points: &["playback::expire_play::before", "playback::expire_play::after", "wallets::post::after"],
    cell: |point| Box::pin(plays_end(point)),
};
const PATIENCES_END: Sweep = Sweep {
    points: &["playback::expire_waiting::before", "playback::expire_waiting::after", "queue::finish::after"],
    cell: |point| Box::pin(patiences_end(point)),
};
const MESSAGE: Sweep = Sweep {
    points: &["outbox::send::before", "outbox::send::after", "queue::run::before", "queue::run::after"],
    cell: |point| Box::pin(message(point)),
};
const COMMAND: Sweep = Sweep {
    points: &["chat::ingest::before", "chat::ingest::after", "queue::finish::after", "queue::enqueue::after"],
    cell: |point| Box::pin(command(point)),
};
const CREDITS: Sweep = Sweep {
    points: &[
        "credits::relay::after",
        "credits::publish::before",
        "credits::publish::after",
        "queue::acknowledge::before",
        "queue::acknowledge::after",
    ],
    cell: |point| Box::pin(credits(point)),
};
const UPLOAD: Sweep = Sweep {
    points: &[
        "submissions::receive::staged",
        "blobs::rename::before",
        "blobs::rename::after",
        "submissions::receive::before",
        "submissions::receive::after",
    ],
    cell: |point| Box::pin(upload(point)),
};
const SENDING: Sweep = Sweep {
    points: &[
        "submissions::receive::staged",
        "blobs::send::before",
        "blobs::send::after",
        "submissions::receive::before",
    ],
    cell: |point| Box::pin(sending(point)),
};
const ABANDONED: Sweep = Sweep {
    points: &[
        "submissions::receive::staged",
        "blobs::rename::before",
        "blobs::rename::after",
        "submissions::receive::before",
    ],
    cell: |point| Box::pin(abandoned(point)),
};
const ENCODING: Sweep = Sweep {
    points: &[
        "media::publish::before",
        "blobs::rename::before",
        "blobs::rename::after",
        "media::publish::after",
        "media::draw::before",
        "media::draw::after",
        "queue::run::after",
        "queue::hand_over::before",
    ],
    cell: |point| Box::pin(encoding(point)),
};
const IMPORT: Sweep = Sweep {
    points: &[
        "queue::finish::after",
        "imports::keep::before",
        "blobs::rename::before",
        "blobs::rename::after",
        "imports::keep::published",
        "imports::keep::after",
    ],
    cell: |point| Box::pin(import(point)),
};
const REFUSAL: Sweep =
    Sweep { points: &["media::remove::before", "media::remove::after"], cell: |point| Box::pin(refusal(point)) };
const ROTATION: Sweep =
    Sweep { points: &["keys::rotate::before", "queue::finish::after"], cell: |point| Box::pin(rotation(point)) };
const FORGETTING: Sweep = Sweep {
    points: &["privacy::erase::table", "privacy::erase::before", "privacy::erase::after"],
    cell: |point| Box::pin(forgetting(point)),
};
const EXPORT: Sweep = Sweep { points: &["privacy::export::before"], cell: |point| Box::pin(export(point)) };
const MAIL: Sweep = Sweep {
    points: &["mails::send::before", "mails::send::after", "queue::finish::after"],
    cell: |point| Box::pin(mail(point)),
};
const REVOCATION: Sweep = Sweep {
    points: &["identities::revoke::before", "identities::revoke::after", "queue::finish::after"],
    cell: |point| Box::pin(revocation(point)),
};
const AUDIT: Sweep = Sweep { points: &["audit::money::before"], cell: |point| Box::pin(audit(point)) };

/// Every point that some story sweeps.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    let sweeps = [
        ACTIVATION,
        ACKNOWLEDGEMENT,
        WITHDRAWAL,
        START,
        PLAYS_END,
        PATIENCES_END,
        MESSAGE,
        COMMAND,
        CREDITS,
        UPLOAD,
        SENDING,
        ABANDONED,
        ENCODING,
        IMPORT,
        REFUSAL,
        ROTATION,
        FORGETTING,
        EXPORT,
        MAIL,
        REVOCATION,
        AUDIT,
    ];
    sweeps.into_iter().flat_map(|sweep| sweep.points.iter().copied())
}

/// Cells that run at the same time. Most of a cell is waiting for a lease to run out, so they wait together; more of them
/// would be in each other's way.
const TOGETHER: usize = 5;

fn sweep(sweep: &Sweep) {
    let failed = Mutex::new(Vec::new());
    let points = Mutex::new(sweep.points.iter());
    let next = || points.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(point) = next() {
                    let cell = sweep.cell;
                    // A thread of its own, so that a cell that fails takes its system down and leaves the others alone.
                    let ended = thread::spawn(move || {
                        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(cell(point));
                    });
                    if let Err(panic) = ended.join() {
                        failed.lock().unwrap().push((*point, words_of(panic.as_ref())));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "killed at these points, it did not end well (see above): {failed:?}");
}

/// The words of a panic.
fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let literal = || panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    panic.downcast_ref::<String>().cloned().or_else(literal).unwrap_or_default()
}

/// A process that is killed when it comes to the point.
fn victim(arguments: &[&str], app: &TestApp, point: &str, more: &[(&'static str, String)]) -> MemalertsProcess {
    let mut env: Vec<(&str, String)> = app.process_env().into_iter().chain(more.iter().cloned()).collect();
    env.push(("FAILPOINTS", format!("{point}=kill")));
    MemalertsProcess::spawn(arguments, &env)
}

async fn killed(mut victim: MemalertsProcess, point: &str) {
    let status = victim.ended().await;
    assert_eq!(status.signal(), Some(9), "{point}: {status}; was it built with the feature `failpoints`?");
}

/// A request during which the other side dies.
async fn unanswered(request: reqwest::RequestBuilder) {
    let answer = request.send().await;
    assert!(answer.is_err(), "{answer:?}");
}

async fn heir(app: Builder, pools: &[Pool]) -> TestApp {
    app.pools(pools).start().await
}

async fn count(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(app.pool()).await.unwrap()
}

#[test]
fn an_activation_is_placed_and_paid_once_wherever_its_process_dies() {
    sweep(&ACTIVATION);
}

async fn activation(point: &'static str) {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let mut screen = stage.screen().await;
    let mut api = victim(&["api"], &stage.app, point, &[]);
    let there = anna.at(&api.base_url().await);
    let path = format!("/memes/{meme}/activate");
    unanswered(there.request(Method::POST, &path).header("idempotency-key", "once").json(&json!({}))).await;
    killed(api, point).await;

    let first = stage.activate_as(&anna, meme, "once").await;
    assert_eq!(first.status.as_u16(), 200, "{}", first.text);
    assert_eq!(stage.activate_as(&anna, meme, "once").await.text, first.text);
    let item = screen.next_item().await.data;
    screen.play(&item).await;
    assert_eq!(stage.balance(&anna).await, 150);
    assert_eq!(count(&stage.app, "select count(*) from activations").await, 1);
}

#[test]
fn the_word_of_a_screen_settles_once_wherever_its_process_dies() {
    sweep(&ACKNOWLEDGEMENT);
}

async fn acknowledgement(point: &'static str) {
    let stage = Stage::open().await;
    // Long: a busy machine takes its time over a kill, and a play without a word is given up after its end.
    let (meme, anna) = (stage.meme(12_000).await, stage.viewer("anna", 250).await);
    let mut screen = stage.screen().await;
    // Before the play begins, which the server gives up after a while: a busy machine takes its time over a process.
    let mut api = victim(&["api"], &stage.app, point, &[]);
    let there = anna.at(&api.base_url().await);
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.ack(&item, "started").await.expect(200);
    let path = format!("/overlay/t/{}/activations/{id}/ack", stage.token);
    let word = json!({ "state": "done", "playEpoch": item["playEpoch"], "screenId": screen.id });
    unanswered(there.request(Method::POST, &path).json(&word)).await;
    killed(api, point).await;

    screen.ack(&item, "done").await.expect(200);
    assert_eq!(stage.state_of(&anna, &id).await["status"], "done");
    assert_eq!(stage.balance(&anna).await, 150);
}

#[test]
fn what_a_viewer_takes_back_is_refunded_once_wherever_the_process_dies() {
    sweep(&WITHDRAWAL);
}

async fn withdrawal(point: &'static str) {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let id = stage.activate(&anna, meme).await;
    let mut api = victim(&["api"], &stage.app, point, &[]);
    let there = anna.at(&api.base_url().await);
    let path = format!("/me/activations/{id}");
    unanswered(there.request(Method::DELETE, &path)).await;
    killed(api, point).await;

    let again = anna.delete(&path).await;
    let expected = if point.ends_with("withdraw::after") { 409 } else { 200 };
    assert_eq!(again.status.as_u16(), expected, "{}", again.text);
    assert_eq!(stage.state_of(&anna, &id).await["status"], "cancelled");
    assert_eq!(stage.balance(&anna).await, 250);
    assert_eq!(count(&stage.app, "select count(*) from ledger_operations where kind = 'refund'").await, 1);
}

#[test]
fn a_play_is_started_once_wherever_its_process_dies() {
    sweep(&START);
}

async fn start(point: &'static str) {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let mut screen = stage.screen().await;
    let (first, second) = (stage.activate(&anna, meme).await, stage.activate(&anna, meme).await);
    killed(victim(&["work", "dispatch"], &stage.app, point, &[]), point).await;

    let heir = heir(stage.app.beside(), &Pool::ALL).await;
    for id in [first, second] {
        let item = screen.next_item().await.data;
        assert_eq!(item["id"], id.as_str());
        screen.play(&item).await;
        assert_eq!(stage.state_of(&anna, &id).await["status"], "done");
    }
    heir.drain().await;
    assert!(screen.shows_nothing_new().await);
    assert_eq!(stage.balance(&anna).await, 50);
}

#[test]
fn a_play_that_no_screen_began_is_refunded_once_wherever_the_process_dies() {
    sweep(&PLAYS_END);
}

async fn plays_end(point: &'static str) {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let before = heir(stage.app.beside(), &[Pool::Dispatch]).await;
    screen.next_item().await;
    drop(before);
    stage.app.advance(Duration::from_secs(11)).await;
    killed(victim(&["work", "dispatch"], &stage.app, point, &[]), point).await;

    let heir = heir(stage.app.beside(), &Pool::ALL).await;
    wait_until("it is given up", async || (stage.state_of(&anna, &id).await["status"] == "failed").then_some(())).await;
    heir.drain().await;
    assert_eq!(stage.balance(&anna).await, 250);
    assert_eq!(count(&heir, "select count(*) from ledger_operations where kind = 'refund'").await, 1);
}

#[test]
fn what_waited_too_long_is_refunded_once_wherever_the_process_dies() {
    sweep(&PATIENCES_END);
}

async fn patiences_end(point: &'static str) {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let ids = [stage.activate(&anna, meme).await, stage.activate(&anna, meme).await];
    drop(heir(stage.app.beside(), &[Pool::Dispatch]).await);
    stage.app.advance(Duration::from_secs(121)).await;
    killed(victim(&["work", "dispatch"], &stage.app, point, &[]), point).await;

    let heir = heir(stage.app.beside(), &Pool::ALL).await;
    for id in &ids {
        wait_until("it is given up", async || (stage.state_of(&anna, id).await["reason"] == "no_screen").then_some(()))
            .await;
    }
    heir.drain().await;
    assert_eq!(stage.balance(&anna).await, 250);
    assert_eq!(count(&heir, "select count(*) from ledger_operations where kind = 'refund'").await, 2);
}

#[test]
fn a_message_is_said_at_most_once_wherever_its_process_dies() {
    sweep(&MESSAGE);
}

async fn message(point: &'static str) {
    let twitch = simulator().await;
    // The pool that reads the chat lives on, as its process would.
    let app = system(&twitch).pools(&[Pool::Chat]).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let said_so = demo.post("/streamer/bot/say", &json!({ "message": "hello" })).await.expect(200);
    let path = format!("/streamer/bot/outbox/twitch/{}", said_so["outbox"]["id"].as_str().unwrap());
    killed(victim(&["work", "outbox"], &app, point, &env(&twitch)), point).await;

    let heir = heir(knowing(&twitch, app.beside()), &[Pool::Outbox]).await;
    // Claimed and not written: nobody can know that, so it stays in doubt. Written: it is read in the chat.
    let (status, times) = if point == "outbox::send::before" { ("unknown", 0) } else { ("sent", 1) };
    wait_until(&format!("killed at {point}, the message is {status}"), async || {
        (demo.get(&path).await.expect(200)["status"] == status).then_some(())
    })
    .await;
    heir.drain().await;
    assert_eq!(said(&twitch, "demo"), vec!["hello"; times]);
    recorded(&app, i64::try_from(times).unwrap()).await;
}

/// A line of Anna's as the platform sends it, kept for the pool to understand.
async fn hear(app: &TestApp, demo: &Session, text: &str) {
    let me = demo.get("/me").await.expect(200);
    let line = format!("@id=1;user-id=7;display-name=anna :anna!anna@anna.tmi.twitch.tv PRIVMSG #demo :{text}");
    let line = RawLine { channel_id: me["channelId"].as_str().unwrap().parse().ok(), bytes: line.into_bytes() };
    let mut tx = app.db.begin().await.unwrap();
    chat::receive(&mut tx, Provider::Twitch, &[line]).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn a_command_is_answered_once_and_its_author_noticed_once_wherever_the_process_dies() {
    sweep(&COMMAND);
}

async fn command(point: &'static str) {
    let twitch = simulator().await;
    let app = system(&twitch).pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    hear(&app, &demo, "!memes").await;
    let relay = [("CHATBOT_BACKEND_BASE_URLS", app.base.clone())];
    let more: Vec<_> = env(&twitch).into_iter().chain(relay).collect();
    killed(victim(&["work", "chat"], &app, point, &more), point).await;

    // Whoever understands what was heard hears nothing new: the answer, read back by chance, would be work of its own.
    let deaf = knowing(&twitch, app.beside()).env("TWITCH_IRC_URL", "ws://127.0.0.1:9");
    let reader = heir(deaf, &[Pool::Chat]).await;
    let heir = heir(knowing(&twitch, app.beside()), &[Pool::Outbox, Pool::Credits]).await;
    wait_until("the answer is there", async || (!said(&twitch, "demo").is_empty()).then_some(())).await;
    reader.drain().await;
    // On a busy machine the call to the credits is made again later, for which a drain does not wait.
    const NOTICED: &str = "select count(*) from jobs_done where kind = 'relay-chatter'";
    wait_until("the author is noticed", async || (count(&app, NOTICED).await > 0).then_some(())).await;
    heir.drain().await;
    assert_eq!(said(&twitch, "demo").len(), 1);
    assert_eq!(count(&app, "select count(*) from outbox_messages").await, 1);
    assert_eq!(count(&app, "select count(*) from chat_batches").await, 0);
    assert_eq!(count(&app, "select count(*) from chat_messages where author_login = 'anna'").await, 1);
    assert_eq!(count(&app, NOTICED).await, 1);
    assert_eq!(demo.get("/streamer/credits/state").await.expect(200)["chatters"], json!([{ "name": "anna" }]));
}

#[test]
fn a_chatter_is_in_the_credits_once_wherever_the_process_dies() {
    sweep(&CREDITS);
}

async fn credits(point: &'static str) {
    let twitch = simulator().await;
    let app = system(&twitch).pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    hear(&app, &demo, "hello").await;
    let relaying = knowing(&twitch, app.beside()).env("CHATBOT_BACKEND_BASE_URLS", &app.base);
    drop(heir(relaying, &[Pool::Chat]).await);
    assert_eq!(count(&app, "select count(*) from jobs where kind = 'relay-chatter'").await, 1);
    killed(victim(&["work", "credits"], &app, point, &[]), point).await;

    let heir = heir(app.beside(), &[Pool::Credits]).await;
    wait_until("the credits are told", async || {
        (count(&app, "select count(*) from events where name = 'credits:state'").await > 0).then_some(())
    })
    .await;
    heir.drain().await;
    assert_eq!(demo.get("/streamer/credits/state").await.expect(200)["chatters"], json!([{ "name": "anna" }]));
    assert_eq!(count(&app, "select count(*) from credits_events").await, 1);
    assert_eq!(count(&app, "select count(*) from events where name = 'credits:state'").await, 1);
}

/// After a sweep, the store holds exactly the files that rows refer to, whole: what a crash left is gone, what is needed
/// is there. Returns how many.
async fn files_are_those_of_the_rows(app: &TestApp) -> usize {
    // What is being drawn has no row yet.
    app.drain().await;
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    for path in stored(app) {
        std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &SweepBlobs {}).await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
    let rows = "select hash from file_hashes where reference_count > 0";
    let rows: BTreeSet<String> = sqlx::query_scalar(rows).fetch_all(app.pool()).await.unwrap().into_iter().collect();
    assert_eq!(count(app, "select count(*) from file_hashes where reference_count = 0").await, 0);
    let files = stored(app).into_iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(hex::encode(Sha256::digest(std::fs::read(&path).unwrap())), name, "{}", path.display());
        name
    });
    assert_eq!(files.collect::<BTreeSet<_>>(), rows);
    rows.len()
}

#[test]
fn an_upload_is_taken_once_and_leaves_no_other_file_wherever_its_process_dies() {
    sweep(&UPLOAD);
}

async fn upload(point: &'static str) {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let image = Upload::sample(MediaType::Image).await;
    let mut api = victim(&["api"], &app, point, &[]);
    let there = demo.at(&api.base_url().await);
    unanswered(image.request(&there, &[("idempotency-key", "once")])).await;
    killed(api, point).await;

    let made = image.send(&demo, &[("idempotency-key", "once"), ("prefer", "wait=30")]).await.expect(201);
    assert_eq!(made["uploadState"], "ready");
    assert_eq!(count(&app, "select count(*) from meme_submissions").await, 1);
    assert_eq!(count(&app, "select count(*) from memes").await, 1);
    assert_eq!(files_are_those_of_the_rows(&app).await, 3, "the source, its rendition and a small picture");
}

#[test]
fn an_upload_into_a_bucket_leaves_no_other_object_wherever_its_process_dies() {
    sweep(&SENDING);
}

async fn sending(point: &'static str) {
    let server = Server::start();
    let app = bucket::keeping(&server, TestApp::builder()).start().await;
    let demo = app.login("demo", "streamer").await;
    let image = Upload::sample(MediaType::Image).await;
    let mut api = victim(&["api"], &app, point, &server.settings());
    let there = demo.at(&api.base_url().await);
    unanswered(image.request(&there, &[])).await;
    killed(api, point).await;
    assert_eq!(bucket::objects_are_those_of_the_rows(&app, &server).await, 0);

    image.judged(&demo).await.expect(201);
    app.drain().await;
    let kept = bucket::objects_are_those_of_the_rows(&app, &server).await;
    assert_eq!(kept, 3, "the source, its rendition and a small picture");
}

#[test]
fn a_crash_between_file_and_row_leaves_nothing_that_the_sweep_does_not_remove() {
    sweep(&ABANDONED);
}

async fn abandoned(point: &'static str) {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let mut api = victim(&["api"], &app, point, &[]);
    let there = demo.at(&api.base_url().await);
    unanswered(Upload::sample(MediaType::Image).await.request(&there, &[])).await;
    killed(api, point).await;

    assert_eq!(count(&app, "select count(*) from meme_submissions").await, 0);
    assert_eq!(stored(&app).len(), 1, "what was sent, staged or published");
    assert_eq!(files_are_those_of_the_rows(&app).await, 0);
    // The same bytes are welcome as if nothing had been.
    Upload::sample(MediaType::Image).await.judged(&demo).await.expect(201);
    assert_eq!(files_are_those_of_the_rows(&app).await, 3);
}

#[test]
fn an_upload_becomes_one_meme_and_leaves_no_other_file_wherever_the_encoding_process_dies() {
    sweep(&ENCODING);
}

async fn encoding(point: &'static str) {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Image).await.send(&demo, &[]).await.expect(202);
    // With a slot for the next step while one runs, which is handed over then.
    let two = [("MEDIA_CONCURRENCY", "2".to_owned())];
    killed(victim(&["work", "media"], &app, point, &two), point).await;

    let heir = heir(app.beside(), &[Pool::Media]).await;
    reaches(&demo, accepted["id"].as_str().unwrap(), "ready").await;
    heir.drain().await;
    assert_eq!(count(&app, "select count(*) from memes").await, 1);
    assert_eq!(files_are_those_of_the_rows(&heir).await, 3, "the source, its rendition and a small picture");
}

#[test]
fn what_is_fetched_becomes_one_meme_and_leaves_no_other_file_wherever_the_process_dies() {
    sweep(&IMPORT);
}

async fn import(point: &'static str) {
    let host = Host::open();
    let url = host.at("/a.png", &[imports::file(MediaType::Image).await]);
    let app = host.known_to(TestApp::builder().pools(&[])).start().await;
    let demo = app.login("demo", "streamer").await;
    let accepted = demo.post("/submissions/import", &json!({ "url": url })).await.expect(202);
    killed(victim(&["work", "imports"], &app, point, &host.env()), point).await;

    let heir = heir(host.known_to(app.beside()), &[Pool::Imports, Pool::Media]).await;
    reaches(&demo, accepted["id"].as_str().unwrap(), "ready").await;
    heir.drain().await;
    assert_eq!(count(&app, "select count(*) from memes").await, 1);
    assert_eq!(host.asked().len(), if point == "imports::keep::after" { 1 } else { 2 });
    assert_eq!(files_are_those_of_the_rows(&heir).await, 3, "the file, its rendition and a small picture");
}

#[test]
fn a_refused_upload_leaves_no_file_wherever_the_process_dies() {
    sweep(&REFUSAL);
}

async fn refusal(point: &'static str) {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Image).await.cut_short().send(&demo, &[]).await.expect(202);
    killed(victim(&["work", "media"], &app, point, &[]), point).await;

    let heir = heir(app.beside(), &[Pool::Media]).await;
    let failed = reaches(&demo, accepted["id"].as_str().unwrap(), "failed").await;
    assert_eq!(failed["errorCode"], "INVALID_FILE_CONTENT");
    heir.drain().await;
    assert_eq!(files_are_those_of_the_rows(&heir).await, 0);
}

#[test]
fn a_mail_is_sent_wherever_the_process_dies_and_its_link_is_good() {
    sweep(&MAIL);
}

async fn mail(point: &'static str) {
    let office = PostOffice::open();
    let app = office.known_to(TestApp::builder().pools(&[])).start().await;
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": "correct horse" });
    app.anonymous().post("/auth/register", &wish).await.expect(201);
    killed(victim(&["work", "outbox"], &app, point, &office.env()), point).await;
    // Taken, and nobody wrote that down: it comes twice, as one mail to who looks at its id.
    let times = if point == "mails::send::before" { 1 } else { 2 };

    let heir = heir(office.known_to(app.beside()), &Pool::ALL).await;
    let last = office.mail(times - 1).await;
    heir.drain().await;
    let taken = office.taken();
    let id = |mail: &Mail| mail.headers.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned();
    assert_eq!((taken.len(), id(&taken[0])), (times, id(&last)));
    assert_eq!(count(&heir, "select count(*) from mails where outcome = 'sent'").await, 1);
    // The first one's link is as good as the last one's: somebody may have opened it by now.
    assert_eq!(verify(&heir, &token(&taken[0])).await.status, 204);
}

#[test]
fn what_a_platform_gave_is_given_back_wherever_the_process_dies() {
    sweep(&REVOCATION);
}

async fn revocation(point: &'static str) {
    let platforms = identities::simulator().await;
    let app = identities::knowing(&platforms, TestApp::builder().pools(&[])).start().await;
    let anna = Visitor::new(&app);
    anna.log_in(Platform::GitHub, "anna").await;
    anna.link(Platform::Kick, "anna_there").await;
    let account = anna.accounts().await.pop().unwrap()["id"].as_str().unwrap().to_owned();
    let before = platforms.requests().len();
    assert_eq!(anna.send(Method::DELETE, &format!("/auth/accounts/{account}")).await.status, 204);
    killed(victim(&["work", "outbox"], &app, point, &identities::env(&platforms)), point).await;

    let heir = heir(identities::knowing(&platforms, app.beside()), &Pool::ALL).await;
    wait_until("nothing is kept", async || {
        (count(&heir, "select count(*) from revoked_grants").await == 0).then_some(())
    })
    .await;
    heir.drain().await;
    let told: Vec<u16> = platforms.requests()[before..]
        .iter()
        .filter(|seen| seen.provider == "kick" && seen.door == "revoke")
        .map(|seen| seen.status)
        .collect();
    assert_eq!(told.first(), Some(&200), "{told:?}");
    assert!(told.len() <= if point == "identities::revoke::before" { 2 } else { 4 }, "once more at most: {told:?}");
}

#[test]
fn the_money_is_audited_although_the_process_that_began_to_has_died() {
    sweep(&AUDIT);
}

async fn audit(point: &'static str) {
    let app = TestApp::builder().pools(&[]).start().await;
    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &AuditMoney {}).await.unwrap();
    tx.commit().await.unwrap();
    killed(victim(&["work", "dispatch"], &app, point, &[]), point).await;

    let heir = heir(app.beside(), &Pool::ALL).await;
    wait_until("the audit is done", async || {
        (count(&heir, "select count(*) from jobs_done where kind = 'audit-money'").await > 0).then_some(())
    })
    .await;
    heir.drain().await;
}

#[test]
fn a_rotation_of_keys_goes_on_where_its_process_has_died() {
    sweep(&ROTATION);
}

async fn rotation(point: &'static str) {
    let mut app = TestApp::builder().pools(&[]).start().await;
    let anna = app.login("anna", "viewer").await;
    keys::insert(&app, anna.user_id.parse().unwrap(), 1200).await;
    let env = [("MEMALERTS_DATA_KEY", keys::NEW.to_owned())];
    let key = Vault::new(&[2; 32], &[]);
    app.stop();
    let mut tx = app.db.begin().await.unwrap();
    domain::keys::order(&mut tx, &key).await.unwrap();
    tx.commit().await.unwrap();
    killed(victim(&["work", "dispatch"], &app, point, &env), point).await;

    let heir = heir(app.beside().env(env[0].0, &env[0].1), &Pool::ALL).await;
    wait_until("the rotation is complete", async || {
        let steps = count(&heir, "select count(*) from jobs where kind = 'rotate-keys'").await;
        (keys::left(&heir).await == 0 && steps == 0).then_some(())
    })
    .await;
    heir.drain().await;
}

#[test]
fn somebody_is_forgotten_wherever_the_process_dies() {
    sweep(&FORGETTING);
}

async fn forgetting(point: &'static str) {
    let World { mut stage, wendy, .. } = World::new().await;
    stage.app.drain().await;
    stage.app.stop();
    let api = stage.app.beside().pools(&[]).start().await;
    let wendy = wendy.at(&api.base);
    assert_eq!(wendy.delete("/users/me").await.status, 202);
    killed(victim(&["work", "media"], &api, point, &[]), point).await;

    let heir = heir(api.beside(), &Pool::ALL).await;
    wait_until("she is forgotten", async || {
        (count(&heir, "select count(*) from users where login like 'deleted-%'").await == 1).then_some(())
    })
    .await;
    heir.drain().await;
    assert_eq!(left_after_a_day(&heir).await, [""; 0]);
}

#[test]
fn an_export_is_made_wherever_the_process_dies() {
    sweep(&EXPORT);
}

async fn export(point: &'static str) {
    let app = TestApp::builder().pools(&[]).start().await;
    let anna = app.login("anna", "viewer").await;
    let ordered = anna.post("/users/me/export", &json!({})).await.expect(202);
    killed(victim(&["work", "media"], &app, point, &[]), point).await;

    let heir = heir(app.beside(), &Pool::ALL).await;
    let path = format!("/users/me/exports/{}", ordered["id"].as_str().unwrap());
    wait_until("the export is ready", async || (anna.get(&path).await.expect(200)["status"] == "ready").then_some(()))
        .await;
    heir.drain().await;
    // A file that nobody knows of goes with the sweep.
    assert!((1..=2).contains(&stored(&heir).len()));
}
