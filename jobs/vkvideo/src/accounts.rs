//! Who we are, and who somebody is in a channel.

use serde::Deserialize;
use webapi::Ask;

use crate::{ApiError, Caller, Slug, VkVideo};

/// The account that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub id: String,
    pub nick: String,
    /// Of its own channels, the first one first; none: it has none.
    pub channels: Vec<Slug>,
}

/// A role that a channel gives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Role {
    pub id: String,
    #[serde(default)]
    pub name: String,
}

/// Somebody in a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Member {
    pub is_owner: bool,
    pub is_moderator: bool,
    pub roles: Vec<Role>,
}

/// Some answers name the channel, some all of them, some both.
#[derive(Deserialize)]
struct CurrentUser {
    user: User,
    #[serde(default)]
    channel: Option<Address>,
    #[serde(default)]
    channels: Vec<Address>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    #[serde(default)]
    nick: String,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct OfMember {
    user: Member,
}

impl From<CurrentUser> for Me {
    fn from(told: CurrentUser) -> Self {
        let mut channels = Vec::new();
        for address in told.channel.into_iter().chain(told.channels) {
            if let Some(slug) = Slug::parse(&address.url)
                && !channels.contains(&slug)
            {
                channels.push(slug);
            }
        }
        Self { id: told.user.id.to_string(), nick: told.user.nick, channels }
    }
}

impl VkVideo {
    /// Who asks, and which channels are theirs.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn me(&self, caller: Caller<'_>) -> Result<Me, ApiError> {
        Ok(self.ask::<CurrentUser>(caller, &Ask::get("/v1/current_user", Vec::new())).await?.into())
    }

    /// What the person (id) is in the channel.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn member(&self, caller: Caller<'_>, channel: &Slug, person: &str) -> Result<Member, ApiError> {
        let query = vec![("channel_url", channel.to_string()), ("user_id", person.to_owned())];
        Ok(self.ask::<OfMember>(caller, &Ask::get("/v1/chat/member", query)).await?.user)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn channels_are_found_wherever_the_answer_has_them() {
        let channels = |told: serde_json::Value| {
            let me = Me::from(serde_json::from_value::<CurrentUser>(told).unwrap());
            assert_eq!((&*me.id, &*me.nick), ("35461580", "user"));
            me.channels.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let user = json!({ "id": 35_461_580, "nick": "user" });
        assert_eq!(channels(json!({ "user": user, "channel": { "url": "mine" } })), ["mine"]);
        let both =
            json!({ "user": user, "channel": { "url": "mine" }, "channels": [{ "url": "mine" }, { "url": "other" }] });
        assert_eq!(channels(both), ["mine", "other"]);
        assert_eq!(channels(json!({ "user": user, "channel": null })), [""; 0]);
        assert_eq!(channels(json!({ "user": user, "channel": { "url": "" } })), [""; 0]);
    }
}
