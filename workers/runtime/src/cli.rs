//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use domain::outbox::Provider;

use crate::roles::work::Pool;

/// Memes on stream: viewers pay coins, OBS plays, chat bots answer. Settings come from the environment (.env.example).
#[derive(Debug, Parser)]
#[command(name = "memalerts", version = crate::BUILD, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process: the API and all pools, with a private PostgreSQL when DATABASE_URL is not set
    All,
    /// The HTTP API
    Api,
    /// Pools of workers
    #[command(after_help = OF_WORKERS)]
    Work {
        #[arg(required = true, value_name = "POOL")]
        pools: Vec<Pool>,
        /// Chat platforms that pool chat listens to; may be given several times [default: all]
        #[arg(long, value_name = "PLATFORM")]
        platform: Vec<Provider>,
    },
    /// One claimed job, in a process of its own (started by a pool after a crash)
    #[command(hide = true)]
    RunJob {
        id: i64,
        #[arg(long, allow_negative_numbers = true)]
        token: i64,
    },
    /// Play through the main path of a running system in dev mode, and say each step
    Demo {
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        base_url: String,
    },
    /// A Twitch to talk to (IRC over WebSocket and over TCP, and HTTP to steer it), a VK Video (its API, its news, and the
    /// same), and all platforms to log in with, each on one loopback port
    Simulator {
        #[arg(long, default_value_t = 6680)]
        port: u16,
        /// Of the platforms to log in with
        #[arg(long, default_value_t = 6681)]
        identity_port: u16,
        /// Of VK Video
        #[arg(long, default_value_t = 6682)]
        vkvideo_port: u16,
    },
    /// Look at jobs, run one again, give one up
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Look at the pools' queues, pause one, let it go on
    #[command(subcommand)]
    Queues(QueuesCommand),
    /// Who may do everything
    #[command(subcommand)]
    Admin(AdminCommand),
    /// The key that seals what is secret in the database
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check that all coins add up: prints each breach of the ledger's rules, and fails if there is one
    Audit {
        #[arg(long)]
        json: bool,
    },
    /// The files behind memes, uploads and archives
    #[command(subcommand)]
    Blobs(BlobsCommand),
    /// What is found out about memes: loudness, pictures, looks
    #[command(subcommand)]
    Memes(MemesCommand),
    /// Apply the migrations that are missing, and end
    Migrate,
    /// Print openapi.yaml, and end
    Openapi,
    /// Show the settings in effect (secrets hidden), or everything that is wrong with them
    Config {
        /// Both: each setting with where it comes from, then what is in doubt (also on this machine: folders, ffmpeg) and
        /// everything that is wrong; the exit status is 1 when something is. It asks neither the database nor anybody else:
        /// whether the keys open what is sealed is told by `memalerts keys status`
        #[arg(long)]
        check: bool,
        #[arg(long)]
        json: bool,
    },
}

/// What the pools are told by the environment; each is described in `.env.example`.
const OF_WORKERS: &str = "\
Environment (.env.example describes each, `memalerts config` shows what is in effect):
  all pools  DATABASE_URL or MEMALERTS_DATA_DIR, MEMALERTS_ENV, PUBLIC_BASE_URL, METRICS_PORT
  chat       CHATBOT_BACKEND_BASE_URLS   instances that hear of each chatter, comma separated
             CHAT_BOT_LOGIN, CHAT_BOT_OAUTH_TOKEN, TWITCH_IRC_URL
             CHATBOT_SYNC_SECONDS        a switched bot joins or leaves within it; at once when all is well
             CHATBOT_COMMANDS_REFRESH_SECONDS   a changed command counts within it; from the next message on
  outbox     says messages in chats, sends mails, and keeps up with platforms
             CHATBOT_OUTBOX_POLL_MS      a message is taken within it; at once when all is well
             CHAT_BOT_LOGIN, CHAT_BOT_OAUTH_TOKEN, TWITCH_IRC_SEND_URL
             SMTP_URL, MAIL_FROM         the mail server, and in whose name mails come
             TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET, and those of the other platforms to log in with
  media      UPLOAD_STORAGE, UPLOAD_DIR, FFMPEG_PATH, FFPROBE_PATH, MEDIA_CONCURRENCY
  imports    IMPORT_HOSTS                what is fetched from nowhere else
  dispatch and credits need nothing more";

/// `unfinished` are ready, scheduled, running and dead ones, `any` are all.
const STATES: [&str; 10] =
    ["unfinished", "any", "ready", "scheduled", "running", "dead", "done", "cancelled", "folded", "discarded"];

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// What is not finished, newest first and the dead before the others; --state for anything else
    List {
        #[command(flatten)]
        matching: Matching,
        /// Only jobs beyond this one: what the page before ends with
        #[arg(long, visible_alias = "before")]
        after: Option<i64>,
        /// The oldest first
        #[arg(long)]
        oldest: bool,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
    /// A job with all its runs, what asked for it and what followed, as JSON
    Show { id: i64 },
    /// Make a dead or waiting job due now, or all that match
    Retry {
        #[command(flatten)]
        which: Which,
    },
    /// Never run a dead or waiting job again, or all that match
    Discard {
        #[command(flatten)]
        which: Which,
        #[arg(long, default_value = "discarded by hand")]
        reason: String,
    },
    /// Make a dead or waiting job due at another time, or all that match
    Reschedule {
        #[command(flatten)]
        which: Which,
        /// e.g. 2026-11-22T05:00:00Z
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: OffsetDateTime,
    },
    /// What people did to jobs, pools and workers, the newest first
    Log {
        /// Only acts before this one
        #[arg(long)]
        before: Option<i64>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
}

/// Conditions; a job matches that meets them all.
#[derive(Debug, Args)]
pub struct Matching {
    #[arg(long)]
    pub pool: Option<Pool>,
    /// The job's name, e.g. advance-playback
    #[arg(long)]
    pub kind: Option<String>,
    /// Where a job stands; done are mostly periodic ones [default of list: unfinished]
    #[arg(long, value_parser = STATES)]
    pub state: Option<String>,
    /// Order key, limit key or dedupe key
    #[arg(long)]
    pub key: Option<String>,
    /// The request or job that asked for it
    #[arg(long)]
    pub trace: Option<String>,
    /// What the payload has at a path (names and indexes with dots between them); may be given several times
    #[arg(long, value_name = "PATH=VALUE", value_parser = condition)]
    pub payload: Vec<(String, String)>,
    /// Enqueued then or later, e.g. 2026-11-22T05:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<OffsetDateTime>,
    /// Enqueued before
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<OffsetDateTime>,
}

/// One job, or all dead and waiting ones that match.
#[derive(Debug, Args)]
pub struct Which {
    #[arg(conflicts_with_all = ["pool", "kind", "state", "key", "trace", "payload", "since", "until", "dry_run"])]
    pub id: Option<i64>,
    #[command(flatten)]
    pub matching: Matching,
    /// Only count those that match
    #[arg(long)]
    pub dry_run: bool,
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "not a time like 2026-11-22T05:00:00Z".to_owned())
}

fn condition(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or("not PATH=VALUE")?;
    Ok((path.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make somebody who has logged in before an admin: the first one; admins make others
    Grant { login: String },
    /// Let somebody log in with the password alone again, who has lost the app that makes codes and the recovery codes, or
    /// whose codes were sealed under a key that is lost
    CodesOff { login: String },
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Bring everything under the present key, as jobs, while the system serves; refused while a process seals under
    /// another one, may be ordered again at any time
    Rotate,
    /// How many values are under which key
    Status {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum MemesCommand {
    /// How many older memes still wait for it, and how many are being worked on; pool media completes some every minute
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Let pool media try again with all memes that still lack something, because ffmpeg could not do it before, say
    Complete,
}

#[derive(Debug, Subcommand)]
pub enum BlobsCommand {
    /// Check that rows and files fit together: prints what does not, and fails if there is something
    Audit {
        /// Read all bytes and compare them with their names, too
        #[arg(long)]
        deep: bool,
        /// Remove files that have been without a row for long (`--older-than`), and mend the counts of references; rows are
        /// never removed
        #[arg(long)]
        repair: bool,
        /// Minutes that a file may be without a row: what is being sent in now has none yet
        #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(5..=525_600))]
        older_than: u32,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum QueuesCommand {
    /// What waits, runs and is dead in each pool
    List {
        #[arg(long)]
        json: bool,
    },
    /// The processes that serve the pools
    Workers {
        #[arg(long)]
        json: bool,
    },
    /// Begin nothing new in a pool, or in one process
    Pause {
        #[command(flatten)]
        whom: Whom,
        #[arg(long)]
        reason: Option<String>,
    },
    /// How much of a pool's work goes on in all processes together, instead of what was set before
    #[command(group = clap::ArgGroup::new("limit").required(true).multiple(true).args(["running", "starts"]))]
    Limit {
        pool: Pool,
        /// Jobs that run at once
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
        running: Option<u32>,
        /// Jobs that begin in any window of --per
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), requires = "per")]
        starts: Option<u32>,
        /// Length of that window in seconds
        #[arg(long, value_name = "SECONDS", value_parser = window, requires = "starts")]
        per: Option<Duration>,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take a pool's limit away
    Unlimit { pool: Pool },
    /// End a pause
    Resume {
        #[command(flatten)]
        whom: Whom,
    },
}

/// A millisecond to a year.
fn window(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|window| (Duration::from_millis(1)..=Duration::from_hours(365 * 24)).contains(window))
        .ok_or_else(|| "from 0.001 to a year".to_owned())
}

/// A pool, one process, or one pool of one process.
#[derive(Debug, Args)]
pub struct Whom {
    #[arg(required_unless_present = "worker")]
    pub pool: Option<Pool>,
    /// One process only, by its id in `queues workers`; all its pools if none is named
    #[arg(long, value_name = "ID")]
    pub worker: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_pool_says_what_it_is_told_by_and_only_settings_that_there_are() {
        let dev = [("MEMALERTS_ENV".to_owned(), "dev".to_owned())];
        let settings = Config::settings_from_values(dev).expect("dev needs nothing");
        for name in OF_WORKERS.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_')) {
            let is_word = name.len() < 4 || settings.iter().any(|setting| setting.name == name);
            assert!(is_word, "{name} is no setting");
        }
        for pool in Pool::ALL {
            assert!(OF_WORKERS.contains(&pool.to_string()), "{pool}");
        }
        assert!(OF_WORKERS.contains("SMTP_URL"));
    }
}
