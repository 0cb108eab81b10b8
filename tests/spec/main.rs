//! `spec-diff OLD NEW`: names what in the OpenAPI document NEW breaks clients that were made for OLD.
//!
//! Ends with status 1 if there is anything. What clients send may only be asked for less strictly, what they get may
//! only hold more. Not a break: new operations, new optional inputs, new outputs, new values of an output's enum
//! (`errorCode` grows freely).

#![expect(clippy::print_stdout, reason = "a program of its own")]

mod schema;

use std::{env, fs, process::ExitCode};

use anyhow::{Context as _, bail};
use serde_yaml_ng::Value;

use schema::{Direction, Documents};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [old, new] = &arguments[..] else { bail!("usage: spec-diff OLD NEW") };
    let read = |path: &String| -> anyhow::Result<Value> {
        let text = fs::read_to_string(path).with_context(|| path.clone())?;
        serde_yaml_ng::from_str(&text).with_context(|| path.clone())
    };
    let breaks = breaks(&read(old)?, &read(new)?);
    for line in &breaks {
        println!("{line}");
    }
    Ok(if breaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All breaks, in the order of the old document.
fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let documents = Documents { old, new };
    let mut found = Vec::new();
    for (path, operations) in entries(&old["paths"]) {
        for method in METHODS {
            let Some(before) = operations.get(method) else { continue };
            let name = format!("{} {path}", method.to_uppercase());
            match new["paths"].get(path).and_then(|operations| operations.get(method)) {
                None => found.push(format!("{name}: the operation is gone")),
                Some(after) => operation(&documents, &name, before, after, &mut found),
            }
        }
    }
    found
}

fn operation(documents: &Documents<'_>, name: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    if old["operationId"] != new["operationId"] {
        let (before, after) = (text(&old["operationId"]), text(&new["operationId"]));
        found
            .push(format!("{name}: operationId {before} is now {after}: generated clients name their method after it"));
    }
    if !is_secured(old) && is_secured(new) {
        found.push(format!("{name}: needs a session now"));
    }
    for after in list(&new["parameters"]) {
        let label = format!("{name}, {} parameter {}", text(&after["in"]), text(&after["name"]));
        let before = list(&old["parameters"])
            .iter()
            .find(|before| before["name"] == after["name"] && before["in"] == after["in"]);
        match before {
            None if is_true(&after["required"]) => found.push(format!("{label}: is new and required")),
            None => {}
            Some(before) => {
                if is_true(&after["required"]) && !is_true(&before["required"]) {
                    found.push(format!("{label}: is required now"));
                }
                schema::compare(documents, Direction::Sent, &label, &before["schema"], &after["schema"], found);
            }
        }
    }
    let label = format!("{name}, request body");
    let (before, after) = (&old["requestBody"], &new["requestBody"]);
    if is_true(&after["required"]) && !is_true(&before["required"]) {
        found.push(format!("{label}: is required now"));
    }
    content(documents, Direction::Sent, &label, &before["content"], &after["content"], found);
    for (status, before) in entries(&old["responses"]) {
        let label = format!("{name}, answer {status}");
        match new["responses"].get(status) {
            None if status.starts_with('2') => found.push(format!("{label}: is gone")),
            None => {}
            Some(after) => {
                content(documents, Direction::Received, &label, &before["content"], &after["content"], found)
            }
        }
    }
}

fn content(
    documents: &Documents<'_>,
    direction: Direction,
    label: &str,
    old: &Value,
    new: &Value,
    found: &mut Vec<String>,
) {
    for (kind, before) in entries(old) {
        match new.get(kind) {
            None => found.push(format!("{label}: {kind} is gone")),
            Some(after) => schema::compare(documents, direction, label, &before["schema"], &after["schema"], found),
        }
    }
}

/// Whether some security is declared, and none is not among the choices.
fn is_secured(operation: &Value) -> bool {
    let choices = list(&operation["security"]);
    !choices.is_empty() && choices.iter().all(|choice| choice.as_mapping().is_some_and(|choice| !choice.is_empty()))
}

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("(none)")
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let mapping = value.as_mapping().into_iter().flatten();
    mapping.filter_map(|(key, value)| Some((key.as_str()?, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "
paths:
  /memes/{id}:
    get:
      operationId: getMeme
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Meme' } } } }
    post:
      operationId: changeMeme
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Change' } } } }
      responses: { '204': {} }
components:
  schemas:
    Meme:
      type: object
      required: [id, price]
      properties:
        id: { type: string }
        price: { type: integer }
        kind: { type: string, enum: [video, audio] }
    Change:
      type: object
      properties:
        price: { type: integer }
        kind: { type: string, enum: [video, audio] }
";

    fn changed(from: &str, to: &str) -> Vec<String> {
        assert!(OLD.contains(from), "{from}");
        let parse = |text: &str| serde_yaml_ng::from_str::<Value>(text).unwrap();
        breaks(&parse(OLD), &parse(&OLD.replacen(from, to, 1)))
    }

    #[test]
    fn the_same_document_breaks_nothing() {
        assert_eq!(changed("getMeme", "getMeme"), Vec::<String>::new());
    }

    #[test]
    fn names_what_is_gone() {
        assert_eq!(changed("    get:", "    head:"), ["GET /memes/{id}: the operation is gone"]);
        assert_eq!(changed("id, price]", "id]"), ["GET /memes/{id}, answer 200: price may be absent now"]);
        assert_eq!(changed("        id: { type: string }\n", ""), ["GET /memes/{id}, answer 200: id is gone"]);
    }

    #[test]
    fn what_is_sent_may_not_become_stricter() {
        let stricter =
            changed("    Change:\n      type: object", "    Change:\n      type: object\n      required: [price]");
        assert_eq!(stricter, ["POST /memes/{id}, request body: price is required now"]);
        let narrower = changed(
            "        price: { type: integer }\n        kind: { type: string, enum: [video, audio] }\n",
            "        price: { type: integer }\n        kind: { type: string, enum: [video, audio, gif] }\n",
        );
        assert_eq!(narrower, Vec::<String>::new(), "a new value of an output is no break");
    }

    #[test]
    fn words_beside_a_reference_are_no_change() {
        let plain = "{ $ref: '#/components/schemas/Meme' }";
        let described = format!("{{ description: one, allOf: [{plain}, {{ description: one }}] }}");
        assert_eq!(changed(plain, &described), Vec::<String>::new());
        let narrowed = format!("{{ allOf: [{plain}, {{ required: [kind] }}] }}");
        assert_eq!(changed(plain, &narrowed), ["GET /memes/{id}, answer 200: was object, is (none)"]);
    }

    #[test]
    fn a_type_that_changes_is_a_break_on_both_sides() {
        assert_eq!(
            changed("        price: { type: integer }", "        price: { type: string }"),
            ["GET /memes/{id}, answer 200: price was integer, is string"]
        );
    }
}
