//! A service and its client, both from one OpenAPI document.

mod todos;

use openapi_lockstep_runtime::Contract;
use poem::{Endpoint, EndpointExt, Response};
use progenitor_client::{ClientHooks, OperationInfo};

pub use todos::Todos;

/// The document that requests are checked against.
const CONTRACT: &str = include_str!(concat!(env!("OUT_DIR"), "/contract.json"));
/// The largest body that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The server's side, generated.
#[allow(
    missing_docs,
    reason = "a member whose name says it all has no description"
)]
pub mod server {
    include!(concat!(env!("OUT_DIR"), "/server.rs"));
}

/// The client's side, generated.
#[allow(
    missing_docs,
    unused_imports,
    clippy::all,
    clippy::unwrap_used,
    reason = "it is as progenitor writes it"
)]
pub mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

/// The service behind the check of every request.
///
/// # Errors
///
/// The document cannot be used, which the build rules out.
pub fn endpoint(
    todos: Todos,
) -> Result<impl Endpoint<Output = Response>, openapi_lockstep_runtime::ContractError> {
    let contract = Contract::new(CONTRACT, BODY_LIMIT)?;
    let guarded = contract.serve(server::routes(todos))?;
    Ok(guarded.map_to_response())
}

/// State of a client: its bearer token.
#[derive(Clone, Debug)]
pub struct Inner(pub String);

impl ClientHooks<Inner> for client::Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let token = format!("Bearer {}", self.inner.0).try_into()?;
        request.headers_mut().insert("authorization", token);
        Ok(())
    }
}
