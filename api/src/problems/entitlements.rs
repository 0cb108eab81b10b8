//! Failures of entitlements.

use domain::entitlements::{EntitlementError, Feature};
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<EntitlementError> for Problem {
    fn from(error: EntitlementError) -> Self {
        match error {
            EntitlementError::Missing(feature) => {
                let code = match feature {
                    Feature::MorePresets => ErrorCode::EntitlementRequired,
                    // The word that clients of bots know.
                    Feature::CustomBot => ErrorCode::SubscriptionRequired,
                };
                Self::new(StatusCode::FORBIDDEN, code, error.to_string()).with("entitlement", feature.as_str())
            }
            EntitlementError::NoHolder(_) | EntitlementError::NotFound => {
                Self::not_found(ErrorCode::NotFound, error.to_string())
            }
            EntitlementError::Past => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            EntitlementError::Database(error) => error.into(),
        }
    }
}
