//! The whole system in this process: API on a random port, the chosen pools, a database of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use ::runtime::{
    boot,
    config::Config,
    lifecycle::Lifecycle,
    roles::{self, Process, work::Pool},
};
use queue::Database;
use serde_json::json;
use sqlx::PgPool;
use tempfile::TempDir;

use crate::{Session, TestDatabase, clock, leftovers, wait_until};

/// What a process outside of dev must be given. Of no system but those of tests.
pub const SECRETS: [(&str, &str); 3] = [
    ("MEMALERTS_SECRET", "7f4c1be09a52d86e3c90f7a1b5de2846"),
    ("MEMALERTS_INTERNAL_SECRET", "c2d95e8b07f3416ab8e1d4709f5c63a2"),
    ("MEMALERTS_DATA_KEY", "91e6b3d80f5a27c44d8fe1069ab7530c2ec8f49d17b06a53e5d2840b9f6c71a8"),
];

/// How a [`TestApp`] shall be. The default: API and all pools, in dev, with settings that wait for nothing.
#[derive(Debug)]
pub struct Builder {
    settings: BTreeMap<String, String>,
    pools: Vec<Pool>,
    shared: Option<Arc<Shared>>,
}

/// What instances of one system share.
#[derive(Debug)]
struct Shared {
    database: TestDatabase,
    /// Uploads; removed with the database.
    dir: TempDir,
}

impl Builder {
    /// A setting of the system, named as in `.env.example`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// In beta or prod instead of dev, on loopback, with secrets that pass there.
    #[must_use]
    pub fn outside_of_dev(self, environment: &str) -> Self {
        let builder = self.env("MEMALERTS_ENV", environment).env("LISTEN_ADDRESS", "127.0.0.1");
        SECRETS.iter().fold(builder, |builder, (name, value)| builder.env(name, value))
    }

    /// Only these pools; none: the API alone.
    #[must_use]
    pub fn pools(mut self, pools: &[Pool]) -> Self {
        self.pools = pools.to_vec();
        self
    }

    /// Boots it.
    pub async fn start(self) -> TestApp {
        let Self { mut settings, pools, shared } = self;
        let shared = match shared {
            Some(shared) => shared,
            None => Arc::new(Shared { database: TestDatabase::create().await, dir: TempDir::new().expect("a folder") }),
        };
        let mut set = |name: &str, value: String| {
            settings.entry(name.to_owned()).or_insert(value);
        };
        set("MEMALERTS_ENV", "dev".to_owned());
        set("PORT", "0".to_owned());
        set("DATABASE_URL", shared.database.url());
        set("DATABASE_POOL_SIZE", "8".to_owned());
        set("MEMALERTS_DATA_DIR", shared.dir.path().display().to_string());
        set("SHUTDOWN_GRACE_SECONDS", "10".to_owned());
        // All people of a story ask from one address; stories about limits set their own.
        set("RATE_LIMIT_FACTOR", "1000000".to_owned());
        // Stories say several things in a row; those about the pace set their own.
        set("CHATBOT_CHANNEL_INTERVAL_MS", "0".to_owned());
        let config = Config::from_values(settings).unwrap_or_else(|complaints| panic!("{complaints}"));
        let lifecycle = Lifecycle::default();
        let (booted, ready) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("memalerts".to_owned())
            .spawn({
                let (pools, lifecycle) = (pools.clone(), lifecycle.clone());
                move || run(config, &pools, lifecycle, &booted)
            })
            .expect("start the system's thread");
        // Booting takes some 100 ms on another thread; the test has nothing else to do meanwhile.
        let (process, base) = ready.recv().expect("the system did not boot: see above");
        let pool = shared.database.pool(4).await;
        let db = Database::new(pool, process.db.wakes().clone());
        TestApp { db, base, http: client(), process, lifecycle, thread: Some(thread), pools, checked: true, shared }
    }
}

/// The body of the system's thread: a runtime of its own, so that a test that blocks or ends does not hold it up.
fn run(mut config: Config, pools: &[Pool], lifecycle: Lifecycle, booted: &mpsc::Sender<(Process, String)>) {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    tokio.block_on(async {
        let listener = roles::api::bind(&mut config).expect("a port");
        let base = format!("http://127.0.0.1:{}", config.http.port);
        let connected =
            boot::connect(&config, "test", false, boot::Patience::None).await.expect("connect to the test's database");
        let process = Process::boot(config, boot::Files::Used, connected.pool, lifecycle).await.expect("boot");
        booted.send((process.clone(), base)).expect("the test waits");
        let options = roles::work::Options::default();
        let (served, worked) =
            tokio::join!(roles::api::serve(&process, listener), roles::work::serve(&process, pools, &options),);
        served.expect("the API ends well");
        worked.expect("the pools end well");
        process.end().await;
    });
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().expect("a client")
}

/// A running system. At the end of the test it is drained, its leftovers and its ledger are checked, and the database is
/// dropped.
#[derive(Debug)]
pub struct TestApp {
    /// For looking and for calling the domain: its own few connections, with the system's wake-ups.
    pub db: Database,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    http: reqwest::Client,
    /// What the roles run with: settings, files, keys.
    pub process: Process,
    lifecycle: Lifecycle,
    thread: Option<JoinHandle<()>>,
    pools: Vec<Pool>,
    checked: bool,
    /// Last: the database is dropped after all else.
    shared: Arc<Shared>,
}

impl TestApp {
    /// API and all pools on a fresh database.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    #[must_use]
    pub fn builder() -> Builder {
        Builder { settings: BTreeMap::new(), pools: Pool::ALL.to_vec(), shared: None }
    }

    /// A further instance on the same database and files, as a second process would be.
    #[must_use]
    pub fn beside(&self) -> Builder {
        Builder { shared: Some(self.shared.clone()), ..Self::builder() }
    }

    /// What `DATABASE_URL` says to it.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.shared.database.url()
    }

    /// The environment of a process that joins this system (same database, same files).
    #[must_use]
    pub fn process_env(&self) -> [(&'static str, String); 2] {
        [
            ("DATABASE_URL", self.shared.database.url()),
            ("MEMALERTS_DATA_DIR", self.shared.dir.path().display().to_string()),
        ]
    }

    #[must_use]
    pub fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    /// Somebody without a session.
    #[must_use]
    pub fn anonymous(&self) -> Session {
        Session {
            base: self.base.clone(),
            http: self.http.clone(),
            token: None,
            login: String::new(),
            user_id: String::new(),
            channel_slug: None,
        }
    }

    /// A session by the dev login; `role` is viewer, streamer (who gets a channel named after the login) or admin.
    pub async fn login(&self, login: &str, role: &str) -> Session {
        let mut session = self.anonymous();
        let body = session.post("/auth/dev/login", &json!({ "login": login, "role": role })).await.expect(200);
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        session.token = text("token");
        session.login = text("login").unwrap_or_default();
        session.user_id = text("userId").unwrap_or_default();
        session.channel_slug = text("channelSlug");
        session
    }

    /// Moves the system's clock and wakes whatever waits for a time. A system that has only begun counts its periods from when it
    /// knows them: until then the clock stands.
    pub async fn advance(&self, by: Duration) {
        if self.pools.iter().any(|pool| !matches!(pool, Pool::Media | Pool::Imports)) {
            wait_until("the periodic jobs are known", async || clock::has_schedules(self.pool()).await.then_some(()))
                .await;
        }
        clock::advance(self.pool(), by).await;
    }

    /// Waits until no job of this system's pools runs or is due. Jobs that wait for a later time are left waiting: move
    /// the clock.
    pub async fn drain(&self) {
        let pools = self.pool_names();
        wait_until("all jobs are done", async || leftovers::busy(self.pool(), &pools).await.is_empty().then_some(()))
            .await;
    }

    /// For a story that is about jobs which fail or stay: no check of leftovers at the end (of the ledger still).
    pub fn leaves_jobs_behind(&mut self) {
        self.checked = false;
    }

    /// Ends the system as a signal would, and waits until it has drained. What it had in memory is gone, its database and
    /// files stay: go on with [`TestApp::beside`].
    pub fn stop(&mut self) {
        self.lifecycle.draining.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the system did not end well: see above");
        }
    }

    fn pool_names(&self) -> Vec<String> {
        self.pools.iter().map(ToString::to_string).collect()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that has failed has said why; more would only hide it.
        if thread::panicking() {
            return self.stop();
        }
        let checked = self.checked;
        if checked && self.thread.is_some() {
            let (database, pools) = (&self.shared.database, self.pool_names());
            apart(async || {
                let pool = database.pool(1).await;
                wait_until("all jobs are done", async || leftovers::busy(&pool, &pools).await.is_empty().then_some(()))
                    .await;
                pool.close().await;
            });
        }
        self.stop();
        let (database, pools) = (&self.shared.database, self.pool_names());
        let complaints = apart(async || {
            let pool = database.pool(1).await;
            let jobs = if checked { leftovers::left_behind(&pool, &pools).await } else { Vec::new() };
            let ledger = leftovers::audit(&pool).await;
            pool.close().await;
            [jobs, ledger].concat()
        });
        assert!(complaints.is_empty(), "the story left something behind:\n{}", complaints.join("\n"));
    }
}

/// Runs a future to its end on a runtime of its own: `drop` cannot wait on the test's.
fn apart<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(|| crate::database::runtime().block_on(work()));
        worker.join().expect("look at what the story left behind")
    })
}
