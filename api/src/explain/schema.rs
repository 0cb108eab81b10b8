//! Where a value leaves its schema.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// What is wrong, and in which field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Names and numbers that lead to it, e.g. `items[2].title`; empty for the value itself.
    place: String,
    words: String,
}

impl Complaint {
    fn new(words: impl Into<String>) -> Self {
        Self { place: String::new(), words: words.into() }
    }

    fn within(mut self, part: &str) -> Self {
        let joint = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        self.place = format!("{part}{joint}{}", self.place);
        self
    }

    /// `place: words`, where the value itself has this name.
    pub(super) fn told_of(self, name: &str) -> String {
        let told = if name.is_empty() { self } else { self.within(name) };
        let place = if told.place.is_empty() { "the body" } else { &told.place };
        format!("{place}: {}", told.words)
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

/// Whether nothing is wrong with the value; fields that the schema does not know are the framework's matter.
pub(super) fn fits(registry: &Registry, schema: &MetaSchemaRef, value: &Value) -> bool {
    Judge { registry, strict: false }.judge(schema, value).is_none()
}

/// The first thing that is wrong with the value.
pub(super) fn complaint(registry: &Registry, schema: &MetaSchemaRef, value: &Value) -> Option<Complaint> {
    // Not all objects mind fields that they do not know: those are the reason only where there is no other.
    let judge = |strict| Judge { registry, strict }.judge(schema, value);
    judge(false).or_else(|| judge(true))
}

fn resolved<'a>(registry: &'a Registry, schema: &'a MetaSchemaRef) -> Option<&'a MetaSchema> {
    match schema {
        MetaSchemaRef::Inline(schema) => Some(schema),
        MetaSchemaRef::Reference(name) => registry.schemas.get(name),
    }
}

struct Judge<'a> {
    registry: &'a Registry,
    /// Mind unknown fields.
    strict: bool,
}

impl Judge<'_> {
    fn judge(&self, schema: &MetaSchemaRef, value: &Value) -> Option<Complaint> {
        let schema = resolved(self.registry, schema)?;
        if schema.nullable && value.is_null() {
            return None;
        }
        if let Some(complaint) = schema.all_of.iter().find_map(|part| self.judge(part, value)) {
            return Some(complaint);
        }
        if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
            let allowed: Vec<&str> = schema.enum_items.iter().filter_map(Value::as_str).collect();
            return Some(Complaint::new(format!("{} is none of {}", shown(value), allowed.join(", "))));
        }
        match schema.ty {
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
            "array" => self.array(schema, value),
            "object" => self.object(schema, value),
            _ => None,
        }
    }

    fn array(&self, schema: &MetaSchema, value: &Value) -> Option<Complaint> {
        let Some(items) = value.as_array() else { return Some(expected("a list", value)) };
        if let Some(most) = schema.max_items.filter(|most| items.len() > *most) {
            return Some(Complaint::new(format!("there are {} of at most {most} items", items.len())));
        }
        let of = schema.items.as_deref()?;
        let complaint = |(place, item)| Some(self.judge(of, item)?.within(&format!("[{place}]")));
        items.iter().enumerate().find_map(complaint)
    }

    fn object(&self, schema: &MetaSchema, value: &Value) -> Option<Complaint> {
        let Some(fields) = value.as_object() else { return Some(expected("an object", value)) };
        for (name, of) in &schema.properties {
            let required = schema.required.contains(name);
            let complaint = match fields.get(*name) {
                None if required => Some(Complaint::new("it is missing")),
                // Left out, in another way.
                Some(Value::Null) if !required => None,
                Some(value) => self.judge(of, value),
                None => None,
            };
            if let Some(complaint) = complaint {
                return Some(complaint.within(name));
            }
        }
        if let Some(of) = &schema.additional_properties {
            let unnamed = fields.iter().filter(|(name, _)| !schema.properties.iter().any(|(known, _)| known == name));
            let mut complaints = unnamed.filter_map(|(name, value)| Some(self.judge(of, value)?.within(name)));
            if let Some(complaint) = complaints.next() {
                return Some(complaint);
            }
        }
        if !self.strict || schema.additional_properties.is_some() || schema.properties.is_empty() {
            return None;
        }
        let known: Vec<&str> = schema.properties.iter().map(|(name, _)| *name).collect();
        let unknown = fields.keys().find(|name| !known.contains(&name.as_str()))?;
        let words = format!("there is no such field; there are {}", known.join(", "));
        Some(Complaint::new(words).within(unknown))
    }
}

fn text(schema: &MetaSchema, value: &Value) -> Option<Complaint> {
    let Some(text) = value.as_str() else { return Some(expected("a text", value)) };
    let length = text.chars().count();
    if let Some(most) = schema.max_length.filter(|most| length > *most) {
        return Some(Complaint::new(format!("it has {length} characters, at most {most} are allowed")));
    }
    if let Some(least) = schema.min_length.filter(|least| length < *least) {
        return Some(Complaint::new(format!("it has {length} characters, at least {least} are needed")));
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
fn range(schema: &MetaSchema, number: f64, value: &Value) -> Option<Complaint> {
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
    Some(Complaint::new(match (least.is_finite(), most.is_finite()) {
        (true, false) => format!("{value} is less than {least}"),
        (false, true) => format!("{value} is more than {most}"),
        _ => format!("{value} is not between {least} and {most}"),
    }))
}

fn expected(what: &str, value: &Value) -> Complaint {
    Complaint::new(format!("{what} is expected, not {}", shown(value)))
}

/// The value, if it is short enough to be shown; else what it is.
fn shown(value: &Value) -> String {
    let written = value.to_string();
    match value {
        _ if written.len() <= 80 => written,
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
            // An unknown field is not what is wrong while something else is.
            (json!({ "what": 1, "id": id, "stars": "many" }), Some("stars: a whole number is expected, not \"many\"")),
        ] {
            let complaint = complaint(&registry, &Order::schema_ref(), &value).map(|complaint| complaint.told_of(""));
            assert_eq!(complaint.as_deref(), told, "{value}");
        }
    }
}
