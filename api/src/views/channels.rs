//! Words of channels.

use domain::channels::{self, Channel, Preset, PrioritiesChange, QueuePriorities, SettingsChange};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// How an overlay shows what it gets: one at a time, or several at once.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum OverlayMode {
    Queue,
    Simultaneous,
}

impl From<channels::OverlayMode> for OverlayMode {
    fn from(mode: channels::OverlayMode) -> Self {
        match mode {
            channels::OverlayMode::Queue => Self::Queue,
            channels::OverlayMode::Simultaneous => Self::Simultaneous,
        }
    }
}

impl From<OverlayMode> for channels::OverlayMode {
    fn from(mode: OverlayMode) -> Self {
        match mode {
            OverlayMode::Queue => Self::Queue,
            OverlayMode::Simultaneous => Self::Simultaneous,
        }
    }
}

/// What of that which viewers send in my team looks at before it is a meme: all, that of people of whom nothing was approved
/// before, or only that in which checks have found something.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ReviewMode {
    All,
    NewSenders,
    Flagged,
}

impl From<channels::ReviewMode> for ReviewMode {
    fn from(mode: channels::ReviewMode) -> Self {
        match mode {
            channels::ReviewMode::All => Self::All,
            channels::ReviewMode::NewSenders => Self::NewSenders,
            channels::ReviewMode::Flagged => Self::Flagged,
        }
    }
}

impl From<ReviewMode> for channels::ReviewMode {
    fn from(mode: ReviewMode) -> Self {
        match mode {
            ReviewMode::All => Self::All,
            ReviewMode::NewSenders => Self::NewSenders,
            ReviewMode::Flagged => Self::Flagged,
        }
    }
}

/// What becomes of what viewers want to play while no overlay is connected. `wait`: it waits for one, for two minutes; `refuse`:
/// it is not taken (409 `NO_OVERLAY`); `expire`: its coins come back after ten seconds, in which an overlay may be loaded anew.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum WhenNoOverlay {
    Wait,
    Refuse,
    Expire,
}

impl From<channels::WhenNoOverlay> for WhenNoOverlay {
    fn from(policy: channels::WhenNoOverlay) -> Self {
        match policy {
            channels::WhenNoOverlay::Wait => Self::Wait,
            channels::WhenNoOverlay::Refuse => Self::Refuse,
            channels::WhenNoOverlay::Expire => Self::Expire,
        }
    }
}

impl From<WhenNoOverlay> for channels::WhenNoOverlay {
    fn from(policy: WhenNoOverlay) -> Self {
        match policy {
            WhenNoOverlay::Wait => Self::Wait,
            WhenNoOverlay::Refuse => Self::Refuse,
            WhenNoOverlay::Expire => Self::Expire,
        }
    }
}

/// What plays first, by what asked for it: of two that wait, what has the larger number. What waits already keeps its own.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct QueuePrioritiesView {
    donation: i16,
    redeem: i16,
    chat: i16,
    /// What viewers play for coins, and what I try and repeat.
    coins: i16,
}

impl From<QueuePriorities> for QueuePrioritiesView {
    fn from(QueuePriorities { donation, redeem, chat, coins }: QueuePriorities) -> Self {
        Self { donation, redeem, chat, coins }
    }
}

/// New numbers for some, -100 to 100; what is absent stays.
#[derive(Debug, Default, Object)]
#[oai(example, deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct QueuePrioritiesPatch {
    #[oai(validator(minimum(value = "-100"), maximum(value = "100")))]
    donation: Option<i16>,
    #[oai(validator(minimum(value = "-100"), maximum(value = "100")))]
    redeem: Option<i16>,
    #[oai(validator(minimum(value = "-100"), maximum(value = "100")))]
    chat: Option<i16>,
    #[oai(validator(minimum(value = "-100"), maximum(value = "100")))]
    coins: Option<i16>,
}

impl From<QueuePrioritiesPatch> for PrioritiesChange {
    fn from(QueuePrioritiesPatch { donation, redeem, chat, coins }: QueuePrioritiesPatch) -> Self {
        Self { donation, redeem, chat, coins }
    }
}

/// A channel as everybody may see it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct ChannelView {
    id: Uuid,
    slug: String,
    name: String,
    description: String,
    /// Coins for a meme without a price of its own.
    default_price: i64,
    /// Coins for each second begun of such a meme, on top of that.
    price_per_second: i64,
    /// What subscribers pay less, in per cent, unless a promotion is better.
    subscriber_discount_percent: i32,
    /// False while the streamer takes no new activations.
    accepts_activations: bool,
    /// False while viewers cannot send memes in.
    accepts_submissions: bool,
    /// Coins for whoever sent in what is approved.
    submission_reward_coins: i64,
    created_at: OffsetDateTime,
}

impl From<Channel> for ChannelView {
    fn from(channel: Channel) -> Self {
        Self {
            accepts_submissions: channel.takes_submissions().is_ok(),
            submission_reward_coins: channel.submission_reward_coins,
            id: channel.id,
            slug: channel.slug,
            name: channel.name,
            description: channel.description,
            default_price: channel.default_price,
            price_per_second: channel.price_per_second,
            subscriber_discount_percent: channel.subscriber_discount_bp / 100,
            accepts_activations: channel.intake_paused_at.is_none(),
            created_at: channel.created_at,
        }
    }
}

/// A channel as its streamer sees it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ChannelSettingsView {
    id: Uuid,
    slug: String,
    name: String,
    description: String,
    /// Coins for a meme without a price of its own.
    default_price: i64,
    /// Coins for each second begun of such a meme, on top of that.
    price_per_second: i64,
    overlay_mode: OverlayMode,
    /// Whether the overlay names the sender.
    overlay_show_sender: bool,
    /// Items at once in mode `simultaneous`, 1 to 5.
    overlay_max_concurrent: i16,
    /// How many of the memes that overlap play at once.
    overlay_max_overlapping: i16,
    /// A JSON object that the overlay page understands, as text.
    overlay_style_json: Option<String>,
    /// Seconds by which a viewer's further waiting item stands back; 0 is strict first come.
    fair_step_seconds: i32,
    /// What subscribers pay less, in per cent, unless a promotion is better. Who has shown within 32 days, by a line in the chat or
    /// by subscribing, that a linked account subscribes to my channel is one.
    subscriber_discount_percent: i32,
    /// A subscriber's further waiting item stands back by so many times less.
    subscriber_turn_weight: i16,
    /// Since when playback is paused.
    playback_paused_at: Option<OffsetDateTime>,
    /// Since when no new activations are taken.
    intake_paused_at: Option<OffsetDateTime>,
    /// The linked account on Twitch.
    twitch_login: Option<String>,
    /// Whether viewers may send memes in.
    submissions_enabled: bool,
    /// Whether they may only while I am live.
    submissions_only_when_live: bool,
    review_mode: ReviewMode,
    /// Coins for whoever sent in what is approved; 0: none.
    submission_reward_coins: i64,
    queue_priorities: QueuePrioritiesView,
    when_no_overlay: WhenNoOverlay,
    /// Whether my memes are in the pool, whence other channels take.
    shares_memes: bool,
    /// Since when I am live.
    live_since: Option<OffsetDateTime>,
}

impl From<Channel> for ChannelSettingsView {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id,
            slug: channel.slug,
            name: channel.name,
            description: channel.description,
            default_price: channel.default_price,
            price_per_second: channel.price_per_second,
            overlay_mode: channel.overlay_mode.into(),
            overlay_show_sender: channel.overlay_show_sender,
            overlay_max_concurrent: channel.overlay_max_concurrent,
            overlay_max_overlapping: channel.overlay_max_overlapping,
            overlay_style_json: channel.overlay_style_json,
            fair_step_seconds: channel.fair_step_seconds,
            subscriber_discount_percent: channel.subscriber_discount_bp / 100,
            subscriber_turn_weight: channel.subscriber_turn_weight,
            playback_paused_at: channel.playback_paused_at,
            intake_paused_at: channel.intake_paused_at,
            twitch_login: channel.twitch_login,
            submissions_enabled: channel.submissions_enabled,
            submissions_only_when_live: channel.submissions_only_when_live,
            review_mode: channel.review_mode.into(),
            submission_reward_coins: channel.submission_reward_coins,
            queue_priorities: channel.queue_priorities.into(),
            when_no_overlay: channel.when_no_overlay.into(),
            shares_memes: channel.shares_memes,
            live_since: channel.live_since,
        }
    }
}

/// A channel to be opened.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewChannel {
    /// 1 to 50 letters a-z, digits or underscores; lower-cased; never changes.
    pub(crate) slug: String,
    /// 1 to 100 characters; the slug when absent.
    pub(crate) name: Option<String>,
}

/// New values for some settings; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct SettingsPatch {
    /// 1 to 100 characters.
    name: Option<String>,
    /// At most 2000 characters.
    description: Option<String>,
    /// 0 to 1000000000 coins.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    default_price: Option<i64>,
    /// 0 to 1000000 coins for each second begun.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000")))]
    price_per_second: Option<i64>,
    overlay_mode: Option<OverlayMode>,
    overlay_show_sender: Option<bool>,
    /// 1 to 5.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    overlay_max_concurrent: Option<i16>,
    /// 1 to 5 memes that overlap.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    overlay_max_overlapping: Option<i16>,
    /// A JSON object as text, at most 50000 characters.
    overlay_style_json: Option<String>,
    /// 0 to 3600 seconds.
    #[oai(validator(minimum(value = "0"), maximum(value = "3600")))]
    fair_step_seconds: Option<i32>,
    /// 0 to 100 that subscribers pay less.
    #[oai(validator(minimum(value = "0"), maximum(value = "100")))]
    subscriber_discount_percent: Option<i32>,
    /// 1 to 10: a subscriber's further waiting item stands back by so many times less.
    #[oai(validator(minimum(value = "1"), maximum(value = "10")))]
    subscriber_turn_weight: Option<i16>,
    submissions_enabled: Option<bool>,
    submissions_only_when_live: Option<bool>,
    review_mode: Option<ReviewMode>,
    /// 0 to 1000000 coins for whoever sent in what is approved, but for my own team's.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000")))]
    submission_reward_coins: Option<i64>,
    queue_priorities: Option<QueuePrioritiesPatch>,
    when_no_overlay: Option<WhenNoOverlay>,
    /// Whether my memes are in the pool. What other channels have taken stays theirs.
    shares_memes: Option<bool>,
}

impl From<SettingsPatch> for SettingsChange {
    fn from(patch: SettingsPatch) -> Self {
        Self {
            name: patch.name,
            description: patch.description,
            default_price: patch.default_price,
            price_per_second: patch.price_per_second,
            overlay_mode: patch.overlay_mode.map(Into::into),
            overlay_show_sender: patch.overlay_show_sender,
            overlay_max_concurrent: patch.overlay_max_concurrent,
            overlay_max_overlapping: patch.overlay_max_overlapping,
            overlay_style_json: patch.overlay_style_json,
            fair_step_seconds: patch.fair_step_seconds,
            subscriber_discount_bp: patch.subscriber_discount_percent.map(|percent| percent.saturating_mul(100)),
            subscriber_turn_weight: patch.subscriber_turn_weight,
            submissions_enabled: patch.submissions_enabled,
            submissions_only_when_live: patch.submissions_only_when_live,
            review_mode: patch.review_mode.map(Into::into),
            submission_reward_coins: patch.submission_reward_coins,
            queue_priorities: patch.queue_priorities.unwrap_or_default().into(),
            when_no_overlay: patch.when_no_overlay.map(Into::into),
            shares_memes: patch.shares_memes,
        }
    }
}

/// What opens the overlay.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct OverlayTokenView {
    /// Keep it secret: it is the key to the overlay.
    pub(crate) token: String,
    /// The address for OBS' browser source.
    pub(crate) url: String,
}

/// Whether I am live.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LiveWish {
    pub(crate) live: bool,
}

/// Whether viewers may send memes in.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct SubmissionsStatusView {
    enabled: bool,
    only_when_live: bool,
    /// Whether the streamer is live.
    live: bool,
}

impl From<Channel> for SubmissionsStatusView {
    fn from(channel: Channel) -> Self {
        Self {
            enabled: channel.submissions_enabled,
            only_when_live: channel.submissions_only_when_live,
            live: channel.live_since.is_some(),
        }
    }
}

/// What switches submissions, for the keys of a deck.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct SubmissionsLinkView {
    /// Keep it secret: whoever has it can switch submissions, and nothing else.
    pub(crate) token: String,
    /// `GET` says whether they are on.
    pub(crate) status_url: String,
    /// `POST` switches them on.
    pub(crate) enable_url: String,
    /// `POST` switches them off.
    pub(crate) disable_url: String,
    /// `POST` switches them over.
    pub(crate) toggle_url: String,
}

/// Looks of an overlay, in their order.
#[derive(Debug, Object)]
#[oai(example, deny_unknown_fields)]
pub(crate) struct PresetsView {
    #[oai(validator(max_items = 100))]
    pub(crate) presets: Vec<PresetView>,
}

/// A look of an overlay.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PresetView {
    /// 1 to 50 characters.
    name: String,
    /// A JSON object as text, at most 50000 characters.
    style_json: String,
}

impl From<Preset> for PresetView {
    fn from(Preset { name, style_json }: Preset) -> Self {
        Self { name, style_json }
    }
}

impl From<PresetView> for Preset {
    fn from(PresetView { name, style_json }: PresetView) -> Self {
        Self { name, style_json }
    }
}
