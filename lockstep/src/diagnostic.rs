use std::fmt;

/// An error of a document, and its place.
///
/// Shown as `openapi.yaml:120:9 /paths/~1login/post: the reason`, which editors turn into a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The name of the file, as passed to [`read`](crate::read).
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The JSON Pointer of the place.
    pub pointer: String,
    /// The problem, and what to write instead if there is an alternative.
    pub reason: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            pointer,
            reason,
        } = self;
        write!(formatter, "{file}:{line}:{column} {pointer}: {reason}")
    }
}

impl std::error::Error for Diagnostic {}
