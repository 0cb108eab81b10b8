//! The HTTP service as a whole: operations, the document, and what surrounds every request.

use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route, get};

use crate::{
    again, app::App, auth, budgets, explain::DOCUMENT, headers, limits, origins, problem::Problem, routes, spec,
    telemetry::Telemetry,
};

/// Everything that the API answers, ready to be served.
pub fn endpoint(app: App) -> impl Endpoint<Output = Response> {
    let api = spec::service();
    let environment = app.settings.environment;
    let route = Route::new()
        .at("/openapi.json", get(routes::pages::asset("application/json", spec::spec_json())))
        .at("/openapi.yaml", get(routes::pages::asset("application/yaml", spec::spec_yaml())))
        .at("/docs", get(routes::pages::document(&spec::page(environment))));
    routes::undocumented(route, environment)
        .nest(
            "/",
            api.into_endpoint().around(|operation, request| async move { DOCUMENT.explain(operation, request).await }),
        )
        .around(|inner, request| async move { DOCUMENT.name_methods(inner, request).await })
        .around(again::if_sacrificed)
        .around(routes::front::front)
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
