//! Every metric is listed in workers/runtime/README.md with its type and its labels.

use std::collections::{BTreeMap, BTreeSet};

use super::source;
use crate::metrics::of_a_whole_system;

#[tokio::test]
async fn the_table_of_metrics_says_what_a_whole_system_tells() {
    let text = of_a_whole_system().await;
    let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let types: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, pairs) = series.split_once('{').unwrap_or((series, ""));
        // Of a histogram there are three names.
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix).filter(|name| types.contains_key(name)))
            .unwrap_or(name);
        let pairs = pairs.trim_end_matches('}').split(',').filter_map(|pair| Some(pair.split_once('=')?.0));
        labels.entry(name).or_default().extend(pairs.filter(|label| *label != "le"));
    }
    let expected: Vec<String> = types
        .iter()
        .map(|(name, kind)| {
            let labels = labels[name].iter().copied().collect::<Vec<_>>().join(", ");
            format!("| `{name}` | {kind} | {labels}{}|", if labels.is_empty() { "" } else { " " })
        })
        .collect();
    let readme = source::read("workers/runtime/README.md");
    let table = readme.split("## Metrics").nth(1).expect("the section").split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let missing = expected.iter().filter(|row| !rows.iter().any(|line| line.starts_with(row.as_str())));
    let stale = rows.iter().filter(|line| !expected.iter().any(|row| line.starts_with(row.as_str())));
    let violations: Vec<String> =
        missing.map(|row| format!("add     {row}")).chain(stale.map(|row| format!("remove  {row}"))).collect();
    source::none("workers/runtime/README.md, the table of metrics:", &violations);
}
