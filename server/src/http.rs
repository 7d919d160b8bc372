//! HTTP: the routes, what surrounds every one of them, and the connections.

mod admission;
mod connections;
mod health;
mod proxies;
mod surroundings;
mod target;

use std::sync::Arc;

use cortex_report_api::{CONTRACT_JSON, server};
use openapi_lockstep_runtime::{Contract, ContractError, Rejection, problems};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Response, Result, Route, RouteMethod,
    error::{InternalServerError, MethodNotAllowedError},
    get, handler,
    http::{HeaderValue, StatusCode, header},
    middleware::CatchPanic,
    web::Data,
};

pub(crate) use connections::serve;
pub(crate) use health::Readiness;
pub(crate) use proxies::TrustedProxies;
use surroundings::{accompany, answer_in_time, deadline, security_headers};
use target::{below_public_path, require_host};

use crate::{
    pages,
    service::{RETRY_AFTER, Service},
};

/// The largest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

const DATABASE_IS_LATE: &str = "The database does not answer in time. Try again in a few seconds.";

/// Everything that the service answers.
///
/// # Errors
///
/// The document cannot be used, which the build rules out.
pub(crate) fn endpoint(
    service: Service,
) -> Result<impl Endpoint<Output = Response> + 'static, ContractError> {
    let contract = Contract::new(CONTRACT_JSON, BODY_LIMIT)?;
    // What needs the database is answered in time. By then a body has been read: how long that
    // takes is up to the client.
    let api = server::service(service.clone()).around(|endpoint, request| {
        answer_in_time(endpoint, request, || unavailable(DATABASE_IS_LATE))
    });
    let api = contract.clone().guard(api);
    let show = pages::show_verification
        .around(|endpoint, request| answer_in_time(endpoint, request, pages::unavailable));
    let redeem = pages::redeem_code
        .around(|endpoint, request| answer_in_time(endpoint, request, pages::unavailable));
    let verification = get(show).post(redeem);
    let accompanied = Arc::new(service.clone());
    let public_url = service.public_url.clone();
    let public_path = public_url.path().to_owned();
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
        .around(require_host)
        .around(move |endpoint, request| security_headers(endpoint, request, public_url.clone()))
        .around(move |endpoint, request| {
            accompany(
                endpoint,
                request,
                contract.clone(),
                Arc::clone(&accompanied),
            )
        })
        .around(move |endpoint, request| below_public_path(endpoint, request, public_path.clone()));
    Ok(endpoint)
}

/// What Prometheus asks for, at an address of its own.
pub(crate) fn metrics_endpoint(service: Service) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/metrics", only("GET, HEAD", get(metrics)))
        .data(service)
        .around(problems)
        .around(require_host)
}

#[handler]
async fn metrics(Data(service): Data<&Service>) -> Result<Response> {
    let text = service.metrics.text(&service.store, service.clock.now());
    let text = text.await.map_err(InternalServerError)?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(text.with_content_type(media_type).into_response())
}

/// The answer to a request that the service cannot serve for the moment.
fn unavailable(detail: &str) -> Response {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))
        .into_response()
}

/// Tells a client that uses another method which ones there are.
fn only(allowed: &'static str, route: RouteMethod) -> impl Endpoint<Output = Response> {
    let answer = move |_: MethodNotAllowedError| async { Rejection::method_not_allowed(allowed) };
    route.catch_error(answer).map_to_response()
}
