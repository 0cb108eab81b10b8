//! Tokens for the place where news are told (PLATFORMS 3.6, 7).

use std::collections::HashMap;

use serde::Deserialize;
use webapi::Ask;

use crate::{ApiError, Caller, VkVideo};

#[derive(Deserialize)]
struct Connection {
    token: String,
}

#[derive(Deserialize)]
struct Subscriptions {
    #[serde(default)]
    channel_tokens: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    channel: String,
    token: String,
}

impl VkVideo {
    /// A token for a connection.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn socket_token(&self, caller: Caller<'_>) -> Result<String, ApiError> {
        Ok(self.ask::<Connection>(caller, &Ask::get("/v1/websocket/token", Vec::new())).await?.token)
    }

    /// Tokens for these of a channel's sockets, by their names. One that is not among them is public, or not for us.
    ///
    /// # Errors
    /// VK Video gives no answer.
    pub async fn channel_tokens(
        &self,
        caller: Caller<'_>,
        sockets: &[&str],
    ) -> Result<HashMap<String, String>, ApiError> {
        let ask = Ask::get("/v1/websocket/subscription_token", vec![("channels", sockets.join(","))]);
        let told: Subscriptions = self.ask(caller, &ask).await?;
        Ok(told.channel_tokens.into_iter().map(|told| (told.channel, told.token)).collect())
    }
}
