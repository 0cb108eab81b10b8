//! The promise to clients: the OpenAPI document, made from the code that answers.
//!
//! The framework describes what operations take and what they answer when all is well. What they fail with
//! (`problems/promised.rs`) is added here: a response a status, whose examples are named after the closed set of its
//! `errorCode`s.

use std::{collections::BTreeMap, fmt::Write as _};

use poem::http::Method;
use poem_openapi::{LicenseObject, OpenApi, OpenApiService, types::ToJSON};
use serde_json::json;
use serde_yaml_ng::{Mapping, Value};

use crate::{
    app::Environment,
    auth::scopes,
    budgets, paging,
    problem::ErrorCode,
    problems::promised::{self, Form},
    routes,
};

const PROBLEM: &str = "application/problem+json";

/// The document as JSON, the same bytes that `/openapi.json` serves.
#[must_use]
pub fn spec_json() -> String {
    json_of(&document())
}

/// The document as YAML, the same bytes that `openapi.yaml` holds.
#[must_use]
#[allow(clippy::expect_used, reason = "every test that makes the document runs it")]
pub fn spec_yaml() -> String {
    quoted(&serde_yaml_ng::to_string(&document()).expect("what was read can be written"))
}

/// With quotes around what readers of YAML 1.1, as many generators of clients are, take for a switch instead of a word.
fn quoted(yaml: &str) -> String {
    let mut whole = String::with_capacity(yaml.len());
    for line in yaml.lines() {
        let found = line.rsplit_once(' ').filter(|(before, _)| before.ends_with([':', '-']));
        match found {
            Some((before, word)) if SWITCHES.iter().any(|switch| word.eq_ignore_ascii_case(switch)) => {
                let _ = writeln!(whole, "{before} '{word}'");
            }
            _ => {
                let _ = writeln!(whole, "{line}");
            }
        }
    }
    whole
}

/// Words that YAML 1.1 reads as true or false, and YAML 1.2 as words.
const SWITCHES: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];

/// The page that shows the document, on a dev machine with what is there only.
pub(crate) fn page(environment: Environment) -> String {
    let service = service();
    let mut document = document();
    if environment == Environment::Dev {
        for (path, operations) in members(&mut yaml(&routes::dev::operations())) {
            document["paths"][path] = operations.clone();
        }
    }
    // The framework makes the page for its own half of the document only, which stands in it as it is.
    service.swagger_ui_html().replace(&service.spec(), &json_of(&document))
}

/// All operations with the document's head.
pub(crate) fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(routes::all(), "MemAlerts", env!("CARGO_PKG_VERSION"))
        .description(
            "Memes on stream: viewers pay coins, OBS plays, chat bots answer.\n\nLog in, open a channel, activate a meme, watch it play. Errors are `application/problem+json` with an \
             `errorCode`; each operation lists its own as examples, and answers with no others. Sessions come as a cookie or as `Authorization: Bearer`. Paid actions take an \
             `Idempotency-Key`: repeating a request with the same key gives the first answer again; while the first one is still being worked on, its twins \
             wait for the answer, for 5 s at most (409 `REQUEST_IN_FLIGHT`). How much you may ask is \
             in `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` of each answer; 429 says when to come again.",
        )
        .license(LicenseObject::new("MIT"))
}

#[allow(clippy::expect_used, reason = "every test that makes the document runs it")]
fn json_of(document: &Value) -> String {
    serde_json::to_string_pretty(document).expect("all keys are strings")
}

/// The whole document.
#[allow(clippy::expect_used, reason = "every test that makes the document runs it")]
fn document() -> Value {
    let mut document: Value = serde_yaml_ng::from_str(&service().spec_yaml()).expect("the framework writes YAML");
    let mut examples = BTreeMap::new();
    for (path, operations) in members(&mut document["paths"]) {
        for (method, operation) in members(operations) {
            admit(&method, &path, operation);
            let parameters = operation.get_mut("parameters").and_then(Value::as_sequence_mut);
            parameters.into_iter().flatten().for_each(shape);
            promise(&method, &path, operation, &mut examples);
        }
    }
    document["components"]["examples"] =
        Value::Mapping(examples.into_iter().map(|(name, example)| (name.into(), example)).collect());
    allow_null(&mut document);
    close(&mut document);
    bound(&mut document);
    document
}

/// Says of whole numbers what their format means here, which no standard knows.
fn bound(value: &mut Value) {
    match value {
        Value::Mapping(mapping) => {
            let most = match mapping.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(Some(u64::from(u8::MAX))),
                Some("uint16") => Some(Some(u64::from(u16::MAX))),
                Some("uint32") => Some(Some(u64::from(u32::MAX))),
                Some("uint64") => Some(None),
                _ => None,
            };
            if let Some(most) = most {
                mapping.entry("minimum".into()).or_insert(0.into());
                if let Some(most) = most {
                    mapping.entry("maximum".into()).or_insert(most.into());
                }
            }
            mapping.values_mut().for_each(bound);
        }
        Value::Sequence(values) => values.iter_mut().for_each(bound),
        _ => {}
    }
}

/// What clients send has no other fields than those that are named (`explain` refuses them). What is answered may have more
/// one day.
fn close(document: &mut Value) {
    let mut sent = Vec::new();
    for (_, operations) in members(&mut document["paths"]) {
        for (_, operation) in members(operations) {
            references(&operation["requestBody"], &mut sent);
        }
    }
    let schemas = &mut document["components"]["schemas"];
    with_all_below(schemas, &mut sent);
    for (_, schema) in members(schemas).filter(|(name, _)| sent.contains(name)) {
        if schema["properties"].is_mapping() && schema["additionalProperties"].is_null() {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// In what clients send, `null` says the same as leaving a field out, which the framework knows but does not write down.
fn allow_null(document: &mut Value) {
    let named = |operations: &mut Value, part: &str| {
        let mut names = Vec::new();
        for (_, operation) in members(operations) {
            references(&operation[part], &mut names);
        }
        names
    };
    let (mut sent, mut answered) = (Vec::new(), Vec::new());
    for (_, operations) in members(&mut document["paths"]) {
        sent.extend(named(operations, "requestBody"));
        answered.extend(named(operations, "responses"));
    }
    let schemas = &mut document["components"]["schemas"];
    with_all_below(schemas, &mut sent);
    with_all_below(schemas, &mut answered);
    let all = schemas.clone();
    for (name, schema) in members(schemas) {
        if answered.contains(&name) || !sent.contains(&name) {
            continue;
        }
        let required: Vec<Value> = schema["required"].as_sequence().cloned().unwrap_or_default();
        let fields = schema.get_mut("properties").map(members);
        for (field, of) in fields.into_iter().flatten() {
            if required.contains(&field.into()) {
                continue;
            }
            // Beside a reference, OpenAPI 3.0 reads nothing: what it refers to stands here itself.
            let mut names = Vec::new();
            references(of, &mut names);
            if let [name] = &names[..]
                && !of["$ref"].is_null()
            {
                *of = all[name.as_str()].clone();
            }
            if let Some(words) = of.get_mut("enum").and_then(Value::as_sequence_mut) {
                words.push(Value::Null);
            }
            of["nullable"] = true.into();
        }
    }
}

/// The names of the schemas that are referred to in there.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Mapping(mapping) => {
            let reference = mapping.get("$ref").and_then(Value::as_str);
            names.extend(reference.and_then(|path| path.strip_prefix("#/components/schemas/")).map(str::to_owned));
            mapping.values().for_each(|value| references(value, names));
        }
        Value::Sequence(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// Adds the names of what the named schemas are made of.
fn with_all_below(schemas: &Value, names: &mut Vec<String>) {
    let mut seen = 0;
    while seen < names.len() {
        let mut below = Vec::new();
        references(&schemas[names[seen].as_str()], &mut below);
        below.retain(|name| !names.contains(name));
        names.extend(below);
        seen += 1;
    }
}

/// What the framework cannot be told about parameters that many operations take.
fn shape(parameter: &mut Value) {
    let more = match parameter["name"].as_str() {
        Some("limit") => json!({ "minimum": 1, "maximum": paging::MOST }),
        Some("offset") => json!({ "minimum": 0, "maximum": i32::MAX }),
        Some("Idempotency-Key") => json!({ "pattern": "^[!-~]{1,128}$" }),
        Some("redirect_to") => {
            json!({ "minLength": 1, "maxLength": 2048, "pattern": r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$" })
        }
        _ => return,
    };
    for (name, value) in members(&mut yaml(&more)) {
        // An operation's own bounds are narrower.
        if parameter["schema"][name.as_str()].is_null() {
            parameter["schema"][name.as_str()] = value.clone();
        }
    }
}

/// Adds whom the operation serves and what a token must have for it, and says aloud that one needs no session where it
/// needs none.
fn admit(method: &str, path: &str, operation: &mut Value) {
    let Some(asker) = promised::asker(operation["operationId"].as_str().unwrap_or_default()) else { return };
    operation["x-asker"] = asker.as_str().into();
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default();
    if let Some(scope) = scopes::of_operation(&method, path) {
        operation["x-scopes"] = Value::Sequence(vec![scope.as_str().into()]);
    }
    if asker.acts_on_a_channel() {
        let channel = json!({
            "name": "channel", "in": "query", "required": false,
            "schema": { "type": "string", "pattern": "^[A-Za-z0-9_]{1,50}$" },
            "description": "The slug of a channel in whose team you are; without it, your own channel is meant.",
        });
        match operation["parameters"].as_sequence_mut() {
            Some(parameters) => parameters.push(yaml(&channel)),
            None => operation["parameters"] = Value::Sequence(vec![yaml(&channel)]),
        }
    }
    if operation["security"].is_null() {
        operation["security"] = Value::Sequence(Vec::new());
    }
}

/// Adds what the operation fails with, and the examples of it.
fn promise(method: &str, path: &str, operation: &mut Value, examples: &mut BTreeMap<String, Value>) {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default();
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let form = Form {
        parameters: operation["parameters"].is_sequence(),
        body: operation["requestBody"]["content"].get("application/json; charset=utf-8").is_some(),
        changes: method != Method::GET,
        budgeted: budgets::of_operation(&method, path).is_some(),
    };
    // An operation without a line is the test's matter, not the system's.
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in promised::of(&name, form).unwrap_or_default() {
        by_status.entry(promised::meaning(code).0).or_default().push(code);
    }
    for (status, codes) in by_status {
        let says_when = matches!(status, 429 | 503) || codes.contains(&ErrorCode::RequestInFlight);
        let mut references = Mapping::new();
        for code in codes {
            let wire = code.to_json_string().trim_matches('"').to_owned();
            let reference = format!("#/components/examples/{wire}");
            references.insert(wire.as_str().into(), yaml(&json!({ "$ref": reference })));
            examples.entry(wire.clone()).or_insert_with(|| example(code, &wire));
        }
        let response = &mut operation["responses"][status.to_string()];
        if response.is_null() {
            response["description"] = words(status).into();
            response["content"][PROBLEM]["schema"]["$ref"] = "#/components/schemas/ProblemBody".into();
        }
        response["content"][PROBLEM]["examples"] = Value::Mapping(references);
        if says_when {
            response["headers"]["Retry-After"] = yaml(&json!({
                "description": "Seconds after which it is worth another try.",
                "schema": { "type": "integer" },
            }));
        }
    }
    // By status, as the framework has its own.
    let mut responses: Vec<(Value, Value)> =
        operation["responses"].as_mapping_mut().map(std::mem::take).unwrap_or_default().into_iter().collect();
    responses.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
    operation["responses"] = Value::Mapping(responses.into_iter().collect());
}

/// A whole body with this code.
fn example(code: ErrorCode, wire: &str) -> Value {
    let (status, detail) = promised::meaning(code);
    let title = poem::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut body = json!({
        "type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "/the/path",
        "errorCode": wire, "error": detail, "requestId": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    match code {
        ErrorCode::InsufficientCoins => (body["balance"], body["needed"]) = (json!(40), json!(100)),
        ErrorCode::VideoTooLong => body["submissionId"] = json!("01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee"),
        _ => {}
    }
    yaml(&json!({ "value": body }))
}

/// What a status means here.
const fn words(status: u16) -> &'static str {
    match status {
        400 => "The request is not of the form that the operation takes; `detail` says what and where.",
        401 => "No session or token, or one that is no longer good.",
        402 => "The wallet does not hold enough coins.",
        403 => "Not with this session, or not from where the request comes.",
        404 => "No such thing, or not yours.",
        408 => "The body stopped halfway, or comes too slowly.",
        409 => "What is there now does not allow it.",
        411 => "The body does not say how long it is.",
        413 => "The body, or what is in it, is larger or longer than allowed.",
        414 => "The address is longer than allowed.",
        415 => "The body is not of the content type that the operation takes.",
        416 => "The range is beyond the end.",
        422 => "Understood, but it cannot be done.",
        429 => "Too many requests; `Retry-After` says when to come again.",
        503 => "Not right now; try again.",
        _ => "Something broke on our side; `requestId` names it in the logs.",
    }
}

#[allow(clippy::expect_used, reason = "every test that makes the document runs it")]
fn yaml(json: &serde_json::Value) -> Value {
    serde_yaml_ng::to_value(json).expect("JSON is YAML")
}

fn members(value: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let mapping = value.as_mapping_mut().into_iter().flatten();
    mapping.map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_older_yaml_takes_for_switches_stand_in_quotes_and_nothing_else_is_changed() {
        assert_eq!(
            quoted("a:\n- off\n- b: No\n- offer\ny: on\nx: is off\n"),
            "a:\n- 'off'\n- b: 'No'\n- offer\ny: 'on'\nx: is off\n"
        );
        let written = spec_yaml();
        assert!(written.contains("- 'off'\n"), "what is done about a message");
        let read: Value = serde_yaml_ng::from_str(&written).unwrap();
        assert!(read == document(), "the document is another one in quotes");
    }
}
