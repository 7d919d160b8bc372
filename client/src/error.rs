use std::{error, fmt, time::Duration};

use reqwest::{StatusCode, header};

use crate::{
    CallError,
    types::{Problem, ProblemCode},
};

/// Why a call did not succeed.
///
/// The calls of [`Client`](crate::Client) fail with a [`CallError`], which `?` turns into this.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL of the service is none.
    InvalidUrl(String),
    /// Nothing was sent: an argument is missing or wrong.
    InvalidRequest(String),
    /// The service refuses, by one of the documented errors. Its `code` says which.
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

    /// The status of the answer, if there is one and it is known.
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

    /// Returns true if the same call may succeed a little later.
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
            Self::InvalidUrl(reason) => write!(formatter, "the URL is wrong: {reason}"),
            Self::InvalidRequest(reason) => write!(formatter, "nothing was sent: {reason}"),
            Self::Refused { problem, .. } => {
                formatter.write_str(&problem.detail)?;
                for failure in problem.errors.iter().flatten() {
                    write!(formatter, "\n  {}: {}", failure.pointer, failure.detail)?;
                }
                match &problem.request_id {
                    Some(id) if problem.code == ProblemCode::InternalError => {
                        write!(formatter, " The request is {id}.")
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
                    "the answer is not one of the Report API: {reason}"
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
            // The body stays out: it may hold what is secret.
            CallError::InvalidResponsePayload(_, error) => Self::Unexpected {
                status: None,
                reason: format!("its body is not as documented: {error}"),
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
                            format!("it has the status {status} and the media type {media_type:?}")
                        }
                        None => format!("it has the status {status}"),
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

/// The seconds of Retry-After, if the answer has any.
pub(crate) fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// The innermost reason, which is the one that names what to mend.
pub(crate) fn cause<'a>(
    error: &'a (dyn error::Error + 'static),
) -> &'a (dyn error::Error + 'static) {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}
