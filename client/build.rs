//! Writes the client's code and the typed mock into `OUT_DIR`.

use std::process::ExitCode;

fn main() -> ExitCode {
    openapi_lockstep::build(
        "../openapi.yaml",
        &[
            ("client.rs", openapi_lockstep::client),
            ("mock.rs", openapi_lockstep::mock),
        ],
    )
}
