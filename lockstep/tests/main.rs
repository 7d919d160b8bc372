//! Tests of lockstep through its public face: a document in, code or refusals
//! out.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod diagnostics;
mod extensions;
mod golden;
mod reading;
mod taken;
