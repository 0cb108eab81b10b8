//! A contender's program while it runs, and what it says.

use std::{fs::File, process::Stdio, time::Duration};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

use super::{Scene, contenders::Contender};

/// Who says nothing for so long has stopped working.
const PATIENCE: Duration = Duration::from_secs(120);

/// A line of a program.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// The first handler has begun.
    First,
    /// As many handlers as jobs were expected have begun.
    Ran,
    /// A handler has begun; times are microseconds of one clock.
    Began {
        job: i64,
        at: i64,
    },
    Ended {
        job: i64,
        at: i64,
    },
    Enqueued {
        job: i64,
        sent: i64,
        committed: i64,
    },
    EnqueuingEnded {
        jobs: i64,
        seconds: f64,
    },
}

pub(super) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    name: String,
    /// The longest time between two lines.
    patience: Duration,
}

impl Program {
    pub(super) fn start(
        scene: &Scene<'_>,
        contender: &Contender,
        mode: &str,
        database: &str,
        words: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = contender.command(&scene.places)?;
        let log = scene.places.out.join(format!("{}-{mode}.log", contender.template()));
        let complaints = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        command
            .args([mode, "--database", &scene.cluster.url(database)])
            .args(["--concurrency", &contender.concurrency.to_string()])
            .args(words)
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true);
        if !contender.settings.is_empty() {
            command.args(["--settings", contender.settings]);
        }
        let mut child = command.spawn().with_context(|| format!("start {command:?}"))?;
        let out = child.stdout.take().context("the program's output")?;
        Ok(Self {
            child,
            lines: BufReader::new(out).lines(),
            name: format!("{} {mode}, see {}", contender.name, log.display()),
            patience: PATIENCE,
        })
    }

    /// It will be busy for so long without a word.
    pub(super) fn quiet_for(&mut self, time: Duration) {
        self.patience = PATIENCE + time;
    }

    pub(super) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} has ended", self.name))
    }

    /// What it says next; none when it has ended.
    pub(super) async fn hears(&mut self) -> anyhow::Result<Option<Event>> {
        let line = match timeout(self.patience, self.lines.next_line()).await {
            Ok(line) => line?,
            Err(_) => bail!("{}: not a word for {:?}", self.name, self.patience),
        };
        let Some(line) = line else { return Ok(None) };
        Ok(Some(serde_json::from_str(&line).with_context(|| format!("{}: {line}", self.name))?))
    }

    /// Waits for an event and drops others.
    pub(super) async fn until<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> anyhow::Result<T> {
        loop {
            let Some(event) = self.hears().await? else { bail!("{}: ended before its time", self.name) };
            if let Some(found) = wanted(&event) {
                return Ok(found);
            }
        }
    }

    /// Waits until it ends well.
    pub(super) async fn ends(mut self) -> anyhow::Result<()> {
        while self.hears().await?.is_some() {}
        let status = self.child.wait().await?;
        ensure!(status.success(), "{}: {status}", self.name);
        Ok(())
    }

    /// It has nothing more to do, so there is nothing that it could lose.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
