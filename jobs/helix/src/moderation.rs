//! What a moderator does.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webapi::Ask;

use crate::{Caller, Helix, HelixError};

impl Helix {
    /// Takes a message out of the channel's chat, as the moderator whose id there is `moderator`. One that is gone is fine.
    /// Needs `moderator:manage:chat_messages`.
    ///
    /// # Errors
    /// Twitch refuses, or gives no answer.
    pub async fn delete_message(
        &self,
        caller: Caller<'_>,
        channel: &str,
        moderator: &str,
        message: &str,
    ) -> Result<(), HelixError> {
        let query = vec![
            ("broadcaster_id", channel.to_owned()),
            ("moderator_id", moderator.to_owned()),
            ("message_id", message.to_owned()),
        ];
        let ask = Ask { method: Method::DELETE, path: "/moderation/chat", query, body: None };
        match self.ask::<Value>(caller, &ask).await {
            Err(HelixError::Refused { status: 404, .. }) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Warns the person (id), who cannot write in the channel before they have read it. Needs `moderator:manage:warnings`.
    ///
    /// # Errors
    /// Twitch refuses, or gives no answer.
    pub async fn warn(
        &self,
        caller: Caller<'_>,
        channel: &str,
        moderator: &str,
        person: &str,
        reason: &str,
    ) -> Result<(), HelixError> {
        let query = vec![("broadcaster_id", channel.to_owned()), ("moderator_id", moderator.to_owned())];
        let body = Some(json!({ "data": { "user_id": person, "reason": reason } }));
        let ask = Ask { method: Method::POST, path: "/moderation/warnings", query, body };
        self.ask::<Value>(caller, &ask).await.map(drop)
    }

    /// Keeps the person (id) out of the channel's chat for so long. Needs `moderator:manage:banned_users`.
    ///
    /// # Errors
    /// Twitch refuses, or gives no answer.
    pub async fn time_out(
        &self,
        caller: Caller<'_>,
        channel: &str,
        moderator: &str,
        person: &str,
        length: Duration,
        reason: &str,
    ) -> Result<(), HelixError> {
        let query = vec![("broadcaster_id", channel.to_owned()), ("moderator_id", moderator.to_owned())];
        let data = json!({ "user_id": person, "duration": length.as_secs().max(1), "reason": reason });
        let body = Some(json!({ "data": data }));
        let ask = Ask { method: Method::POST, path: "/moderation/bans", query, body };
        self.ask::<Value>(caller, &ask).await.map(drop)
    }
}
