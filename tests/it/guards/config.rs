//! Settings and processes are documented, all of them and nothing else.

use std::collections::BTreeSet;

use runtime::config::Config;

use super::source;

#[test]
fn every_setting_is_in_the_example_and_every_example_is_a_setting() {
    let text = source::read(".env.example");
    let documented: BTreeSet<&str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.split_once('=')?.0)).collect();
    let dev = [("MEMALERTS_ENV".to_owned(), "dev".to_owned())];
    let settings = Config::settings_from_values(dev).expect("dev needs nothing");
    let read: BTreeSet<&str> = settings.iter().map(|setting| setting.name).collect();
    let missing: Vec<_> =
        read.difference(&documented).map(|name| format!("{name} is read but not documented")).collect();
    let stale: Vec<_> = documented.difference(&read).map(|name| format!("{name} is documented but not read")).collect();
    source::none(
        ".env.example lists exactly the settings that workers/runtime/src/config reads.",
        &[missing, stale].concat(),
    );
}

#[test]
fn the_procfile_runs_every_pool() {
    let text = source::read("Procfile");
    let missing: Vec<_> = harness::Pool::ALL
        .iter()
        .map(|pool| format!("memalerts work {pool}"))
        .filter(|command| !text.lines().any(|line| !line.starts_with('#') && line.contains(command)))
        .collect();
    source::none("The Procfile has a line for each pool.", &missing);
}
