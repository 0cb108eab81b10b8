//! The header `Idempotency-Key`.

use crate::problem::{ErrorCode, Problem};

/// The key, if there is one and it is of the right form: 1 to 128 visible ASCII characters.
pub(crate) fn key(header: Option<String>) -> Result<Option<String>, Problem> {
    match header {
        Some(key) if !(1..=128).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Problem::bad_request(ErrorCode::ValidationError, "Idempotency-Key: 1 to 128 visible characters"))
        }
        key => Ok(key),
    }
}
