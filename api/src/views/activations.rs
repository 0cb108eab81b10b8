//! Words of activations and of the queue.

use domain::{
    activations::{Activation, Counts, Placed, Queued, Source, Status, ViewerState},
    playback::{PlayView, QueueState},
    wallets::Wallet,
};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::wallets::WalletView;

/// Where an activation is on its way.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ActivationStatus {
    Queued,
    Playing,
    Done,
    Failed,
    Cancelled,
}

impl From<Status> for ActivationStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Playing => Self::Playing,
            Status::Done => Self::Done,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// A paid (or free) activation.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct NewActivationView {
    id: Uuid,
    channel_id: Uuid,
    user_id: Uuid,
    meme_id: Uuid,
    /// Coins that left the wallet.
    coins_spent: i64,
    status: ActivationStatus,
    created_at: OffsetDateTime,
}

/// What came of "activate".
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct PlacedView {
    activation: NewActivationView,
    /// After the payment; null for the channel's owner, who needs none.
    wallet: Option<WalletView>,
    /// Coins before the discount.
    original_price: i64,
    /// Coins that were paid.
    final_price: i64,
    /// Coins that the best promotion took off.
    discount_applied: i64,
    /// The channel's owner plays for nothing.
    is_free: bool,
}

impl From<Placed> for PlacedView {
    fn from(placed: Placed) -> Self {
        Self {
            activation: NewActivationView {
                id: placed.id,
                channel_id: placed.channel_id,
                user_id: placed.user_id,
                meme_id: placed.meme_id,
                coins_spent: placed.final_price,
                status: ActivationStatus::Queued,
                created_at: placed.created_at,
            },
            wallet: placed.wallet.map(WalletView::from),
            original_price: placed.price,
            final_price: placed.final_price,
            discount_applied: if placed.is_free { 0 } else { placed.price - placed.final_price },
            is_free: placed.is_free,
        }
    }
}

/// An activation.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ActivationView {
    id: Uuid,
    channel_id: Uuid,
    user_id: Uuid,
    meme_id: Uuid,
    /// `meme`: for coins; `test`; `replay`: played once more; `donation`, `redeem` or `chat`: of another program.
    source: String,
    title: String,
    sender_display_name: String,
    status: ActivationStatus,
    /// Why it did not end as `done`: `no_screen_started`, `never_ended`, `screen_failed`, `no_screen`, `waited_too_long`,
    /// `skipped`, `cleared`, `withdrawn` or `taken_down` (by the house, or as its meme was deleted, or its sender banned).
    reason: Option<String>,
    /// Coins that were paid.
    coins_spent: i64,
    /// Coins that came back: all of them once it has ended in any other way than `done`.
    refunded_coins: i64,
    /// Milliseconds.
    duration_ms: i32,
    /// Plays beside what plays, not after it.
    overlaps: bool,
    /// Names the play in acknowledgements; 0 until it is started.
    play_epoch: i64,
    /// When a screen began to show it.
    started_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
}

impl From<Activation> for ActivationView {
    fn from(activation: Activation) -> Self {
        let refunded = matches!(activation.status, Status::Failed | Status::Cancelled);
        Self {
            refunded_coins: if refunded { activation.final_price } else { 0 },
            id: activation.id,
            channel_id: activation.channel_id,
            user_id: activation.user_id,
            meme_id: activation.meme_id,
            source: activation.source,
            title: activation.title,
            sender_display_name: activation.sender_name,
            status: activation.status.into(),
            reason: activation.reason,
            coins_spent: activation.final_price,
            duration_ms: activation.duration_ms,
            overlaps: activation.is_overlapping,
            play_epoch: activation.play_epoch,
            started_at: activation.started_at,
            ended_at: activation.ended_at,
            created_at: activation.created_at,
        }
    }
}

/// The viewer's own activation, with its place while it waits.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MyActivationView {
    #[oai(flatten)]
    activation: ActivationView,
    /// 1 is next; null unless it waits.
    position: Option<i64>,
    /// Milliseconds until it may start; null unless it waits, while playback is paused, and while no
    /// screen is there.
    eta_ms: Option<i64>,
    /// Whether the coins came back.
    refunded: bool,
}

impl From<ViewerState> for MyActivationView {
    fn from(state: ViewerState) -> Self {
        let activation = ActivationView::from(state.activation);
        Self {
            refunded: activation.refunded_coins > 0,
            position: state.place.map(|place| place.position),
            eta_ms: state.place.and_then(|place| place.eta_ms),
            activation,
        }
    }
}

/// An activation that its viewer has taken back.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct WithdrawnView {
    #[oai(flatten)]
    activation: ActivationView,
    /// With the coins that came back; null for whoever never had one.
    wallet: Option<WalletView>,
}

impl WithdrawnView {
    pub(crate) fn new(activation: Activation, wallet: Option<Wallet>) -> Self {
        Self { activation: activation.into(), wallet: wallet.map(Into::into) }
    }
}

/// An activation that has ended, as the streamer sees it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct EndedView {
    #[oai(flatten)]
    activation: ActivationView,
    /// What the screen said that could not show it.
    detail: Option<String>,
}

impl EndedView {
    pub(crate) fn new(activation: Activation, detail: Option<String>) -> Self {
        Self { activation: activation.into(), detail }
    }
}

/// An item on the screens now.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct PlayingView {
    id: Uuid,
    meme_id: Uuid,
    /// `image`, `gif`, `video` or `audio`.
    #[oai(rename = "type")]
    media_type: String,
    file_url: String,
    duration_ms: i32,
    /// How loud the channel wants it, in per cent.
    volume: i16,
    /// Decibels that make it as loud as other memes; absent where there is nothing to hear.
    gain_db: Option<f64>,
    title: String,
    sender_display_name: String,
    play_epoch: i64,
    /// Null until a screen has begun.
    started_at: Option<OffsetDateTime>,
    elapsed_ms: i64,
}

impl From<PlayView> for PlayingView {
    fn from(play: PlayView) -> Self {
        Self {
            id: play.id,
            meme_id: play.meme_id,
            media_type: play.media_type,
            file_url: play.file_url,
            duration_ms: play.duration_ms,
            volume: play.volume,
            gain_db: play.gain_db,
            title: play.title,
            sender_display_name: play.sender_display_name,
            play_epoch: play.play_epoch,
            started_at: play.started_at,
            elapsed_ms: play.elapsed_ms,
        }
    }
}

/// An item that waits.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct QueuedView {
    #[oai(flatten)]
    activation: ActivationView,
    /// 1 is next.
    position: i64,
    /// Seconds until it starts, as far as lengths tell; absent while playback is paused, and while no screen is there.
    eta_seconds: Option<f64>,
    /// What is larger plays first.
    priority: i16,
}

impl From<Queued> for QueuedView {
    fn from(queued: Queued) -> Self {
        Self {
            activation: queued.activation.into(),
            position: queued.place.position,
            // Exact below a quarter of a million years.
            eta_seconds: queued
                .place
                .eta_ms
                .map(|ms| std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64()),
            priority: queued.priority,
        }
    }
}

/// The queue as the streamer sees it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct QueueView {
    playing: Vec<PlayingView>,
    /// Waiting items in the order of play: the first `limit` after `offset`.
    items: Vec<QueuedView>,
    /// Waiting items in all.
    queued_count: i64,
    playback_paused: bool,
    intake_paused: bool,
    /// Screens connected now.
    screens: i64,
}

impl QueueView {
    pub(crate) fn new(state: QueueState, items: Vec<Queued>) -> Self {
        Self {
            playing: state.playing.into_iter().map(Into::into).collect(),
            items: items.into_iter().map(Into::into).collect(),
            queued_count: state.queued_count,
            playback_paused: state.playback_paused,
            intake_paused: state.intake_paused,
            screens: state.screens,
        }
    }
}

/// What "clear" did.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct ClearedView {
    /// Items taken out of the queue.
    pub(crate) cleared: i64,
    /// Coins given back.
    pub(crate) refunded: i64,
}

/// What happened elsewhere.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum EventKind {
    /// Somebody donated: priority 20, unless the channel's `queuePriorities` say otherwise, as of all of them.
    Donation,
    /// Somebody redeemed a reward of a platform: priority 10.
    Redeem,
    /// Somebody said it in a chat: priority 0, as memes that are played for coins.
    Chat,
}

impl From<EventKind> for Source {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Donation => Self::Donation,
            EventKind::Redeem => Self::Redeem,
            EventKind::Chat => Self::Chat,
        }
    }
}

/// Something to show for what happened elsewhere.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct QueueEvent {
    pub(crate) kind: EventKind,
    /// The meme of the channel that is shown.
    pub(crate) meme_id: Uuid,
    /// For whom: 1 to 80 characters.
    #[oai(validator(min_length = 1, max_length = 80))]
    pub(crate) sender_display_name: String,
    /// What is larger plays first; the kind's own when absent.
    #[oai(validator(minimum(value = "-100"), maximum(value = "100")))]
    pub(crate) priority: Option<i16>,
}

/// What a screen says about a play.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum AckState {
    /// It is on the screen.
    Started,
    /// It has ended as it should.
    Done,
    /// It cannot be shown.
    Failed,
}

/// A screen's word about a play.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct Ack {
    pub(crate) state: AckState,
    /// Why it failed, at most 500 characters; the streamer reads it in the queue's history.
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
    /// The play that is meant, from `activation:new`; the present one when absent.
    pub(crate) play_epoch: Option<i64>,
    /// The screen's own id, as given when it connected. While an OBS screen is connected only such screens decide: a word
    /// without an id is refused then, that of a browser tab changes nothing.
    pub(crate) screen_id: Option<Uuid>,
}

/// A channel's figures since it began; test events are not counted.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct ChannelStatsView {
    activations_total: i64,
    activations_queued: i64,
    activations_playing: i64,
    activations_done: i64,
    activations_failed: i64,
    activations_cancelled: i64,
    /// Coins of memes that were shown.
    coins_spent: i64,
    /// Coins that went back to viewers.
    coins_refunded: i64,
    /// Different people who activated something.
    viewers: i64,
}

impl From<Counts> for ChannelStatsView {
    fn from(counts: Counts) -> Self {
        Self {
            activations_total: counts.total,
            activations_queued: counts.queued,
            activations_playing: counts.playing,
            activations_done: counts.done,
            activations_failed: counts.failed,
            activations_cancelled: counts.cancelled,
            coins_spent: counts.coins_spent,
            coins_refunded: counts.coins_refunded,
            viewers: counts.viewers,
        }
    }
}
