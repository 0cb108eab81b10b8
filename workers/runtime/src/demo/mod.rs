//! `memalerts demo`: plays through the main path of a running system in dev mode, and says each step.
//!
//! Uses nothing but the system's own doors: HTTP, server-sent events, and a chat connection.

mod chat;
mod play;

use crate::{client::Client, console::say, demo_data};

/// Plays the demo; ends well only if all happened.
///
/// # Errors
/// The step that did not happen, and what came instead.
pub(crate) async fn run(base: &str) -> anyhow::Result<()> {
    let nobody = Client::new(base)?;
    let steps = Steps::default();
    let health = nobody.get("/health").await?;
    steps.done(format_args!("the system is up: {health}"));
    // Processes of a Procfile make no demo data; `memalerts all` has made it.
    demo_data::make(base).await?;
    let viewer = nobody.log_in(demo_data::VIEWER, "viewer").await?;
    steps.done("the viewer is logged in");
    let streamer = nobody.log_in(demo_data::STREAMER, "streamer").await?;
    steps.done("the streamer is logged in");
    play::run(&steps, &nobody, &viewer, &streamer).await?;
    chat::run(&steps, &nobody, &streamer).await?;
    say("all of it happened");
    Ok(())
}

/// Counts and prints.
#[derive(Debug, Default)]
struct Steps(std::cell::Cell<u32>);

impl Steps {
    fn done(&self, what: impl std::fmt::Display) {
        self.0.set(self.0.get() + 1);
        say(format_args!("{:>3}  {what}", self.0.get()));
    }
}
