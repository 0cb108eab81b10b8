//! The command line.

use clap::{Parser, Subcommand};

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
    /// A Twitch to talk to: IRC over WebSocket and over TCP, and HTTP to steer it, on one loopback port
    Simulator {
        #[arg(long, default_value_t = 6680)]
        port: u16,
    },
    /// Look at jobs, run one again, give one up
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Look at the pools' queues, pause one, let it go on
    #[command(subcommand)]
    Queues(QueuesCommand),
    /// Check that all coins add up: prints each breach of the ledger's rules, and fails if there is one
    Audit {
        #[arg(long)]
        json: bool,
    },
    /// Apply the migrations that are missing, and end
    Migrate,
    /// Print openapi.yaml, and end
    Openapi,
    /// Show the settings in effect (secrets hidden), or everything that is wrong with them
    Config {
        #[arg(long)]
        json: bool,
    },
}

/// `unfinished` are ready, scheduled, running and dead ones, `any` are all.
const STATES: [&str; 10] =
    ["unfinished", "any", "ready", "scheduled", "running", "dead", "done", "cancelled", "folded", "discarded"];

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// What is not finished, newest first and the dead before the others; --state for anything else
    List {
        #[arg(long)]
        pool: Option<Pool>,
        /// The job's name, e.g. advance-playback
        #[arg(long)]
        kind: Option<String>,
        /// Where a job stands; done are mostly periodic ones
        #[arg(long, default_value = "unfinished", value_parser = STATES)]
        state: String,
        /// The request or job that asked for it
        #[arg(long)]
        trace: Option<String>,
        /// Only jobs older than this one
        #[arg(long)]
        before: Option<i64>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
    /// A job with all its runs, as JSON
    Show { id: i64 },
    /// Make a dead or waiting job due now
    Retry { id: i64 },
    /// Never run a dead or waiting job again
    Discard {
        id: i64,
        #[arg(long, default_value = "discarded by hand")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum QueuesCommand {
    /// What waits, runs and is dead in each pool
    List {
        #[arg(long)]
        json: bool,
    },
    /// Begin nothing new in a pool
    Pause {
        pool: Pool,
        #[arg(long)]
        reason: Option<String>,
    },
    /// End a pause
    Resume { pool: Pool },
}
