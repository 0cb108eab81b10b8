//! The HTTP service as a whole: operations, the document, and what surrounds every request.

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route, endpoint::make_sync, get};

use crate::{
    again, app::App, auth, budgets, explain::Document, headers, limits, origins, problem::Problem, routes, spec,
    telemetry::Telemetry,
};

/// Everything that the API answers, ready to be served.
pub fn endpoint(app: App) -> impl Endpoint<Output = Response> {
    let api = spec::service();
    let document = Arc::new(Document::of(&routes::all()));
    let explaining = document.clone();
    let route = Route::new()
        .at("/openapi.json", get(fixed(spec::spec_json(), "application/json")))
        .at("/openapi.yaml", get(fixed(spec::spec_yaml(), "application/yaml")))
        .at("/docs", get(routes::pages::document(&spec::page())));
    let environment = app.settings.environment;
    routes::undocumented(route, environment)
        .nest(
            "/",
            api.into_endpoint().around(move |operation, request| {
                let document = explaining.clone();
                async move { document.explain(operation, request).await }
            }),
        )
        .around(move |inner, request| {
            let document = document.clone();
            async move { document.name_methods(inner, request).await }
        })
        .around(again::if_sacrificed)
        .around(routes::pages::front)
        .around(budgets::of_the_person)
        .around(auth::refuse_foreign_sites)
        .around(limits::refuse_odd_requests)
        // Outside of what needs it: a middleware sees the data of those around it only.
        .data(app.clone())
        .catch_all_error(|error: poem::Error| async move { Problem::answer_to(error) })
        .around(budgets::of_the_address(app.clone()))
        .around(origins::shared(app))
        .around(headers::strict(environment))
        .with(Telemetry)
}

/// An answer that never changes while we run.
fn fixed(body: String, content_type: &'static str) -> impl Endpoint {
    make_sync(move |_| Response::builder().content_type(content_type).body(body.clone()))
}
