//! Words of health.

use poem_openapi::Object;

#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", example)]
pub(crate) struct HealthView {
    /// `ok`.
    pub(crate) status: String,
    /// Version and commit of this build.
    pub(crate) build: String,
    /// `dev`, `beta` or `prod`.
    pub(crate) environment: String,
}
