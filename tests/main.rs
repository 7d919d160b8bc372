//! Tests of the whole: the real service, a real database, real mail, real HTTP.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod auth;
mod client;
mod contract;
mod databases;
mod event;
mod harness;
mod http;
mod mail;
mod operations;
