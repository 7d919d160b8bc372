//! What surrounds every request: a deadline, the headers of the answer, a line in the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use openapi_lockstep_runtime::Rejection;
use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{HeaderName, HeaderValue, StatusCode, header},
};

use crate::config::PublicUrl;

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

/// Writes a line for each request: what was asked for, by its route, and what was answered.
///
/// A path as it was sent may hold the token of a verification URL, and a query anything, so
/// neither is written.
pub(super) async fn log(endpoint: Arc<impl Endpoint>, request: Request) -> Result<Response> {
    let method = request.method().clone();
    let started = Instant::now();
    let response = endpoint.get_response(request).await;
    let route = response.data::<PathPattern>();
    tracing::info!(
        %method,
        route = route.map_or("none", |route| route.0.as_ref()),
        status = response.status().as_u16(),
        milliseconds = started.elapsed().as_millis(),
        "request"
    );
    Ok(response)
}
