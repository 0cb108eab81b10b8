//! Two schemas side by side.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use crate::{entries, is_true, list, text};

/// Who writes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The client: it must not be asked for more.
    Sent,
    /// The server: it must not give less.
    Received,
}

/// Where references lead.
#[derive(Debug)]
pub(crate) struct Documents<'a> {
    pub(crate) old: &'a Value,
    pub(crate) new: &'a Value,
}

/// Adds what breaks between the schemas at `label`.
pub(crate) fn compare(
    documents: &Documents<'_>,
    direction: Direction,
    label: &str,
    old: &Value,
    new: &Value,
    found: &mut Vec<String>,
) {
    let mut walk = Walk { documents, direction, label, seen: BTreeSet::new(), found };
    walk.schemas("", old, new);
}

struct Walk<'a> {
    documents: &'a Documents<'a>,
    direction: Direction,
    label: &'a str,
    /// References that were followed: schemas may hold themselves.
    seen: BTreeSet<(String, String)>,
    found: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn schemas(&mut self, at: &str, old: &Value, new: &Value) {
        let (old, new) = (plain(old), plain(new));
        let references = (text(&old["$ref"]).to_owned(), text(&new["$ref"]).to_owned());
        if old.get("$ref").is_some() && new.get("$ref").is_some() && !self.seen.insert(references) {
            return;
        }
        let (old, new) = (follow(self.documents.old, old), follow(self.documents.new, new));
        let (before, after) = (text(&old["type"]), text(&new["type"]));
        if before != after {
            self.tell(at, &format!("was {before}, is {after}"));
            return;
        }
        let loosened = is_true(&new["nullable"]) && !is_true(&old["nullable"]);
        let tightened = is_true(&old["nullable"]) && !is_true(&new["nullable"]);
        match self.direction {
            Direction::Received if loosened => self.tell(at, "may be null now"),
            Direction::Sent if tightened => self.tell(at, "may not be null any more"),
            _ => {}
        }
        if self.direction == Direction::Sent {
            for value in list(&old["enum"]).iter().filter(|value| !list(&new["enum"]).contains(value)) {
                self.tell(at, &format!("does not take {} any more", text(value)));
            }
        }
        self.properties(at, old, new);
        if old.get("items").is_some() {
            self.schemas(&format!("{at}[]"), &old["items"], &new["items"]);
        }
        for several in ["allOf", "anyOf", "oneOf"] {
            let (before, after) = (list(&old[several]), list(&new[several]));
            for (before, after) in before.iter().zip(after) {
                self.schemas(at, before, after);
            }
            if before.len() > after.len() {
                self.tell(at, &format!("has fewer choices in {several}"));
            }
        }
    }

    fn properties(&mut self, at: &str, old: &Value, new: &Value) {
        let requires = |schema: &Value, name: &str| list(&schema["required"]).iter().any(|required| required == name);
        let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        for (name, before) in entries(&old["properties"]) {
            match new["properties"].get(name) {
                None => self.tell(&below(name), "is gone"),
                Some(after) => {
                    if self.direction == Direction::Received && requires(old, name) && !requires(new, name) {
                        self.tell(&below(name), "may be absent now");
                    }
                    self.schemas(&below(name), before, after);
                }
            }
        }
        if self.direction == Direction::Sent {
            for (name, _) in entries(&new["properties"]) {
                if requires(new, name) && !requires(old, name) {
                    self.tell(&below(name), "is required now");
                }
            }
        }
    }

    fn tell(&mut self, at: &str, what: &str) {
        let at = if at.is_empty() { String::new() } else { format!("{at} ") };
        self.found.push(format!("{}: {at}{what}", self.label));
    }
}

/// The reference alone, where `allOf` only puts words beside it: the same to every client.
fn plain(schema: &Value) -> &Value {
    let (references, others): (Vec<_>, Vec<_>) =
        list(&schema["allOf"]).iter().partition(|part| part.get("$ref").is_some());
    let says_more = others.iter().flat_map(|other| entries(other)).any(|(key, _)| key != "description");
    match references[..] {
        [only] if !says_more => only,
        _ => schema,
    }
}

/// The schema that a reference means.
fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(path) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/")) else {
        return schema;
    };
    path.split('/').fold(document, |value, key| &value[key])
}
