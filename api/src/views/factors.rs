//! Words of second factors.

use poem_openapi::Object;

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

/// Codes for who has lost the app, each good once. They are shown once.
#[derive(Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct RecoveryCodesView {
    pub(crate) recovery_codes: Vec<String>,
}
