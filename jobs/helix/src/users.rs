//! Accounts and channels.

use serde::Deserialize;
use time::OffsetDateTime;
use webapi::Ask;

use crate::{Caller, Helix, HelixError};

/// Of one question.
const AT_ONCE: usize = 100;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    pub id: String,
    /// Lower case.
    pub login: String,
    #[serde(default)]
    pub display_name: String,
    /// `affiliate`, `partner` or nothing.
    #[serde(default)]
    pub broadcaster_type: String,
}

#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) pagination: Pagination,
}

#[derive(Default, Deserialize)]
pub(crate) struct Pagination {
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

#[derive(Deserialize)]
struct Follower {
    #[serde(with = "time::serde::rfc3339")]
    followed_at: OffsetDateTime,
}

impl Helix {
    /// Those of these logins that there are.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn users(&self, caller: Caller<'_>, logins: &[String]) -> Result<Vec<User>, HelixError> {
        let mut users = Vec::with_capacity(logins.len());
        for some in logins.chunks(AT_ONCE) {
            let ask = Ask::get("/users", some.iter().map(|login| ("login", login.clone())).collect());
            users.extend(self.ask::<Page<User>>(caller, &ask).await?.data);
        }
        Ok(users)
    }

    /// The account with this id.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn user(&self, caller: Caller<'_>, id: &str) -> Result<Option<User>, HelixError> {
        let ask = Ask::get("/users", vec![("id", id.to_owned())]);
        Ok(self.ask::<Page<User>>(caller, &ask).await?.data.pop())
    }

    /// Since when the person follows the channel; none when not. Needs `moderator:read:followers` of the caller.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn followed_since(
        &self,
        caller: Caller<'_>,
        channel: &str,
        person: &str,
    ) -> Result<Option<OffsetDateTime>, HelixError> {
        let query = vec![("broadcaster_id", channel.to_owned()), ("user_id", person.to_owned())];
        let page: Page<Follower> = self.ask(caller, &Ask::get("/channels/followers", query)).await?;
        Ok(page.data.first().map(|follower| follower.followed_at))
    }
}
