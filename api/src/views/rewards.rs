//! Words of coins for what viewers do on platforms.

use domain::{
    channels::Standing,
    rewards::{self, Change, Earned, NewRule, Rule},
};
use poem_openapi::{Enum, Object, types::MaybeUndefined};
use time::OffsetDateTime;
use uuid::Uuid;

use super::promotions::given;

/// Whether a channel may have rewards for channel points on Twitch.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct EligibilityView {
    eligible: bool,
    broadcaster_type: Option<BroadcasterType>,
    reason: Option<IneligibleReason>,
}

/// What a channel is on Twitch, if it is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum BroadcasterType {
    Affiliate,
    Partner,
}

/// Why a channel may not have rewards for channel points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum IneligibleReason {
    TwitchChannelNotLinked,
    NotAffiliateOrPartner,
}

impl EligibilityView {
    /// By how far the channel has come there; none: it has no account there.
    pub(crate) fn of(standing: Option<Standing>) -> Self {
        let (broadcaster_type, reason) = match standing {
            None => (None, Some(IneligibleReason::TwitchChannelNotLinked)),
            Some(Standing::None) => (None, Some(IneligibleReason::NotAffiliateOrPartner)),
            Some(Standing::Affiliate) => (Some(BroadcasterType::Affiliate), None),
            Some(Standing::Partner) => (Some(BroadcasterType::Partner), None),
        };
        Self { eligible: reason.is_none(), broadcaster_type, reason }
    }
}

/// What somebody does on a platform. `twitch_resub_message` counts months, `twitch_gift_sub` gifts, `twitch_cheer` bits,
/// `twitch_raid` viewers; the others count 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum RewardTrigger {
    TwitchChannelPointsRedemption,
    TwitchFollow,
    TwitchSubscribe,
    TwitchResubMessage,
    TwitchGiftSub,
    TwitchCheer,
    TwitchRaid,
    VkvideoChannelPointsRedemption,
}

impl From<RewardTrigger> for rewards::Trigger {
    fn from(trigger: RewardTrigger) -> Self {
        match trigger {
            RewardTrigger::TwitchChannelPointsRedemption => Self::TwitchChannelPointsRedemption,
            RewardTrigger::TwitchFollow => Self::TwitchFollow,
            RewardTrigger::TwitchSubscribe => Self::TwitchSubscribe,
            RewardTrigger::TwitchResubMessage => Self::TwitchResubMessage,
            RewardTrigger::TwitchGiftSub => Self::TwitchGiftSub,
            RewardTrigger::TwitchCheer => Self::TwitchCheer,
            RewardTrigger::TwitchRaid => Self::TwitchRaid,
            RewardTrigger::VkvideoChannelPointsRedemption => Self::VkvideoChannelPointsRedemption,
        }
    }
}

impl From<rewards::Trigger> for RewardTrigger {
    fn from(trigger: rewards::Trigger) -> Self {
        use rewards::Trigger as T;
        match trigger {
            T::TwitchChannelPointsRedemption => Self::TwitchChannelPointsRedemption,
            T::TwitchFollow => Self::TwitchFollow,
            T::TwitchSubscribe => Self::TwitchSubscribe,
            T::TwitchResubMessage => Self::TwitchResubMessage,
            T::TwitchGiftSub => Self::TwitchGiftSub,
            T::TwitchCheer => Self::TwitchCheer,
            T::TwitchRaid => Self::TwitchRaid,
            T::VkvideoChannelPointsRedemption => Self::VkvideoChannelPointsRedemption,
        }
    }
}

/// What earns how many coins.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct RewardRuleView {
    id: Uuid,
    trigger: RewardTrigger,
    /// Of redemptions: this reward of the platform only; absent: each that has no rule of its own.
    reward_id: Option<String>,
    coins: i64,
    /// The coins are for each so many; absent: for the event, however large.
    per: Option<i64>,
    /// What is smaller earns nothing.
    least: i64,
    enabled: bool,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Rule> for RewardRuleView {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id,
            trigger: rule.trigger.into(),
            reward_id: rule.reward_id,
            coins: rule.coins,
            per: rule.per,
            least: rule.least,
            enabled: rule.enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

/// A rule to be made.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewRewardRule {
    trigger: RewardTrigger,
    /// Of redemptions: the id of the reward there, 1 to 100 characters; each reward when absent.
    reward_id: Option<String>,
    /// 1 to 1000000.
    coins: i64,
    /// 1 to 1000000000: the coins are for each so many; for the event when absent.
    per: Option<i64>,
    /// 1 to 1000000000, 1 when absent: what is smaller earns nothing.
    least: Option<i64>,
    /// True when absent.
    enabled: Option<bool>,
}

impl From<NewRewardRule> for NewRule {
    fn from(view: NewRewardRule) -> Self {
        Self {
            trigger: view.trigger.into(),
            reward_id: view.reward_id,
            coins: view.coins,
            per: view.per,
            least: view.least.unwrap_or(1),
            enabled: view.enabled.unwrap_or(true),
        }
    }
}

/// New values for a rule; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct RewardRulePatch {
    /// 1 to 1000000.
    coins: Option<i64>,
    /// 1 to 1000000000; null for the event, however large.
    per: MaybeUndefined<i64>,
    /// 1 to 1000000000.
    least: Option<i64>,
    enabled: Option<bool>,
}

impl From<RewardRulePatch> for Change {
    fn from(patch: RewardRulePatch) -> Self {
        Self { coins: patch.coins, per: given(patch.per), least: patch.least, enabled: patch.enabled }
    }
}

/// How far it came: `observed` (there was no rule for it), `ignored` (it earns nothing), `eligible` (the coins wait for the
/// person's first login), `claimed` (paid), `failed`.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum RewardStatus {
    Observed,
    Eligible,
    Ignored,
    Claimed,
    Failed,
}

impl From<rewards::Status> for RewardStatus {
    fn from(status: rewards::Status) -> Self {
        match status {
            rewards::Status::Observed => Self::Observed,
            rewards::Status::Eligible => Self::Eligible,
            rewards::Status::Ignored => Self::Ignored,
            rewards::Status::Claimed => Self::Claimed,
            rewards::Status::Failed => Self::Failed,
        }
    }
}

/// What somebody did on a platform, and what came of it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct HappeningView {
    id: Uuid,
    trigger: RewardTrigger,
    /// Of who did it, there.
    provider_user_id: String,
    login: String,
    display_name: String,
    /// Bits, gifts, viewers of a raid, months; 1 where nothing is counted.
    amount: i64,
    reward_id: Option<String>,
    reward_title: Option<String>,
    status: RewardStatus,
    /// Why it earned nothing: `too_few`, `own_channel`, `banned`, `channel_closed`, `refunded`.
    reason: Option<String>,
    /// What it earned; absent for nothing.
    coins: Option<i64>,
    happened_at: OffsetDateTime,
}

impl From<Earned> for HappeningView {
    fn from(earned: Earned) -> Self {
        Self {
            id: earned.id,
            trigger: earned.trigger.into(),
            provider_user_id: earned.account_id,
            login: earned.login,
            display_name: earned.display_name,
            amount: earned.amount,
            reward_id: earned.reward_id,
            reward_title: earned.reward_title,
            status: earned.status.into(),
            reason: earned.reason,
            coins: earned.coins,
            happened_at: earned.happened_at,
        }
    }
}
