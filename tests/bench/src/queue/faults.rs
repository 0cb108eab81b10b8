//! `make peers-faults`: what becomes of jobs when processes and the server are broken, ours and the two queues that a
//! program in Rust would take instead. Cases run side by side, each on a database of its own; what restarts the server
//! runs at the end, one by one. `tests/bench/README.md` says how each figure is taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use contender::now;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    sync::mpsc,
    time::timeout,
};

use super::{
    Places,
    contenders::{Contender, IN_TROUBLE},
    program::Event,
};
use crate::{
    cluster::Cluster,
    report::{Report, Section},
};

/// Longer than the orphans of any of them wait.
const PATIENCE: Duration = Duration::from_secs(330);
/// Until a process that was started works for sure.
const SETTLED: Duration = Duration::from_secs(3);
/// Slots of a process where none shall be short.
const JOBS: &str = "16";
/// A supervisor's pause before it starts a process again.
const RESTART: Duration = Duration::from_millis(50);
const POISON_TIME: Duration = Duration::from_secs(320);
const BACKOFF_TIME: Duration = Duration::from_secs(40);
/// What may take after the server is back.
const BACK: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these cases
    #[arg(long, value_enum, value_delimiter = ',', default_value = "killed,joined,poison,backoff,server")]
    cases: Vec<Case>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    /// F1 and F2
    Killed,
    /// A second process starts
    Joined,
    Poison,
    Backoff,
    /// F7
    Server,
}

impl Options {
    /// The case, if it is wanted.
    async fn run(
        &self,
        case: Case,
        section: impl Future<Output = anyhow::Result<Section>>,
    ) -> anyhow::Result<Option<Section>> {
        if self.cases.contains(&case) { section.await.map(Some) } else { Ok(None) }
    }
}

struct Scene<'a> {
    cluster: &'a Cluster,
    places: Places,
}

pub(crate) async fn measure(
    options: &Options,
    cluster: &Cluster,
    root: &Path,
    target: &Path,
    report: &mut Report,
) -> anyhow::Result<PathBuf> {
    let out = target.join("peers-faults");
    std::fs::create_dir_all(&out)?;
    let places =
        Places { peers: root.join("tests/peers"), built: target.join("peers"), node: "node".into(), out: out.clone() };
    let scene = Scene { cluster, places };
    let mut about =
        Section::new("Contenders, with their settings as they come; each runs four jobs at once".to_owned());
    about.columns(&["", "version"]);
    for contender in &IN_TROUBLE {
        about.row(vec![contender.name.to_owned(), contender.version(&scene.places.peers)?]);
        about.note(format!("{}: {}", contender.name, contender.told));
        cluster.create(&contender.template()).await?;
        Trial::at(&scene, contender, "prepare", contender.settings, contender.template()).run("prepare", &[]).await?;
    }
    report.tell(about);
    let (elsewhere, again, renamed, joined, poison, backoff) = tokio::try_join!(
        options.run(Case::Killed, killed(&scene, Then::Another)),
        options.run(Case::Killed, killed(&scene, Then::SameName)),
        options.run(Case::Killed, killed(&scene, Then::OtherName)),
        options.run(Case::Joined, joined(&scene)),
        options.run(Case::Poison, poison(&scene)),
        options.run(Case::Backoff, backoff(&scene)),
    )?;
    let fast = options.run(Case::Server, struck(&scene, "fast", Signal::SIGINT)).await?;
    let immediate = options.run(Case::Server, struck(&scene, "immediate", Signal::SIGQUIT)).await?;
    for section in [elsewhere, again, renamed, joined, poison, backoff, fast, immediate].into_iter().flatten() {
        report.tell(section);
    }
    Ok(out)
}

/// What a process said.
#[derive(Debug, Clone, Copy)]
enum What {
    Began(i64),
    Ended(i64),
    /// It is no more.
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    process: usize,
    /// Microseconds.
    at: i64,
    what: What,
}

impl Said {
    fn job(&self) -> Option<i64> {
        match self.what {
            What::Began(job) | What::Ended(job) => Some(job),
            What::Gone => None,
        }
    }
}

/// One contender in one case: its database, its processes, and what they said.
struct Trial<'a> {
    scene: &'a Scene<'a>,
    contender: &'static Contender,
    settings: &'static str,
    case: String,
    database: String,
    processes: Vec<Child>,
    heard: mpsc::UnboundedReceiver<Said>,
    tell: mpsc::UnboundedSender<Said>,
    log: Vec<Said>,
}

impl<'a> Trial<'a> {
    /// `settings` instead of the contender's own, where there are any.
    async fn new(
        scene: &'a Scene<'a>,
        contender: &'static Contender,
        case: &str,
        settings: &'static str,
    ) -> anyhow::Result<Self> {
        let settings = if settings.is_empty() { contender.settings } else { settings };
        let database = format!("{}_{case}_{}", contender.template(), settings.replace('-', "_"));
        scene.cluster.copy(&contender.template(), &database).await?;
        Ok(Self::at(scene, contender, case, settings, database))
    }

    fn at(
        scene: &'a Scene<'a>,
        contender: &'static Contender,
        case: &str,
        settings: &'static str,
        database: String,
    ) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let (case, processes, log) = (case.to_owned(), Vec::new(), Vec::new());
        Self { scene, contender, settings, case, database, processes, heard, tell, log }
    }

    fn command(&self, mode: &str, words: &[&str]) -> anyhow::Result<tokio::process::Command> {
        let mut command = self.contender.command(&self.scene.places)?;
        let name = format!("{}-{}-{}.log", self.contender.template(), self.case, self.settings);
        let complaints = File::options().create(true).append(true).open(self.scene.places.out.join(name))?;
        command
            .args([mode, "--database", &self.scene.cluster.url(&self.database), "--settings", self.settings])
            .args(words)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Runs the program to its end.
    async fn run(&self, mode: &str, words: &[&str]) -> anyhow::Result<()> {
        let status = self.command(mode, words)?.stdout(Stdio::null()).status().await?;
        anyhow::ensure!(status.success(), "{} {mode}: {status}", self.contender.name);
        Ok(())
    }

    async fn enqueue(&self, jobs: i64) -> anyhow::Result<()> {
        self.run("enqueue", &["--most", &jobs.to_string(), "--seconds", "60"]).await
    }

    /// Starts a process that works; its number.
    fn start(&mut self, name: &str, slots: &str, words: &[&str]) -> anyhow::Result<usize> {
        let mut all = vec!["--name", name, "--concurrency", slots, "--tell"];
        all.extend(words);
        let mut child = self.command("work", &all)?.spawn().context("start a contender")?;
        let (process, tell) = (self.processes.len(), self.tell.clone());
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let (at, what) = match serde_json::from_str(&line) {
                    Ok(Event::Began { job, at }) => (at, What::Began(job)),
                    Ok(Event::Ended { job, at }) => (at, What::Ended(job)),
                    _ => continue,
                };
                // Nobody listens any more: the trial is over.
                let _ = tell.send(Said { process, at, what });
            }
            let _ = tell.send(Said { process, at: now(), what: What::Gone });
        });
        self.processes.push(child);
        Ok(process)
    }

    /// `kill -9`; when.
    async fn kill(&mut self, process: usize) -> anyhow::Result<i64> {
        let at = now();
        self.processes[process].kill().await?;
        Ok(at)
    }

    fn lives(&mut self, process: usize) -> bool {
        matches!(self.processes[process].try_wait(), Ok(None))
    }

    /// Listens until it is so, or for this long.
    async fn until(&mut self, limit: Duration, so: impl Fn(&Self) -> bool) -> bool {
        let listening = async {
            while !so(self) {
                match self.heard.recv().await {
                    Some(said) => self.log.push(said),
                    None => return false,
                }
            }
            true
        };
        timeout(limit, listening).await.unwrap_or(false)
    }

    /// Begins of each job: by whom, and when.
    fn begun(&self) -> BTreeMap<i64, Vec<Said>> {
        let mut begun: BTreeMap<i64, Vec<Said>> = BTreeMap::new();
        for said in &self.log {
            if let What::Began(job) = said.what {
                begun.entry(job).or_default().push(*said);
            }
        }
        begun
    }

    /// Ends of each job.
    fn ended(&self) -> BTreeMap<i64, usize> {
        let mut ended = BTreeMap::new();
        for said in &self.log {
            if let What::Ended(job) = said.what {
                *ended.entry(job).or_insert(0) += 1;
            }
        }
        ended
    }

    fn last_end(&self) -> Option<i64> {
        self.log.iter().filter(|said| matches!(said.what, What::Ended(_))).map(|said| said.at).max()
    }

    /// Runs that came to an end, beyond one a job.
    fn doubled(&self) -> usize {
        self.ended().values().map(|ends| ends - 1).sum()
    }

    /// How many of its jobs are in which state, in its own words.
    async fn states(&self) -> anyhow::Result<String> {
        let mut connection = self.scene.cluster.options(&self.database).connect().await?;
        let rows = connection.fetch_all(AssertSqlSafe(self.contender.states().to_owned())).await?;
        connection.close().await?;
        let told = rows.iter().map(|row| Ok(format!("{} {}", row.try_get::<i64, _>(1)?, row.try_get::<String, _>(0)?)));
        Ok(told.collect::<anyhow::Result<Vec<_>>>()?.join(", "))
    }

    /// Ends its processes.
    async fn over(mut self) -> anyhow::Result<()> {
        for child in &mut self.processes {
            child.kill().await?;
        }
        Ok(())
    }
}

fn seconds(micros: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time of minutes")]
    let seconds = micros as f64 / 1e6;
    format!("{seconds:.2} s")
}

fn since(begin: i64, end: Option<i64>) -> String {
    end.map_or_else(|| format!("not within {} s", PATIENCE.as_secs()), |end| seconds(end - begin))
}

/// One trial a contender, side by side.
macro_rules! each {
    ($run:expr) => {{
        let (ours, postgres, sql) = tokio::try_join!($run(&IN_TROUBLE[0]), $run(&IN_TROUBLE[1]), $run(&IN_TROUBLE[2]))?;
        [ours, postgres, sql]
    }};
}

/// Who takes the jobs of a process that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Another,
    SameName,
    OtherName,
}

/// F1 and F2.
async fn killed(scene: &Scene<'_>, then: Then) -> anyhow::Result<Section> {
    let (case, title) = match then {
        Then::Another => ("another", "F1: kill -9 of one of two processes in the middle of its jobs; it stays away"),
        Then::SameName => ("same", "F2: kill -9, started again after 50 ms under the same name"),
        Then::OtherName => ("other", "F2: kill -9, started again after 50 ms under another name"),
    };
    let mut section = Section::new(title.to_owned());
    section.columns(&[
        "",
        "killed in",
        "all of them begun again after",
        "all 16 jobs done after",
        "never done",
        "done twice",
    ]);
    let rows = each!(async |contender| {
        let mut trial = Trial::new(scene, contender, case, "").await?;
        let words = ["--takes-ms", "4000"];
        let first = trial.start("a", JOBS, &words)?;
        let second = if then == Then::Another { Some(trial.start("b", JOBS, &words)?) } else { None };
        tokio::time::sleep(SETTLED).await;
        trial.enqueue(16).await?;
        trial.until(Duration::from_secs(2), |_| false).await;
        let of = |process| trial.log.iter().filter(|said| said.process == process).count();
        // Of two, the one that has more.
        let victim = second.filter(|second| of(*second) > of(first)).unwrap_or(first);
        let began = |said: &Said| said.process == victim && matches!(said.what, What::Began(_));
        let victims = trial.log.iter().filter(|said| began(said)).filter_map(Said::job).collect::<BTreeSet<_>>();
        anyhow::ensure!(!victims.is_empty(), "{} does not work", contender.name);
        let at = trial.kill(victim).await?;
        match then {
            Then::Another => {}
            Then::SameName | Then::OtherName => {
                tokio::time::sleep(RESTART).await;
                trial.start(if then == Then::SameName { "a" } else { "b" }, JOBS, &words)?;
            }
        }
        trial.until(PATIENCE, |trial| trial.ended().len() == 16).await;
        let begun = trial.begun();
        let again = |job: &i64| begun[job].iter().find(|said| said.at > at).map(|said| said.at);
        let again: Option<Vec<i64>> = victims.iter().map(again).collect();
        let done = trial.ended().len();
        let row = vec![
            contender.name.to_owned(),
            format!("{} jobs", victims.len()),
            since(at, again.and_then(|times| times.into_iter().max())),
            since(at, trial.last_end().filter(|_| done == 16)),
            (16 - done).to_string(),
            trial.doubled().to_string(),
        ];
        trial.over().await?;
        anyhow::Ok(row)
    });
    rows.into_iter().for_each(|row| section.row(row));
    Ok(section)
}

/// Nothing is broken: a second process is started, as in every deployment.
async fn joined(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let mut section = Section::new("A second process starts while the first works".to_owned());
    section.columns(&["", "jobs that ran then", "begun again by the second", "done twice"]);
    let rows = each!(async |contender| {
        let mut trial = Trial::new(scene, contender, "joined", "").await?;
        let words = ["--takes-ms", "5000"];
        trial.start("a", "4", &words)?;
        tokio::time::sleep(SETTLED).await;
        trial.enqueue(4).await?;
        let begun = trial.until(SETTLED * 5, |trial| trial.begun().len() == 4).await;
        anyhow::ensure!(begun, "{} does not work", contender.name);
        trial.start("b", "4", &words)?;
        trial.until(Duration::from_secs(20), |_| false).await;
        let twice = trial.begun().values().filter(|by| by.len() > 1).count();
        let row = vec![contender.name.to_owned(), "4".to_owned(), twice.to_string(), trial.doubled().to_string()];
        trial.over().await?;
        anyhow::Ok(row)
    });
    rows.into_iter().for_each(|row| section.row(row));
    Ok(section)
}

async fn poison(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let mut section = Section::new(format!(
        "A job that kills its process each time, with seven neighbours; the process is started again after 50 ms under a new name, for {} s",
        POISON_TIME.as_secs()
    ));
    section.columns(&[
        "",
        "runs of the poison",
        "deaths of the process",
        "neighbours done",
        "done twice",
        "at the end",
    ]);
    section.note(
        "the peers with an orphan time of 10 s here instead of 300 s, so that they come round often enough".to_owned(),
    );
    let rows = each!(async |contender: &'static Contender| {
        let settings = if contender.settings.is_empty() { "" } else { "manual-impatient" };
        let mut trial = Trial::new(scene, contender, "poison", settings).await?;
        trial.enqueue(8).await?;
        let words = ["--takes-ms", "500", "--poison", "0"];
        let end = tokio::time::Instant::now() + POISON_TIME;
        let mut process = trial.start("p", "4", &words)?;
        let mut deaths = 0;
        while let Some(left) = end.checked_duration_since(tokio::time::Instant::now()) {
            let gone = |trial: &Trial<'_>| {
                trial.log.iter().any(|said| said.process == process && matches!(said.what, What::Gone))
            };
            if trial.until(left, gone).await {
                deaths += 1;
                tokio::time::sleep(RESTART).await;
                process = trial.start(&format!("p{deaths}"), "4", &words)?;
            }
        }
        let row = vec![
            contender.name.to_owned(),
            trial.begun().get(&0).map_or(0, Vec::len).to_string(),
            deaths.to_string(),
            format!("{} of 7", trial.ended().len()),
            trial.doubled().to_string(),
            trial.states().await?,
        ];
        trial.over().await?;
        anyhow::Ok(row)
    });
    rows.into_iter().for_each(|row| section.row(row));
    Ok(section)
}

async fn backoff(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let mut section =
        Section::new(format!("A job that fails each time, and one behind it; one slot, {} s", BACKOFF_TIME.as_secs()));
    section.columns(&["", "runs", "begun at", "the other one waited", "at the end"]);
    section.note("with layer: the retry layer of apalis with three retries and the same waits as ours".to_owned());
    let failing = async |contender: &'static Contender, settings: &'static str| {
        let mut trial = Trial::new(scene, contender, "backoff", settings).await?;
        // Far enough apart that nobody takes the second one first.
        trial.run("enqueue", &["--most", "2", "--rate", "0.5", "--seconds", "60"]).await?;
        trial.start("a", "1", &["--takes-ms", "0", "--fails", "0"])?;
        trial.until(BACKOFF_TIME, |_| false).await;
        let begun = trial.begun();
        let first = begun.get(&0).and_then(|by| by.first()).map_or(0, |said| said.at);
        let times: Vec<String> = begun.get(&0).into_iter().flatten().map(|said| seconds(said.at - first)).collect();
        let shown = if times.len() > 6 {
            format!("{} ... {}", times[..3].join(", "), times[times.len() - 1])
        } else {
            times.join(", ")
        };
        let other = begun.get(&1).map_or_else(|| "not run".to_owned(), |by| seconds((by[0].at - first).max(0)));
        let layer = if settings.is_empty() { "" } else { ", with layer" };
        let name = format!("{}{layer}", contender.name);
        let row = vec![name, times.len().to_string(), shown, other, trial.states().await?];
        trial.over().await?;
        anyhow::Ok(row)
    };
    let (ours, plain, layered, old, old_layered) = tokio::try_join!(
        failing(&IN_TROUBLE[0], ""),
        failing(&IN_TROUBLE[1], ""),
        failing(&IN_TROUBLE[1], "manual-retry"),
        failing(&IN_TROUBLE[2], ""),
        failing(&IN_TROUBLE[2], "manual-retry"),
    )?;
    for row in [ours, plain, layered, old, old_layered] {
        section.row(row);
    }
    Ok(section)
}

/// F7, one contender after another.
async fn struck(scene: &Scene<'_>, mode: &str, signal: Signal) -> anyhow::Result<Section> {
    let mut section =
        Section::new(format!("F7: PostgreSQL is restarted ({mode}) under 60 jobs of 250 ms, four at once"));
    section.columns(&[
        "",
        "server away",
        "process",
        "begins again after its return",
        "done",
        "done twice",
        "at the end",
    ]);
    for contender in &IN_TROUBLE {
        let mut trial = Trial::new(scene, contender, &format!("struck_{mode}"), "").await?;
        let process = trial.start("a", "4", &["--takes-ms", "250"])?;
        tokio::time::sleep(SETTLED).await;
        trial.enqueue(60).await?;
        anyhow::ensure!(trial.until(BACK, |trial| trial.ended().len() >= 12).await, "{} does not work", contender.name);
        let server = scene.cluster.pid()?;
        let struck = now();
        kill(Pid::from_raw(i32::try_from(server)?), signal)?;
        let back = loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let pong = async { scene.cluster.options("postgres").connect().await?.ping().await };
            if scene.cluster.pid().is_ok_and(|pid| pid != server)
                && let Ok(Ok(())) = timeout(Duration::from_secs(1), pong).await
            {
                break now();
            }
        };
        trial.until(BACK, |trial| trial.ended().len() == 60).await;
        // What ended last is on its way to the database.
        trial.until(Duration::from_secs(2), |_| false).await;
        let next = trial
            .log
            .iter()
            .filter(|said| said.at >= back && matches!(said.what, What::Began(_)))
            .map(|said| said.at)
            .min();
        let lives = if trial.lives(process) { "lives" } else { "ended" };
        section.row(vec![
            contender.name.to_owned(),
            seconds(back - struck),
            lives.to_owned(),
            next.map_or_else(|| format!("not within {} s", BACK.as_secs()), |next| seconds(next - back)),
            format!("{} of 60", trial.ended().len()),
            trial.doubled().to_string(),
            trial.states().await?,
        ]);
        trial.over().await?;
    }
    Ok(section)
}
