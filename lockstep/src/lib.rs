//! Keeps an OpenAPI document, the code that serves it and the code that calls it in lockstep.
//!
//! [`read`] reads an OpenAPI document, 3.0 or 3.1, and reports where it is wrong, or cannot be
//! expressed by the generated code. From the result,
//!
//! [`server()`] writes a poem-openapi server:
//!
//! - a trait for each operation, whose method gets the checked parameters and body, and returns the
//!   documented reply or one of the documented failures; other statuses do not compile
//! - the sum of these traits for each tag; the compiler demands a handler for every operation
//! - a type for each set of credentials, and the trait `Authenticate`, which turns one into the
//!   implementer's principal before a method is called
//! - the function `routes`, which serves an implementation, behind the check of every request
//!   against the document (crate `openapi-lockstep-runtime`)
//! - the function `spec`, which returns poem-openapi's document of the server; [`differences`]
//!   compares it with the original
//!
//! [`client()`] writes a progenitor client: a builder for each operation, typed replies, and typed
//! failures. [`mock`] writes a typed mock of the service, for tests of the client's users.
//!
//! Both sides have the same types, which [`types()`] can also write alone.
//!
//! Webhooks and callbacks, which the service calls itself, stay in the document, and no code is
//! generated for them. Extensions describe what a service accepts beyond what other generators can
//! handle:
//!
//! - `x-form-bodies: true` at the root: every JSON body may also come as a form
//! - `x-body-member: <schema>` in the security scheme of a cookie: every operation that accepts its
//!   key also accepts it as a member of the body with the cookie's name, even in a GET
//! - `x-body-limit: <bytes>` in an operation: the maximum size of its body
//! - `x-deadline: <seconds>` in an operation: the maximum time from the checked request to its
//!   reply
//! - `x-unchecked: true` in an operation: its method gets the bytes of the body as they are sent, of
//!   any media type and size, and no request is refused before; for clients that do not understand a
//!   refusal
//!
//! [`build()`] is a complete build script:
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
