//! HTTP: the routes, what surrounds every one of them, and the connections.

mod connections;
mod health;
mod proxies;
mod surroundings;

use std::sync::Arc;

use cortex_report_api::{DOCUMENT_JSON, server};
use openapi_lockstep_runtime::{Contract, ContractError, Rejection, problems};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Response, Result, Route, RouteMethod,
    error::{InternalServerError, MethodNotAllowedError},
    get, handler,
    middleware::CatchPanic,
    web::Data,
};

pub(crate) use connections::serve;
pub(crate) use health::Readiness;
use surroundings::{accompany, deadline, security_headers};

use crate::{pages, service::Service};

/// The largest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// Everything that the service answers.
///
/// # Errors
///
/// The document cannot be used, which the build rules out.
pub(crate) fn endpoint(
    service: Service,
) -> Result<impl Endpoint<Output = Response> + 'static, ContractError> {
    let contract = Contract::new(DOCUMENT_JSON, BODY_LIMIT)?;
    let api = contract.clone().guard(server::service(service.clone()));
    let accompanied = Arc::new(service.clone());
    let public_url = service.public_url.clone();
    let verification = get(pages::show_verification).post(pages::redeem_code);
    let page = |route: RouteMethod| only("GET, HEAD", route);
    let endpoint = Route::new()
        .at("/", page(get(pages::home)))
        .at("/docs", page(get(pages::home)))
        .at("/docs/*path", page(get(pages::docs_files)))
        .at("/openapi.yaml", page(get(pages::document_yaml)))
        .at("/openapi.json", page(get(pages::document_json)))
        .at("/verify.css", page(get(pages::style)))
        .at("/verify.js", page(get(pages::script)))
        .at("/verify/:token", only("GET, HEAD, POST", verification))
        .at("/livez", page(get(health::livez)))
        .at("/readyz", page(get(health::readyz)))
        .nest_no_strip("/api", api)
        .data(service)
        .with(CatchPanic::new())
        .around(deadline)
        .around(problems)
        .around(move |endpoint, request| security_headers(endpoint, request, public_url.clone()))
        .around(move |endpoint, request| {
            accompany(
                endpoint,
                request,
                contract.clone(),
                Arc::clone(&accompanied),
            )
        });
    Ok(endpoint)
}

/// What Prometheus asks for, at an address of its own.
pub(crate) fn metrics_endpoint(service: Service) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/metrics", only("GET, HEAD", get(metrics)))
        .data(service)
        .around(problems)
}

#[handler]
async fn metrics(Data(service): Data<&Service>) -> Result<Response> {
    let text = service.metrics.text(&service.store, service.clock.now());
    let text = text.await.map_err(InternalServerError)?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(text.with_content_type(media_type).into_response())
}

/// Tells a client that uses another method which ones there are.
fn only(allowed: &'static str, route: RouteMethod) -> impl Endpoint<Output = Response> {
    let answer = move |_: MethodNotAllowedError| async { Rejection::method_not_allowed(allowed) };
    route.catch_error(answer).map_to_response()
}
