//! `lockstep corpus`: how much of the documents of a folder is taken.

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
    Document, Options, client, operations, read, read_with, server, types, values,
};

use crate::{check::kind, reading::text_of};

/// Measures how much of the documents of a folder is taken, and writes a package of what is, so that
/// it can be compiled and tested.
///
/// It prints a table: for each document its operations, those that server and client take, and the time
/// of both; then the refusals by kind.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder, whose files end with .yaml, .yml or .json.
    folder: PathBuf,
    /// Writes a package into this folder: a module for each server, client and set of types, and a test
    /// that values made from each schema go through its type without loss. `cargo test` there compiles
    /// and tests all of it.
    #[arg(long, value_name = "FOLDER")]
    package: Option<PathBuf>,
    /// The folder of the package openapi-lockstep-runtime, for that package.
    #[arg(long, value_name = "FOLDER", default_value = "lockstep/runtime")]
    runtime: PathBuf,
}

/// What became of a document.
struct Outcome {
    name: String,
    operations: usize,
    /// The operations that are taken, where some are left out.
    taken: usize,
    time: Duration,
    refusals: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut package = Package::default();
    let mut outcomes = Vec::new();
    for file in files(&arguments.folder)? {
        outcomes.push(measure(&file, &mut package)?);
    }
    print!("{}", table(&outcomes));
    if let Some(folder) = &arguments.package {
        let runtime = fs::canonicalize(&arguments.runtime)
            .map_err(|error| format!("{}: {error}", arguments.runtime.display()))?;
        package.write(folder, &runtime)?;
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

fn measure(path: &Path, package: &mut Package) -> Result<Outcome, String> {
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
        refusals: Vec::new(),
    };
    let module = module(&outcome.name);
    match read(&file, &text) {
        Ok(document) => {
            outcome.refusals = write(&module, &document, package);
            if outcome.refusals.is_empty() {
                outcome.taken = outcome.operations;
            }
        }
        Err(refusals) => {
            outcome.refusals = refusals.iter().map(kind).collect();
            let is_in = |operation: &str| {
                refusals.iter().any(|refusal| {
                    let of_path = operation.starts_with(&format!("{}/", refusal.pointer));
                    of_path && !refusal.pointer.is_empty() || refusal.pointer.starts_with(operation)
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
                && write(&module, &document, package).is_empty()
            {
                outcome.taken = all.len() - refused.len();
            }
        }
    }
    outcome.time = start.elapsed();
    if let (Ok(types), Ok(values)) = (types(&file, &text), values(&file, &text)) {
        package.modules.push((format!("{module}_types"), types));
        package.values.push((module, values));
    }
    Ok(outcome)
}

/// Writes both sides into the package; answers what is refused.
fn write(module: &str, document: &Document, package: &mut Package) -> Vec<String> {
    match client(document) {
        Ok(code) => {
            package
                .modules
                .push((format!("{module}_server"), server(document)));
            package.clients.push((format!("{module}_client"), code));
            Vec::new()
        }
        Err(refusal) => vec![kind(&refusal)],
    }
}

fn module(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("of_{name}")
}

fn table(outcomes: &[Outcome]) -> String {
    let mut table = "| document | operations | taken | seconds |\n|---|---|---|---|\n".to_owned();
    let mut kinds = BTreeMap::<&str, usize>::new();
    for Outcome {
        name,
        operations,
        taken,
        time,
        refusals,
    } in outcomes
    {
        let seconds = time.as_secs_f64();
        // Writing to a text does not fail.
        let _ = writeln!(table, "| {name} | {operations} | {taken} | {seconds:.2} |");
        for kind in refusals {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let operations: usize = outcomes.iter().map(|it| it.operations).sum();
    let taken: usize = outcomes.iter().map(|it| it.taken).sum();
    let whole = outcomes.iter().filter(|it| it.refusals.is_empty()).count();
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

/// What is taken, as a package of its own.
#[derive(Default)]
struct Package {
    modules: Vec<(String, String)>,
    clients: Vec<(String, String)>,
    values: Vec<(String, Vec<openapi_lockstep::Values>)>,
}

impl Package {
    fn write(&self, folder: &Path, runtime: &Path) -> Result<(), String> {
        let source = folder.join("src");
        let failed = |error| format!("{} cannot be written: {error}", folder.display());
        fs::create_dir_all(&source).map_err(failed)?;
        let mut lib = LIB.to_owned();
        for (name, code) in &self.modules {
            fs::write(source.join(format!("{name}.rs")), code).map_err(failed)?;
            let _ = writeln!(lib, "pub mod {name};");
        }
        for (name, code) in &self.clients {
            let hooks = "\nimpl progenitor_client::ClientHooks<crate::Session> for Client {}\n";
            fs::write(source.join(format!("{name}.rs")), format!("{code}{hooks}"))
                .map_err(failed)?;
            let _ = writeln!(lib, "#[allow(unused_imports)]\npub mod {name};");
        }
        for (module, values) in &self.values {
            let told: serde_json::Map<String, serde_json::Value> = values
                .iter()
                .map(|it| (it.name.clone(), it.values.clone().into()))
                .collect();
            let told = serde_json::Value::Object(told).to_string();
            fs::write(source.join(format!("{module}_values.json")), told).map_err(failed)?;
            let _ = writeln!(
                lib,
                "\n#[cfg(test)]\n#[test]\nfn values_{module}() {{\n    let values = values(include_str!(\"{module}_values.json\"));\n    let mut count = 0;"
            );
            for it in values {
                let name = &it.name;
                let _ = writeln!(
                    lib,
                    "    count += check::<{module}_types::{name}>(\"{name}\", &values);"
                );
            }
            let _ = writeln!(lib, "    println!(\"{module}: {{count}} values\");\n}}");
        }
        fs::write(source.join("lib.rs"), lib).map_err(failed)?;
        let manifest = MANIFEST.replace("RUNTIME", &runtime.to_string_lossy());
        fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)
    }
}

const MANIFEST: &str = r#"[package]
name = "corpus"
version = "0.0.0"
edition = "2024"
publish = false

[workspace]

[profile.dev]
debug = false

[dependencies]
chrono = { version = "0.4", default-features = false, features = ["serde"] }
openapi-lockstep-runtime = { path = "RUNTIME" }
poem = { version = "3", default-features = false, features = ["server"] }
poem-openapi = "5"
progenitor-client = "0.15"
reqwest = { version = "0.13", default-features = false, features = ["form", "json", "multipart", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
uuid = { version = "1", features = ["serde"] }
"#;

const LIB: &str = r#"//! What lockstep writes from a folder of documents.
#![deny(warnings)]
#![allow(dead_code, deprecated, clippy::all)]

/// What the clients hold.
#[derive(Clone, Debug)]
pub struct Session;

/// What the format `password` becomes in a client.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

#[cfg(test)]
fn values(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("it is JSON")
}

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
