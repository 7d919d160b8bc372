//! Events that applications send, by way of an SDK.

mod app_log;
mod bundle;
mod cleaning;
mod field;
mod json;
mod source;
pub(crate) mod tag;
mod track;

use std::sync::Arc;

use bundle::{Bundle, Endpoint, unusable};
use cleaning::{Cleaned, Noted, clean};
use cortex_report_api::server::{
    Failure,
    types::{InvalidMember, ProblemCode},
};
use poem::Body;

use crate::{
    clock::Timestamp,
    metrics::EventOutcome,
    random::API_KEY_LENGTH,
    service::{Service, internal_error, not_allowed_since},
    store::{
        inbox::{Arrived, Entry},
        sender::Sender,
    },
    text::short_name,
};

/// Reply to a client whose events are stored.
const STORED: &str = "OK";
/// Size from which a body is read by a thread of its own, in bytes: it would keep other requests
/// waiting.
const LARGE: usize = 64 * 1024;

/// Stores the events of a bundle.
///
/// # Errors
///
/// 403 if the key is not one of the organization's. 400 if nothing of the bundle can be stored. 503
/// if the database is not available; it is then unknown whether the events are stored.
async fn take(
    service: &Service,
    endpoint: Endpoint,
    org: &str,
    body: Body,
) -> Result<String, Failure> {
    let received_at = service.clock.now();
    let body = body
        .into_vec()
        .await
        .map_err(|_| unusable_in([unusable("/body", "cannot be read")]))?;
    let size = body.len();
    let text = Arc::new(json::text(body));
    let key = {
        let text = Arc::clone(&text);
        let key = move || Ok(Bundle::read(&text, endpoint)?.api_key.into_owned());
        beside(size, key).await.map_err(|failure: InvalidMember| {
            service.metrics.count_events(EventOutcome::Refused, 1);
            unusable_in([failure])
        })?
    };
    let db = service.store.reader();
    let sender = match is_key(&key) {
        true => service.events.senders.find(db, &key, received_at).await?,
        false => None,
    };
    let sender = sender.filter(|it| {
        let name = it.org_short_name.as_deref();
        // Some SDKs send the name of the organization as it is.
        name.is_some_and(|name| name.eq_ignore_ascii_case(org) || name == short_name(org))
    });
    let Some(sender) = sender else {
        service.metrics.count_events(EventOutcome::Refused, 1);
        return Err(not_allowed_since(
            "The api_key is not one of this organization, or it was revoked.",
        ));
    };
    let org_id = sender.org_id;
    let (lines, failures, counts) =
        beside(size, move || lines(&text, endpoint, &sender, received_at)).await?;
    if !lines.is_empty() {
        let arrived = Arrived {
            org_id,
            received_at,
            lines,
        };
        service
            .events
            .arrived
            .write(&service.store, arrived)
            .await?;
    }
    for (outcome, count) in counts {
        service.metrics.count_events(outcome, count);
    }
    let is_any_stored = counts.iter().any(|(outcome, count)| {
        *count > 0 && matches!(outcome, EventOutcome::Accepted | EventOutcome::Cleaned)
    });
    match is_any_stored {
        true => Ok(STORED.to_owned()),
        false => Err(unusable_in(failures)),
    }
}

/// Returns true if a text can be an API key. Others are not looked up.
fn is_key(text: &str) -> bool {
    text.len() == API_KEY_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Entries of the inbox, each in a line of JSON; the failures of events that cannot be stored; and
/// the number of events by outcome.
type Lines = (Vec<Vec<u8>>, Vec<InvalidMember>, [(EventOutcome, u64); 3]);

/// Makes the entries of a bundle.
fn lines(
    text: &str,
    endpoint: Endpoint,
    sender: &Sender,
    received_at: Timestamp,
) -> Result<Lines, Failure> {
    let bundle = Bundle::read(text, endpoint).map_err(|failure| unusable_in([failure]))?;
    let Cleaned {
        rows,
        errors,
        failures,
    } = clean(&bundle, sender, received_at);
    let cleaned = rows.iter().filter(|it| !it.notes.is_empty()).count();
    let counts = [
        (EventOutcome::Accepted, rows.len() - cleaned),
        (EventOutcome::Cleaned, cleaned),
        (EventOutcome::Skipped, errors.len()),
    ];
    let errors = errors.into_iter().map(|row| Noted {
        row,
        notes: Vec::new(),
    });
    let entries = rows.into_iter().chain(errors);
    let lines = entries.map(|Noted { row, notes }| serde_json::to_vec(&Entry { row, notes }));
    let lines = lines.collect::<Result<Vec<_>, _>>().map_err(|error| {
        tracing::error!(%error, "the events of a bundle cannot be written as JSON");
        internal_error()
    })?;
    Ok((
        lines,
        failures,
        counts.map(|(outcome, count)| (outcome, count as u64)),
    ))
}

/// Does work on a body of a size, by a thread of its own if that is large.
async fn beside<T, E>(
    size: usize,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    match size < LARGE {
        true => work(),
        false => blocking(work).await,
    }
}

/// Does work that takes long enough to keep requests waiting, by a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It is never aborted, so this is a panic.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Returns the error for a bundle of which nothing can be stored.
fn unusable_in(failures: impl IntoIterator<Item = InvalidMember>) -> Failure {
    Failure::bad_request(
        ProblemCode::InvalidRequest,
        "Nothing of the bundle can be stored; see errors.",
        failures.into_iter().collect(),
    )
}
