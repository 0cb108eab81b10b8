//! The promise to clients: the OpenAPI document, made from the code that answers.

use poem_openapi::{LicenseObject, OpenApi, OpenApiService};

use crate::routes;

/// The document as JSON, the same bytes that `/openapi.json` serves.
#[must_use]
pub fn spec_json() -> String {
    service().spec()
}

/// The document as YAML, the same bytes that `openapi.yaml` holds.
#[must_use]
pub fn spec_yaml() -> String {
    service().spec_yaml()
}

/// All operations with the document's head.
pub(crate) fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(routes::all(), "MemAlerts", env!("CARGO_PKG_VERSION"))
        .description(
            "Memes on stream: viewers pay coins, OBS plays, chat bots answer.\n\nLog in, open a channel, activate a meme, watch it play. Errors are `application/problem+json` with an \
             `errorCode`. Sessions come as a cookie or as `Authorization: Bearer`. Paid actions take an \
             `Idempotency-Key`: repeating a request with the same key gives the first answer again.",
        )
        .license(LicenseObject::new("MIT"))
}
