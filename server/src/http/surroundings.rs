//! What surrounds every request: a deadline, the headers of the answer, a line in the log.

use std::time::{Duration, Instant};

use openapi_lockstep_runtime::{Rejection, code};
use poem::{
    Endpoint, IntoResponse, Middleware, PathPattern, Request, Response, Result,
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
pub(super) struct Deadline;

pub(super) struct DeadlineEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for Deadline {
    type Output = DeadlineEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        DeadlineEndpoint(endpoint)
    }
}

impl<E: Endpoint> Endpoint for DeadlineEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match tokio::time::timeout(DEADLINE, self.0.get_response(request)).await {
            Ok(response) => Ok(response),
            Err(_) => Ok(Rejection::new(
                StatusCode::REQUEST_TIMEOUT,
                code::REQUEST_TIMEOUT,
                format!(
                    "The request did not arrive and finish within {} seconds.",
                    DEADLINE.as_secs()
                ),
            )
            .into_response()),
        }
    }
}

/// Sets the headers that every answer has.
pub(super) struct SecurityHeaders {
    pub(super) public_url: PublicUrl,
}

pub(super) struct SecurityHeadersEndpoint<E> {
    endpoint: E,
    is_https: bool,
}

impl<E: Endpoint> Middleware<E> for SecurityHeaders {
    type Output = SecurityHeadersEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        SecurityHeadersEndpoint {
            endpoint,
            is_https: self.public_url.is_https(),
        }
    }
}

impl<E: Endpoint> Endpoint for SecurityHeadersEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let may_be_kept = request.uri().path().starts_with("/docs/");
        let mut response = self.endpoint.get_response(request).await;
        let mut set = |name: HeaderName, value: &'static str| {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::X_FRAME_OPTIONS, "DENY");
        set(header::REFERRER_POLICY, "no-referrer");
        set(
            header::CACHE_CONTROL,
            if may_be_kept { "no-cache" } else { "no-store" },
        );
        if self.is_https {
            set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        Ok(response)
    }
}

/// Writes a line for each request: what was asked for, by its route, and what was answered.
///
/// A path as it was sent may hold the token of a verification URL, and a query anything, so
/// neither is written.
pub(super) struct RequestLog;

pub(super) struct RequestLogEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for RequestLog {
    type Output = RequestLogEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        RequestLogEndpoint(endpoint)
    }
}

impl<E: Endpoint> Endpoint for RequestLogEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let method = request.method().clone();
        let started = Instant::now();
        let response = self.0.get_response(request).await;
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
}
