//! What a channel is.

use time::OffsetDateTime;
use uuid::Uuid;

use super::ChannelError;
use crate::{
    events::Stream,
    unseen::{is_blank, is_unseen},
};

/// How an overlay shows what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlayMode {
    /// One item at a time.
    Queue,
    /// Up to `overlay_max_concurrent` at once.
    Simultaneous,
}

impl OverlayMode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Simultaneous => "simultaneous",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        if word == "simultaneous" { Self::Simultaneous } else { Self::Queue }
    }
}

/// What of that which viewers send in the channel's team looks at before it is a meme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewMode {
    All,
    /// That of people of whom nothing was approved before.
    NewSenders,
    /// That in which checks have found something.
    Flagged,
}

impl ReviewMode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NewSenders => "new_senders",
            Self::Flagged => "flagged",
        }
    }

    /// The most careful one for a word that the database cannot hold.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "new_senders" => Self::NewSenders,
            "flagged" => Self::Flagged,
            _ => Self::All,
        }
    }
}

/// What becomes of what viewers want to play while no overlay is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenNoOverlay {
    /// It waits for one, for two minutes.
    Wait,
    /// It is not taken.
    Refuse,
    /// It is given back after a few seconds, in which an overlay may be loaded anew.
    Expire,
}

impl WhenNoOverlay {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Refuse => "refuse",
            Self::Expire => "expire",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "refuse" => Self::Refuse,
            "expire" => Self::Expire,
            _ => Self::Wait,
        }
    }
}

/// What plays first: of two that wait, what has the larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePriorities {
    /// -100 to 100, as all of them.
    pub donation: i16,
    pub redeem: i16,
    pub chat: i16,
    /// What viewers play for coins, and what the streamer tries and repeats.
    pub coins: i16,
}

/// New numbers for some; what is none stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrioritiesChange {
    pub donation: Option<i16>,
    pub redeem: Option<i16>,
    pub chat: Option<i16>,
    pub coins: Option<i16>,
}

/// The channel's account on a platform: at least one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its id there; none until the platform has told it.
    pub account: Option<String>,
    /// Its name there, in small letters.
    pub login: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: Uuid,
    /// Lower case; never changes.
    pub slug: String,
    pub owner_id: Uuid,
    pub name: String,
    pub description: String,
    /// Coins.
    pub default_price: i64,
    /// Coins for each second begun of a meme without a price of its own, on top of the default price.
    pub price_per_second: i64,
    pub overlay_mode: OverlayMode,
    pub overlay_show_sender: bool,
    /// 1 to 5.
    pub overlay_max_concurrent: i16,
    /// How many of the memes that overlap play at once, in both modes: 1 to 5.
    pub overlay_max_overlapping: i16,
    /// JSON that the overlay page understands; at most 50 000 characters.
    pub overlay_style_json: Option<String>,
    pub overlay_token_version: i32,
    pub credits_token_version: i32,
    /// Names the link to the credits among the channel's tokens; that of the overlay has the channel's id.
    pub credits_token_id: Uuid,
    /// Seconds.
    pub fair_step_seconds: i32,
    /// Basis points that a subscriber pays less, unless a promotion is better.
    pub subscriber_discount_bp: i32,
    /// A subscriber's further waiting item stands back by so many times less: 1 to 10.
    pub subscriber_turn_weight: i16,
    pub playback_paused_at: Option<OffsetDateTime>,
    pub intake_paused_at: Option<OffsetDateTime>,
    pub twitch_login: Option<String>,
    /// Viewers may send memes in.
    pub submissions_enabled: bool,
    /// Only while the streamer is live.
    pub submissions_only_when_live: bool,
    pub live_since: Option<OffsetDateTime>,
    /// Of the link that switches submissions.
    pub submissions_token_version: i32,
    pub review_mode: ReviewMode,
    /// Coins for whoever sent in what is approved; 0: none.
    pub submission_reward_coins: i64,
    pub queue_priorities: QueuePriorities,
    pub when_no_overlay: WhenNoOverlay,
    /// Its memes are in the pool, whence other channels take.
    pub shares_memes: bool,
    /// Its owner is banned or no streamer any more: until that is taken back nobody sees it or acts on it, and nothing is
    /// played.
    pub closed: bool,
    pub created_at: OffsetDateTime,
}

impl Channel {
    /// The channel's event log.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::Channel(self.slug.clone())
    }

    /// The channel, for whatever there is not while it is closed.
    ///
    /// # Errors
    /// [`ChannelError::Closed`].
    pub fn if_open(self) -> Result<Self, ChannelError> {
        if self.closed { Err(ChannelError::Closed) } else { Ok(self) }
    }

    /// Whether viewers may send memes in right now.
    ///
    /// # Errors
    /// [`ChannelError::SubmissionsOff`], [`ChannelError::Offline`].
    pub fn takes_submissions(&self) -> Result<(), ChannelError> {
        if !self.submissions_enabled {
            return Err(ChannelError::SubmissionsOff);
        }
        if self.submissions_only_when_live && self.live_since.is_none() {
            return Err(ChannelError::Offline);
        }
        Ok(())
    }
}

/// New values for some settings; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub default_price: Option<i64>,
    pub price_per_second: Option<i64>,
    pub overlay_mode: Option<OverlayMode>,
    pub overlay_show_sender: Option<bool>,
    pub overlay_max_concurrent: Option<i16>,
    pub overlay_max_overlapping: Option<i16>,
    pub overlay_style_json: Option<String>,
    pub fair_step_seconds: Option<i32>,
    pub subscriber_discount_bp: Option<i32>,
    pub subscriber_turn_weight: Option<i16>,
    pub submissions_enabled: Option<bool>,
    pub submissions_only_when_live: Option<bool>,
    pub review_mode: Option<ReviewMode>,
    pub submission_reward_coins: Option<i64>,
    pub queue_priorities: PrioritiesChange,
    pub when_no_overlay: Option<WhenNoOverlay>,
    pub shares_memes: Option<bool>,
}

impl SettingsChange {
    /// Checks ranges before anything is written.
    pub(super) fn check(&self) -> Result<(), ChannelError> {
        let invalid = |field, problem: &str| Err(ChannelError::Invalid { field, problem: problem.to_owned() });
        if self.name.as_ref().is_some_and(|name| is_blank(name) || name.chars().count() > 100) {
            return invalid("name", "1 to 100 characters, not all of them blank");
        }
        // Two channels must not look alike.
        if self.name.as_ref().is_some_and(|name| name.chars().any(is_unseen)) {
            return invalid("name", "no characters that cannot be seen, or that turn text around");
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 2000 || text.contains('\0')) {
            return invalid("description", "at most 2000 characters, and no NUL among them");
        }
        if self.default_price.is_some_and(|price| !(0..=1_000_000_000).contains(&price)) {
            return invalid("defaultPrice", "0 to 1000000000 coins");
        }
        if self.price_per_second.is_some_and(|price| !(0..=1_000_000).contains(&price)) {
            return invalid("pricePerSecond", "0 to 1000000 coins");
        }
        let PrioritiesChange { donation, redeem, chat, coins } = self.queue_priorities;
        if [donation, redeem, chat, coins].into_iter().flatten().any(|priority| !(-100..=100).contains(&priority)) {
            return invalid("queuePriorities", "-100 to 100 each");
        }
        if self.submission_reward_coins.is_some_and(|coins| !(0..=1_000_000).contains(&coins)) {
            return invalid("submissionRewardCoins", "0 to 1000000 coins");
        }
        if self.overlay_max_concurrent.is_some_and(|count| !(1..=5).contains(&count)) {
            return invalid("overlayMaxConcurrent", "1 to 5");
        }
        if self.overlay_max_overlapping.is_some_and(|count| !(1..=5).contains(&count)) {
            return invalid("overlayMaxOverlapping", "1 to 5");
        }
        if self.fair_step_seconds.is_some_and(|seconds| !(0..=3600).contains(&seconds)) {
            return invalid("fairStepSeconds", "0 to 3600 seconds");
        }
        if self.subscriber_discount_bp.is_some_and(|discount| !(0..=10_000).contains(&discount)) {
            return invalid("subscriberDiscountPercent", "0 to 100");
        }
        if self.subscriber_turn_weight.is_some_and(|weight| !(1..=10).contains(&weight)) {
            return invalid("subscriberTurnWeight", "1 to 10");
        }
        if let Some(Err(problem)) = self.overlay_style_json.as_deref().map(check_style) {
            return invalid("overlayStyleJson", problem);
        }
        Ok(())
    }
}

/// What is wrong with how an overlay shall look, if anything.
pub(super) fn check_style(style: &str) -> Result<(), &'static str> {
    if style.chars().count() > 50_000 {
        return Err("at most 50000 characters");
    }
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(style).is_err() {
        return Err("must be a JSON object");
    }
    Ok(())
}

/// Slugs that nobody gets: words of our own paths, which an address with a channel's name in it must never be taken for;
/// words under which somebody could pass for us; words that programs write where there is no name.
const RESERVED: &str = "
    api auth channels credits docs events health healthz internal login logout me memes metrics openapi overlay owner
    panel public readyz settings static streamer submissions uploads wallet webhooks ws www
    admin administrator help memalerts mod moderator official root security staff support system
    anonymous null undefined
";

/// A slug in the form in which it is kept: lower case, 1 to 50 of `a-z 0-9 _`, and not one of ours.
///
/// # Errors
/// [`ChannelError::Invalid`] when it does not fit.
pub fn parse_slug(input: &str) -> Result<String, ChannelError> {
    let invalid = |problem: &str| ChannelError::Invalid { field: "slug", problem: problem.to_owned() };
    let slug =
        crate::accounts::parse_login(input).map_err(|_| invalid("1 to 50 letters a-z, digits or underscores"))?;
    if RESERVED.split_whitespace().any(|word| word == slug) { Err(invalid("this word is reserved")) } else { Ok(slug) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain_and_none_of_ours() {
        assert_eq!(parse_slug(" Demo_1 ").unwrap(), "demo_1");
        for wrong in ["admin", "ADMIN", "@api", "overlay", "de\u{200b}mo", "\u{200b}demo", "dеmo", "a/b", ""] {
            assert!(parse_slug(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_shows_what_it_is() {
        let named = |name: &str| SettingsChange { name: Some(name.to_owned()), ..SettingsChange::default() }.check();
        assert!(named("Кот ❤️ 👨‍👩‍👧").is_ok());
        for wrong in ["", " ", "\u{200b}", "\u{2800}", "de\u{200b}mo", "\u{202e}omed", "a\0b"] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
    }
}
