//! Keeps an OpenAPI document, the code that serves it and the code that calls it in lockstep.
//!
//! [`read`] takes an OpenAPI document, 3.0 or 3.1, and says where it is wrong, or what of it the
//! generated code could not say. From what was read,
//!
//! [`server()`] writes a poem-openapi server:
//!
//! - a trait for each operation, whose method is given the checked parameters and body, and answers
//!   the document's reply or one of its failures; another status cannot be written
//! - the sum of these traits for each tag; the compiler demands a handler for every operation
//! - a type for each set of credentials, and the trait `Authenticate`, which turns one into the
//!   implementer's principal before a method is called
//! - the function `routes`, which serves what implements all of it behind the check of every request
//!   against the document (crate `openapi-lockstep-runtime`)
//! - the function `spec`, what poem-openapi says of it, which [`differences`] holds against the
//!   document
//!
//! [`client()`] writes a progenitor client: a builder for each operation, typed replies, and typed
//! failures. [`mock`] writes a typed mock of the service, for tests of what uses the client.
//!
//! Both sides have the same types, which [`types()`] writes alone too.
//!
//! What the service calls itself (webhooks, callbacks) is no operation of it: it stays in the
//! document, and no code is made of it. Extensions say what a service takes besides, which the
//! generators of others could not read:
//!
//! - `x-form-bodies: true` at the root: every JSON body may also come as a form
//! - `x-body-member: <schema>` in the security scheme of a cookie: every operation that takes its
//!   key also takes it as a member of the body, of the cookie's name, be it the body of a GET
//! - `x-body-limit: <bytes>` in an operation: the most bytes of its body
//! - `x-deadline: <seconds>` in an operation: the longest time from its checked request to its reply
//!
//! [`build()`] is all that a build script needs:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     openapi_lockstep::build(
//!         "openapi.yaml",
//!         &[
//!             ("contract.json", |document| Ok(document.contract())),
//!             ("server.rs", |document| Ok(openapi_lockstep::server(document))),
//!             ("client.rs", openapi_lockstep::client),
//!         ],
//!     )
//! }
//! ```

mod added;
mod api;
mod build;
mod checks;
mod client;
mod code;
mod conformance;
mod diagnostic;
mod document;
mod documented;
mod extensions;
mod names;
mod normalize;
mod pointers;
mod server;
mod source;
mod types;
mod values;

pub use build::{Writer, build, build_with};
pub use client::{client, mock};
pub use conformance::{Difference, differences};
pub use diagnostic::Diagnostic;
pub use document::{Answers, Document, Options, operations, read, read_with};
pub use server::server;
pub use types::types;
pub use values::{Values, values};

/// The examples of the README, to be compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
