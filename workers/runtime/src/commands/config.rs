//! `memalerts config`: the settings in effect.

use std::io::{self, Write as _};

use super::{print, print_json};
use crate::config::{Config, Setting};

/// One line a variable, as an environment file writes it, behind where the value came from.
pub(super) fn config(json: bool) -> anyhow::Result<()> {
    let settings = Config::settings_from_env()?;
    if json { print_json(&settings) } else { print(&table(&settings)) }
}

/// The same, also of settings with which nothing starts, and then what is in doubt and what is wrong with them.
pub(super) fn check(json: bool) -> anyhow::Result<()> {
    let (settings, doubts, complaints) = Config::check_env();
    if json {
        print_json(&settings)?
    } else {
        print(&table(&settings))?
    }
    for doubt in doubts {
        writeln!(io::stderr(), "in doubt: {doubt}")?;
    }
    match complaints {
        None => Ok(()),
        Some(complaints) => Err(complaints.into()),
    }
}

fn table(settings: &[Setting]) -> String {
    let line = |setting: &Setting| {
        let value = setting.value.as_deref().unwrap_or_default();
        format!("{:<11}  {}={value}\n", setting.source.as_str(), setting.name)
    };
    settings.iter().map(line).collect()
}
