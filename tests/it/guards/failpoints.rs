//! Every point at which a process can be killed on order is in the sweep, and chaos names none that is not there.

use std::collections::BTreeSet;

use super::source;
use crate::failpoints;

#[test]
fn every_failpoint_is_swept_and_every_swept_one_exists() {
    let swept: BTreeSet<&str> = failpoints::all().collect();
    let product = source::product();
    let mut there = BTreeSet::new();
    let mut violations = Vec::new();
    for (path, text) in &product {
        for call in text.split("fail_point!(").skip(1) {
            match call.strip_prefix('"').and_then(|call| call.split_once('"')) {
                Some((name, _)) => {
                    there.insert(name);
                }
                None => violations.push(format!("{path}: a failpoint whose name is not written there")),
            }
        }
    }
    violations.extend(there.difference(&swept).map(|name| format!("{name} is in no story")));
    violations.extend(swept.difference(&there).map(|name| format!("{name} is in a story, but not in the code")));
    let chaos = source::files("tests/chaos/src/faults", "rs");
    for (path, text) in &chaos {
        let quoted = text.split('"').skip(1).step_by(2);
        let named = quoted.filter(|text| text.contains("::") && !text.contains([' ', '{']));
        violations.extend(
            named
                .filter(|name| !there.iter().any(|point| is_or_begins(point, name)))
                .map(|name| format!("{path}: there is no {name}")),
        );
    }
    source::none("Each fail_point! is in a sweep of tests/it/failpoints.rs.", &violations);
}

/// `media::remove` stands for `media::remove::before` and `::after`.
fn is_or_begins(point: &str, name: &str) -> bool {
    point.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
