//! Middleware around every request: its id, its log line, trace and metrics, a deadline, and the
//! headers of the answer.

use std::{
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use openapi_lockstep_runtime::{
    Answering, Guarded, Matched, Rejection, add_request_id, to_problem,
};
use opentelemetry::trace::Status;
use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use tokio::time::Instant;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    admission::Activity,
    headers::{POLICY_OF_OPERATIONS, POLICY_OF_PAGES, add_headers, headers},
    health::Health,
    ingest::{self, Room},
    proxies::{Origin, TrustedProxies},
    target::{check_target, prefix_location, strip_public_path},
};
use crate::{
    client::{Client, Sent, client},
    service::Service,
    telemetry::{RequestId, TRACE},
};

/// Time limit of a request, from the arrival of its headers to its answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// Time limit for the answer to a request once its body has arrived. It is longer than the limit
/// for acquiring a database connection, whose own error says more.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(3300);

/// The status recorded for a request whose client disconnected before it was answered.
const GONE_AWAY: u16 = 499;

/// Operations and pages, with the middleware around every request. It is a single layer, since each
/// layer moves the whole future of the layers within it.
pub(super) struct Middleware<A, P> {
    operations: Guarded<A>,
    pages: P,
    service: Service,
    proxies: Arc<TrustedProxies>,
    health: Arc<Health>,
    /// Room for the bodies of events.
    room: Arc<Room>,
    /// The headers of every page.
    of_pages: HeaderMap,
    /// The headers of every reply of an operation.
    of_operations: HeaderMap,
}

impl<A: Endpoint, P: Endpoint<Output = Response>> Endpoint for Middleware<A, P> {
    type Output = Response;

    /// Determines the client and the id of a request. The id is in every line of the log that the
    /// request causes, in the answer's headers, and in its problem. Records how it was answered.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and a request is large"
    )]
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        async move {
            let service = &self.service;
            let public_path = service.public_url.path();
            strip_public_path(&mut request, public_path);
            let may_be_kept = request.uri().path().starts_with("/docs/");
            let is_ingest = ingest::is_ingest(request.uri().path());
            let is_operation = is_ingest || request.uri().path().starts_with("/api/");
            let matched = is_operation.then(|| self.operations.matched(&request));
            let operation = matched.as_ref().and_then(|it| Some(it.as_ref().ok()?.id()));
            let mut log = RequestLog::begin(&mut request, operation, self);
            let mut response = match check_target(&request) {
                Err(rejection) => rejection.into_response(),
                // Pinned here: a future of this size takes longer to be moved than to be polled.
                Ok(()) => {
                    let answering = pin!(self.answer(request, matched, is_ingest));
                    let answering = log.id.scope(log.follow(answering));
                    let mut answering = pin!(answering);
                    match at_once(answering.as_mut()).await {
                        Some(response) => response,
                        None => {
                            let deadline = log.began + DEADLINE;
                            let response = tokio::time::timeout_at(deadline, answering).await;
                            response.unwrap_or_else(|_| late())
                        }
                    }
                }
            };
            if response.status().as_u16() >= 400 {
                // Boxed for the requests that do not fail.
                response = Box::pin(to_problem(response)).await;
                Box::pin(add_request_id(&mut response, log.id.as_str())).await;
            }
            log.end(&response);
            let status = response.status();
            let headers = response.headers_mut();
            let of_all = match is_operation {
                true => &self.of_operations,
                false => &self.of_pages,
            };
            add_headers(headers, of_all, &log.id);
            if is_ingest {
                ingest::allow_all_origins(headers);
            }
            if may_be_kept {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            }
            if self.health.is_draining() {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if status.is_redirection() {
                prefix_location(headers, public_path);
            }
            Ok(response)
        }
    }
}

impl<A: Endpoint, P: Endpoint<Output = Response>> Middleware<A, P> {
    pub(super) fn new(
        operations: Guarded<A>,
        pages: P,
        service: Service,
        proxies: Arc<TrustedProxies>,
        health: Arc<Health>,
    ) -> Self {
        let is_https = service.public_url.is_https();
        Self {
            operations,
            pages,
            of_pages: headers(POLICY_OF_PAGES, is_https),
            of_operations: headers(POLICY_OF_OPERATIONS, is_https),
            service,
            proxies,
            health,
            room: Arc::default(),
        }
    }

    /// Answers by an operation if the path is that of one, otherwise by a page.
    fn answer<'a>(
        &'a self,
        request: Request,
        matched: Option<Result<Matched<'a>, Rejection>>,
        is_ingest: bool,
    ) -> impl Future<Output = Result<Response>> + Send + 'a {
        match matched {
            Some(matched) if !is_ingest => self
                .operations
                .answer(request, matched)
                .map(Ok)
                .left_future(),
            // Boxed: they are by far the larger ones, and would be moved with each future that
            // contains them.
            matched => Box::pin(self.answer_others(request, matched)).right_future(),
        }
    }

    /// Answers what is sent to an ingest path, or asked of a page.
    async fn answer_others(
        &self,
        request: Request,
        matched: Option<Result<Matched<'_>, Rejection>>,
    ) -> Result<Response> {
        match matched {
            Some(matched) => match ingest::preflight(&request) {
                Some(allowed) => Ok(allowed),
                None => {
                    let operations = &self.operations;
                    Ok(ingest::answer(operations, &self.room, request, matched).await)
                }
            },
            None => self.pages.call(request).await,
        }
    }
}

/// Returns the output of a future that is ready when it is polled for the first time, as for an
/// answer from memory: it needs neither a task nor a timer, which would take longer than the work.
async fn at_once<F: Future + ?Sized>(mut work: Pin<&mut F>) -> Option<F::Output> {
    match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Records that a request has arrived completely, and the service has to answer.
pub(super) fn note_arrival(request: &Request) {
    if let Some(activity) = request.data::<Activity>() {
        activity.answers();
    }
}

/// Returns the answer to a request that takes too long.
fn late() -> Response {
    let seconds = DEADLINE.as_secs();
    Rejection::new(
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        format!("The request did not arrive and finish within {seconds} seconds."),
    )
    .into_response()
}

/// Answers with `late` if the work does not finish in time, for example because the database does
/// not answer at all.
///
/// Work that has to wait becomes a task of its own, which always runs to its end: neither the
/// deadline nor a client that disconnects cancels a statement or a commit in progress.
pub(super) async fn answer_in_time(
    mut work: Answering,
    late: impl FnOnce() -> Response,
) -> Result<Response> {
    if let Some(response) = at_once(work.as_mut()).await {
        return response;
    }
    let work = work.in_current_span();
    let work = match RequestId::current() {
        Some(id) => tokio::spawn(id.scope(work)),
        None => tokio::spawn(work),
    };
    match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
        Ok(Ok(response)) => return response,
        Ok(Err(error)) if error.is_panic() => panic::resume_unwind(error.into_panic()),
        // It is only aborted with the runtime.
        Ok(Err(_)) | Err(_) => {}
    }
    tracing::warn!("a request was not answered in time");
    Ok(late())
}

/// Returns the method of a request, if HTTP defines it. Any other text may be a secret in the wrong
/// place, and is not logged.
fn known_method(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    KNOWN.into_iter().find(|known| *known == method.as_str())
}

/// Record of a request and its answer. On drop it goes to the log, to a trace and to the metrics.
///
/// It does not contain the path and the query as they were sent: a path may contain the token of a
/// verification URL, and a query anything.
struct RequestLog<'a> {
    id: RequestId,
    method: &'static str,
    /// The operationId, if the request is for an operation.
    operation: Option<&'a str>,
    /// The route of a page.
    route: Option<PathPattern>,
    is_probe: bool,
    began: Instant,
    /// Status of the answer; `None` if the client disconnected before.
    answered: Option<StatusCode>,
    trace: Span,
    service: &'a Service,
}

impl<'a> RequestLog<'a> {
    fn begin<A, P>(
        request: &mut Request,
        operation: Option<&'a str>,
        middleware: &'a Middleware<A, P>,
    ) -> Self {
        let Middleware {
            service, proxies, ..
        } = middleware;
        let origin = Origin::of(request, proxies);
        let id = origin
            .request_id
            .unwrap_or_else(|| RequestId::random(&service.random));
        let is_probe = ["/livez", "/readyz"].contains(&request.uri().path());
        if origin.client == Client::Unknown && !is_probe {
            proxies.warn_of_unknown_client(request.remote_addr());
        }
        let method = known_method(request.method());
        let is_head = method == Some("HEAD");
        if is_head {
            // Answered like a GET; hyper does not send the body.
            request.set_method(Method::GET);
        }
        if is_head || origin.client != client(request) {
            request.set_data(Sent {
                by: origin.client,
                is_head,
            });
        }
        let trace = tracing::info_span!(
            target: TRACE,
            "request",
            id = id.as_str(),
            otel.kind = "server",
            // A page's route is known only later, when the trace can no longer be renamed.
            otel.name = operation.or(method).unwrap_or("HTTP"),
            http.request.method = method.unwrap_or("_OTHER"),
        );
        if let Some(parent) = origin.trace {
            // It fails without a collector, when there is no trace.
            let _ = trace.set_parent(parent);
        }
        Self {
            id,
            method: method.unwrap_or("other"),
            operation,
            route: None,
            is_probe,
            began: Instant::now(),
            answered: None,
            trace,
            service,
        }
    }

    /// Answers within the trace of the request. If the work panics, the answer is an error.
    async fn follow(
        &self,
        mut answering: Pin<&mut impl Future<Output = Result<Response>>>,
    ) -> Response {
        let polled = poll_fn(|context| {
            let _trace = self.trace.enter();
            let poll = AssertUnwindSafe(|| answering.as_mut().poll(context));
            match panic::catch_unwind(poll) {
                Ok(polled) => polled,
                // The panic hook has logged it.
                Err(_) => Poll::Ready(Err(StatusCode::INTERNAL_SERVER_ERROR.into())),
            }
        });
        polled.await.unwrap_or_else(|error| error.into_response())
    }

    fn end(&mut self, response: &Response) {
        self.route = response.data::<PathPattern>().cloned();
        self.answered = Some(response.status());
    }
}

impl Drop for RequestLog<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let route = self.route.as_ref().map(|route| route.0.as_ref());
        let operation = self.operation.or(route).unwrap_or("none");
        let status = self.answered.map_or(GONE_AWAY, |status| status.as_u16());
        let metrics = &self.service.metrics;
        metrics.count_request(operation, status, took);
        if !self.trace.is_disabled() {
            self.trace.set_attribute("operation", operation.to_owned());
            let status_name = "http.response.status_code";
            self.trace.set_attribute(status_name, i64::from(status));
            if status >= 500 {
                self.trace.set_status(Status::error(""));
            }
        }
        if !self.is_probe {
            // 64 bits, since a number of 128 bits is not logged as a number in JSON.
            let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let method = self.method;
            self.id.sync_scope(
                || tracing::info!(parent: &self.trace, method, operation, status, milliseconds, "request"),
            );
        }
    }
}
