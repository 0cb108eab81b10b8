//! Every job is handled once, named once, and listed in jobs/README.md with its policy.

use std::{collections::BTreeMap, time::Duration};

use harness::{Pool, TestApp};
use queue::Kind;
use runtime::roles::work;
use syn::visit::Visit;

use super::source;

/// Collects `NAME` of every `impl Job for ...` in a file.
#[derive(Default)]
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let is_job = item
            .trait_
            .as_ref()
            .is_some_and(|(_, path, _)| path.segments.last().is_some_and(|last| last.ident == "Job"));
        for part in item.items.iter().filter(|_| is_job) {
            if let syn::ImplItem::Const(constant) = part
                && constant.ident == "NAME"
                && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &constant.expr
            {
                self.0.push(name.value());
            }
        }
    }
}

/// What the pools of the program run.
async fn handled() -> Vec<Kind> {
    let app = TestApp::builder().pools(&[]).start().await;
    Pool::ALL.iter().flat_map(|pool| work::workers(&app.process, *pool).unwrap().kinds()).collect()
}

#[tokio::test]
async fn every_job_is_named_once_and_handled_once() {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in source::files("jobs/domain/src", "rs") {
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(&text).unwrap());
        names.0.into_iter().for_each(|name| declared.entry(name).or_default().push(path.clone()));
    }
    let kinds = handled().await;
    let mut violations = Vec::new();
    for (name, places) in &declared {
        let handlers = kinds.iter().filter(|kind| kind.name == name).count();
        if places.len() > 1 {
            violations.push(format!("{name} is declared in {places:?}"));
        }
        if handlers != 1 {
            violations.push(format!("{name} ({}) has {handlers} handlers", places[0]));
        }
    }
    let stray = kinds.iter().filter(|kind| !declared.contains_key(kind.name));
    violations.extend(stray.map(|kind| format!("{} is handled by {} but declared by no noun", kind.name, kind.pool)));
    source::none("A job is declared in a noun's jobs.rs and handled by one pool.", &violations);
}

#[tokio::test]
async fn the_table_of_jobs_says_what_the_program_does() {
    let mut kinds = handled().await;
    kinds.sort_by_key(|kind| kind.name);
    let expected: Vec<String> = kinds
        .iter()
        .map(|kind| {
            let (retry, span) = (kind.retry, span);
            let (base, cap, timeout) = (span(retry.base), span(retry.cap), span(kind.timeout));
            format!("| `{}` | {} | {} | {base} | {cap} | {timeout} |", kind.name, kind.pool, retry.attempts)
        })
        .collect();
    let readme = source::read("jobs/README.md");
    let table = readme.split("## The table of all jobs").nth(1).expect("the section").split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let missing = expected.iter().filter(|row| !rows.iter().any(|line| line.starts_with(row.as_str())));
    let stale = rows.iter().filter(|line| !expected.iter().any(|row| line.starts_with(row.as_str())));
    let violations: Vec<String> =
        missing.map(|row| format!("add     {row} |")).chain(stale.map(|row| format!("remove  {row}"))).collect();
    source::none("jobs/README.md, the table of all jobs:", &violations);
}

/// As people write it: `500 ms`, `30 s`, `5 min`, `1 h`.
fn span(time: Duration) -> String {
    let (milliseconds, seconds) = (time.as_millis(), time.as_secs());
    match seconds {
        _ if !milliseconds.is_multiple_of(1000) => format!("{milliseconds} ms"),
        hours if hours >= 3600 && hours.is_multiple_of(3600) => format!("{} h", hours / 3600),
        minutes if minutes > 60 && minutes.is_multiple_of(60) => format!("{} min", minutes / 60),
        _ => format!("{seconds} s"),
    }
}

#[tokio::test]
async fn the_list_of_kinds_is_what_the_pools_handle() {
    let mut handled = handled().await;
    handled.sort_by_key(|kind| (kind.pool, kind.name));
    assert_eq!(domain::kinds::all(), handled, "mend jobs/domain/src/kinds.rs");
}
