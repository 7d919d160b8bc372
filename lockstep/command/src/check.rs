//! `lockstep check`: reports the errors of documents.

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args, ValueEnum};
use openapi_lockstep::{Diagnostic, client};
use serde::Serialize;

use crate::reading::Reading;

/// Checks documents, and reports each error and each part that cannot be generated, with line and
/// column.
///
/// The exit code is 0 if all documents are accepted, 1 if one has errors, and 2 if a file cannot be
/// read.
#[derive(Args)]
pub(crate) struct Arguments {
    /// OpenAPI documents, YAML or JSON.
    #[arg(required = true)]
    files: Vec<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Lists every error; without it, more than 100 errors are grouped by kind.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One line for each error; editors turn its place into a link.
    Text,
    /// An array of objects.
    Json,
    /// Annotations for GitHub Actions.
    Github,
}

/// A diagnostic as JSON.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    pointer: &'a str,
    reason: &'a str,
}

/// More diagnostics than this are grouped by kind.
const MANY: usize = 100;
/// The number of places printed for each kind.
const PLACES: usize = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut diagnostics = Vec::new();
    for file in &arguments.files {
        let found = match arguments.reading.read(file)? {
            Ok(document) => client(&document).err().into_iter().collect(),
            Err(diagnostics) => diagnostics,
        };
        if let (Format::Text, true) = (arguments.format, found.is_empty()) {
            println!("{file}: server and client can be generated");
        }
        diagnostics.extend(found);
    }
    match arguments.format {
        Format::Text if diagnostics.len() > MANY && !arguments.all => print_kinds(&diagnostics),
        Format::Text => diagnostics
            .iter()
            .for_each(|diagnostic| println!("{diagnostic}")),
        Format::Json => println!("{}", json(&diagnostics)?),
        Format::Github => diagnostics
            .iter()
            .for_each(|diagnostic| println!("{}", annotation(diagnostic))),
    }
    Ok(ExitCode::from(u8::from(!diagnostics.is_empty())))
}

fn json(diagnostics: &[Diagnostic]) -> Result<String, String> {
    let told = diagnostics.iter().map(|diagnostic| Told {
        file: &diagnostic.file,
        line: diagnostic.line,
        column: diagnostic.column,
        pointer: &diagnostic.pointer,
        reason: &diagnostic.reason,
    });
    let told: Vec<Told<'_>> = told.collect();
    serde_json::to_string_pretty(&told).map_err(|error| error.to_string())
}

/// A workflow command of GitHub Actions.
fn annotation(diagnostic: &Diagnostic) -> String {
    let Diagnostic {
        file,
        line,
        column,
        pointer,
        reason,
    } = diagnostic;
    let escaped = |text: &str| {
        let text = text.replace('%', "%25").replace('\r', "%0D");
        text.replace('\n', "%0A")
    };
    let property = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    let message = escaped(&format!("{pointer}: {reason}"));
    format!(
        "::error file={},line={line},col={column}::{message}",
        property(file)
    )
}

/// Prints the number of diagnostics of each kind, and the places of the first ones.
fn print_kinds(diagnostics: &[Diagnostic]) {
    let mut kinds = BTreeMap::<String, Vec<&Diagnostic>>::new();
    for diagnostic in diagnostics {
        kinds.entry(kind(diagnostic)).or_default().push(diagnostic);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, diagnostics)| std::cmp::Reverse(diagnostics.len()));
    for (kind, diagnostics) in kinds {
        println!("{} times: {kind}", diagnostics.len());
        for diagnostic in diagnostics.iter().take(PLACES) {
            println!("    {diagnostic}");
        }
    }
    println!(
        "{} errors in total; --all lists each of them",
        diagnostics.len()
    );
}

/// The reason of a diagnostic, with the words that depend on its place replaced by `…`.
pub(crate) fn kind(diagnostic: &Diagnostic) -> String {
    let words = diagnostic.reason.split(' ').map(|word| {
        let is_of_the_place = word.contains(['/', '"', '{', '#']) || word.parse::<f64>().is_ok();
        if is_of_the_place { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
