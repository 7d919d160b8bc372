//! Output of commands: tab-separated columns, or a line of JSON for each row.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::text::printable;

/// Format of the output of commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tab-separated columns, and sentences.
    #[default]
    Text,
    /// A line of JSON for each row.
    Json,
}

/// Writer of results.
pub struct Output<W> {
    format: Format,
    out: W,
}

impl<W: Write> Output<W> {
    /// Creates a writer of results in a format.
    pub fn new(format: Format, out: W) -> Self {
        Self { format, out }
    }

    /// Writes a text for people, which JSON leaves out.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            Format::Json => Ok(()),
            Format::Text => writeln!(self.out, "{text}"),
        }
    }

    /// Writes a row of a list: a struct, whose fields are the columns.
    pub(crate) fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        let row = serde_json::to_value(row)?;
        match self.format {
            Format::Json => writeln!(self.out, "{row}"),
            Format::Text => {
                let columns = row.as_object().into_iter().flat_map(|row| row.values());
                let columns: Vec<String> = columns.map(column).collect();
                writeln!(self.out, "{}", columns.join("\t"))
            }
        }
    }

    /// Writes the result of a command: the struct as JSON, or a text about it.
    pub(crate) fn result(&mut self, result: &impl Serialize, text: &str) -> io::Result<()> {
        match self.format {
            Format::Json => writeln!(self.out, "{}", serde_json::to_string(result)?),
            Format::Text if text.is_empty() => Ok(()),
            Format::Text => writeln!(self.out, "{text}"),
        }
    }
}

/// A value in a column. What is absent is a hyphen.
fn column(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => printable(text),
        value => value.to_string(),
    }
}
