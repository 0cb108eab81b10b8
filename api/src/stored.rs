//! An answer whose bytes were written once and are given again as they are.

use std::marker::PhantomData;

use domain::requests::Stored;
use poem::{Body, IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse,
    payload::Json,
    registry::{MetaResponses, Registry},
    types::ToJSON,
};

/// A stored answer; the document describes its success as `T`.
pub(crate) struct Kept<T> {
    stored: Stored,
    shape: PhantomData<fn() -> T>,
}

impl<T> From<Stored> for Kept<T> {
    fn from(stored: Stored) -> Self {
        Self { stored, shape: PhantomData }
    }
}

impl<T: ToJSON> ApiResponse for Kept<T> {
    fn meta() -> MetaResponses {
        Json::<T>::meta()
    }

    fn register(registry: &mut Registry) {
        Json::<T>::register(registry);
    }
}

impl<T: Send> IntoResponse for Kept<T> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content_type = if status.is_success() { "application/json" } else { "application/problem+json" };
        Response::builder().status(status).content_type(content_type).body(Body::from_string(self.stored.body))
    }
}
