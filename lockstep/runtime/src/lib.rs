//! Runtime of the servers that openapi-lockstep generates.
//!
//! [`Contract`] checks each request against the OpenAPI document itself before a generated method
//! is called, and reports every failure with its place. [`problems`] turns every other error that
//! the framework answers into the same shape: `application/problem+json` of RFC 9457.

mod body;
pub mod code;
mod coercion;
mod contract;
mod credential;
mod describe;
mod document;
mod given;
mod operation;
mod operations;
mod parameters;
mod path;
mod problem;
mod received;
mod reply;
mod request;
mod schema;

pub use contract::{Contract, Guarded, Matched};
pub use credential::Presented;
pub use describe::{Operation, Scheme, Style, add_tag, meta};
pub use document::ContractError;
pub use given::{File, Given};
pub use openapi_lockstep_types::{Secret, record};
pub use operations::{Answering, Endpoints, Operations, Reject, Serve, Table};
pub use problem::{InvalidMember, Rejection, add_request_id, problems, to_problem};
pub use reply::Reply;
pub use schema::{Description, Schema};

/// The examples of the README, to be compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
