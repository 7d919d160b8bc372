//! HTTP: the routes, the middleware around them, and the connections.

mod admission;
mod connections;
mod headers;
mod health;
mod ingest;
mod middleware;
mod proxies;
mod target;

use std::sync::Arc;

use cortex_report_api::{CONTRACT_JSON, server};
use openapi_lockstep_runtime::{Contract, ContractError, Operations, Rejection, problems};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Result, Route, RouteMethod,
    error::{InternalServerError, MethodNotAllowedError},
    get, handler,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};

pub(crate) use connections::serve;
pub(crate) use health::Health;
use middleware::{Middleware, answer_in_time, note_arrival};
pub(crate) use proxies::TrustedProxies;
use target::require_target;

use crate::{
    pages,
    service::{RETRY_AFTER, Service},
};

/// Maximum size of the body of a request, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

const DATABASE_IS_LATE: &str = "The database does not answer in time. Try again in a few seconds.";

/// Returns the endpoint of all operations and pages.
///
/// # Errors
///
/// The document cannot be used, which the build rules out.
pub(crate) fn endpoint(
    service: Service,
    proxies: Arc<TrustedProxies>,
    health: Arc<Health>,
) -> Result<impl Endpoint<Output = Response> + 'static, ContractError> {
    let contract = Contract::new(CONTRACT_JSON, BODY_LIMIT)?;
    let operations = contract.operations(server::routes(service.clone()))?;
    let verification = get(pages::show_verification.around(page_in_time))
        .post(pages::redeem_code.around(page_in_time));
    let page = |route: RouteMethod| only("GET, HEAD", route.data(service.clone()));
    let pages = Route::new()
        .at("/", page(get(pages::home)))
        .at("/docs", page(get(pages::home)))
        .at("/docs/*path", page(get(pages::docs_files)))
        .at("/openapi.yaml", page(get(pages::document_yaml)))
        .at("/openapi.json", page(get(pages::document_json)))
        .at("/verify.css", page(get(pages::style)))
        .at("/verify.js", page(get(pages::script)))
        .at(
            "/verify/:token",
            only("GET, HEAD, POST", verification.data(service.clone())),
        )
        .at("/livez", only("GET, HEAD", get(health::livez)))
        .at(
            "/readyz",
            page(get(health::readyz.data(Arc::clone(&health)))),
        );
    Ok(Middleware::new(
        contract.guard(InTime(operations)),
        pages,
        service,
        proxies,
        health,
    ))
}

/// Operations with a time limit for their answer. It begins once the body has been read, since that
/// depends on the client.
struct InTime(Operations);

impl Endpoint for InTime {
    type Output = Response;

    /// Begins the operation before the future is polled, so that the request is moved only once,
    /// into the operation.
    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        note_arrival(&request);
        let begun = self.0.begin(request);
        async { answer_in_time(begun?, || unavailable(DATABASE_IS_LATE)).await }
    }
}

/// Calls a page, with a time limit for its answer.
async fn page_in_time(
    page: Arc<impl Endpoint<Output = Response> + 'static>,
    request: Request,
) -> Result<Response> {
    note_arrival(&request);
    let work = Box::pin(async move { page.call(request).await });
    answer_in_time(work, pages::unavailable).await
}

/// Returns the endpoint that Prometheus scrapes, which has a listener of its own.
pub(crate) fn metrics_endpoint(service: Service) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/metrics", only("GET, HEAD", get(metrics)))
        .data(service)
        .around(problems)
        .around(require_target)
}

#[handler]
async fn metrics(Data(service): Data<&Service>) -> Result<Response> {
    let text = service.metrics.text(&service.store, service.clock.now());
    let text = text.await.map_err(InternalServerError)?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(text.with_content_type(media_type).into_response())
}

/// Returns the answer to a request that the service cannot serve for the moment.
fn unavailable(detail: &str) -> Response {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))
        .into_response()
}

/// Answers a request with another method by an error that lists the allowed ones.
fn only(allowed: &'static str, route: impl Endpoint) -> impl Endpoint<Output = Response> {
    let answer = move |_: MethodNotAllowedError| async { Rejection::method_not_allowed(allowed) };
    route.catch_error(answer).map_to_response()
}
