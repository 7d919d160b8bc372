//! Writes the server's code and the document as JSON, as written and as the contract, into `OUT_DIR`.

use std::process::ExitCode;

use openapi_lockstep::{Answers, Options};

fn main() -> ExitCode {
    openapi_lockstep::build_with(
        "openapi.yaml",
        &Options {
            answers: Answers::Documented,
            ..Options::default()
        },
        &[
            ("openapi.json", |document| Ok(document.json())),
            ("contract.json", |document| Ok(document.contract())),
            ("server.rs", |document| {
                Ok(openapi_lockstep::server(document))
            }),
        ],
    )
}
