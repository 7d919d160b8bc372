//! Options for reading a document.

use std::fs;

use clap::Args;
use openapi_lockstep::{Answers, Diagnostic, Document, Options, read_with};

#[derive(Args)]
pub(crate) struct Reading {
    /// Requires that the document describes the responses that are sent before a method is called:
    /// 400, 401, 413, 415 and 500, as problem details of RFC 9457.
    #[arg(long)]
    pub(crate) documented: bool,
    /// Leaves out the operation with this operationId; can be repeated.
    #[arg(long, value_name = "OPERATION")]
    pub(crate) without: Vec<String>,
}

impl Reading {
    /// Reads a document. Returns its errors if it is not accepted.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn read(&self, file: &str) -> Result<Result<Document, Vec<Diagnostic>>, String> {
        let text = text_of(file)?;
        let without: Vec<&str> = self.without.iter().map(String::as_str).collect();
        let options = Options {
            answers: match self.documented {
                true => Answers::Documented,
                false => Answers::Added,
            },
            without: &without,
        };
        Ok(read_with(file, &text, &options))
    }
}

pub(crate) fn text_of(file: &str) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))
}

pub(crate) fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
