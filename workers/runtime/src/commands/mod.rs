//! What the binary does when it is called.

mod admin;
mod audit;
mod blobs;
mod config;
mod jobs;
mod keys;
mod memes;
mod ops;
mod queues;

use std::io::{self, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use crate::{
    boot,
    cli::{Cli, Command},
    config::Config,
    console, demo, failpoints,
    lifecycle::Lifecycle,
    roles, telemetry,
};

/// Runs the command to its end, and says on stderr why it failed if it did.
pub async fn run(cli: Cli) -> std::process::ExitCode {
    let is_role = matches!(
        cli.command,
        Command::All | Command::Api | Command::Work { .. } | Command::RunJob { .. } | Command::Simulator { .. }
    );
    let Err(error) = execute(cli.command).await else { return std::process::ExitCode::SUCCESS };
    console::fail(&error, is_role);
    std::process::ExitCode::FAILURE
}

async fn execute(command: Command) -> anyhow::Result<()> {
    failpoints::arm()?;
    match command {
        Command::All => roles::all::run(config_of_server()?, Lifecycle::of_this_process()?).await,
        Command::Api => roles::api::run(config_of_server()?, Lifecycle::of_this_process()?).await,
        Command::Work { pools, platform } => {
            roles::work::run(config_of_server()?, &pools, platform, Lifecycle::of_this_process()?).await
        }
        Command::Jobs(command) => jobs::run(command).await,
        Command::Queues(command) => queues::run(command).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Audit { json } => audit::run(json).await,
        Command::Blobs(command) => blobs::run(command).await,
        Command::Memes(command) => memes::run(command).await,
        Command::Demo { base_url } => demo::run(&base_url).await,
        Command::Simulator { port, identity_port, vkvideo_port } => {
            telemetry::init("info");
            roles::chat::run_simulator(port, identity_port, vkvideo_port, Lifecycle::of_this_process()?).await
        }
        Command::RunJob { id, token } => {
            roles::work::run_job(config_of_role()?, id, token, Lifecycle::of_this_process()?).await
        }
        Command::Migrate => {
            let connected = boot::connect(&Config::from_env()?, "migrate", false, boot::Patience::None).await?;
            boot::migrate(&connected.pool).await?;
            print("the database is up to date\n")
        }
        Command::Openapi => print(&api::spec_yaml()),
        Command::Config { check: true, json } => config::check(json),
        Command::Config { check: false, json } => config::config(json),
    }
}

/// The same, of one that an operator starts, who hears once what is in doubt.
fn config_of_server() -> anyhow::Result<Config> {
    let config = config_of_role()?;
    for doubt in config.doubts() {
        tracing::warn!("{doubt}");
    }
    Ok(config)
}

/// The settings of a process that stays, which logs from here on.
fn config_of_role() -> anyhow::Result<Config> {
    let config = Config::from_env().inspect_err(|_| telemetry::init("info"))?;
    telemetry::init(&config.process.log_level);
    Ok(config)
}

fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // `memalerts openapi | head` is not an error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value).context("write as JSON")? + "\n"))
}
