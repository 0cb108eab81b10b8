//! Channels: a streamer's place, its settings and its doors.

mod commands;
mod error;
mod model;
mod presets;
mod repo;
mod standing;
mod streams;

pub use commands::{
    Switch, change_settings, config_event, ensure, link_twitch, open, revoked_event, rotate_overlay_token,
    rotate_switch, set_intake_paused, set_live, switch_submissions, with_switch, with_token,
};
pub use error::ChannelError;
pub use model::{
    Channel, OverlayMode, PrioritiesChange, QueuePriorities, ReviewMode, SettingsChange, WhenNoOverlay, parse_slug,
};
pub use presets::{MAX_PRESETS, MORE_PRESETS, Preset, put_presets};
pub(crate) use repo::hold;
pub use repo::{
    find, find_by_slug, find_of_owner, find_of_twitch, learn_twitch_id, moment, name_on_twitch, note_standing,
    own_twitch, presets, standing, twitch_account, unname_on_twitch, with_streams,
};
pub use standing::{AskStanding, Standing};
pub use streams::{Heard, StreamOf, hear_of_stream};
