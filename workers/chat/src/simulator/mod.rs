//! Platforms to talk to where the real ones cannot be reached: in stories, at demos, on a machine of one's own.

mod http;
pub mod twitch;
pub mod vkvideo;
