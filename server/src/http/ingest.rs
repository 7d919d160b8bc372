//! The paths that SDKs send events to. They are called by pages of any origin, and with bodies that
//! may be large.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::StreamExt;
use openapi_lockstep_runtime::{Guarded, InvalidMember, Matched, Rejection};
use poem::{
    Body, Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{BODY_LIMIT, unavailable};

/// Endings of the paths, after the name of an organization.
const PATHS: [&str; 2] = ["/1/track", "/1/app_log"];
/// Maximum size of the bodies that are in memory at the same time, in bytes.
const ROOM: usize = 64 * 1024 * 1024;

/// Asked by browsers of a page on the internet that calls a service in a private network.
const ASKS_FOR_PRIVATE: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Returns true if SDKs send events to the path.
pub(super) fn is_ingest(path: &str) -> bool {
    let org = PATHS.iter().find_map(|end| path.strip_suffix(end));
    org.and_then(|org| org.strip_prefix('/'))
        .is_some_and(|org| !org.is_empty() && !org.contains('/'))
}

/// Returns the answer to a browser that asks whether a page may send events.
pub(super) fn preflight(request: &Request) -> Option<Response> {
    if *request.method() != Method::OPTIONS {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "POST");
    // Older browsers do not know the wildcard.
    set(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "content-type, accept, *",
    );
    set(header::ACCESS_CONTROL_MAX_AGE, "86400");
    if request.headers().contains_key(ASKS_FOR_PRIVATE) {
        set(ALLOWS_PRIVATE, "true");
    }
    Some(response)
}

/// Lets pages of every origin read a response. Without it an SDK takes each answer for a failure of
/// the network, and repeats for ever.
pub(super) fn allow_all_origins(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
}

/// Room in memory for bodies.
#[derive(Default)]
pub(super) struct Room(AtomicUsize);

/// A part of the room, which is given back when it is dropped.
struct Taken {
    room: Arc<Room>,
    size: usize,
}

impl Taken {
    /// Takes more of the room. Returns false if there is not as much left.
    fn grow(&mut self, size: usize) -> bool {
        let taken = self.room.0.fetch_add(size, Ordering::Relaxed);
        self.size += size;
        taken + size <= ROOM
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// Reads the body of a request, and passes it to its operation.
pub(super) async fn answer<E: Endpoint>(
    operations: &Guarded<E>,
    room: &Arc<Room>,
    mut request: Request,
    matched: Result<Matched<'_>, Rejection>,
) -> Response {
    let limit = matched.as_ref().ok().and_then(Matched::body_limit);
    let body = request.take_body();
    match read(body, limit.unwrap_or(BODY_LIMIT), room).await {
        Ok((bytes, taken)) => {
            request.set_body(bytes);
            // Dropped with the request, once the operation is done with the body.
            request.set_data(Arc::new(taken));
            operations.answer(request, matched).await
        }
        Err(response) => *response,
    }
}

async fn read(
    body: Body,
    limit: usize,
    room: &Arc<Room>,
) -> Result<(Vec<u8>, Taken), Box<Response>> {
    let mut taken = Taken {
        room: Arc::clone(room),
        size: 0,
    };
    let mut bytes = Vec::new();
    let mut chunks = body.into_bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| refused("could not be read completely".to_owned()))?;
        if bytes.len() + chunk.len() > limit {
            return Err(refused(format!("is larger than {limit} bytes")));
        }
        if !taken.grow(chunk.len()) {
            let detail = "The service has no room for more events. Try again in a few seconds.";
            return Err(Box::new(unavailable(detail)));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, taken))
}

/// Returns the answer to a body that is not read, upon which an SDK goes on with the next one.
fn refused(detail: String) -> Box<Response> {
    let body = InvalidMember {
        pointer: "/body".to_owned(),
        detail,
    };
    Box::new(Rejection::invalid(vec![body]).into_response())
}
