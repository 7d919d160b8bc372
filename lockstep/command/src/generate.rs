//! `lockstep generate`: code from a document.

use std::{fs, process::ExitCode};

use clap::{Args, ValueEnum};

use crate::reading::{Reading, lines, text_of};

/// Writes code from a document, to standard output or into a file.
///
/// It ends with 0, or with 2 when the document is refused or a file cannot be read or written.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What to write.
    #[arg(value_enum)]
    what: What,
    /// The document.
    file: String,
    /// The file to write; standard output without it.
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
    /// A typed mock of the service, for httpmock.
    Mock,
    /// The types alone, of any document.
    Types,
    /// The document that requests are checked against, as JSON.
    Contract,
    /// The document as it is written, as JSON.
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
