//! What a server that openapi-lockstep generated stands on.
//!
//! [`Contract`] checks each request against the OpenAPI document itself before poem-openapi reads
//! it, and reports every failure with its place. [`problems`] turns every other error that the
//! framework answers into the same shape: `application/problem+json` of RFC 9457.

mod body;
pub mod code;
mod coercion;
mod contract;
mod credential;
mod operations;
mod payload;
mod problem;
mod request;

pub use contract::{Contract, ContractError, Guarded};
pub use operations::{Found, FromKey, Key, Operations, Path, Query};
pub use payload::{Json, Unread};
pub use problem::{InvalidMember, Rejection, name_request, problems, to_problem};
