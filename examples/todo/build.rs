//! Writes both sides of the document into `OUT_DIR`.

use std::process::ExitCode;

fn main() -> ExitCode {
    openapi_lockstep::build(
        "openapi.yaml",
        &[
            ("contract.json", |document| Ok(document.contract())),
            ("server.rs", |document| {
                Ok(openapi_lockstep::server(document))
            }),
            ("client.rs", openapi_lockstep::client),
        ],
    )
}
