//! Writes the server's code and the document as JSON into `OUT_DIR`.

use std::{env, fs, path::PathBuf, process::ExitCode};

const DOCUMENT: &str = "openapi.yaml";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            for reason in reasons {
                println!("cargo::error={reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Vec<String>> {
    let failed = |error: &dyn std::fmt::Display| vec![error.to_string()];
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| failed(&"OUT_DIR is not set"))?);
    let text = fs::read_to_string(DOCUMENT)
        .map_err(|error| failed(&format!("{DOCUMENT} cannot be read: {error}")))?;
    let document = openapi_lockstep::read(DOCUMENT, &text)
        .map_err(|refusals| refusals.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let files = [
        ("openapi.json", document.json()),
        ("server.rs", openapi_lockstep::server(&document)),
    ];
    for (name, content) in files {
        fs::write(out.join(name), content)
            .map_err(|error| failed(&format!("{name} cannot be written: {error}")))?;
    }
    Ok(())
}
