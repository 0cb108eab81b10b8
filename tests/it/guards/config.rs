//! Settings and processes are documented, all of them and nothing else.

use std::collections::BTreeSet;

use domain::identities::Provider;
use identity::Platforms;
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
fn each_platform_to_log_in_with_says_how_it_is_set_up() {
    let text = source::read("api/README.md");
    let missing: Vec<_> = Provider::ALL
        .iter()
        .filter_map(|provider| {
            let [id, secret, url, _] = Platforms::settings(*provider);
            let scopes = Platforms::usual_scopes(*provider);
            // Where no address is usual, there is one to set.
            let url = Platforms::usual_url(*provider).is_empty().then(|| format!("`{url}`"));
            let mut words =
                vec![format!("`{id}`"), format!("`{secret}`"), format!("`PUBLIC_BASE_URL/auth/{provider}/callback`")];
            words.push(if scopes.is_empty() { "| none |".to_owned() } else { format!("| `{scopes}` |") });
            words.extend(url);
            let row = text.lines().find(|line| line.starts_with(&format!("| `{provider}` |")));
            let missing = match row {
                Some(row) => words.into_iter().filter(|word| !row.contains(word.as_str())).collect(),
                None => vec!["its row".to_owned()],
            };
            (!missing.is_empty()).then(|| format!("{provider}: {}", missing.join(", ")))
        })
        .collect();
    source::none(
        "The table in api/README.md has a row for each platform, with settings, address and scopes.",
        &missing,
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
