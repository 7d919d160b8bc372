//! The code that lockstep's tests keep of `notes.yaml`, at work: the server behind the check of
//! requests, and the client that calls it.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod contract;
mod emission;
mod requests;
mod shapes;
mod shelf;

pub use calls::Inner;
