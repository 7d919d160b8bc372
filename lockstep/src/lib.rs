//! Keeps an OpenAPI document, the code that serves it and the code that calls it in lockstep.
//!
//! [`read`] takes an OpenAPI document, 3.0 or 3.1, without loss or not at all: whatever the model or a
//! generator would drop is refused with its place. What the service calls itself (webhooks, callbacks)
//! is no operation of it: it stays in the document, and no code is made of it. Two extensions say what
//! a service takes besides, which the generators of others could not read:
//!
//! - `x-form-bodies: true` at the root: every JSON body may also come as a form
//! - `x-body-member: <schema>` in the security scheme of a cookie: every operation that takes its
//!   key also takes it as a member of the body, of the cookie's name, be it the body of a GET
//!
//! From what was read,
//!
//! [`server()`] writes a poem-openapi server:
//!
//! - a type for each schema under `components/schemas`
//! - a trait for each tag, with one method for each operation of which it is the first tag; the
//!   compiler demands a handler for every one
//! - for each operation an enum of the responses that are its own, and one enum, `Failure`, of
//!   those that every operation documents; another status cannot be written
//! - the trait `Security`, which turns a credential into the implementer's principal before a
//!   method is called
//! - the function `service`, which puts all of it behind the check of every request against the
//!   document (crate `openapi-lockstep-runtime`)
//!
//! [`client()`] writes a progenitor client: a builder for each operation, typed replies, and the
//! one type of all errors. What progenitor cannot read is [`lowered`] first. [`mock`] writes a
//! typed mock of the service, for tests of what uses the client.
//!
//! [`types()`] writes the types of any document alone, also of one that [`read`] refuses.
//!
//! [`differences`] holds what poem-openapi emits for the server against the document. [`build()`] is
//! all that a build script needs.

mod build;
mod client;
mod code;
mod document;
mod emission;
mod extensions;
mod names;
mod normal;
mod pointers;
mod refusal;
mod rules;
mod server;
mod source;
mod types;

pub use build::{Writer, build};
pub use client::{client, lowered, mock};
pub use document::{Document, read};
pub use emission::{Difference, differences, normalisations};
pub use refusal::Refusal;
pub use server::server;
pub use types::types;
