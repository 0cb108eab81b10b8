//! Names that stand twice in one object of JSON: some readers take the first, some the last.

use std::{
    collections::HashSet,
    fmt::{self, Write as _},
};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{LONGEST, MOST};

/// Where such names stand, e.g. `items[2].title`; none in what is no JSON, which is told of elsewhere.
pub(super) fn doubled(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut place = String::new();
    let walk = Walk { place: &mut place, found: &mut found };
    let read = walk.deserialize(&mut serde_json::Deserializer::from_slice(body));
    if read.is_ok() { found } else { Vec::new() }
}

/// Through one value.
struct Walk<'a> {
    /// Of the value; one text for all, as a copy of it for each of many names far down would take long.
    place: &'a mut String,
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        let before = self.place.len();
        loop {
            // Writing into a text does not fail.
            let _ = write!(self.place, "[{number}]");
            let next = items.next_element_seed(Walk { place: &mut *self.place, found: &mut *self.found })?;
            self.place.truncate(before);
            if next.is_none() {
                return Ok(());
            }
            number += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        let before = self.place.len();
        while let Some(name) = fields.next_key::<String>()? {
            if before > 0 {
                self.place.push('.');
            }
            self.place.extend(name.chars().take(LONGEST));
            fields.next_value_seed(Walk { place: &mut *self.place, found: &mut *self.found })?;
            if !names.insert(name) && self.found.len() < MOST && !self.found.contains(self.place) {
                self.found.push(self.place.clone());
            }
            self.place.truncate(before);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_stand_twice_in_one_object() {
        for (body, found) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}"#, vec![]),
            (r#"{"a":1,"a":1}"#, vec!["a"]),
            (r#"{"a":1,"\u0061":2,"a":3}"#, vec!["a"]),
            (r#"{"b":{"x":null,"x":true},"c":[1,{"y":"","z":0.5,"y":-1}],"b":0}"#, vec!["b.x", "c[1].y", "b"]),
            (r#"{"a":1,"a":"#, vec![]),
            ("", vec![]),
        ] {
            assert_eq!(doubled(body.as_bytes()), found, "{body}");
        }
        let many: Vec<_> = (0..100).flat_map(|number| [format!("\"{number}\":0"), format!("\"{number}\":1")]).collect();
        assert_eq!(doubled(format!("{{{}}}", many.join(",")).as_bytes()).len(), MOST);
    }
}
