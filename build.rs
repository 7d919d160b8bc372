//! Writes the server's code and the document as JSON, as written and as the contract, into `OUT_DIR`.

use std::{env, process::ExitCode};

use openapi_lockstep::{Answers, Options};

/// The operations that need the feature `events`.
const OF_EVENTS: &[&str] = &["track", "appLog"];

fn main() -> ExitCode {
    let has_events = env::var_os("CARGO_FEATURE_EVENTS").is_some();
    openapi_lockstep::build_with(
        "openapi.yaml",
        &Options {
            answers: Answers::Documented,
            without: if has_events { &[] } else { OF_EVENTS },
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
