//! Words of credits.

use domain::credits::CreditsState;
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
