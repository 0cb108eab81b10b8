//! Channels: a streamer's place, its settings and its doors.

mod commands;
mod error;
mod model;
mod presets;
mod repo;
mod standing;
mod streams;

pub use commands::{
    Switch, change_settings, config_event, ensure, link, link_to, open, revoked_event, rotate_overlay_token,
    rotate_switch, set_intake_paused, set_live, switch_submissions, with_switch, with_token,
};
pub use error::ChannelError;
pub use model::{
    Channel, Home, OverlayMode, PrioritiesChange, QueuePriorities, ReviewMode, SettingsChange, WhenNoOverlay,
    parse_slug,
};
pub use presets::{MAX_PRESETS, MORE_PRESETS, Preset, put_presets};
pub(crate) use repo::hold;
pub use repo::{
    find, find_by_account, find_by_slug, find_of_owner, home, learn_account, moment, name_account, note_standing,
    own_account, presets, standing, unname_account, with_streams,
};
pub use standing::{AskStanding, Standing};
pub use streams::{Heard, StreamOf, hear_of_stream};
