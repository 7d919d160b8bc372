//! Code generation in build scripts.

use std::{env, fs, path::PathBuf, process::ExitCode};

use crate::{Diagnostic, Document, Options, read_with};

/// Generates one file from a document.
pub type Writer = fn(&Document) -> Result<String, Diagnostic>;

/// Runs a whole build script: reads the document, and writes each file into `OUT_DIR`.
///
/// Cargo runs it again when the document changes. All diagnostics are reported as build errors in
/// one run, and then no file is written.
pub fn build(document: &str, files: &[(&str, Writer)]) -> ExitCode {
    build_with(document, &Options::default(), files)
}

/// Like [`build`], with options.
#[expect(clippy::print_stdout, reason = "cargo reads it")]
pub fn build_with(document: &str, options: &Options<'_>, files: &[(&str, Writer)]) -> ExitCode {
    println!("cargo::rerun-if-changed={document}");
    match generate(document, options, files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            for reason in reasons {
                println!("cargo::error={reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate(
    path: &str,
    options: &Options<'_>,
    files: &[(&str, Writer)],
) -> Result<(), Vec<String>> {
    let failed = |reason: String| vec![reason];
    let out = env::var_os("OUT_DIR").ok_or_else(|| failed("OUT_DIR is not set".to_owned()))?;
    let text = fs::read_to_string(path)
        .map_err(|error| failed(format!("{path} cannot be read: {error}")))?;
    let document = read_with(path, &text, options).map_err(|diagnostics| {
        diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    })?;
    let mut written = Vec::new();
    for (name, write) in files {
        let content = write(&document).map_err(|diagnostic| failed(diagnostic.to_string()))?;
        written.push((PathBuf::from(&out).join(name), content));
    }
    for (file, content) in written {
        fs::write(&file, content)
            .map_err(|error| failed(format!("{} cannot be written: {error}", file.display())))?;
    }
    Ok(())
}
