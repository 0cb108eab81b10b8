//! Roles that the settings give people, where the platform's own are not there or not to be relied on.

use std::collections::HashMap;

use serde::Deserialize;

/// `VKVIDEO_ROLE_STUBS_JSON`: by channel (its id or its name there), by person (`login:` with the name in small letters, or
/// `user:` with the id there), the ids of roles: `{"lotasbro":{"login:lotas":["role:vip"],"user:123456":["role:moderator"]}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct RoleStubs(HashMap<String, HashMap<String, Vec<String>>>);

impl RoleStubs {
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(json: &str) -> Result<Self, String> {
        let stubs: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        for (channel, people) in &stubs.0 {
            for person in people.keys() {
                let known = person.split_once(':').is_some_and(|(kind, name)| {
                    kind == "user" && !name.is_empty()
                        || kind == "login" && !name.is_empty() && name == name.to_lowercase()
                });
                if !known {
                    return Err(format!(
                        "{channel}: {person:?} is neither login:<name in small letters> nor user:<id>"
                    ));
                }
            }
        }
        Ok(stubs)
    }

    /// Of the person with this name (any case) and id in the channel with this id and name.
    pub(super) fn of(&self, channel: [&str; 2], login: &str, id: &str) -> Vec<String> {
        let names = [format!("login:{}", login.to_lowercase()), format!("user:{id}")];
        let people = channel.into_iter().filter_map(|channel| self.0.get(channel));
        people.flat_map(|people| names.iter().filter_map(|name| people.get(name))).flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_their_name_or_their_id_in_their_channel() {
        let stubs = r#"{ "lotasbro": { "login:lotas": ["role:moderator", "role:vip"], "login:friend1": ["role:vip"],
                                       "user:123456": ["role:moderator"] } }"#;
        let stubs = RoleStubs::parse(stubs).unwrap();
        assert_eq!(stubs.of(["4242", "lotasbro"], "Lotas", "1"), ["role:moderator", "role:vip"]);
        assert_eq!(stubs.of(["lotasbro", "x"], "anna", "123456"), ["role:moderator"]);
        assert_eq!(stubs.of(["4242", "other"], "lotas", "123456"), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (wrong, why) in [
            ("{", "EOF"),
            (r#"{"a":{"login:B":[]}}"#, "login:B"),
            (r#"{"a":{"b":[]}}"#, "neither"),
            (r#"{"a":{"user:":[]}}"#, "neither"),
            (r#"{"a":["b"]}"#, "invalid type"),
        ] {
            let told = RoleStubs::parse(wrong).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
    }
}
