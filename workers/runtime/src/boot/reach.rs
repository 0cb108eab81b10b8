//! The first connection to the database, made apart from the pool: a pool tries in silence until its time is over, and then
//! only knows that it is over.

use std::{io, time::Duration};

use anyhow::{anyhow, bail};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::console;

/// A server that says nothing is given up after this long.
const SILENCE: Duration = Duration::from_secs(5);

/// How long a process that stays waits for a server that may still be starting.
const WAIT: Duration = Duration::from_secs(60);

const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Somebody who looks at the terminal is told this often that we still wait.
const BETWEEN_WORDS: Duration = Duration::from_secs(10);

/// What a database that is not there means.
#[derive(Debug, Clone)]
pub enum Patience {
    /// To a command: that it has failed.
    None,
    /// To a process that stays: that it may be the first of the two to start. Ends when the token is cancelled.
    Some(CancellationToken),
}

/// Why there is no connection.
struct Refusal {
    what: String,
    /// A later try may go better, without anybody changing a setting.
    may_pass: bool,
}

/// Makes sure that the server is there and takes us.
pub(super) async fn reach(options: &PgConnectOptions, patience: Patience) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let Err(refusal) = once(options).await else {
            if told.is_some() {
                console::progress("PostgreSQL is there");
            }
            return Ok(());
        };
        let error = format!("no connection to PostgreSQL at {}: {}", place(options), refusal.what);
        let Patience::Some(stop) = &patience else { bail!(error) };
        if !refusal.may_pass {
            bail!(error);
        }
        if begun.elapsed() > WAIT {
            bail!("{error} (tried for {} s)", WAIT.as_secs());
        }
        if told.is_none_or(|told| told.elapsed() > BETWEEN_WORDS) {
            console::progress(&format!("{error}; trying again for up to {} s", WAIT.as_secs()));
            told = Some(Instant::now());
        }
        if stop.run_until_cancelled(sleep(BETWEEN_TRIES)).await.is_none() {
            bail!("{error} (stopped while trying again)");
        }
    }
}

async fn once(options: &PgConnectOptions) -> Result<(), Refusal> {
    match timeout(SILENCE, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => {
            drop(connection.close().await);
            Ok(())
        }
        Ok(Err(error)) => Err(refusal(&error, options)),
        Err(_) => Err(Refusal { what: format!("no answer within {} s", SILENCE.as_secs()), may_pass: true }),
    }
}

/// Where the server should be, as a person would say it.
fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("{}, port {}", folder.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn refusal(error: &sqlx::Error, options: &PgConnectOptions) -> Refusal {
    let user = options.get_username();
    let passing = |what: String| Refusal { what, may_pass: true };
    let lasting = |what: String| Refusal { what, may_pass: false };
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => passing("connection refused (does a server listen there?)".to_owned()),
            io::ErrorKind::NotFound => passing("there is no such socket (does a server run there?)".to_owned()),
            io::ErrorKind::PermissionDenied => lasting(format!("{error}")),
            _ if error.to_string().contains("lookup") => passing(format!("the host name is not known ({error})")),
            _ => passing(error.to_string()),
        },
        sqlx::Error::Database(said) => match said.code().as_deref() {
            Some("28P01") => lasting(format!("authentication failed: the password of user {user} is wrong or missing")),
            Some(code) if code.starts_with("28") => {
                lasting(format!("authentication failed for user {user}: {}", said.message()))
            }
            Some("3D000") => {
                let name = options.get_database().unwrap_or(user);
                lasting(format!("the database {name} does not exist (make it: createdb {name})"))
            }
            // It starts, stops, or has no connection left.
            Some("57P01" | "57P02" | "57P03" | "53300") => passing(said.message().to_owned()),
            _ => lasting(said.message().to_owned()),
        },
        other => lasting(anyhow!("{other}").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_network_may_pass() {
        let options = PgConnectOptions::new_without_pgpass().host("db").port(5433).username("me");
        let refused = refusal(&io::Error::from(io::ErrorKind::ConnectionRefused).into(), &options);
        assert!(refused.may_pass && refused.what.starts_with("connection refused"), "{}", refused.what);
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        let unknown = refusal(&unknown.into(), &options);
        assert!(unknown.may_pass && unknown.what.starts_with("the host name is not known"), "{}", unknown.what);
        assert_eq!(place(&options), "db:5433");
        assert_eq!(place(&options.socket("/run/pg")), "/run/pg, port 5433");
    }
}
