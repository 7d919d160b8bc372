//! Keeps an OpenAPI document and the code that serves it in lockstep.
//!
//! [`read`] takes an OpenAPI 3.1 document, without loss or not at all: whatever the model or a
//! generator would drop is refused with its place. [`server()`] writes a poem-openapi server from
//! what was read:
//!
//! - a type for each schema under `components/schemas`
//! - a trait for each tag, with one method for each operation; the compiler demands a handler for
//!   every one
//! - for each operation an enum of the responses that are its own, and one enum, `Failure`, of
//!   those that every operation documents; another status cannot be written
//! - the trait `Security`, which turns a credential into the implementer's principal before a
//!   method is called
//! - the function `service`, which puts all of it behind the check of every request against the
//!   document (crate `openapi-lockstep-runtime`)

mod document;
mod refusal;
mod rules;
mod server;
mod source;

pub use document::{Document, read};
pub use refusal::Refusal;
pub use server::server;
