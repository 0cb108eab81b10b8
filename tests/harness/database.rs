//! A database for each test, copied from a template that is migrated once per state of the migrations.

use std::{env, fs, path::Path, str::FromStr as _};

use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
};

use crate::clock;

/// A database of one test; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// A fresh copy of the template.
    pub async fn create() -> Self {
        let server = server();
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut admin = server.clone().connect().await.expect("connect to the test server");
        let template = template(&server, &mut admin).await;
        // Copying files costs 25 ms, the default (through the log) 70; servers before 15 only know the former.
        let strategy = if version(&mut admin).await >= 150_000 { "strategy file_copy" } else { "" };
        run(&mut admin, &format!("create database {name} template {template} {strategy}")).await;
        admin.close().await.expect("close");
        Self { name, server }
    }

    /// As a program would be told by `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        let url = env::var("MEMALERTS_TEST_DATABASE_URL").unwrap();
        let (server, _) = url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{}", self.name)
    }

    /// The same by way of a TCP port of loopback, once [`TestDatabase::listen_at`] has opened it.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{}@127.0.0.1:{port}/{}", self.server.get_username(), self.name)
    }

    /// Opens a TCP port of loopback that leads to the server, for as long as the test's runtime lives.
    pub async fn listen_at(&self, port: u16) {
        let door = TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        let server = self.server.clone();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = door.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    let port = server.get_port();
                    // The connection ends when one side closes it.
                    drop(match server.get_socket() {
                        Some(folder) => {
                            let mut there = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?;
                            copy_bidirectional(&mut here, &mut there).await
                        }
                        None => {
                            let mut there = TcpStream::connect((server.get_host(), port)).await?;
                            copy_bidirectional(&mut here, &mut there).await
                        }
                    });
                    std::io::Result::Ok(())
                });
            }
        });
    }

    /// A few connections to it.
    pub async fn pool(&self, size: u32) -> PgPool {
        let options = queue::planning(self.server.clone().database(&self.name));
        PgPoolOptions::new().max_connections(size).connect_with(options).await.expect("connect to the test's database")
    }

    /// Drops it, with whoever is still connected.
    pub(crate) async fn remove(&self) {
        let mut admin = self.server.clone().connect().await.expect("connect to the test server");
        run(&mut admin, &format!("drop database if exists {} with (force)", self.name)).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| runtime().block_on(self.remove()));
        });
    }
}

/// For work in a `drop`, on a thread of its own: the test's runtime may be busy with us.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn server() -> PgConnectOptions {
    let url = env::var("MEMALERTS_TEST_DATABASE_URL").expect(
        "MEMALERTS_TEST_DATABASE_URL is not set: run `make test`, or `cargo run -p test-cluster -- cargo nextest run -p tests`",
    );
    PgConnectOptions::from_str(&url).expect("MEMALERTS_TEST_DATABASE_URL").log_statements("trace".parse().unwrap())
}

/// The name of the template for the present migrations, made if need be by whichever test comes first.
async fn template(server: &PgConnectOptions, admin: &mut PgConnection) -> String {
    let name = format!("template_{}", &migrations_hash()[..16]);
    if exists(admin, &name).await {
        return name;
    }
    run(admin, "select pg_advisory_lock(7236523)").await;
    if !exists(admin, &name).await {
        // Made under another name: a template with the right one is a whole one.
        run(admin, &format!("drop database if exists {name}_new")).await;
        run(admin, &format!("create database {name}_new")).await;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(server.clone().database(&format!("{name}_new")))
            .await
            .expect("connect to the template");
        ::runtime::boot::migrate(&pool).await.expect("migrate the template");
        clock::install(&pool).await;
        pool.close().await;
        run(admin, &format!("alter database {name}_new rename to {name}")).await;
    }
    run(admin, "select pg_advisory_unlock(7236523)").await;
    name
}

/// Changes with every byte of the migrations and of the test clock.
fn migrations_hash() -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().unwrap().as_encoded_bytes());
        hash.update(fs::read(&file).unwrap());
    }
    hash.update(clock::SQL);
    hex::encode(hash.finalize())
}

async fn exists(admin: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await
        .unwrap()
}

async fn version(admin: &mut PgConnection) -> i32 {
    sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(admin).await.unwrap()
}

async fn run(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
