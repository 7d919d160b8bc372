//! `lockstep corpus`: measures how many operations of the documents in a folder are supported.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use openapi_lockstep::{
    Document, Options, Values, client, operations, read, read_with, server, types, values,
};
use serde_json::{Map, Value};

use crate::{check::kind, reading::text_of};

/// Measures how many operations of the documents in a folder are supported, and can write the
/// generated code as packages to compile and test.
///
/// Prints a table with the operations of each document, the supported ones, and the time to
/// generate server and client; then the errors by kind.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder with the documents: files that end with .yaml, .yml or .json.
    folder: PathBuf,
    /// Writes a workspace into this folder, with a package for each document: its server, client
    /// and types, and two tests. One test reads and writes sample values of each schema without
    /// loss, the other compares the server's own description with the document. Run them with
    /// `cargo test`.
    #[arg(long, value_name = "FOLDER")]
    package: Option<PathBuf>,
    /// Folder of the package openapi-lockstep, on which the written packages depend.
    #[arg(long, value_name = "FOLDER", default_value = "lockstep")]
    lockstep: PathBuf,
}

/// Result for one document.
struct Outcome {
    name: String,
    operations: usize,
    /// The number of supported operations.
    taken: usize,
    time: Duration,
    diagnostics: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut packages = Packages::default();
    let mut outcomes = Vec::new();
    for file in files(&arguments.folder)? {
        let (outcome, package) = measure(&file)?;
        outcomes.push(outcome);
        packages.0.push(package);
    }
    print!("{}", table(&outcomes));
    if let Some(folder) = &arguments.package {
        let lockstep = fs::canonicalize(&arguments.lockstep)
            .map_err(|error| format!("{}: {error}", arguments.lockstep.display()))?;
        packages.write(folder, &lockstep)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|it| it.to_str());
        if matches!(extension, Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn measure(path: &Path) -> Result<(Outcome, Package), String> {
    let file = path.to_string_lossy();
    let text = text_of(&file)?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let start = Instant::now();
    let all = operations(&file, &text).unwrap_or_default();
    let mut outcome = Outcome {
        name,
        operations: all.len(),
        taken: 0,
        time: Duration::ZERO,
        diagnostics: Vec::new(),
    };
    let mut package = Package {
        name: package_name(&outcome.name),
        ..Package::default()
    };
    match read(&file, &text) {
        Ok(document) => {
            outcome.diagnostics = write(&document, &mut package);
            if outcome.diagnostics.is_empty() {
                outcome.taken = outcome.operations;
            }
        }
        Err(diagnostics) => {
            outcome.diagnostics = diagnostics.iter().map(kind).collect();
            let is_in = |operation: &str| {
                diagnostics.iter().any(|diagnostic| {
                    let of_path = operation.starts_with(&format!("{}/", diagnostic.pointer));
                    of_path && !diagnostic.pointer.is_empty()
                        || diagnostic.pointer.starts_with(operation)
                })
            };
            let refused: Vec<&str> = all
                .iter()
                .filter(|(pointer, _)| is_in(pointer))
                .map(|(_, id)| id.as_str())
                .collect();
            let options = Options {
                without: &refused,
                ..Options::default()
            };
            if let Ok(document) = read_with(&file, &text, &options)
                && write(&document, &mut package).is_empty()
            {
                outcome.taken = all.len() - refused.len();
            }
            package.without = refused.into_iter().map(str::to_owned).collect();
        }
    }
    outcome.time = start.elapsed();
    package.types = types(&file, &text).unwrap_or_default();
    package.values = values(&file, &text).unwrap_or_default();
    package.document = text;
    Ok((outcome, package))
}

/// Writes server and client into the package. Returns the kinds of the errors.
fn write(document: &Document, package: &mut Package) -> Vec<String> {
    match client(document) {
        Ok(client) => {
            package.sides = Some((server(document), client));
            Vec::new()
        }
        Err(diagnostic) => vec![kind(&diagnostic)],
    }
}

fn package_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    format!("of-{name}")
}

fn table(outcomes: &[Outcome]) -> String {
    let mut table =
        "| document | operations | supported | seconds |\n|---|---|---|---|\n".to_owned();
    let mut kinds = BTreeMap::<&str, usize>::new();
    for Outcome {
        name,
        operations,
        taken,
        time,
        diagnostics,
    } in outcomes
    {
        let seconds = time.as_secs_f64();
        // Writing to a text does not fail.
        let _ = writeln!(table, "| {name} | {operations} | {taken} | {seconds:.2} |");
        for kind in diagnostics {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let operations: usize = outcomes.iter().map(|it| it.operations).sum();
    let taken: usize = outcomes.iter().map(|it| it.taken).sum();
    let whole = outcomes
        .iter()
        .filter(|it| it.diagnostics.is_empty())
        .count();
    let seconds: f64 = outcomes.iter().map(|it| it.time.as_secs_f64()).sum();
    let _ = writeln!(
        table,
        "| {whole} of {} documents | {operations} | {taken} | {seconds:.2} |\n",
        outcomes.len()
    );
    for (kind, count) in kinds {
        let _ = writeln!(table, "{count} times: {kind}");
    }
    table
}

/// Workspace of the generated code, with a package for each document.
#[derive(Default)]
struct Packages(Vec<Package>);

#[derive(Default)]
struct Package {
    name: String,
    types: String,
    values: Vec<Values>,
    /// Server and client, if the document is accepted.
    sides: Option<(String, String)>,
    document: String,
    /// The operationIds of the operations that are left out.
    without: Vec<String>,
}

impl Packages {
    fn write(&self, folder: &Path, lockstep: &Path) -> Result<(), String> {
        let failed = |error| format!("{} cannot be written: {error}", folder.display());
        let write = |path: PathBuf, text: &str| fs::write(path, text).map_err(failed);
        for package in &self.0 {
            let folder = folder.join(&package.name);
            let source = folder.join("src");
            fs::create_dir_all(&source).map_err(failed)?;
            let manifest = MEMBER.replace("NAME", &package.name);
            write(folder.join("Cargo.toml"), &manifest)?;
            write(source.join("types.rs"), &package.types)?;
            let mut lib = LIB.to_owned();
            if let Some((server, client)) = &package.sides {
                write(source.join("server.rs"), server)?;
                write(source.join("client.rs"), &format!("{client}{HOOKS}"))?;
                write(folder.join("document"), &package.document)?;
                lib.push_str(&SIDES.replace("WITHOUT", &format!("{:?}", package.without)));
            }
            let values: Map<String, Value> = package
                .values
                .iter()
                .map(|it| (it.name.clone(), it.values.clone().into()))
                .collect();
            write(
                source.join("values.json"),
                &Value::Object(values).to_string(),
            )?;
            let checks = package.values.iter().map(|it| {
                let name = &it.name;
                format!("    count += check::<types::{name}>(\"{name}\", &values);\n")
            });
            let checks: String = checks.collect();
            lib.push_str(&TEST.replace("CHECKS", &checks));
            write(source.join("lib.rs"), &lib)?;
        }
        let manifest = WORKSPACE.replace("LOCKSTEP", &lockstep.to_string_lossy());
        write(folder.join("Cargo.toml"), &manifest)
    }
}

const WORKSPACE: &str = r#"[workspace]
members = ["*"]
exclude = ["target"]
resolver = "3"

[profile.dev]
debug = false

[workspace.dependencies]
chrono = { version = "0.4", default-features = false, features = ["serde"] }
openapi-lockstep = { path = "LOCKSTEP" }
openapi-lockstep-runtime = { path = "LOCKSTEP/runtime" }
openapi-lockstep-types = { path = "LOCKSTEP/types" }
poem = { version = "3", default-features = false, features = ["server"] }
poem-openapi = "5"
progenitor-client = "0.15"
reqwest = { version = "0.13", default-features = false, features = ["form", "json", "multipart", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
uuid = { version = "1", features = ["serde"] }
"#;

const MEMBER: &str = r#"[package]
name = "NAME"
version = "0.0.0"
edition = "2024"
publish = false

[lib]
doctest = false

[dependencies]
chrono = { workspace = true }
openapi-lockstep-runtime = { workspace = true }
openapi-lockstep-types = { workspace = true }
poem = { workspace = true }
poem-openapi = { workspace = true }
progenitor-client = { workspace = true }
reqwest = { workspace = true }
serde = { workspace = true }
serde_json = { workspace = true }
uuid = { workspace = true }

[dev-dependencies]
openapi-lockstep = { workspace = true }
"#;

/// Hooks of the client, which the crate that includes it implements.
const HOOKS: &str = r#"
impl progenitor_client::ClientHooks<crate::Inner> for Client {}
"#;

const SIDES: &str = r#"pub mod server;
#[allow(unused_imports)]
pub mod client;

/// State of the client.
#[derive(Clone, Debug)]
pub struct Inner;

#[cfg(test)]
#[test]
fn the_server_says_what_the_document_says() {
    let options = openapi_lockstep::Options {
        without: &WITHOUT,
        ..openapi_lockstep::Options::default()
    };
    let text = include_str!("../document");
    let document = openapi_lockstep::read_with("document", text, &options).expect("it is taken");
    let differences = openapi_lockstep::differences(&document, &server::spec());
    let differences = differences.expect("it is an OpenAPI document");
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

"#;

const TEST: &str = r#"#[cfg(test)]
#[test]
fn values_go_through_their_types() {
    #[allow(unused_variables)]
    let values: serde_json::Value = serde_json::from_str(include_str!("values.json")).unwrap();
    #[allow(unused_mut)]
    let mut count = 0;
CHECKS    println!("{count} values");
}
"#;

const LIB: &str = r#"//! Code that lockstep has generated from a document.
#![deny(warnings)]
#![allow(dead_code, deprecated, clippy::all)]

pub mod types;

/// Reads each value as its type, and writes it again.
#[cfg(test)]
fn check<T: serde::de::DeserializeOwned + serde::Serialize>(
    name: &str,
    values: &serde_json::Value,
) -> usize {
    let values = values[name].as_array().expect("it is a list");
    for value in values {
        let read: T = serde_json::from_value(value.clone())
            .unwrap_or_else(|error| panic!("{name} does not take {value}: {error}"));
        let written = serde_json::to_value(&read).expect("it can be written");
        assert!(is_same(value, &written), "{name}: {value} comes out as {written}");
    }
    values.len()
}

#[cfg(test)]
fn is_same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (one, other) {
        (Number(one), Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Array(one), Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Object(one), Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    other.get(name).is_some_and(|other| is_same(value, other))
                })
        }
        (one, other) => one == other,
    }
}

"#;
