//! The calls, generated from `openapi.yaml`.

#![expect(
    missing_docs,
    unused_imports,
    clippy::unwrap_used,
    reason = "progenitor writes no more docs than the document has, a prelude of one name, and a \
              `Client::new` that panics where the platform has no certificates; `Client::builder` \
              does not use it"
)]

include!(concat!(env!("OUT_DIR"), "/client.rs"));
