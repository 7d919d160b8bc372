//! Replies of an operation.

use proc_macro2::Ident;

use super::Payload;
use crate::types::Type;

/// The replies of an operation: those by which it succeeds, and its failures.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) successes: Group,
    /// The failures that not every operation has.
    pub(crate) failures: Group,
}

/// Replies, of which a method returns one.
#[derive(Debug)]
pub(crate) struct Group {
    /// The identifier of their enum, or of the struct of the only one.
    pub(crate) name: Ident,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A reply: its status and what it carries.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) pointer: String,
    /// The identifier of its variant.
    pub(crate) name: Ident,
    pub(crate) answer: Answer,
    pub(crate) description: String,
    pub(crate) headers: Vec<Header>,
    /// The media type and the payload, if it has a body.
    pub(crate) content: Option<(String, Payload)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// All of a hundred: `4` for `4XX`.
    Range(u16),
    Default,
}

impl Answer {
    /// The key among the responses.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Range(hundred) => format!("{hundred}XX"),
            Self::Default => "default".to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) wire: String,
    pub(crate) name: Ident,
    pub(crate) description: String,
    pub(crate) required: bool,
    pub(crate) kind: Type,
}

impl Outcome {
    /// Returns true if it says the same as another reply of the same status.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.answer == other.answer
            && self.description == other.description
            && self.headers == other.headers
            && self.content == other.content
    }
}

impl Group {
    /// The only reply, if it has one status, so that it needs no enum.
    pub(crate) fn only(&self) -> Option<&Outcome> {
        match self.outcomes.as_slice() {
            [outcome] if matches!(outcome.answer, Answer::Status(_)) => Some(outcome),
            _ => None,
        }
    }
}
