//! What surrounds every request: its id, what is told of it, a deadline, the headers of the answer.

use std::{
    panic,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use openapi_lockstep_runtime::{Contract, Rejection, name_request};
use opentelemetry::trace::Status;
use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    admission::Activity,
    proxies::{Origin, REQUEST_ID},
};
use crate::{
    config::PublicUrl,
    service::{Client, Head, Service},
    telemetry::TRACE,
};

/// How long a request may take from its first line to its answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the answer to a request may take once its body has arrived. It is longer than the
/// database may take for a connection, whose own error says more.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(3300);

/// What stands for the status of a request whose client went away before it was answered.
const GONE_AWAY: u16 = 499;

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

/// Answers as `late` says where the service does not answer in time, such as with a database that
/// does not answer at all.
///
/// The work is a task of its own, which ends by itself: neither the deadline nor a client that goes
/// away cuts off a statement or a commit that is under way.
pub(super) async fn answer_in_time(
    endpoint: Arc<impl Endpoint + 'static>,
    request: Request,
    late: impl Fn() -> Response,
) -> Result<Response> {
    if let Some(activity) = request.data::<Activity>() {
        activity.answers();
    }
    let answering = async move { endpoint.get_response(request).await };
    let work = tokio::spawn(answering.in_current_span());
    match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) if error.is_panic() => panic::resume_unwind(error.into_panic()),
        // It is never aborted but with the runtime.
        Ok(Err(_)) | Err(_) => {}
    }
    tracing::warn!("a request was not answered in time");
    Ok(late())
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

/// Gives a request what goes with it: whom it comes from, and an id, which stands in every line of
/// the log that it causes, in the answer's headers and in its problem. Tells how it was answered.
pub(super) async fn accompany(
    endpoint: Arc<impl Endpoint>,
    mut request: Request,
    contract: Contract,
    service: Arc<Service>,
) -> Result<Response> {
    let origin = Origin::of(&request, &service.trusted_proxies);
    let id = origin.request_id.unwrap_or_else(|| service.random.id());
    let is_probe = ["/livez", "/readyz"].contains(&request.uri().path());
    if origin.client == Client::Unknown && !is_probe {
        let proxies = &service.trusted_proxies;
        proxies.warn_of_unknown_client(request.remote_addr());
    }
    request.set_data(origin.client);
    let operation = contract.operation_id(&request).map(str::to_owned);
    let method = known_method(request.method());
    if method == Some("HEAD") {
        // Answered as a GET, of which hyper sends no body.
        request.set_data(Head);
        request.set_method(Method::GET);
    }
    let trace = tracing::info_span!(
        target: TRACE,
        "request",
        id,
        otel.kind = "server",
        // A page's route is known only later, when a trace takes no other name.
        otel.name = operation.as_deref().or(method).unwrap_or("HTTP"),
        http.request.method = method.unwrap_or("_OTHER"),
    );
    if let Some(parent) = origin.trace {
        // Without a collector there is nothing that it could be part of.
        let _ = trace.set_parent(parent);
    }
    // As grave as can be, so that it is there whatever is logged.
    let method = method.unwrap_or("other");
    let span = tracing::error_span!(parent: &trace, "request", id, method);
    let mut exchange = Exchange {
        operation,
        is_probe,
        began: Instant::now(),
        answered: None,
        trace,
        span,
        service: &service,
    };
    let answering = endpoint.get_response(request);
    let answering = answering
        .instrument(exchange.span.clone())
        .instrument(exchange.trace.clone());
    let mut response = answering.await;
    let route = response.data::<PathPattern>().map(|it| it.0.to_string());
    exchange.operation = exchange.operation.take().or(route);
    exchange.answered = Some(response.status());
    name_request(&mut response, &id).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    if service.draining.load(Ordering::Relaxed) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// The method of a request, if HTTP knows it. Another may be anything, such as a secret in the
/// wrong place, and is told to nobody.
fn known_method(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    KNOWN.into_iter().find(|known| *known == method.as_str())
}

/// A request and how it was answered, told when this is dropped: in the log, in a trace and in the
/// metrics.
///
/// A path as it was sent may hold the token of a verification URL, and a query anything, so
/// neither is told.
struct Exchange<'a> {
    /// Its operationId, or the route of a page.
    operation: Option<String>,
    is_probe: bool,
    began: Instant,
    /// Nothing if the client went away before.
    answered: Option<StatusCode>,
    trace: Span,
    span: Span,
    service: &'a Service,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let operation = self.operation.as_deref().unwrap_or("none");
        let status = self.answered.map_or(GONE_AWAY, |status| status.as_u16());
        let metrics = &self.service.metrics;
        metrics.count_request(operation, status, took);
        self.trace.set_attribute("operation", operation.to_owned());
        let status_name = "http.response.status_code";
        self.trace.set_attribute(status_name, i64::from(status));
        if status >= 500 {
            self.trace.set_status(Status::error(""));
        }
        if !self.is_probe {
            // A number in JSON too, which 128 bits are not.
            let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            self.span
                .in_scope(|| tracing::info!(operation, status, milliseconds, "request"));
        }
    }
}
