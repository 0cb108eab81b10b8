//! Pools of workers.

use std::{fmt, time::Duration};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use domain::outbox::Provider;
use futures_util::future;
use queue::{Isolation, JobId, Workers};

use super::{Process, chat, imports};
use crate::{boot, config::Config, lifecycle::Lifecycle, telemetry};

/// Jobs of pool dispatch at the same time; most of them share a transaction, the others hold a database connection for
/// milliseconds.
const DISPATCH_AT_ONCE: usize = 32;

/// A pool. To add one: a variant, its name, and its line in [`workers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Pool {
    /// Starts, ends and refunds activations
    Dispatch,
    /// Checks and transcodes uploads
    Media,
    /// Listens to chats and answers commands
    Chat,
    /// Sends chat messages
    Outbox,
    /// Brings chatters into the credits
    Credits,
    /// Fetches memes from the addresses that people have named
    Imports,
}

impl Pool {
    pub const ALL: [Self; 6] = [Self::Dispatch, Self::Media, Self::Chat, Self::Outbox, Self::Credits, Self::Imports];

    /// As in the jobs' rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Media => "media",
            Self::Chat => "chat",
            Self::Outbox => "outbox",
            Self::Credits => "credits",
            Self::Imports => "imports",
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the pools are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How a child process is started for a job whose process died under it. None: such jobs run one at a time in here.
    pub isolation: Option<Isolation>,
    /// Chat platforms that pool `chat` listens to; none named: all.
    pub platforms: Vec<Provider>,
}

impl Options {
    /// For the binary: a suspect job runs in a further process of the same program, with the same environment.
    #[must_use]
    pub fn of_this_program() -> Self {
        let isolation = Isolation::new(|id, token| {
            // This very program, also after its file was replaced by a newer one.
            let mut command = tokio::process::Command::new("/proc/self/exe");
            command.args(["run-job", &id.to_string(), "--token", &token.to_string()]);
            command
        });
        Self { isolation: Some(isolation), platforms: Vec::new() }
    }
}

/// Pools in a process of their own.
///
/// # Errors
/// No database, or a pool could not be started.
pub async fn run(
    mut config: Config,
    pools: &[Pool],
    platforms: Vec<Provider>,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let off = |platform: &Provider| chat::switched_off(&config, *platform);
    if let Some(switches) = platforms.iter().map(off).collect::<Option<Vec<_>>>()
        && pools == [Pool::Chat]
        && !switches.is_empty()
    {
        tracing::info!(platforms = ?platforms, "nothing to do: {} is not 1", switches.join(", "));
        return Ok(());
    }
    let metrics = telemetry::install_metrics()?;
    find_programs(&mut config, pools)?;
    let name = pools.iter().map(|pool| pool.as_str()).collect::<Vec<_>>().join("+");
    let patience = boot::Patience::Some(lifecycle.draining.clone());
    let connected = boot::connect(&config, &name, false, patience).await?;
    // The others go on where the bucket cannot be reached.
    let needs_files = pools.iter().any(|pool| matches!(pool, Pool::Media | Pool::Imports));
    let files = if needs_files { boot::Files::Used } else { boot::Files::Unused };
    let process = Process::boot(config, files, connected.pool, lifecycle).await?;
    metrics.serve(process.config.http.metrics_port).await?;
    let options = Options { platforms, ..Options::of_this_program() };
    let served = serve(&process, pools, &options).await;
    process.end().await;
    served
}

/// Runs the pools until the lifecycle drains and their jobs have ended. No pools: returns at once.
///
/// # Errors
/// A pool could not be started.
pub async fn serve(process: &Process, pools: &[Pool], options: &Options) -> anyhow::Result<()> {
    if pools.is_empty() {
        return Ok(());
    }
    let workers = pools.iter().map(|pool| workers(process, *pool)).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = queue::Settings {
        poll: if pools.contains(&Pool::Outbox) { process.config.chat.outbox_poll } else { Duration::from_secs(5) },
        grace: process.config.process.grace,
        isolation: options.isolation.clone(),
        ..queue::Settings::default()
    };
    tracing::info!(pools = ?pools, "the pools take jobs");
    let draining = process.lifecycle.draining.clone();
    let platforms: &[Provider] = match &options.platforms[..] {
        _ if !pools.contains(&Pool::Chat) => &[],
        [] => &Provider::ALL,
        some => some,
    };
    let named = !options.platforms.is_empty();
    let settings_of_chat = chat::settings(process)?;
    let listening = platforms.iter().map(|platform| chat::listen(process, *platform, settings_of_chat.clone(), named));
    let listening = future::join_all(listening);
    let (ran, _) = tokio::join!(queue::run(process.db.clone(), workers, draining, settings), listening);
    ran.context("run the pools")
}

/// Finds the programs that these pools run, so that a missing one is noticed now and not at the first upload.
///
/// # Errors
/// Which ones are missing, and how they are installed.
pub fn find_programs(config: &mut Config, pools: &[Pool]) -> anyhow::Result<()> {
    if !pools.contains(&Pool::Media) {
        return Ok(());
    }
    let programs = [("FFMPEG_PATH", &mut config.media.ffmpeg), ("FFPROBE_PATH", &mut config.media.ffprobe)];
    let mut missing = Vec::new();
    for (variable, program) in programs {
        match media::find_program(program) {
            Some(found) => *program = found,
            None => missing.push(format!("\n  - {} ({variable})", program.display())),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "pool media cannot work on this machine, these programs are not here:{}\ninstall ffmpeg (Debian, Ubuntu: apt-get install \
         ffmpeg), or set the variables to where they are; to go without uploads here, start the other pools: \
         memalerts api, memalerts work dispatch chat outbox credits imports",
        missing.concat()
    )
}

/// Runs one claimed job and settles it: the child's side of [`Options::of_this_program`].
///
/// # Errors
/// The claim is gone, or the database refused.
pub async fn run_job(mut config: Config, id: JobId, token: i64, lifecycle: Lifecycle) -> anyhow::Result<()> {
    // The job may be one that needs none of them.
    drop(find_programs(&mut config, &Pool::ALL));
    let connected = boot::connect(&config, "run-job", false, boot::Patience::None).await?;
    // Who gave the job away has seen that the files can be used.
    let process = Process::boot(config, boot::Files::Unused, connected.pool, lifecycle).await?;
    let all = Pool::ALL.iter().map(|pool| workers(&process, *pool)).collect::<anyhow::Result<Vec<_>>>()?;
    queue::run_alone(process.db.clone(), all, id, token, process.lifecycle.draining.clone()).await?;
    process.end().await;
    Ok(())
}

/// The handlers of a pool, with what they need from the settings.
///
/// # Errors
/// Something that the pool needs cannot be made on this machine.
pub fn workers(process: &Process, pool: Pool) -> anyhow::Result<Workers> {
    Ok(match pool {
        Pool::Dispatch => dispatch::workers(DISPATCH_AT_ONCE, &process.vault),
        Pool::Media => media::workers(process.blobs.clone(), media_settings(&process.config)),
        Pool::Chat => ::chat::workers(&chat::settings(process)?),
        Pool::Outbox => outbox::workers(&chat::outbox_settings(process)?).context("make the clients of pool outbox")?,
        Pool::Credits => credits::workers(&credits::Settings { secret: process.internal_secret() })
            .context("make the client of pool credits")?,
        Pool::Imports => ::imports::workers(process.blobs.clone(), imports::settings(&process.config))
            .context("make the client of pool imports")?,
    })
}

fn media_settings(config: &Config) -> media::Settings {
    media::Settings {
        ffmpeg: config.media.ffmpeg.clone(),
        ffprobe: config.media.ffprobe.clone(),
        max_duration: config.uploads.max_duration,
        probe_deadline: config.media.probe_timeout,
        transcode_deadline: config.media.transcode_timeout,
        loudness_target: config.media.loudness_target,
        uid: config.media.uid,
        concurrency: config.media.concurrency,
    }
}
