//! Words of credits.

use domain::credits::{CreditsConfig, CreditsState};
use poem_openapi::Object;

/// The credits, as `credits:state` tells them.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct CreditsStateView {
    /// In order of their first words.
    chatters: Vec<ChatterView>,
    /// In order of their first donation.
    donors: Vec<DonorView>,
}

/// How the credits look, as `credits:config` tells it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct CreditsSettings {
    /// A JSON object that the credits page understands, as text, at most 16384 bytes; as they come when absent.
    pub(crate) credits_style_json: Option<String>,
}

impl From<CreditsConfig> for CreditsSettings {
    fn from(config: CreditsConfig) -> Self {
        Self { credits_style_json: config.credits_style_json }
    }
}

/// Somebody who wrote in the chat since the last reset.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ChatterView {
    name: String,
    #[oai(skip_serializing_if_is_none)]
    avatar_url: Option<String>,
}

/// Somebody who donated since the last reset.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct DonorView {
    name: String,
    /// All donations in this currency together, e.g. 99.5.
    amount: f64,
    /// Three letters.
    currency: String,
    #[oai(skip_serializing_if_is_none)]
    avatar_url: Option<String>,
}

impl From<CreditsState> for CreditsStateView {
    fn from(state: CreditsState) -> Self {
        let chatters = state.chatters.into_iter();
        let donors = state.donors.into_iter().map(|donor| DonorView {
            name: donor.name,
            amount: donor.amount.as_f64(),
            currency: donor.currency,
            avatar_url: donor.avatar_url,
        });
        Self {
            chatters: chatters
                .map(|chatter| ChatterView { name: chatter.name, avatar_url: chatter.avatar_url })
                .collect(),
            donors: donors.collect(),
        }
    }
}
