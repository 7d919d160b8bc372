//! The contract of the Data Cortex Report API: its document, and the interface that a server has to
//! implement. The client's side stands in the package cortex-report-client.
//!
//! Nothing here is written by hand. Change `openapi.yaml`, and the build writes the rest anew;
//! what no longer fits does not compile.

/// The document as it is written, in YAML.
#[cfg(feature = "events")]
pub const DOCUMENT_YAML: &str = include_str!("../openapi.yaml");
/// The document without the operations that are left out. JSON is YAML too.
#[cfg(not(feature = "events"))]
pub const DOCUMENT_YAML: &str = DOCUMENT_JSON;

/// The same document in JSON.
pub const DOCUMENT_JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The same with its extensions written out: what each request is checked against.
pub const CONTRACT_JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/contract.json"));

/// The poem-openapi server: a trait for each operation to implement, and [`server::routes`] to serve
/// what implements all of them.
#[expect(
    missing_docs,
    reason = "a value or member whose name says it all has no description"
)]
pub mod server {
    include!(concat!(env!("OUT_DIR"), "/server.rs"));
}
