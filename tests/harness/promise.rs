//! What `openapi.yaml` promises about failures, held against each answer that a story gets.

use std::{fs, path::Path, sync::LazyLock};

use reqwest::{Method, StatusCode};
use serde_json::Value;

/// The document, read once and only by stories in which something fails.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let text = fs::read_to_string(path).expect("openapi.yaml");
    serde_yaml_ng::from_str(&text).expect("openapi.yaml is YAML")
});

/// Fails the story when an operation answers with an error that is not on its list. What the document does not know
/// (the dev login, calls between processes, what the pages load) is not judged.
pub(crate) fn check(method: &Method, path: &str, status: StatusCode, content_type: &str, body: &str) {
    if !status.is_client_error() && !status.is_server_error() {
        return;
    }
    let Some(operation) = operation(&DOCUMENT, method, path) else { return };
    let content = &operation["responses"][status.as_str()]["content"];
    let kind = content_type.split(';').next().unwrap_or_default();
    let answer = format!("{method} {path} answered {status} {body}");
    let promised = content.get(kind);
    let promised = promised.unwrap_or_else(|| panic!("{answer}: openapi.yaml lists no {kind} with this status for it"));
    if kind == "application/problem+json" {
        let problem: Value = serde_json::from_str(body).expect("a problem is JSON");
        let code = problem["errorCode"].as_str().unwrap_or_default();
        assert!(
            promised["examples"].get(code).is_some(),
            "{answer}: openapi.yaml does not list this errorCode for it (api/src/problems/promised.rs)"
        );
    }
}

/// The operation that the path is of. A name outranks a parameter.
fn operation<'a>(document: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let asked: Vec<&str> = path.split('?').next()?.split('/').collect();
    let paths = document["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == asked.len()
            && template.iter().zip(&asked).all(|(part, asked)| part == asked || part.starts_with('{'))
    });
    let (_, operations) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    operations.get(method.as_str().to_lowercase())
}
