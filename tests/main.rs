//! Tests of the whole: the real service, a real database, real mail, real HTTP.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod app;
mod client;
mod command_line;
mod commands;
mod conformance;
mod connections;
mod cross_site;
mod database;
mod dependencies;
mod document;
mod each_database;
mod emission;
mod errors;
mod harness;
mod hostile;
mod instances;
mod lockstep;
mod login;
mod mail_limits;
mod pages;
mod proxy;
mod requests;
mod secrets;
mod session;
mod smtp;
mod verification;
