//! What surrounds every request: its id, what is told of it, a deadline, the headers of the answer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use openapi_lockstep_runtime::{Contract, PROBLEM_JSON, Rejection};
use opentelemetry::trace::Status;
use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::Value;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::proxies::{Origin, REQUEST_ID};
use crate::{
    config::PublicUrl,
    service::{Client, Service},
};

/// How long a request may take from its first line to its answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Scripts, styles, requests and forms of our own, and nothing else; pictures inline too, which
/// Swagger UI's stylesheet has.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'";

/// Answers 408 to a request that takes too long.
pub(super) async fn deadline(endpoint: Arc<impl Endpoint>, request: Request) -> Result<Response> {
    let response = tokio::time::timeout(DEADLINE, endpoint.get_response(request)).await;
    Ok(response.unwrap_or_else(|_| {
        let seconds = DEADLINE.as_secs();
        Rejection::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            format!("The request did not arrive and finish within {seconds} seconds."),
        )
        .into_response()
    }))
}

/// Sets the headers that every answer has.
pub(super) async fn security_headers(
    endpoint: Arc<impl Endpoint>,
    request: Request,
    public_url: PublicUrl,
) -> Result<Response> {
    let may_be_kept = request.uri().path().starts_with("/docs/");
    let mut response = endpoint.get_response(request).await;
    let mut set = |name: HeaderName, value: &'static str| {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    let cache = if may_be_kept { "no-cache" } else { "no-store" };
    set(header::CACHE_CONTROL, cache);
    if public_url.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    Ok(response)
}

/// Tells of each request, by its operation, how it was answered: in the log, in a trace and in the
/// metrics.
///
/// A path as it was sent may hold the token of a verification URL, and a query anything, so
/// neither is told.
pub(super) async fn observe(
    endpoint: Arc<impl Endpoint>,
    request: Request,
    contract: Contract,
    service: Service,
) -> Result<Response> {
    let operation = contract.operation_id(&request).map(str::to_owned);
    let is_probe = ["/livez", "/readyz"].contains(&request.uri().path());
    let started = Instant::now();
    let mut response = endpoint.get_response(request).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    let route = response.data::<PathPattern>().map(|route| &*route.0);
    let operation = operation.as_deref().or(route).unwrap_or("none");
    let span = Span::current();
    span.set_attribute("operation", operation.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
    service.metrics.count_request(operation, status, took);
    if !is_probe {
        tracing::info!(
            operation,
            status,
            milliseconds = took.as_millis(),
            "request"
        );
    }
    if service.draining.load(Ordering::Relaxed) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

/// Finds out whom a request comes from, and gives it an id, which stands in every line of the log
/// that it causes, in the answer's headers and in its problem.
pub(super) async fn identify(
    endpoint: Arc<impl Endpoint>,
    mut request: Request,
    service: Service,
) -> Result<Response> {
    let origin = Origin::of(&request, &service.trusted_proxies);
    let id = origin.request_id.unwrap_or_else(|| service.random.id());
    request.set_data(Client(origin.client));
    let span = tracing::info_span!("request", id, method = %request.method());
    if let Some(trace) = origin.trace {
        // Without a collector there is nothing that it could be part of.
        let _ = span.set_parent(trace);
    }
    let mut response = endpoint.get_response(request).instrument(span).await;
    if response.content_type() == Some(PROBLEM_JSON) {
        let body = response.take_body().into_bytes().await;
        response.set_body(named(&body.unwrap_or_default(), &id));
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// A problem with the id of its request.
fn named(problem: &[u8], id: &str) -> Vec<u8> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(problem) else {
        return problem.to_vec();
    };
    members.insert("request_id".to_owned(), id.into());
    Value::Object(members).to_string().into_bytes()
}
