//! Lists of what people did: who follows, and what was redeemed.

use serde::Deserialize;
use time::OffsetDateTime;
use webapi::Ask;

use crate::{Caller, Helix, HelixError, users::Page};

/// Somebody who follows a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Follower {
    pub user_id: String,
    #[serde(default)]
    pub user_login: String,
    #[serde(default)]
    pub user_name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub followed_at: OffsetDateTime,
}

/// Something that channel points buy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reward {
    pub id: String,
    #[serde(default)]
    pub title: String,
}

/// That somebody has bought it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Redemption {
    pub id: String,
    pub user_id: String,
    #[serde(default)]
    pub user_login: String,
    #[serde(default)]
    pub user_name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub redeemed_at: OffsetDateTime,
}

/// A page of a list, and the cursor of the next one.
type Listed<T> = (Vec<T>, Option<String>);

/// What became of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedemptionStatus {
    /// Nobody has ended it.
    Unfulfilled,
    /// Done: by hand, or by itself. Twitch shows these for some days.
    Fulfilled,
    /// Given back. Twitch shows these for some days.
    Canceled,
}

impl RedemptionStatus {
    /// As Twitch has it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unfulfilled => "UNFULFILLED",
            Self::Fulfilled => "FULFILLED",
            Self::Canceled => "CANCELED",
        }
    }
}

impl Helix {
    /// Who follows the channel, the newest first; a page of a hundred. Needs `moderator:read:followers` of the caller.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn followers(
        &self,
        caller: Caller<'_>,
        channel: &str,
        after: Option<String>,
    ) -> Result<Listed<Follower>, HelixError> {
        let query = vec![("broadcaster_id", channel.to_owned()), ("first", "100".to_owned())];
        self.page(caller, "/channels/followers", query, after).await
    }

    /// Rewards of the channel that this application has made. Needs `channel:read:redemptions` of the channel's account.
    ///
    /// # Errors
    /// Twitch gives no answer, or the channel can have no rewards.
    pub async fn own_rewards(&self, caller: Caller<'_>, channel: &str) -> Result<Vec<Reward>, HelixError> {
        let query = vec![("broadcaster_id", channel.to_owned()), ("only_manageable_rewards", "true".to_owned())];
        let page: Page<Reward> = self.ask(caller, &Ask::get("/channel_points/custom_rewards", query)).await?;
        Ok(page.data)
    }

    /// Redemptions of a reward with this status, the newest first; a page of fifty. Needs the same.
    ///
    /// # Errors
    /// Twitch gives no answer.
    pub async fn redemptions(
        &self,
        caller: Caller<'_>,
        channel: &str,
        reward: &str,
        status: RedemptionStatus,
        after: Option<String>,
    ) -> Result<Listed<Redemption>, HelixError> {
        let query = vec![
            ("broadcaster_id", channel.to_owned()),
            ("reward_id", reward.to_owned()),
            ("status", status.as_str().to_owned()),
            ("sort", "NEWEST".to_owned()),
            ("first", "50".to_owned()),
        ];
        self.page(caller, "/channel_points/custom_rewards/redemptions", query, after).await
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        caller: Caller<'_>,
        path: &'static str,
        mut query: Vec<(&'static str, String)>,
        after: Option<String>,
    ) -> Result<Listed<T>, HelixError> {
        query.extend(after.map(|cursor| ("after", cursor)));
        let page: Page<T> = self.ask(caller, &Ask::get(path, query)).await?;
        Ok((page.data, page.pagination.cursor.filter(|cursor| !cursor.is_empty())))
    }
}
