//! HTTP: the routes, what surrounds every one of them, and the connections.

mod admission;
mod connections;
mod health;
mod proxies;
mod surroundings;
mod target;

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
pub(crate) use health::Readiness;
pub(crate) use proxies::TrustedProxies;
use surroundings::{Surrounded, answer_in_time};
use target::require_target;

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
    let operations = Operations::new(&contract, server::routes(service.clone()))?;
    let api = operations.around(|endpoint, request| {
        answer_in_time(endpoint, request, || unavailable(DATABASE_IS_LATE))
    });
    let api = contract.clone().guard(api);
    let show = pages::show_verification
        .around(|endpoint, request| answer_in_time(endpoint, request, pages::unavailable));
    let redeem = pages::redeem_code
        .around(|endpoint, request| answer_in_time(endpoint, request, pages::unavailable));
    let verification = get(show).post(redeem);
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
        .at("/readyz", page(get(health::readyz)));
    Ok(Surrounded::new(Split { api, pages }, contract, service))
}

/// The operations, which are below `/api`, and the pages.
struct Split<A, P> {
    api: A,
    pages: P,
}

impl<A, P> Endpoint for Split<A, P>
where
    A: Endpoint<Output = Response>,
    P: Endpoint<Output = Response>,
{
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match request.uri().path().starts_with("/api/") {
            true => self.api.call(request).await,
            // Boxed: it is by far the larger one, and whatever it is part of is moved with it.
            false => Box::pin(self.pages.call(request)).await,
        }
    }
}

/// What Prometheus asks for, at an address of its own.
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

/// The answer to a request that the service cannot serve for the moment.
fn unavailable(detail: &str) -> Response {
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))
        .into_response()
}

/// Tells a client that uses another method which ones there are.
fn only(allowed: &'static str, route: impl Endpoint) -> impl Endpoint<Output = Response> {
    let answer = move |_: MethodNotAllowedError| async { Rejection::method_not_allowed(allowed) };
    route.catch_error(answer).map_to_response()
}
