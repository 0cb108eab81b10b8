//! The report: a line of JSON a round, from which a run that was broken off goes on.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Round {
    pub(crate) fault: String,
    pub(crate) round: u32,
    pub(crate) seed: u64,
    pub(crate) commit: String,
    pub(crate) machine: String,
    pub(crate) detail: String,
    pub(crate) hit: bool,
    pub(crate) recovery_ms: Option<u64>,
    pub(crate) took_ms: u64,
    /// Requests that got an answer that counts.
    pub(crate) answered: u64,
    pub(crate) violations: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Report {
    path: PathBuf,
    rounds: Vec<Round>,
}

impl Report {
    /// With the rounds of earlier runs under this seed.
    pub(crate) fn open(path: &Path, seed: u64) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut rounds = Vec::new();
        for line in text.lines() {
            let round: Round = serde_json::from_str(line).context("the report of an earlier run cannot be read")?;
            if round.seed == seed {
                rounds.push(round);
            }
        }
        Ok(Self { path: path.to_owned(), rounds })
    }

    /// Rounds of the fault that are done.
    pub(crate) fn done(&self, fault: &str) -> u32 {
        self.rounds.iter().filter(|round| round.fault == fault).map(|round| round.round + 1).max().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, round: Round) -> anyhow::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        writeln!(file, "{}", serde_json::to_string(&round)?)?;
        self.rounds.push(round);
        Ok(())
    }

    /// One line a fault, for people.
    pub(crate) fn table(&self, full: &BTreeMap<String, u32>) -> String {
        let mut table = format!(
            "{:<6}{:>8}{:>8}{:>8}{:>12}{:>14}{:>14}{:>12}\n",
            "fault", "rounds", "of", "hit", "answered", "recovery p50", "recovery p99", "violations"
        );
        for (fault, full) in full {
            let rounds: Vec<&Round> = self.rounds.iter().filter(|round| round.fault == *fault).collect();
            let mut recovery: Vec<u64> = rounds.iter().filter_map(|round| round.recovery_ms).collect();
            recovery.sort_unstable();
            let at = |share: f64| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
                let index = ((recovery.len() as f64 * share).ceil() as usize).saturating_sub(1);
                recovery.get(index).map_or("-".to_owned(), |ms| format!("{ms} ms"))
            };
            table.push_str(&format!(
                "{fault:<6}{:>8}{full:>8}{:>8}{:>12}{:>14}{:>14}{:>12}\n",
                rounds.len(),
                rounds.iter().filter(|round| round.hit).count(),
                rounds.iter().map(|round| round.answered).sum::<u64>(),
                at(0.5),
                at(0.99),
                rounds.iter().map(|round| round.violations.len()).sum::<usize>(),
            ));
        }
        table
    }

    pub(crate) fn violations(&self) -> usize {
        self.rounds.iter().map(|round| round.violations.len()).sum()
    }
}
