//! Hooks around every call: the key is sent, and failed calls are retried.

use std::time::Duration;

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Method, Request, Response, StatusCode, header};

use crate::{Client, Secret, error::retry_after};

/// Key and retry settings that a [`Client`] uses for each call. [`Builder`](crate::Builder) makes
/// them.
#[derive(Clone, Debug)]
pub struct Inner {
    pub(crate) key: Option<Secret>,
    pub(crate) retries: u32,
    pub(crate) max_retry_delay: Duration,
    pub(crate) jitter: fn() -> f64,
}

/// Delay before the first retry.
const FIRST_DELAY: Duration = Duration::from_millis(200);

impl Inner {
    /// Delay before the call is sent again, or `None` if it must not be sent again.
    fn retry_delay(
        &self,
        retried: u32,
        is_safe: bool,
        result: &reqwest::Result<Response>,
    ) -> Option<Duration> {
        if retried >= self.retries {
            return None;
        }
        let (may_retry, told) = match result {
            // Nothing was sent. After a time-out there is no retry, since it may take as long
            // again.
            Err(error) if error.is_connect() => (!error.is_timeout(), None),
            Err(error) => (is_safe && !error.is_timeout(), None),
            Ok(response) => {
                let may_retry = match response.status() {
                    // Refused before anything was done.
                    StatusCode::TOO_MANY_REQUESTS => true,
                    StatusCode::REQUEST_TIMEOUT
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT => is_safe,
                    _ => false,
                };
                let told = retry_after(response.headers());
                // A date, which the document does not allow.
                let is_unreadable =
                    told.is_none() && response.headers().contains_key(header::RETRY_AFTER);
                (may_retry && !is_unreadable, told)
            }
        };
        let own = self.vary(FIRST_DELAY * 2_u32.saturating_pow(retried));
        let delay = told.unwrap_or_default().saturating_add(own);
        (may_retry && delay <= self.max_retry_delay).then_some(delay)
    }

    /// Returns a random delay between half and all of the given one, so that clients that failed
    /// together do not retry together.
    pub(crate) fn vary(&self, delay: Duration) -> Duration {
        delay.mul_f64((1.0 + (self.jitter)().clamp(0.0, 1.0)) / 2.0)
    }
}

/// Returns true if a call is safe to repeat: doing it twice does no harm and gives the same answer.
///
/// A deletion is not safe: done twice, its second answer is that there is nothing to delete.
fn is_safe(request: &Request, operation: &OperationInfo) -> bool {
    let creates = || {
        request
            .url()
            .query_pairs()
            .any(|(name, _)| name == "app_name")
    };
    match *request.method() {
        Method::GET => !creates(),
        _ => operation.operation_id == "logout",
    }
}

impl ClientHooks<Inner> for Client {
    async fn pre<E>(
        &self,
        request: &mut Request,
        _operation: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        if let Some(key) = &self.inner.key {
            let value = header::HeaderValue::try_from(format!("Bearer {}", key.reveal()));
            let mut value = value.map_err(|_| {
                let reason = "the session_key has characters that cannot be sent in a header";
                progenitor_client::Error::InvalidRequest(reason.to_owned())
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(())
    }

    async fn exec(&self, request: Request, operation: &OperationInfo) -> reqwest::Result<Response> {
        let is_safe = is_safe(&request, operation);
        let mut request = request;
        let mut retried = 0;
        let mut result = loop {
            let again = request.try_clone();
            let result = self.client.execute(request).await;
            match (again, self.inner.retry_delay(retried, is_safe, &result)) {
                (Some(again), Some(delay)) => {
                    tokio::time::sleep(delay).await;
                    request = again;
                    retried += 1;
                }
                _ => break result,
            }
        };
        if let Ok(response) = &mut result {
            let headers = response.headers_mut().iter_mut();
            // The cookie contains the key too, and errors show the headers.
            for (_, value) in headers.filter(|(name, _)| *name == header::SET_COOKIE) {
                value.set_sensitive(true);
            }
        }
        result
    }
}
