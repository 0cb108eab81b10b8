//! The figures as a table for people and as JSON for programs.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::machine::Machine;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    taken: String,
    quick: bool,
    machine: Machine,
    sections: Vec<Section>,
}

/// One kind of figures.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    targets: Vec<Target>,
    /// Everything that was measured, before medians.
    detail: Value,
}

/// A promise, and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    name: &'static str,
    measured: f64,
    limit: f64,
    unit: &'static str,
    at_least: bool,
    holds: bool,
}

impl Target {
    pub(crate) fn at_least(name: &'static str, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { name, measured, limit, unit, at_least: true, holds: measured >= limit }
    }

    pub(crate) fn at_most(name: &'static str, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { name, measured, limit, unit, at_least: false, holds: measured <= limit }
    }
}

impl Section {
    pub(crate) fn new(title: String) -> Self {
        Self {
            title,
            columns: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            targets: Vec::new(),
            detail: Value::Null,
        }
    }

    pub(crate) fn columns(&mut self, columns: &[&'static str]) {
        self.columns = columns.to_vec();
    }

    pub(crate) fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn target(&mut self, target: Target) {
        self.targets.push(target);
    }

    pub(crate) fn detail(&mut self, detail: impl Serialize) {
        self.detail = serde_json::to_value(detail).unwrap_or_default();
    }
}

impl Report {
    pub(crate) fn new(machine: Machine, quick: bool) -> Self {
        let taken = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        Self { taken, quick, machine, sections: Vec::new() }
    }

    /// Shows the figures, and keeps them for the file.
    #[expect(clippy::print_stdout, reason = "the figures are the program's output")]
    pub(crate) fn tell(&mut self, section: Section) {
        println!("\n{section}");
        self.sections.push(section);
    }

    /// Whether all targets are reached; short rounds prove nothing and are not judged.
    pub(crate) fn holds(&self) -> bool {
        self.quick || self.sections.iter().flat_map(|section| &section.targets).all(|target| target.holds)
    }

    /// Writes `report.json` into the folder.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join("report.json");
        std::fs::write(&path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        let head: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|it| it.chars().count()).max();
        for line in &lines {
            write!(f, "\n ")?;
            for (column, cell) in line.iter().enumerate() {
                let width = width(column).unwrap_or(0);
                if column == 0 {
                    write!(f, " {cell:<width$}")?;
                } else {
                    write!(f, "  {cell:>width$}")?;
                }
            }
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        for target in &self.targets {
            let verdict = if target.holds { "holds " } else { "MISSED" };
            let bound = if target.at_least { "at least" } else { "at most" };
            write!(
                f,
                "\n  {verdict}  {}: {:.2} {unit}, {bound} {:.2} {unit}",
                target.name,
                target.measured,
                target.limit,
                unit = target.unit
            )?;
        }
        Ok(())
    }
}
