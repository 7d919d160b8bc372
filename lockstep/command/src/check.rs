//! `lockstep check`: what of a document is wrong.

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args, ValueEnum};
use openapi_lockstep::{Refusal, client};
use serde::Serialize;

use crate::reading::Reading;

/// Tells where documents are wrong, or what of them server and client could not say.
///
/// It ends with 0 when all of them are taken, 1 when one is refused, 2 when a file cannot be read.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The documents.
    #[arg(required = true)]
    files: Vec<String>,
    /// The form of what is told.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Tells every refusal, also where there are very many.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Lines for people, which editors turn into links.
    Text,
    /// A list of objects.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

/// A refusal as JSON.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    pointer: &'a str,
    reason: &'a str,
}

/// More refusals than this are told by their kinds.
const MANY: usize = 100;
/// The places of a kind that are told.
const PLACES: usize = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut refusals = Vec::new();
    for file in &arguments.files {
        let found = match arguments.reading.read(file)? {
            Ok(document) => client(&document).err().into_iter().collect(),
            Err(refusals) => refusals,
        };
        if let (Format::Text, true) = (arguments.format, found.is_empty()) {
            println!("{file}: taken by server and client");
        }
        refusals.extend(found);
    }
    match arguments.format {
        Format::Text if refusals.len() > MANY && !arguments.all => print_kinds(&refusals),
        Format::Text => refusals.iter().for_each(|refusal| println!("{refusal}")),
        Format::Json => println!("{}", json(&refusals)?),
        Format::Github => refusals
            .iter()
            .for_each(|refusal| println!("{}", annotation(refusal))),
    }
    Ok(ExitCode::from(u8::from(!refusals.is_empty())))
}

fn json(refusals: &[Refusal]) -> Result<String, String> {
    let told = refusals.iter().map(|refusal| Told {
        file: &refusal.file,
        line: refusal.line,
        column: refusal.column,
        pointer: &refusal.pointer,
        reason: &refusal.reason,
    });
    let told: Vec<Told<'_>> = told.collect();
    serde_json::to_string_pretty(&told).map_err(|error| error.to_string())
}

/// A workflow command of GitHub Actions.
fn annotation(refusal: &Refusal) -> String {
    let Refusal {
        file,
        line,
        column,
        pointer,
        reason,
    } = refusal;
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

/// Prints how many refusals there are of each kind, and where the first ones are.
fn print_kinds(refusals: &[Refusal]) {
    let mut kinds = BTreeMap::<String, Vec<&Refusal>>::new();
    for refusal in refusals {
        kinds.entry(kind(refusal)).or_default().push(refusal);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, refusals)| std::cmp::Reverse(refusals.len()));
    for (kind, refusals) in kinds {
        println!("{} times: {kind}", refusals.len());
        for refusal in refusals.iter().take(PLACES) {
            println!("    {refusal}");
        }
    }
    println!(
        "{} refusals in all; --all tells each of them",
        refusals.len()
    );
}

/// The reason of a refusal without what is said of the one place.
pub(crate) fn kind(refusal: &Refusal) -> String {
    let words = refusal.reason.split(' ').map(|word| {
        let is_of_the_place = word.contains(['/', '"', '{', '#']) || word.parse::<f64>().is_ok();
        if is_of_the_place { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
