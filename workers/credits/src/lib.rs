//! Pool `credits`: brings chatters to the instances that show them, and the credits to their overlay.

mod forget_credits_events;
mod forget_credits_session;
mod publish_credits;
mod relay_chatter;
mod telemetry;

use std::{sync::Arc, time::Duration};

use domain::credits::{ForgetCreditsEvents, PublishCredits, RelayChatter, signature::InternalSecret};
use queue::Workers;

/// What the pool must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `MEMALERTS_INTERNAL_SECRET`, shared with every target.
    pub secret: InternalSecret,
}

/// The pool's handlers.
///
/// # Errors
/// No HTTP client can be built on this machine.
pub fn workers(settings: &Settings) -> reqwest::Result<Workers> {
    telemetry::describe();
    let relay = Arc::new(relay_chatter::Relay::new(settings.secret.clone())?);
    Ok(Workers::new("credits", 8)
        .handle::<RelayChatter, _, _>(move |ctx, job| relay_chatter::handle(ctx, job, relay.clone()))
        .handle::<PublishCredits, _, _>(publish_credits::handle)
        .handle::<ForgetCreditsEvents, _, _>(forget_credits_events::handle)
        .handle(forget_credits_session::handle)
        .every(Duration::from_hours(1), ForgetCreditsEvents::default))
}
