//! The rig of one run: PostgreSQL, the proxy before it, the fleet behind that, and the journal outside.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use chat::simulator::twitch::{Settings, Simulator};
use embedded::{Embedded, Options};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{ConnectOptions as _, Executor as _, PgPool, postgres::PgPoolOptions};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    fleet::Fleet,
    journal::Journal,
    load::Findings,
    proxy::Proxy,
    uploads::Sample,
    world::{self, SECRET, World},
};

#[derive(Debug)]
pub(crate) struct Rig {
    server: Option<Embedded>,
    dir: PathBuf,
    pub(crate) proxy: Proxy,
    /// The chat platform; it remembers every line that it received.
    pub(crate) twitch: Arc<Simulator>,
    /// Straight to the server, past the proxy.
    pub(crate) pool: PgPool,
    pub(crate) fleet: Fleet,
    pub(crate) world: World,
    /// Where uploads are kept.
    pub(crate) store: PathBuf,
    pub(crate) sample: Sample,
    pub(crate) journal: Journal,
    pub(crate) findings: Findings,
}

impl Rig {
    /// Starts everything in an empty folder.
    pub(crate) async fn start(dir: &Path, binary: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let owned = dir.join("server");
        let settings = vec![("max_connections".to_owned(), "200".to_owned())];
        let server =
            tokio::task::spawn_blocking(move || Embedded::start(&owned, &Options { throwaway: false, settings }))
                .await??;
        let options = server.connect_options();
        let mut admin = options.clone().database("postgres").connect().await?;
        admin.execute("create database memalerts").await?;
        let proxy = Proxy::start(server.socket_dir()).await?;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(60))
            // Planned with statistics: who judges reads whole tables.
            .connect_with(options.database("memalerts"))
            .await?;
        let settings = Settings::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let twitch = Arc::new(Simulator::start(settings, CancellationToken::new()).await?);
        let (data, store) = (dir.join("data"), dir.join("store"));
        let environment = BTreeMap::from([
            ("DATABASE_URL".to_owned(), format!("postgres://memalerts@{}/memalerts?sslmode=disable", proxy.address)),
            ("MEMALERTS_ENV".to_owned(), "dev".to_owned()),
            ("MEMALERTS_SECRET".to_owned(), SECRET.to_owned()),
            // All people ask from one address, and buy as fast as they can.
            ("RATE_LIMIT_FACTOR".to_owned(), "1000000".to_owned()),
            ("CHATBOT_CHANNEL_INTERVAL_MS".to_owned(), "0".to_owned()),
            ("MEMALERTS_DATA_DIR".to_owned(), data.display().to_string()),
            ("UPLOAD_DIR".to_owned(), store.display().to_string()),
            ("TWITCH_IRC_URL".to_owned(), twitch.websocket_url()),
            ("TWITCH_IRC_SEND_URL".to_owned(), twitch.plain_url()),
        ]);
        // Such a program says that this is no point; one that is built without the feature does not look at it.
        let probe =
            Command::new(binary).arg("migrate").env_clear().env("FAILPOINTS", "no point").envs(&environment).output();
        let probe = probe.await?;
        ensure!(
            String::from_utf8_lossy(&probe.stderr).contains("FAILPOINTS"),
            "{} was built without the feature failpoints",
            binary.display()
        );
        let migrated = Command::new(binary).arg("migrate").env_clear().envs(&environment).output().await?;
        ensure!(migrated.status.success(), "migrate: {}", String::from_utf8_lossy(&migrated.stderr));
        let world = world::make(&pool, &store).await?;
        let mut fleet = Fleet::new(binary.to_owned(), environment, dir.to_owned())?;
        fleet.add("CHATBOT_BACKEND_BASE_URLS", format!("http://{}", fleet.api));
        fleet.start_all().await?;
        let sample = Sample::make(dir).await?;
        let journal = Journal::open(&dir.join("journal.jsonl"))?;
        let dir = dir.to_owned();
        Ok(Self {
            server: Some(server),
            dir,
            proxy,
            twitch,
            pool,
            fleet,
            world,
            store,
            sample,
            journal,
            findings: Findings::default(),
        })
    }

    /// Signals the first process of the server, or the server with all its children; the rig starts it again by itself.
    pub(crate) async fn strike_server(&self, signal: Signal, children: bool) -> anyhow::Result<Duration> {
        let file = std::fs::read_to_string(self.dir.join("server/pg/postmaster.pid")).context("read postmaster.pid")?;
        let pid: i32 = file.lines().next().context("postmaster.pid is empty")?.trim().parse()?;
        let struck = Instant::now();
        let mut victims = vec![pid];
        if children {
            let of = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
            victims.extend(of.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        }
        for victim in victims {
            // A child may have ended by itself.
            let _ = kill(Pid::from_raw(victim), signal);
        }
        // The same server process must be gone before "it answers" means anything.
        while Path::new(&format!("/proc/{pid}")).exists() {
            ensure!(struck.elapsed() < Duration::from_secs(60), "PostgreSQL did not end");
            sleep(Duration::from_millis(10)).await;
        }
        while sqlx::query!(r#"select 1 as "one!""#).fetch_one(&self.pool).await.is_err() {
            ensure!(struck.elapsed() < Duration::from_secs(60), "PostgreSQL did not come back");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(struck.elapsed())
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.fleet.stop().await?;
        self.pool.close().await;
        if let Some(server) = self.server.take() {
            tokio::task::spawn_blocking(move || server.stop()).await??;
        }
        Ok(())
    }
}
