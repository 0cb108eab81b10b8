//! Settings come from the environment only, are read once at boot, and are complained about all together.
//!
//! One file a section. To add a setting: a field whose doc names variable, default and unit, one line in the section's
//! `read`, one line in `.env.example` (`tests/it/guards.rs` compares the two).

mod chat;
mod database;
mod environment;
mod http;
mod media;
mod process;
mod reader;
mod secret;
mod secrets;
mod uploads;

use std::fmt;

pub use self::{
    chat::{Chat, Twitch},
    database::Database,
    environment::Environment,
    http::Http,
    media::Media,
    process::Process,
    reader::Reader,
    secret::Secret,
    secrets::Secrets,
    uploads::Uploads,
};

/// All settings of a process.
#[derive(Debug, Clone)]
pub struct Config {
    pub environment: Environment,
    pub http: Http,
    pub database: Database,
    pub secrets: Secrets,
    pub uploads: Uploads,
    pub media: Media,
    pub chat: Chat,
    pub process: Process,
}

/// Everything that is wrong with the environment, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Complaints(pub Vec<String>);

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.len();
        write!(f, "the environment has {n} problem{}:", if n == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|complaint| write!(f, "\n  - {complaint}"))
    }
}

impl Config {
    /// Settings from the process's environment.
    ///
    /// # Errors
    /// [`Complaints`] with every missing or malformed variable.
    pub fn from_env() -> Result<Self, Complaints> {
        Self::from_values(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))))
    }

    /// Settings from the given variables; nothing else is looked at.
    ///
    /// # Errors
    /// [`Complaints`] with every missing or malformed variable.
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Result<Self, Complaints> {
        let mut reader = Reader::new(values);
        let config = Self::read(&mut reader);
        match reader.finish() {
            (_, complaints) if complaints.is_empty() => Ok(config),
            (_, mut complaints) => {
                if !config.environment.is_dev() && complaints.iter().any(|line| line.contains(" is not set ")) {
                    complaints.push(format!(
                        "MEMALERTS_ENV is {}, which needs the secrets above; to try the system out, set MEMALERTS_ENV=dev",
                        config.environment
                    ));
                }
                Err(Complaints(complaints))
            }
        }
    }

    /// The names of all variables that are read, for the guard that compares them with `.env.example`.
    #[must_use]
    pub fn variables() -> Vec<&'static str> {
        let mut reader = Reader::default();
        drop(Self::read(&mut reader));
        reader.finish().0
    }

    fn read(reader: &mut Reader) -> Self {
        let environment = Environment::read(reader);
        let database = Database::read(reader);
        Self {
            environment,
            http: Http::read(reader, environment),
            secrets: Secrets::read(reader, environment),
            uploads: Uploads::read(reader, &database.data_dir),
            media: Media::read(reader),
            database,
            chat: Chat::read(reader, environment),
            process: Process::read(reader),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config, Complaints> {
        Config::from_values(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn an_empty_environment_is_production_and_lists_every_missing_secret_at_once() {
        let text = config(&[]).unwrap_err().to_string();
        assert!(text.contains("MEMALERTS_SECRET is not set"), "{text}");
        assert!(text.contains("MEMALERTS_INTERNAL_SECRET is not set"), "{text}");
        assert!(text.contains("MEMALERTS_ENV=dev"), "{text}");
    }

    #[test]
    fn dev_needs_nothing_and_listens_on_loopback() {
        let config = config(&[("MEMALERTS_ENV", "dev")]).unwrap();
        assert_eq!(config.http.socket_address().to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn dev_refuses_an_address_that_others_can_reach() {
        let text = config(&[("MEMALERTS_ENV", "dev"), ("LISTEN_ADDRESS", "0.0.0.0")]).unwrap_err().to_string();
        assert!(text.contains("loopback only"), "{text}");
    }

    #[test]
    fn all_problems_are_told_together() {
        let Complaints(lines) = config(&[
            ("MEMALERTS_ENV", "dev"),
            ("PORT", "99999"),
            ("MAX_UPLOAD_BYTES", "much"),
            ("DATABASE_URL", "mysql://x:geheim@h/d"),
        ])
        .unwrap_err();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(!format!("{lines:?}").contains("geheim"));
    }

    #[test]
    fn a_printed_configuration_shows_no_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let config = config(&[
            ("MEMALERTS_SECRET", secret),
            ("MEMALERTS_INTERNAL_SECRET", secret),
            ("DATABASE_URL", "postgres://me:geheim@db/x"),
        ])
        .unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains(secret) && !shown.contains("geheim"), "{shown}");
    }
}
