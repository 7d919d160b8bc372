//! `lockstep generate`: generates code from a document.

use std::{fs, process::ExitCode};

use clap::{Args, ValueEnum};

use crate::reading::{Reading, lines, text_of};

/// Generates code from a document, on standard output or in a file.
///
/// The exit code is 2 if the document has errors, or a file cannot be read or written.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Kind of code.
    #[arg(value_enum)]
    what: What,
    /// OpenAPI document, YAML or JSON.
    file: String,
    /// Output file, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A poem-openapi server: traits to implement, and the routes that call them.
    Server,
    /// A progenitor client.
    Client,
    /// A typed mock of the service with httpmock, for tests.
    Mock,
    /// Only the types, also of a document that is not fully supported.
    Types,
    /// The document for the runtime's check of requests, as JSON: its extensions are expanded.
    Contract,
    /// The document for clients, as JSON: it includes the responses that lockstep adds.
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let file = &arguments.file;
    let code = match arguments.what {
        What::Types => {
            let types = openapi_lockstep::types(file, &text_of(file)?);
            types.map_err(|diagnostics| lines(&diagnostics))?
        }
        what => {
            let document = arguments.reading.read(file)?;
            let document = document.map_err(|diagnostics| lines(&diagnostics))?;
            let written = match what {
                What::Server => Ok(openapi_lockstep::server(&document)),
                What::Client => openapi_lockstep::client(&document),
                What::Mock => openapi_lockstep::mock(&document),
                What::Contract => Ok(document.contract()),
                What::Json | What::Types => Ok(document.json()),
            };
            written.map_err(|diagnostic| diagnostic.to_string())?
        }
    };
    match &arguments.output {
        Some(output) => fs::write(output, code)
            .map_err(|error| format!("{output} cannot be written: {error}"))?,
        None => print!("{code}"),
    }
    Ok(ExitCode::SUCCESS)
}
