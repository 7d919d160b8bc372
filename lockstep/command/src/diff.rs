//! `lockstep diff`: compares two versions of a document.

use std::{fmt, process::ExitCode};

use clap::Args;
use openapi_lockstep::Document;
use openapi_lockstep_drift::changes;

use crate::reading::{lines, text_of};

/// Compares two versions of a document, and reports which changes break existing clients.
///
/// Prints a line for each change, with its JSON Pointer and the affected operations. Exit codes:
///
/// 0  all changes are compatible, or info.version has a new major version
///
/// 1  with --released: the document has changed, and info.version needs a new minor version
///
/// 2  a document cannot be read, or the two cannot be compared
///
/// 3  a change is breaking, which needs a new major version
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The document that existing clients were written for.
    old: String,
    /// The changed document.
    new: String,
    /// The old document is released: any change needs at least a new minor version.
    #[arg(long)]
    released: bool,
}

const FIXABLE: u8 = 1;
const FORBIDDEN: u8 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let (old, old_version) = read(&arguments.old)?;
    let (new, new_version) = read(&arguments.new)?;
    let changes = changes(&old, &new)?;
    for change in &changes {
        println!("{change}");
    }
    let breaking = changes.iter().filter(|change| change.is_breaking).count();
    let compatible = changes.len() - breaking;
    println!(
        "{old_version} -> {new_version}: {compatible} compatible, {breaking} breaking changes"
    );
    if breaking > 0 && new_version.major <= old_version.major {
        eprintln!(
            "A breaking change needs a new major version: revert the change, or set info.version \
             to {}.0.0.",
            old_version.major + 1
        );
        return Ok(ExitCode::from(FORBIDDEN));
    }
    let is_newer = (new_version.major, new_version.minor) > (old_version.major, old_version.minor);
    if arguments.released && !changes.is_empty() && !is_newer {
        eprintln!(
            "{old_version} is already released: set info.version to {}.{}.0.",
            old_version.major,
            old_version.minor + 1
        );
        return Ok(ExitCode::from(FIXABLE));
    }
    Ok(ExitCode::SUCCESS)
}

/// A semantic version of three numbers, without pre-release or build.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn read(file: &str) -> Result<(Document, Version), String> {
    let document = openapi_lockstep::read(file, &text_of(file)?);
    let document = document.map_err(|refusals| lines(&refusals))?;
    let version = document.version();
    let numbers: Result<Vec<u64>, _> = version.split('.').map(str::parse).collect();
    match numbers.as_deref() {
        Ok(&[major, minor, patch]) => Ok((
            document,
            Version {
                major,
                minor,
                patch,
            },
        )),
        _ => Err(format!(
            "{file}: info.version is {version}: write three numbers, such as 1.2.3"
        )),
    }
}
