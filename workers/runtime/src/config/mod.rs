//! Settings come from the environment only, are read once at boot, and are complained about all together.
//!
//! One file a section. To add a setting: a field whose doc names variable, default and unit, one line in the section's
//! `read`, one line in `.env.example` (`tests/it/guards.rs` compares the two).

mod bucket;
mod chat;
mod coins;
mod database;
mod environment;
mod http;
mod identity;
mod imports;
mod mail;
mod media;
mod places;
mod process;
mod reader;
mod secret;
mod secrets;
mod setting;
mod strength;
mod uploads;

use std::fmt;

pub use self::{
    bucket::Bucket,
    chat::{BotAccount, Chat, Twitch},
    coins::Coins,
    database::Database,
    environment::Environment,
    http::Http,
    identity::Identity,
    imports::Imports,
    mail::Mail,
    media::Media,
    process::Process,
    reader::Reader,
    secret::Secret,
    secrets::{DataKey, Secrets},
    setting::{Setting, Source},
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
    pub coins: Coins,
    pub media: Media,
    pub imports: Imports,
    pub chat: Chat,
    pub identity: Identity,
    pub mail: Mail,
    pub process: Process,
}

/// Everything that is wrong with the environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Complaints {
    /// One a problem; each names its variable.
    pub lines: Vec<String>,
    /// How to get on from here.
    pub hint: Option<String>,
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.lines.len();
        write!(f, "the environment has {n} problem{}:", if n == 1 { "" } else { "s" })?;
        self.lines.iter().try_for_each(|line| write!(f, "\n  - {line}"))?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n{hint}"))
    }
}

impl Config {
    /// Settings from the process's environment.
    ///
    /// # Errors
    /// [`Complaints`] with every missing or malformed variable.
    pub fn from_env() -> Result<Self, Complaints> {
        Self::from_values(variables())
    }

    /// Settings from the given variables; nothing else is looked at.
    ///
    /// # Errors
    /// [`Complaints`] with every missing or malformed variable.
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Result<Self, Complaints> {
        let mut reader = Reader::new(values);
        let config = Self::read(&mut reader);
        reader.finish().map(|_| config)
    }

    /// What is in effect for each variable that is read, with the process's environment.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn settings_from_env() -> Result<Vec<Setting>, Complaints> {
        Self::settings_from_values(variables())
    }

    /// What is in effect for each variable that is read, with the given variables.
    ///
    /// # Errors
    /// As [`Config::from_values`].
    pub fn settings_from_values(
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<Setting>, Complaints> {
        let mut reader = Reader::new(values);
        drop(Self::read(&mut reader));
        reader.finish()
    }

    /// What is in effect for each variable that is read, with the process's environment, what it leaves in doubt, also as this
    /// machine is now, and what is wrong with it.
    #[must_use]
    pub fn check_env() -> (Vec<Setting>, Vec<String>, Option<Complaints>) {
        let mut reader = Reader::new(variables());
        let config = Self::read(&mut reader);
        let mut doubts = config.doubts_of(&reader);
        doubts.extend(config.media.missing());
        doubts.extend(places::unusable(&config));
        let (settings, complaints) = reader.check();
        (settings, doubts, complaints)
    }

    /// What the process's environment leaves in doubt, though it is no mistake: one line each, for the log.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut reader = Reader::new(variables());
        drop(Self::read(&mut reader));
        self.doubts_of(&reader)
    }

    /// Whether mails are sent, or at least shown in the log.
    #[must_use]
    pub fn sends_mails(&self) -> bool {
        self.mail.smtp_url.is_some() || self.environment.is_dev()
    }

    fn doubts_of(&self, reader: &Reader) -> Vec<String> {
        let mut doubts = reader.unknown();
        doubts.extend(self.http.public_url_problem(self.environment));
        doubts.extend(self.http.budgets_problem(self.environment));
        if !self.sends_mails() {
            doubts.push(
                "SMTP_URL is not set: no address is verified, no forgotten password is set anew, and nobody hears what \
                 happens to their account"
                    .to_owned(),
            );
        }
        doubts
    }

    fn read(reader: &mut Reader) -> Self {
        let environment = Environment::read(reader);
        let database = Database::read(reader);
        Self {
            environment,
            http: Http::read(reader, environment),
            secrets: Secrets::read(reader, environment),
            uploads: Uploads::read(reader, &database.data_dir),
            coins: Coins::read(reader),
            media: Media::read(reader),
            imports: Imports::read(reader, environment),
            database,
            chat: Chat::read(reader, environment),
            identity: Identity::read(reader, environment),
            mail: Mail::read(reader, environment),
            process: Process::read(reader),
        }
    }
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
}

#[cfg(test)]
mod tests;
