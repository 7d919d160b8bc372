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

/// Output format of results.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
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
            Format::Text => print(&text(reply)),
            Format::Json => print(&serde_json::to_string(reply)?),
        }
    }

    /// Prints a line of JSON for scripts, about an event before the result. People are informed by
    /// [`tell`](Self::tell).
    pub(super) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Text => Ok(()),
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
