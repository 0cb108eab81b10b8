//! Rules, and what happened.

use time::OffsetDateTime;
use uuid::Uuid;

use super::RewardError;
use crate::identities::Provider;

/// Coins of one event at most, however many bits somebody throws.
const MOST: i64 = 1_000_000_000;

/// What somebody did on a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Trigger {
    TwitchChannelPointsRedemption,
    TwitchFollow,
    TwitchSubscribe,
    /// Told by who has subscribed for longer.
    TwitchResubMessage,
    TwitchGiftSub,
    TwitchCheer,
    TwitchRaid,
    VkvideoChannelPointsRedemption,
}

impl Trigger {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TwitchChannelPointsRedemption => "twitch_channel_points_redemption",
            Self::TwitchFollow => "twitch_follow",
            Self::TwitchSubscribe => "twitch_subscribe",
            Self::TwitchResubMessage => "twitch_resub_message",
            Self::TwitchGiftSub => "twitch_gift_sub",
            Self::TwitchCheer => "twitch_cheer",
            Self::TwitchRaid => "twitch_raid",
            Self::VkvideoChannelPointsRedemption => "vkvideo_channel_points_redemption",
        }
    }

    #[must_use]
    pub const fn provider(self) -> Provider {
        match self {
            Self::VkvideoChannelPointsRedemption => Provider::VkVideo,
            _ => Provider::Twitch,
        }
    }

    /// Whether a chat and a webhook tell it under ids that have nothing in common.
    pub(super) const fn has_twins(self) -> bool {
        matches!(self, Self::TwitchSubscribe | Self::TwitchGiftSub | Self::TwitchCheer | Self::TwitchRaid)
    }

    /// Whether there is something to count: months, gifts, bits, viewers.
    const fn is_counted(self) -> bool {
        !self.has_rewards() && !matches!(self, Self::TwitchFollow | Self::TwitchSubscribe)
    }

    const fn has_rewards(self) -> bool {
        matches!(self, Self::TwitchChannelPointsRedemption | Self::VkvideoChannelPointsRedemption)
    }
}

/// Who told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldBy {
    Webhook,
    Chat,
    /// Nobody has: it was found on a list of the platform's.
    Poll,
}

impl ToldBy {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Chat => "chat",
            Self::Poll => "poll",
        }
    }
}

/// What a channel gives for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub trigger: Trigger,
    /// Of redemptions: for this reward of the platform only.
    pub reward_id: Option<String>,
    /// 1 to 1 000 000.
    pub coins: i64,
    /// They are for each so many; none: for the event.
    pub per: Option<i64>,
    /// What is smaller earns nothing.
    pub least: i64,
    pub enabled: bool,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl Rule {
    /// Coins for so many; 0 for too few.
    pub(super) fn coins_for(&self, amount: i64) -> i64 {
        if amount < self.least {
            return 0;
        }
        let times = self.per.map_or(1, |per| amount / per.max(1));
        self.coins.saturating_mul(times).clamp(0, MOST)
    }
}

/// A rule to be made.
#[derive(Debug, Clone)]
pub struct NewRule {
    pub trigger: Trigger,
    pub reward_id: Option<String>,
    pub coins: i64,
    pub per: Option<i64>,
    pub least: i64,
    pub enabled: bool,
}

impl NewRule {
    pub(super) fn check(&self) -> Result<(), RewardError> {
        let wrong = |field, allowed| Err(RewardError::Invalid { field, allowed });
        let amounts = 1..=1_000_000_000;
        if !(1..=1_000_000).contains(&self.coins) {
            return wrong("coins", "1 to 1000000");
        }
        if self.per.is_some_and(|per| !amounts.contains(&per)) {
            return wrong("per", "1 to 1000000000");
        }
        if !amounts.contains(&self.least) {
            return wrong("least", "1 to 1000000000");
        }
        let uncounted = |field| wrong(field, "1 for what is not counted: redemptions, follows, subscriptions");
        if !self.trigger.is_counted() && self.per.is_some_and(|per| per > 1) {
            return uncounted("per");
        }
        if !self.trigger.is_counted() && self.least > 1 {
            return uncounted("least");
        }
        match &self.reward_id {
            Some(_) if !self.trigger.has_rewards() => wrong("rewardId", "of redemptions only"),
            Some(id) if !(1..=100).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                wrong("rewardId", "1 to 100 visible ASCII characters")
            }
            _ => Ok(()),
        }
    }
}

/// New values; what is none stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    pub coins: Option<i64>,
    /// `Some(None)`: for the event, however large.
    pub per: Option<Option<i64>>,
    pub least: Option<i64>,
    pub enabled: Option<bool>,
}

/// What somebody did, as the platform told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    pub trigger: Trigger,
    pub told_by: ToldBy,
    /// Of the channel there.
    pub channel_account: String,
    /// The same whenever the same is told; 1 to 300 characters.
    pub event_id: String,
    /// Of who did it.
    pub account_id: String,
    pub login: String,
    pub display_name: String,
    /// Bits, gifts, viewers, months; 1 where nothing is counted.
    pub amount: i64,
    pub reward_id: Option<String>,
    pub reward_title: Option<String>,
    pub happened_at: OffsetDateTime,
}

impl Happening {
    /// Whether it can be kept.
    ///
    /// # Errors
    /// Why nobody can understand it.
    pub fn check(&self) -> Result<(), String> {
        for (name, value, most) in [("event's id", &self.event_id, 300), ("account's id", &self.account_id, 255)] {
            let length = value.chars().count();
            if !(1..=most).contains(&length) {
                return Err(format!("the {name} has {length} characters, not 1 to {most}"));
            }
        }
        if self.amount < 0 { Err(format!("{} is less than nothing", self.amount)) } else { Ok(()) }
    }
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Status {
    /// The channel has no rule for it.
    Observed,
    /// The coins wait for the person's first login.
    Eligible,
    /// It earns nothing.
    Ignored,
    /// Paid.
    Claimed,
    /// It could not be paid.
    Failed,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Eligible => "eligible",
            Self::Ignored => "ignored",
            Self::Claimed => "claimed",
            Self::Failed => "failed",
        }
    }
}

/// What somebody did, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    pub id: Uuid,
    pub trigger: Trigger,
    pub account_id: String,
    pub login: String,
    pub display_name: String,
    pub amount: i64,
    pub reward_id: Option<String>,
    pub reward_title: Option<String>,
    pub status: Status,
    /// Why it earned nothing.
    pub reason: Option<String>,
    pub coins: Option<i64>,
    pub happened_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(coins: i64, per: Option<i64>, least: i64) -> Rule {
        let now = OffsetDateTime::UNIX_EPOCH;
        Rule {
            id: Uuid::nil(),
            channel_id: Uuid::nil(),
            trigger: Trigger::TwitchCheer,
            reward_id: None,
            coins,
            per,
            least,
            enabled: true,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn coins_are_for_the_event_or_for_each_so_many_of_it() {
        for (coins, per, least, amount, earned) in [
            (50, None, 1, 1, 50),
            (50, None, 100, 99, 0),
            (50, None, 100, 5000, 50),
            (5, Some(100), 1, 99, 0),
            (5, Some(100), 1, 250, 10),
            (5, Some(100), 300, 250, 0),
            (1_000_000, Some(1), 1, i64::MAX, 1_000_000_000),
            (5, None, 1, 0, 0),
        ] {
            assert_eq!(rule(coins, per, least).coins_for(amount), earned, "{coins} {per:?} {least} {amount}");
        }
    }
}
