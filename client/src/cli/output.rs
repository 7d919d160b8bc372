//! Output of the commands: results on standard output, everything else on standard error.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use comfy_table::{Table, presets};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};
use serde::Serialize;
use serde_json::Value;

/// Output format of results.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables and sentences for people
    #[default]
    #[value(alias = "text")]
    Table,
    /// A line of JSON for scripts
    Json,
    /// Comma-separated values, with a line of column names first
    Csv,
}

/// Printer of a command. It omits colours if the output is not a terminal that shows them, or if
/// `NO_COLOR` is set.
pub(super) struct Output {
    format: Format,
}

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();

impl Output {
    pub(super) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Prints a result: the reply itself as JSON, or as the text that `text` makes of it.
    pub(super) fn result<T: Serialize>(
        &self,
        reply: &T,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Table => print(&text(reply)),
            Format::Json => print(&serde_json::to_string(reply)?),
            Format::Csv => self.raw(&csv(&serde_json::to_value(reply)?)?),
        }
    }

    /// Prints a line of JSON, whatever the format.
    pub(super) fn line(&self, entry: &impl Serialize) -> io::Result<()> {
        print(&serde_json::to_string(entry)?)
    }

    /// Prints a line of JSON for scripts, about an event before the result. People are informed by
    /// [`tell`](Self::tell).
    pub(super) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Csv => Ok(()),
            Format::Json => print(&serde_json::to_string(event)?),
        }
    }

    /// Prints bytes as they are.
    pub(super) fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Prints a message for people on standard error. If that fails, the command goes on.
    pub(super) fn tell(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// Prints the error of a command.
    pub(super) fn error(&self, text: &str) {
        let lines: Vec<String> = text.lines().map(visible).collect();
        self.tell(&format!("{RED}error:{RED:#} {}", lines.join("\n")));
    }

    /// Asks for confirmation: `y` or `yes`. Every other answer is a no.
    pub(super) fn confirm(&self, question: &str) -> io::Result<bool> {
        let _ = write!(anstream::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

/// Returns the rows of a reply as CSV: of the list that it is or has, or the reply as the only row.
fn csv(reply: &Value) -> io::Result<Vec<u8>> {
    let list = match reply {
        Value::Array(list) => list.as_slice(),
        Value::Object(members) => match members.values().find_map(Value::as_array) {
            Some(list) if list.iter().all(Value::is_object) => list.as_slice(),
            _ => std::slice::from_ref(reply),
        },
        _ => &[],
    };
    let rows = || list.iter().filter_map(Value::as_object);
    let mut names = Vec::new();
    for name in rows().flat_map(|row| row.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    if !names.is_empty() {
        csv.write_record(&names)?;
    }
    for row in rows() {
        csv.write_record(names.iter().map(|name| cell(row.get(*name))))?;
    }
    csv.into_inner().map_err(|error| error.into_error())
}

/// Text of a value in CSV: several are separated by spaces, and what is absent is empty.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.collect::<Vec<_>>().join(" ")
        }
        Some(value) => value.to_string(),
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{}", text.trim_end())?;
    out.flush()
}

pub(super) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// Formats a table with aligned columns and a header line.
pub(super) fn table<const N: usize>(
    names: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(names);
    for row in rows {
        table.add_row(row.map(|cell| visible(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut lines = table.lines();
    let head = lines.next().unwrap_or_default();
    let head = bold(head.trim_end());
    let rows = lines.map(|line| format!("\n{}", line.trim_end()));
    format!("{head}{}", rows.collect::<String>())
}

/// Makes a text safe to print on one line: replaces each control character, line break,
/// bidirectional control, and character without a width, which could control the terminal or
/// deceive its reader.
pub(super) fn visible(text: &str) -> String {
    let categories = CodePointMapData::<GeneralCategory>::new();
    // Variation selectors, fillers and tags, not all of which are of the category Format.
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let is_hidden = |letter| {
        let category = categories.get(letter);
        ignorable.contains(letter)
            || matches!(
                category,
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
            )
    };
    text.chars()
        .map(|letter| match is_hidden(letter) {
            true => char::REPLACEMENT_CHARACTER,
            false => letter,
        })
        .collect()
}
