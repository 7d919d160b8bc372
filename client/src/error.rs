use std::{error, fmt, time::Duration};

use reqwest::{StatusCode, header};

use crate::{
    CallError,
    types::{Problem, ProblemCode},
};

/// Error of a call.
///
/// The calls of [`Client`](crate::Client) fail with a [`CallError`], which `?` turns into this.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL of the service is invalid.
    InvalidUrl(String),
    /// Nothing was sent: an argument is missing or wrong.
    InvalidRequest(String),
    /// The service refused the call with a documented error, which its `code` identifies.
    Refused {
        /// The problem that the service returned.
        problem: Problem,
        /// Time to wait before the next attempt, if the service gave one.
        retry_after: Option<Duration>,
    },
    /// The service was not reached, or the connection was lost. Whether it did what it was asked
    /// to is unknown.
    Unreachable(reqwest::Error),
    /// The service did not answer in time. Whether it did what it was asked to is unknown.
    TimedOut(reqwest::Error),
    /// The answer is not documented, so it may come from something other than this service.
    Unexpected {
        /// The status, where it is known.
        status: Option<StatusCode>,
        /// Description of the fault in the answer.
        reason: String,
    },
    /// Nobody verified the login in time. Start another one.
    NotVerified,
    /// Five wrong codes invalidated the login. Start another one.
    Invalidated,
}

impl Error {
    /// Machine-readable code of the error, if the service returned one.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused { problem, .. } => Some(problem.code),
            _ => None,
        }
    }

    /// Returns the status of the answer, if there is one and it is known.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { problem, .. } => {
                let status = u16::try_from(problem.status).ok()?;
                StatusCode::from_u16(status).ok()
            }
            Self::Unexpected { status, .. } => *status,
            _ => None,
        }
    }

    /// Returns true if a retry of the call may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) => true,
            Self::Refused { problem, .. } => matches!(
                problem.code,
                ProblemCode::RequestTimeout | ProblemCode::Unavailable
            ),
            Self::Unexpected { status, .. } => {
                let status = status.map(|status| status.as_u16());
                matches!(status, Some(408 | 429 | 502..=504))
            }
            Self::InvalidUrl(_)
            | Self::InvalidRequest(_)
            | Self::NotVerified
            | Self::Invalidated => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(reason) => write!(formatter, "the URL is invalid: {reason}"),
            Self::InvalidRequest(reason) => write!(formatter, "the request was not sent: {reason}"),
            Self::Refused { problem, .. } => {
                formatter.write_str(&problem.detail)?;
                for failure in problem.errors.iter().flatten() {
                    write!(formatter, "\n  {}: {}", failure.pointer, failure.detail)?;
                }
                match &problem.request_id {
                    Some(id) if problem.code == ProblemCode::InternalError => {
                        write!(formatter, " The id of the request is {id}.")
                    }
                    _ => Ok(()),
                }
            }
            Self::Unreachable(error) => {
                write!(formatter, "the service cannot be reached: {}", cause(error))
            }
            Self::TimedOut(_) => formatter.write_str("the service did not answer in time"),
            Self::Unexpected { reason, .. } => {
                write!(
                    formatter,
                    "the answer is not as the Report API documents it: {reason}"
                )
            }
            Self::NotVerified => formatter.write_str("nobody verified the login in time"),
            Self::Invalidated => formatter.write_str("five wrong codes invalidated the login"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreachable(error) | Self::TimedOut(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::InvalidRequest(reason) | CallError::Custom(reason) => {
                Self::InvalidRequest(reason)
            }
            CallError::ErrorResponse(response) => Self::Refused {
                retry_after: retry_after(response.headers()),
                problem: response.into_inner(),
            },
            CallError::CommunicationError(error)
            | CallError::ResponseBodyError(error)
            | CallError::InvalidUpgrade(error) => Self::from(error),
            // The body is left out: it may contain secrets.
            CallError::InvalidResponsePayload(_, error) => Self::Unexpected {
                status: None,
                reason: format!("the body cannot be read: {error}"),
            },
            CallError::UnexpectedResponse(response) => {
                let status = response.status();
                let location = response.headers().get(header::LOCATION);
                let reason = match location.and_then(|location| location.to_str().ok()) {
                    Some(location) if status.is_redirection() => {
                        format!("it redirects to {location}")
                    }
                    _ => match response.headers().get(header::CONTENT_TYPE) {
                        Some(media_type) => {
                            format!("the status is {status}, and the media type {media_type:?}")
                        }
                        None => format!("the status is {status}"),
                    },
                };
                Self::Unexpected {
                    status: Some(status),
                    reason,
                }
            }
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut(error)
        } else if error.is_builder() {
            Self::InvalidRequest(cause(&error).to_string())
        } else {
            Self::Unreachable(error)
        }
    }
}

/// Returns the seconds of Retry-After, if the answer has any.
pub(crate) fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Returns the innermost source of an error, which names the actual cause.
pub(crate) fn cause<'a>(
    error: &'a (dyn error::Error + 'static),
) -> &'a (dyn error::Error + 'static) {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}
