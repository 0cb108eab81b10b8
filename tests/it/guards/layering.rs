//! Who may see whom, read from the manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::source;

/// Each crate of the house and those of the house that it may see.
const MAY_SEE: [(&str, &[&str]); 26] = [
    ("queue", &[]),
    // Its tests run on a real server.
    ("blobs", &["test-s3"]),
    ("embedded", &[]),
    ("domain", &["queue"]),
    // Platforms that say who somebody is: for those who log people in, and for those who act there in their name.
    ("identity", &["queue", "domain", "egress"]),
    // The platforms' APIs, in the name of an account or of ourselves: how they are asked, and what.
    ("webapi", &["queue", "domain", "identity"]),
    ("helix", &["domain", "identity", "webapi"]),
    ("vkvideo", &["domain", "identity", "webapi"]),
    ("youtube", &["domain", "identity", "webapi"]),
    // What is asked at addresses that somebody else has named.
    ("egress", &[]),
    ("api", &["queue", "domain", "blobs", "identity", "egress", "vkvideo"]),
    ("dispatch", &["queue", "domain"]),
    ("media", &["queue", "domain", "blobs"]),
    // Twitch's protocol is spoken by those who listen and by those who send.
    ("irc", &[]),
    ("centrifugo", &[]),
    ("chat", &["queue", "domain", "irc", "centrifugo", "vkvideo", "identity"]),
    ("outbox", &["queue", "domain", "identity", "webapi", "helix", "vkvideo", "irc"]),
    ("credits", &["queue", "domain"]),
    ("imports", &["queue", "domain", "blobs", "egress"]),
    (
        "runtime",
        &[
            "queue", "domain", "blobs", "identity", "egress", "helix", "vkvideo", "api", "dispatch", "media", "chat",
            "outbox", "credits", "imports", "embedded", "irc",
        ],
    ),
    ("test-cluster", &["embedded"]),
    ("test-s3", &[]),
    // What a queue says to the bench, ours and others.
    ("contender", &[]),
    // Figures of the whole program, with the database prepared by hand.
    ("bench", &["queue", "domain", "chat", "embedded", "contender"]),
    // Processes of the real binary; the world they live in is made by the domain's commands and judged by its audits, and
    // the simulator of Twitch is the one of pool `chat`.
    ("chaos", &["queue", "domain", "chat", "embedded"]),
    (
        "tests",
        &[
            "queue", "domain", "blobs", "identity", "egress", "helix", "api", "dispatch", "media", "chat", "outbox",
            "credits", "runtime", "test-s3",
        ],
    ),
];

/// Capabilities, and the only crates that have them.
const ONLY: [(&str, &[&str]); 13] = [
    ("poem", &["api"]),
    ("poem-openapi", &["api"]),
    ("jsonwebtoken", &["api", "identity"]),
    ("ffmpeg-sidecar", &["media"]),
    ("zip", &["media", "tests"]),
    ("object_store", &["blobs"]),
    ("s3s", &["test-s3"]),
    ("tokio-tungstenite", &["chat", "centrifugo"]),
    ("lettre", &["outbox"]),
    ("apalis", &["queue"]),
    ("apalis-core", &["queue"]),
    ("clap", &["runtime", "bench", "chaos"]),
    ("anyhow", &["runtime", "embedded", "test-cluster", "tests", "bench", "chaos"]),
];

/// Name and direct dependencies (of all kinds) of each crate.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let manifests = ["api", "jobs", "workers", "tests"].iter().flat_map(|dir| source::files(dir, "toml"));
    let house = |path: &str| path.ends_with("Cargo.toml") && !is_peer(path);
    manifests.filter(|(path, _)| house(path)).map(|(_, text)| parse(&text)).collect()
}

/// Other queues that the bench measures: not of the house, each a workspace of its own.
fn is_peer(path: &str) -> bool {
    path.starts_with("tests/peers/") && source::read(path).contains("[workspace]")
}

fn parse(manifest: &str) -> (String, BTreeSet<String>) {
    let (mut section, mut name, mut dependencies) = ("", String::new(), BTreeSet::new());
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[package]" && line.starts_with("name = ") {
            name = line.split('"').nth(1).unwrap().to_owned();
        } else if section.ends_with("dependencies]") && !line.starts_with('#') && line.contains('=') {
            dependencies.insert(line.split(['.', '=', ' ']).next().unwrap().to_owned());
        }
    }
    (name, dependencies)
}

#[test]
fn crates_see_only_those_that_the_architecture_names() {
    let house: BTreeMap<&str, &[&str]> = MAY_SEE.into_iter().collect();
    let mut violations = Vec::new();
    for (name, dependencies) in crates() {
        let Some(allowed) = house.get(name.as_str()) else {
            violations.push(format!("{name} is new: give it a line in MAY_SEE"));
            continue;
        };
        for seen in dependencies.iter().filter(|seen| house.contains_key(seen.as_str())) {
            if !allowed.contains(&seen.as_str()) {
                violations.push(format!("{name} sees {seen}"));
            }
        }
    }
    source::none(
        "Direction of the crates (README, \"The map\"): go through the domain's commands and jobs.",
        &violations,
    );
}

#[test]
fn capabilities_stay_where_they_belong() {
    let mut violations = Vec::new();
    for (name, dependencies) in crates() {
        for (capability, owners) in ONLY {
            if dependencies.contains(capability) && !owners.contains(&name.as_str()) {
                violations.push(format!("{name} has {capability}, which only {owners:?} may have"));
            }
        }
    }
    source::none("Capabilities show in the manifests.", &violations);
}
