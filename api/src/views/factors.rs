//! Words of second factors.

use domain::factors::Asked;
use poem_openapi::Object;
use time::OffsetDateTime;

/// What an app makes codes from. It is shown once.
#[derive(Object)]
#[oai(example)]
pub(crate) struct SeedView {
    /// Base 32, to be typed in.
    pub(crate) secret: String,
    /// The same for a picture.
    pub(crate) uri: String,
}

/// A code of the app.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Code {
    #[oai(validator(max_length = 32))]
    pub(crate) code: String,
}

/// Whether codes are asked for.
#[derive(Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct FactorView {
    /// At logins by password, and at proofs in a session.
    enabled: bool,
    /// Since when; absent when they are not.
    since: Option<OffsetDateTime>,
    /// Recovery codes that are not used up.
    recovery_codes_left: i64,
}

impl From<Option<Asked>> for FactorView {
    fn from(asked: Option<Asked>) -> Self {
        Self {
            enabled: asked.is_some(),
            since: asked.as_ref().map(|asked| asked.since),
            recovery_codes_left: asked.map_or(0, |asked| asked.recovery_codes),
        }
    }
}

/// Codes for who has lost the app, each good once. They are shown once.
#[derive(Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct RecoveryCodesView {
    pub(crate) recovery_codes: Vec<String>,
}
