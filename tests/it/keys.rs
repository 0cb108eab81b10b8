//! The key that seals secrets at rest is changed while the system serves.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    access::{Place, Vault},
    identities::{Provider, Token, TokenError},
    keys,
};
use futures_util::future::join_all;
use harness::{Builder, MemalertsProcess, Pool, TestApp, wait_until};
use identity::{Platforms, simulator::Simulator};
use uuid::Uuid;

use crate::{
    identities::{Visitor, knowing, simulator},
    sizes::size,
};

const OLD: &str = "0101010101010101010101010101010101010101010101010101010101010101";
pub(crate) const NEW: &str = "0202020202020202020202020202020202020202020202020202020202020202";

/// Rows that are rotated.
fn rows() -> usize {
    size(3_000, 100_000)
}

fn with(key: &str, old: Option<&str>, builder: Builder) -> Builder {
    let builder = builder.env("MEMALERTS_DATA_KEY", key);
    match old {
        Some(old) => builder.env("MEMALERTS_DATA_KEY_OLD", old),
        None => builder,
    }
}

fn process(app: &TestApp, arguments: &[&str], key: &str, old: &str) -> MemalertsProcess {
    let mut env = app.process_env().to_vec();
    env.extend([("MEMALERTS_DATA_KEY", key.to_owned()), ("MEMALERTS_DATA_KEY_OLD", old.to_owned())]);
    MemalertsProcess::spawn(arguments, &env)
}

/// The key's id.
fn id_of(key: &str) -> String {
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).unwrap();
    Vault::new(&bytes, &[]).present().to_string()
}

async fn command(app: &TestApp, arguments: &[&str], key: &str, old: &str) -> String {
    process(app, arguments, key, old).output().await
}

const fn place(column: &'static str, row: Uuid) -> Place {
    Place { table: "external_accounts", column, row }
}

/// What the account's token reads.
fn text_of(row: Uuid) -> String {
    format!("token-of-{row}")
}

/// Accounts of the person with tokens that never end; their ids.
pub(crate) async fn insert(app: &TestApp, user: Uuid, count: usize) -> Vec<Uuid> {
    let vault = &app.process.vault;
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let seal = |column| -> Vec<Vec<u8>> {
        ids.iter().map(|id| vault.seal(place(column, *id), text_of(*id).as_bytes()).unwrap()).collect()
    };
    sqlx::query(
        "insert into external_accounts (id, user_id, provider, issuer, provider_user_id, login, display_name, access_token, refresh_token)
         select id, $2, 'github', 'https://github.com', id::text, 'many', 'many', access, refresh
           from unnest($1::uuid[], $3::bytea[], $4::bytea[]) as row (id, access, refresh)",
    )
    .bind(&ids)
    .bind(user)
    .bind(seal("access_token"))
    .bind(seal("refresh_token"))
    .execute(app.pool())
    .await
    .unwrap();
    ids
}

/// Values that are not under the system's present key.
pub(crate) async fn left(app: &TestApp) -> i64 {
    let counts = keys::status(&mut app.pool().acquire().await.unwrap()).await.unwrap();
    counts.iter().filter(|count| count.key != app.process.vault.present()).map(|count| count.values).sum()
}

struct Reader {
    platforms: Platforms,
    db: queue::Database,
    vault: Arc<Vault>,
}

impl Reader {
    fn of(app: &TestApp) -> Self {
        let platforms = Platforms::new(app.process.config.identity.access.clone()).unwrap();
        Self { platforms, db: app.db.clone(), vault: app.process.vault.clone() }
    }

    async fn token(&self, account: Uuid, rejected: Option<&Token>) -> Result<Token, TokenError> {
        self.platforms.fresh_token(&self.db, &self.vault, account, rejected.cloned()).await
    }
}

async fn with_accounts(platforms: &Simulator) -> (TestApp, Vec<(Provider, Uuid)>, Vec<Uuid>) {
    let app = with(OLD, None, knowing(platforms, TestApp::builder().pools(&[]))).start().await;
    let mut living = Vec::new();
    for provider in [Provider::Kick, Provider::Trovo, Provider::Discord, Provider::Vk] {
        let visitor = Visitor::new(&app);
        visitor.log_in(provider, "anna").await;
        living.push((provider, visitor.accounts().await[0]["id"].as_str().unwrap().parse().unwrap()));
    }
    let many = app.login("many", "viewer").await;
    let still = insert(&app, many.user_id.parse().unwrap(), rows()).await;
    (app, living, still)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_under_load_fails_no_reader_and_loses_no_token() {
    let platforms = simulator().await;
    let (mut app, living, still) = with_accounts(&platforms).await;
    app.stop();
    let after = with(NEW, Some(OLD), knowing(&platforms, app.beside().pools(&[Pool::Dispatch]))).start().await;
    let beside = with(NEW, Some(OLD), knowing(&platforms, app.beside().pools(&[]))).start().await;
    assert_eq!(left(&after).await, 2 * i64::try_from(rows() + living.len()).unwrap());

    let over = AtomicBool::new(false);
    let (reads, renewals) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let read = async |reader: Reader, offset: usize| {
        for row in still.iter().cycle().skip(offset).step_by(7) {
            let token = reader.token(*row, None).await.unwrap_or_else(|error| panic!("{row}: {error}"));
            assert_eq!(token.expose(), text_of(*row));
            reads.fetch_add(1, Ordering::Relaxed);
            if over.load(Ordering::Relaxed) {
                return;
            }
        }
    };
    let renew = async |reader: Reader, provider: Provider, account: Uuid| {
        let mut token = reader.token(account, None).await.unwrap();
        while !over.load(Ordering::Relaxed) {
            token = reader.token(account, Some(&token)).await.unwrap_or_else(|error| panic!("{provider}: {error}"));
            renewals.fetch_add(1, Ordering::Relaxed);
        }
        assert!(platforms.knows(provider, token.expose()), "{provider}");
    };
    let rotation = async {
        wait_until("there is load", async || {
            (reads.load(Ordering::Relaxed) > 20 && renewals.load(Ordering::Relaxed) > 4).then_some(())
        })
        .await;
        let said = command(&after, &["keys", "rotate"], NEW, OLD).await;
        assert!(said.contains(&after.process.vault.present().to_string()), "{said}");
        let again = command(&after, &["keys", "rotate"], NEW, OLD).await;
        // It may be over by then; else there is no second one.
        assert!(again.contains("is under way") || again == said, "{again}");
        loop {
            after.drain().await;
            if left(&after).await == 0 {
                break;
            }
            // A row that was held was passed over, and waits for the next pass.
            after.advance(Duration::from_secs(10)).await;
        }
        let before = reads.load(Ordering::Relaxed);
        wait_until("readers go on", async || (reads.load(Ordering::Relaxed) > before + 20).then_some(())).await;
        over.store(true, Ordering::Relaxed);
    };
    let readers = join_all((0..3).map(|offset| read(Reader::of(if offset == 0 { &beside } else { &after }), offset)));
    let renewers = living.iter().enumerate().map(|(at, (provider, account))| {
        renew(Reader::of(if at % 2 == 0 { &after } else { &beside }), *provider, *account)
    });
    tokio::join!(rotation, readers, join_all(renewers));

    let shown = command(&after, &["keys", "status"], NEW, OLD).await;
    assert!(!shown.contains(" old ") && !shown.contains(" unknown "), "{shown}");
    let nonces: Vec<Vec<u8>> = sqlx::query_scalar(
        "select substr(value, 6, 12) from external_accounts, unnest(array[access_token, refresh_token]) value",
    )
    .fetch_all(after.pool())
    .await
    .unwrap();
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len(), "a nonce came twice");

    drop(beside);
    let mut after = after;
    after.drain().await;
    after.stop();
    let alone = with(NEW, None, knowing(&platforms, app.beside().pools(&[]))).start().await;
    let reader = Reader::of(&alone);
    for (row, number) in still.iter().zip(0..100) {
        assert_eq!(reader.token(*row, None).await.unwrap().expose(), text_of(*row), "{number}");
    }
    for (provider, account) in living {
        assert!(platforms.knows(provider, reader.token(account, None).await.unwrap().expose()), "{provider}");
    }
}

#[tokio::test]
async fn a_process_with_the_settings_of_before_leaves_the_rotation_to_one_with_the_new_key() {
    let platforms = simulator().await;
    let mut before = with(OLD, None, knowing(&platforms, TestApp::builder().pools(&[]))).start().await;
    let anna = before.login("anna", "viewer").await;
    insert(&before, anna.user_id.parse().unwrap(), 10).await;
    before.stop();
    command(&before, &["keys", "rotate"], NEW, OLD).await;
    let mut app = with(OLD, None, knowing(&platforms, before.beside().pools(&[Pool::Dispatch]))).start().await;
    wait_until("it was tried", async || {
        let failed: i64 = sqlx::query_scalar("select count(*) from job_attempts where error like '%seals under%'")
            .fetch_one(app.pool())
            .await
            .unwrap();
        (failed > 0).then_some(())
    })
    .await;
    assert_eq!(left(&app).await, 0, "nothing was touched");
    app.leaves_jobs_behind();
    app.stop();
    let after = with(NEW, Some(OLD), app.beside().pools(&[Pool::Dispatch])).start().await;
    assert_eq!(left(&after).await, 20);
    after.advance(Duration::from_secs(60)).await;
    after.drain().await;
    assert_eq!(left(&after).await, 0);
}

#[tokio::test]
async fn a_value_that_does_not_open_stops_no_rotation_and_stays_as_it_is() {
    let platforms = simulator().await;
    let mut app = with(OLD, None, knowing(&platforms, TestApp::builder().pools(&[]))).start().await;
    let anna = app.login("anna", "viewer").await;
    let ids = insert(&app, anna.user_id.parse().unwrap(), 10).await;
    sqlx::query("update external_accounts set access_token = refresh_token where id = any ($1)")
        .bind(&ids[..3])
        .execute(app.pool())
        .await
        .unwrap();
    app.stop();
    let after = with(NEW, Some(OLD), app.beside().pools(&[Pool::Dispatch])).start().await;
    command(&after, &["keys", "rotate"], NEW, OLD).await;
    after.drain().await;
    assert_eq!(left(&after).await, 3);
    let shown = command(&after, &["keys", "status", "--json"], NEW, OLD).await;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["rotation"], serde_json::Value::Null, "it is over: {shown}");
    let old: Vec<_> = shown["values"].as_array().unwrap().iter().filter(|values| values["is"] == "old").collect();
    assert_eq!((old.len(), old[0]["count"].as_i64()), (1, Some(3)), "{shown}");
}

#[tokio::test]
async fn no_rotation_begins_while_a_process_seals_under_another_key() {
    let platforms = simulator().await;
    let mut app = with(OLD, None, knowing(&platforms, TestApp::builder().pools(&[Pool::Dispatch]))).start().await;
    let anna = app.login("anna", "viewer").await;
    insert(&app, anna.user_id.parse().unwrap(), 10).await;
    let old = app.process.vault.present().to_string();
    let refused = async || {
        let said = process(&app, &["keys", "rotate"], NEW, OLD).failure().await.join("\n");
        let shown = command(&app, &["keys", "status"], NEW, OLD).await;
        assert!(shown.contains(&format!(" seals under key {old}")), "{shown}");
        said
    };
    let said = refused().await;
    assert!(said.contains(&format!(", process {}: key {old}", std::process::id())), "{said}");
    let mut dead = process(&app, &["work", "media"], OLD, "");
    dead.logged("the pools take jobs").await;
    let said = refused().await;
    assert!(said.matches(&format!(": key {old}")).count() == 2 && said.contains("memalerts media on "), "{said}");
    dead.kill();
    app.stop();
    // The one that was killed could say nothing.
    let said = process(&app, &["keys", "rotate"], NEW, OLD).failure().await.join("\n");
    assert_eq!(said.matches(&format!(": key {old}")).count(), 1, "{said}");
    let orders: i64 =
        sqlx::query_scalar("select count(*) from jobs where kind = 'rotate-keys'").fetch_one(app.pool()).await.unwrap();
    assert_eq!(orders, 0);
    let long_ago = "update key_holders set seen_at = seen_at - interval '20 s'";
    sqlx::query(long_ago).execute(app.pool()).await.unwrap();
    let said = command(&app, &["keys", "rotate"], NEW, OLD).await;
    assert!(said.starts_with("everything will be brought under key "), "{said}");
    let after = with(NEW, Some(OLD), app.beside().pools(&[Pool::Dispatch])).start().await;
    after.drain().await;
    assert_eq!(left(&after).await, 0);
    let holders: i64 = sqlx::query_scalar("select count(*) from key_holders").fetch_one(app.pool()).await.unwrap();
    assert_eq!(holders, 1, "what died is forgotten");
}

#[tokio::test]
async fn no_process_starts_beside_one_when_either_would_seal_what_the_other_cannot_open() {
    const MEDIA: &[&str] = &["work", "media"];
    let mut app = with(OLD, None, TestApp::builder().pools(&[])).start().await;
    let alone = process(&app, MEDIA, NEW, "").failure().await.join("\n");
    assert!(alone.contains("which this process does not have") && alone.contains("MEMALERTS_DATA_KEY_OLD"), "{alone}");
    let hasty = process(&app, MEDIA, NEW, OLD).failure().await.join("\n");
    assert!(hasty.contains("does not have the one that this process seals under"), "{hasty}");
    let mut first = process(&app, MEDIA, OLD, NEW);
    first.logged("the pools take jobs").await;
    app.stop();
    let mut second = process(&app, MEDIA, NEW, OLD);
    second.logged("the pools take jobs").await;

    // Who died said nothing, and is waited for; the other one opens all that the newcomer seals.
    first.kill();
    let mut third = process(&app, MEDIA, NEW, "");
    third.logged("waiting for a word of processes with other keys, or for their end").await;
    let dead = "update key_holders set seen_at = seen_at - interval '20 s' where key = $1";
    assert_eq!(sqlx::query(dead).bind(id_of(OLD)).execute(app.pool()).await.unwrap().rows_affected(), 1);
    third.logged("the pools take jobs").await;
}

#[tokio::test]
async fn no_process_starts_beside_one_with_another_secret_and_the_secret_is_changed_when_all_are_stopped() {
    const OTHER: &str = "another secret than the one of before, and long";
    let mut app = with(OLD, None, TestApp::builder().pools(&[])).start().await;
    let own = app.process_env();
    let media = |secret: Option<&str>| {
        let mut env = own.to_vec();
        env.push(("MEMALERTS_DATA_KEY", OLD.to_owned()));
        env.extend(secret.map(|secret| ("MEMALERTS_SECRET", secret.to_owned())));
        MemalertsProcess::spawn(&["work", "media"], &env)
    };
    let said = media(Some(OTHER)).failure().await.join("\n");
    assert!(said.contains("has another MEMALERTS_SECRET than this process"), "{said}");
    assert!(said.contains("stop every process") && !said.contains("MEMALERTS_DATA_KEY_OLD"), "{said}");
    assert!(!said.contains(OTHER), "{said}");
    let mut beside = media(None);
    beside.logged("the pools take jobs").await;
    beside.stop().await;
    app.stop();
    let mut other = media(Some(OTHER));
    other.logged("the pools take jobs").await;
}

#[tokio::test]
async fn a_process_that_cannot_open_all_that_is_sealed_does_not_start_and_names_what_is_missing() {
    let platforms = simulator().await;
    let mut app = with(OLD, None, knowing(&platforms, TestApp::builder().pools(&[]))).start().await;
    let anna = app.login("anna", "viewer").await;
    let ids = insert(&app, anna.user_id.parse().unwrap(), 10).await;
    sqlx::query("update external_accounts set refresh_token = null where id = any ($1)")
        .bind(&ids[..3])
        .execute(app.pool())
        .await
        .unwrap();
    let old = app.process.vault.present().to_string();
    app.stop();
    let said = process(&app, &["api"], NEW, "").failure().await.join("\n");
    for line in [
        format!("external_accounts.access_token: 10 under key {old}"),
        format!("external_accounts.refresh_token: 7 under key {old}"),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    assert!(said.contains("MEMALERTS_LOST_DATA_KEYS") && !said.contains(NEW), "{said}");
    // Values that are too short to be under any key keep nobody from starting: no key would mend them.
    for broken in [&b""[..], b"\x01\xa3"] {
        let damaged = sqlx::query("update external_accounts set refresh_token = $1 where id = $2");
        damaged.bind(broken).bind(ids[4]).execute(app.pool()).await.unwrap();
        drop(with(OLD, None, app.beside().pools(&[])).start().await);
    }
    // Half of a rotation: both keys are in use, and both are needed.
    let half = with(NEW, Some(OLD), app.beside().pools(&[])).start().await;
    insert(&half, anna.user_id.parse().unwrap(), 5).await;
    let new = half.process.vault.present().to_string();
    drop(half);
    let said = process(&app, &["api"], OLD, "").failure().await.join("\n");
    assert!(said.contains(&format!("access_token: 5 under key {new}")) && !said.contains(&old), "{said}");

    let lost = with(NEW, None, app.beside().pools(&[])).env("MEMALERTS_LOST_DATA_KEYS", &format!("00000000,{old}"));
    let mut env = app.process_env().to_vec();
    env.extend([("MEMALERTS_DATA_KEY", NEW.to_owned()), ("MEMALERTS_LOST_DATA_KEYS", old.clone())]);
    let named = MemalertsProcess::spawn(&["keys", "status"], &env).output().await;
    assert!(named.contains(&format!("{old}   lost ")), "{named}");
    let lost = lost.start().await;
    let reader = Reader::of(&lost);
    assert!(reader.token(ids[0], None).await.is_err(), "it stays closed");
}
