//! Failures of bots.

use domain::{bots::BotError, outbox::Provider};

use crate::problem::{ErrorCode, Problem};

impl From<BotError> for Problem {
    fn from(error: BotError) -> Self {
        match error {
            BotError::NotLinked(Provider::Twitch) => {
                Self::bad_request(ErrorCode::TwitchChannelNotLinked, "link the channel to a Twitch account first")
            }
            BotError::NotLinked(provider) => Self::bad_request(
                ErrorCode::ValidationError,
                format!("link your account on {provider} first (/auth/{provider}/link)"),
            ),
            BotError::Ambiguous(enabled) => {
                let names: Vec<&str> = enabled.into_iter().map(Provider::as_str).collect();
                Self::bad_request(ErrorCode::BadRequest, "several bots are enabled: say which with `provider`")
                    .with("enabledProviders", names)
            }
            BotError::Disabled(provider) => {
                Self::bad_request(ErrorCode::BotDisabled, format!("the bot of {provider} is not enabled"))
            }
            BotError::NoChannel => Self::not_found(ErrorCode::ChannelNotFound, error.to_string()),
            BotError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            BotError::Text(error) => Self::bad_request(ErrorCode::ValidationError, format!("message: {error}")),
            BotError::Enqueue(error) => error.into(),
            BotError::Database(error) => error.into(),
        }
    }
}
