//! `lockstep diff`: what a change of a document means.

use std::{fmt, process::ExitCode};

use clap::Args;
use openapi_lockstep::Document;
use openapi_lockstep_drift::changes;

use crate::reading::{lines, text_of};

/// Says what a change of a document means to the clients that are there.
///
/// Each change is a line, with its JSON Pointer and the operations that it reaches. It ends with
///
/// 0  when all changes are compatible, or info.version has a new major version
///
/// 1  when info.version has to be raised, and nothing else: with --released, and some change
///
/// 2  when a document cannot be read, or the two cannot be compared
///
/// 3  when a change is breaking without a new major version, which is forbidden
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The document that clients were written for.
    old: String,
    /// The document as it is now.
    new: String,
    /// The old document was released: a changed one needs a new minor version at least.
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
            "A breaking change is forbidden without a new major version: take it back, or set \
             info.version to {}.0.0.",
            old_version.major + 1
        );
        return Ok(ExitCode::from(FORBIDDEN));
    }
    let is_newer = (new_version.major, new_version.minor) > (old_version.major, old_version.minor);
    if arguments.released && !changes.is_empty() && !is_newer {
        eprintln!(
            "{old_version} is released: set info.version to {}.{}.0.",
            old_version.major,
            old_version.minor + 1
        );
        return Ok(ExitCode::from(FIXABLE));
    }
    Ok(ExitCode::SUCCESS)
}

/// A version as SemVer has it, without what may follow the three numbers.
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
            "{file}: info.version is {version}, which is not of the form 1.2.3"
        )),
    }
}
