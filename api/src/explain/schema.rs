//! Where a value leaves its schema.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{LONGEST, MOST};

/// What is wrong, and in which field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Names and numbers that lead to it, e.g. `items[2].title`; empty for the value itself.
    place: String,
    words: String,
    /// There is no such field.
    unknown: bool,
}

impl Complaint {
    /// `place: words`, where the value itself has this name.
    pub(super) fn told_of(&self, name: &str) -> String {
        format!("{}: {}", self.place_in(name), self.words)
    }

    /// The place, where the value itself has this name.
    pub(super) fn place_in(&self, name: &str) -> String {
        let joint = if name.is_empty() || self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        let place = format!("{name}{joint}{}", self.place);
        if place.is_empty() { "the body".to_owned() } else { place }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }
}

/// The value that a parameter's text stands for.
pub(super) fn typed(registry: &Registry, schema: &MetaSchemaRef, text: &str) -> Value {
    let number = || text.parse::<serde_json::Number>().ok().map(Value::Number);
    let typed = match resolved(registry, schema).map(|schema| schema.ty) {
        Some("integer" | "number") => number(),
        Some("boolean") => text.parse().ok().map(Value::Bool),
        _ => None,
    };
    typed.unwrap_or_else(|| text.into())
}

/// What is wrong with the value, the first 20 of it; fields that the schema does not know come last.
pub(super) fn complaints(registry: &Registry, schema: &MetaSchemaRef, value: &Value) -> Vec<Complaint> {
    let mut judge = Judge { registry, place: String::new(), found: Vec::new() };
    judge.judge(schema, value);
    judge.found.sort_by_key(|complaint| complaint.unknown);
    judge.found
}

fn resolved<'a>(registry: &'a Registry, schema: &'a MetaSchemaRef) -> Option<&'a MetaSchema> {
    match schema {
        MetaSchemaRef::Inline(schema) => Some(schema),
        MetaSchemaRef::Reference(name) => registry.schemas.get(name),
    }
}

struct Judge<'a> {
    registry: &'a Registry,
    /// Of the value that is looked at.
    place: String,
    found: Vec<Complaint>,
}

impl Judge<'_> {
    fn complain(&mut self, words: impl Into<String>) {
        self.found.push(Complaint { place: self.place.clone(), words: words.into(), unknown: false });
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    /// Looks at what stands under this name, or number in brackets.
    fn within(&mut self, part: &str, look: impl FnOnce(&mut Self)) {
        let before = self.place.len();
        if before > 0 && !part.starts_with('[') {
            self.place.push('.');
        }
        self.place.extend(part.chars().take(LONGEST));
        look(self);
        self.place.truncate(before);
    }

    fn judge(&mut self, schema: &MetaSchemaRef, value: &Value) {
        let Some(schema) = resolved(self.registry, schema) else { return };
        if self.is_full() || schema.nullable && value.is_null() {
            return;
        }
        schema.all_of.iter().for_each(|part| self.judge(part, value));
        if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
            let allowed: Vec<&str> = schema.enum_items.iter().filter_map(Value::as_str).collect();
            return self.complain(format!("{} is none of {}", shown(value), allowed.join(", ")));
        }
        let words = match schema.ty {
            "string" => text(schema, value),
            "integer" => match value.as_i64() {
                Some(number) => range(schema, number as f64, value),
                None => Some(expected("a whole number", value)),
            },
            "number" => match value.as_f64() {
                Some(number) => range(schema, number, value),
                None => Some(expected("a number", value)),
            },
            "boolean" if !value.is_boolean() => Some(expected("true or false", value)),
            "array" => return self.array(schema, value),
            "object" => return self.object(schema, value),
            _ => None,
        };
        if let Some(words) = words {
            self.complain(words);
        }
    }

    fn array(&mut self, schema: &MetaSchema, value: &Value) {
        let Some(items) = value.as_array() else { return self.complain(expected("a list", value)) };
        if let Some(most) = schema.max_items.filter(|most| items.len() > *most) {
            return self.complain(format!("there are {} of at most {most} items", items.len()));
        }
        let Some(of) = schema.items.as_deref() else { return };
        for (place, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.within(&format!("[{place}]"), |judge| judge.judge(of, item));
        }
    }

    fn object(&mut self, schema: &MetaSchema, value: &Value) {
        let Some(fields) = value.as_object() else { return self.complain(expected("an object", value)) };
        for (name, of) in &schema.properties {
            let required = schema.required.contains(name);
            match fields.get(*name) {
                None if required && !self.is_full() => self.within(name, |judge| judge.complain("it is missing")),
                // Left out, in another way.
                Some(Value::Null) if !required => {}
                Some(value) => self.within(name, |judge| judge.judge(of, value)),
                None => {}
            }
        }
        let known: Vec<&str> = schema.properties.iter().map(|(name, _)| *name).collect();
        for (name, value) in fields.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            if self.is_full() {
                return;
            }
            match &schema.additional_properties {
                Some(of) => self.within(name, |judge| judge.judge(of, value)),
                // One that says nothing of its fields takes any.
                None if known.is_empty() => {}
                None => self.within(name, |judge| {
                    let words = format!("there is no such field; there are {}", known.join(", "));
                    judge.found.push(Complaint { place: judge.place.clone(), words, unknown: true });
                }),
            }
        }
    }
}

fn text(schema: &MetaSchema, value: &Value) -> Option<String> {
    let Some(text) = value.as_str() else { return Some(expected("a text", value)) };
    let length = text.chars().count();
    if let Some(most) = schema.max_length.filter(|most| length > *most) {
        return Some(format!("it has {length} characters, at most {most} are allowed"));
    }
    if let Some(least) = schema.min_length.filter(|least| length < *least) {
        return Some(format!("it has {length} characters, at least {least} are needed"));
    }
    match schema.format {
        Some("uuid") if text.parse::<Uuid>().is_err() => {
            Some(expected("an id such as 01a1fc55-e97f-7272-9a0b-3ed5ef258b15", value))
        }
        Some("date-time") if OffsetDateTime::parse(text, &Rfc3339).is_err() => {
            Some(expected("a time such as 2026-11-21T05:17:56Z", value))
        }
        _ => None,
    }
}

/// By the bounds that are written down, else by those of the format.
fn range(schema: &MetaSchema, number: f64, value: &Value) -> Option<String> {
    let (least, most) = match schema.format {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("uint8") => (0.0, u8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("uint16") => (0.0, u16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint32") => (0.0, u32::MAX.into()),
        Some("uint64") => (0.0, f64::INFINITY),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    let (least, most) = (schema.minimum.unwrap_or(least), schema.maximum.unwrap_or(most));
    if (least..=most).contains(&number) {
        return None;
    }
    Some(match (least.is_finite(), most.is_finite()) {
        (true, false) => format!("{value} is less than {least}"),
        (false, true) => format!("{value} is more than {most}"),
        _ => format!("{value} is not between {least} and {most}"),
    })
}

fn expected(what: &str, value: &Value) -> String {
    format!("{what} is expected, not {}", shown(value))
}

/// The value, if it is short enough to be shown; else what it is.
fn shown(value: &Value) -> String {
    let written = value.to_string();
    match value {
        _ if written.len() <= LONGEST => written,
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        _ => "a long text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::{Enum, Object, types::Type};
    use serde_json::json;

    use super::*;

    #[derive(Debug, Object)]
    #[oai(rename_all = "camelCase", deny_unknown_fields)]
    struct Order {
        id: Uuid,
        small_count: Option<i16>,
        #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
        stars: Option<i64>,
        #[oai(validator(minimum(value = "0")))]
        coins: Option<i64>,
        lines: Option<Vec<Line>>,
        notes: Option<std::collections::HashMap<String, String>>,
    }

    #[derive(Debug, Object)]
    #[oai(deny_unknown_fields)]
    struct Line {
        colour: Colour,
        at: Option<OffsetDateTime>,
    }

    #[derive(Debug, Enum)]
    #[oai(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[test]
    fn names_the_field_what_is_wrong_and_what_is_allowed() {
        let mut registry = Registry::new();
        Order::register(&mut registry);
        let id = "01a1fc55-e97f-7272-9a0b-3ed5ef258b15";
        for (value, told) in [
            (json!({ "id": id, "smallCount": null, "lines": [{ "colour": "red" }] }), None),
            (json!([]), Some("the body: an object is expected, not []")),
            (json!({}), Some("id: it is missing")),
            (json!({ "id": 7 }), Some("id: a text is expected, not 7")),
            (
                json!({ "id": "x" }),
                Some("id: an id such as 01a1fc55-e97f-7272-9a0b-3ed5ef258b15 is expected, not \"x\""),
            ),
            (json!({ "id": id, "smallCount": 1.5 }), Some("smallCount: a whole number is expected, not 1.5")),
            (json!({ "id": id, "smallCount": 40000 }), Some("smallCount: 40000 is not between -32768 and 32767")),
            (json!({ "id": id, "stars": 6 }), Some("stars: 6 is not between 1 and 5")),
            (json!({ "id": id, "coins": -1 }), Some("coins: -1 is less than 0")),
            (json!({ "id": id, "lines": {} }), Some("lines: a list is expected, not {}")),
            (
                json!({ "id": id, "lines": [{ "colour": "red" }, { "colour": "blue" }] }),
                Some("lines[1].colour: \"blue\" is none of red, green"),
            ),
            (
                json!({ "id": id, "lines": [{ "colour": "red", "at": "now" }] }),
                Some("lines[0].at: a time such as 2026-11-21T05:17:56Z is expected, not \"now\""),
            ),
            (
                json!({ "id": id, "lines": [{ "colour": "red", "size": 1 }] }),
                Some("lines[0].size: there is no such field; there are colour, at"),
            ),
            (json!({ "id": id, "notes": { "a": "b", "c": 1 } }), Some("notes.c: a text is expected, not 1")),
            // An unknown field comes after what else is wrong.
            (json!({ "what": 1, "id": id, "stars": "many" }), Some("stars: a whole number is expected, not \"many\"")),
        ] {
            let found = complaints(&registry, &Order::schema_ref(), &value);
            assert_eq!(found.first().map(|complaint| complaint.told_of("")).as_deref(), told, "{value}");
        }
    }

    #[test]
    fn names_all_that_is_wrong_and_what_is_unknown_last_up_to_twenty() {
        let mut registry = Registry::new();
        Order::register(&mut registry);
        let told = |value: &Value| -> Vec<String> {
            complaints(&registry, &Order::schema_ref(), value).iter().map(|complaint| complaint.place_in("")).collect()
        };
        let value = json!({
            "stars": 6, "what": 1, "coins": -1, "lines": [{ "colour": "red" }, { "at": 3, "size": 1 }], "notes": { "c": 1 }
        });
        let all = ["id", "stars", "coins", "lines[1].colour", "lines[1].at", "notes.c", "lines[1].size", "what"];
        assert_eq!(told(&value), all);
        let many: Vec<_> = (0..1000).map(|_| json!({ "colour": 1 })).collect();
        assert_eq!(told(&json!({ "lines": many })).len(), MOST);
        let long = told(&json!({ "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "x".repeat(9000): 1 }));
        assert_eq!(long, ["x".repeat(LONGEST)]);
    }
}
