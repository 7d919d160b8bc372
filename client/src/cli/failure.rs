//! Errors of commands, in the words of the command line.

use std::io;

use super::output::visible;
use crate::types::{Problem, ProblemCode};

/// Message for a request that the service refused, with the names of the command's arguments.
pub(super) fn refusal(problem: &Problem) -> String {
    let failures = problem.errors.as_deref().unwrap_or_default();
    if failures.is_empty() {
        let detail = visible(&problem.detail);
        return match &problem.request_id {
            Some(id) if problem.code == ProblemCode::InternalError => {
                format!("{detail} The id of the request is {}.", visible(id))
            }
            _ => detail,
        };
    }
    let failures = failures.iter().map(|failure| {
        let argument = match failure.pointer.as_str() {
            "/body/email" => "ADDRESS",
            "/body/app_name" | "/body/org_name" => "NAME",
            "/body/label" => "label",
            "/body/ends_at" => "--ends",
            "/query/kind" => "--kind",
            "/body/org_id" | "/query/org_id" => "--org",
            "/path/app_id" => "ID",
            other => other,
        };
        visible(&format!("{argument} {}", failure.detail.trim_end()))
    });
    failures.collect::<Vec<_>>().join("\n")
}

/// Error of a command: the reason, and what to do next.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The service refused the request, or the command failed.
    #[error("{0}")]
    Failed(String),
    /// Wrong arguments.
    #[error("{0}")]
    Usage(String),
    /// There is no valid session.
    #[error("{0}")]
    NotLoggedIn(String),
    /// The result cannot be printed.
    #[error("cannot print the result: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Appends a sentence to the message.
    pub(super) fn with(self, sentence: &str) -> Self {
        let more = |message| format!("{message}\n{sentence}");
        match self {
            Self::Failed(message) => Self::Failed(more(message)),
            Self::Usage(message) => Self::Usage(more(message)),
            Self::NotLoggedIn(message) => Self::NotLoggedIn(more(message)),
            Self::Output(error) => Self::Output(error),
        }
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NotLoggedIn(_) => 4,
        }
    }
}
