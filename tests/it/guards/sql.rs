//! Where SQL may stand, and which clock it reads.

use super::source;

/// Ways to send SQL, as they look in code.
const SENDS: [&str; 6] = ["query!(", "query_as!(", "query_scalar!(", "query_unchecked!(", "raw_sql(", "QueryBuilder::"];

#[test]
fn sql_stands_in_repo_files_and_in_the_queue_only() {
    let mut violations = Vec::new();
    for (path, text) in source::product() {
        let allowed = path.ends_with("/repo.rs") || path.contains("/repo/") || path.starts_with("jobs/queue/");
        if allowed {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && SENDS.iter().any(|send| line.contains(send)) {
                violations.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    source::none("SQL belongs into the noun's repo.rs (or into crate queue).", &violations);
}

/// Whether `text` reads a clock of PostgreSQL's own.
fn reads_another_clock(text: &str) -> bool {
    let lower = text.to_lowercase();
    let bare_now = lower.match_indices("now()").any(|(at, _)| {
        // `app_now()`, `machine_now()`, `Instant::now()` and `clock.now()` are something else.
        at == 0 || !matches!(lower.as_bytes()[at - 1], b'_' | b':' | b'.' | b'a'..=b'z')
    });
    let others = ["current_timestamp", "current_date", "localtimestamp", "clock_timestamp()", "statement_timestamp()"];
    bare_now || others.iter().any(|clock| lower.contains(clock))
}

#[test]
fn sql_reads_the_clock_by_app_now_only() {
    let code =
        source::product().into_iter().filter(|(path, _)| path.ends_with("repo.rs") || path.starts_with("jobs/queue/"));
    let mut violations = Vec::new();
    for (path, text) in code.chain(source::files("migrations", "sql")) {
        // A clock is defined once, by a function whose body is the machine's.
        let mut defines_a_clock = false;
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start().starts_with("--") || line.trim_start().starts_with("//");
            if line.starts_with("create function app_now()") || line.starts_with("create function machine_now()") {
                defines_a_clock = true;
            } else if !comment && reads_another_clock(line) && !defines_a_clock {
                violations.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
            defines_a_clock &= !line.trim_end().ends_with(';');
        }
    }
    source::none(
        "SQL reads the time by app_now(), which tests move (liveness of machines by machine_now()).",
        &violations,
    );
}

#[test]
fn the_guard_knows_a_clock_when_it_sees_one() {
    for text in ["where at < now()", "default NOW()", "select current_timestamp", "clock_timestamp() > x"] {
        assert!(reads_another_clock(text), "{text}");
    }
    for text in ["where at < app_now()", "Instant::now()", "machine_now()", "clock.now()"] {
        assert!(!reads_another_clock(text), "{text}");
    }
}
