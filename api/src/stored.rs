//! An answer whose bytes were written once and are given again as they are.

use std::marker::PhantomData;

use domain::requests::Stored;
use poem::{Body, IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse,
    payload::Json,
    registry::{MetaResponse, MetaResponses, Registry},
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

/// As [`Kept`]; the document describes what was made (201) as `T`.
pub(crate) struct KeptNew<T>(Kept<T>);

impl<T> From<Stored> for KeptNew<T> {
    fn from(stored: Stored) -> Self {
        Self(stored.into())
    }
}

impl<T: ToJSON> ApiResponse for KeptNew<T> {
    fn meta() -> MetaResponses {
        let made = Json::<T>::meta().responses.into_iter();
        let made = made.map(|response| MetaResponse { description: "It is made.", status: Some(201), ..response });
        MetaResponses { responses: made.collect() }
    }

    fn register(registry: &mut Registry) {
        Json::<T>::register(registry);
    }
}

impl<T: Send> IntoResponse for KeptNew<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// As [`Kept`]; the document describes what was done as `T` (200), and what waits for somebody as `W` (202).
pub(crate) struct KeptOr<T, W>(Kept<(T, W)>);

impl<T, W> From<Stored> for KeptOr<T, W> {
    fn from(stored: Stored) -> Self {
        Self(stored.into())
    }
}

impl<T: ToJSON, W: ToJSON> ApiResponse for KeptOr<T, W> {
    fn meta() -> MetaResponses {
        let mut meta = Json::<T>::meta();
        let waits = Json::<W>::meta().responses.into_iter();
        let description = "It waits for somebody else.";
        meta.responses.extend(waits.map(|response| MetaResponse { description, status: Some(202), ..response }));
        meta
    }

    fn register(registry: &mut Registry) {
        Json::<T>::register(registry);
        Json::<W>::register(registry);
    }
}

impl<T: Send, W: Send> IntoResponse for KeptOr<T, W> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<T: Send> IntoResponse for Kept<T> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content_type = if status.is_success() { "application/json" } else { "application/problem+json" };
        Response::builder().status(status).content_type(content_type).body(Body::from_string(self.stored.body))
    }
}
