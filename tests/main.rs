//! Tests of the whole: the real service, a real database, real mail, real HTTP.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod app;
mod backup;
mod cleanup;
mod client;
mod clock;
mod command_line;
mod commands;
mod conformance;
mod connections;
mod cross_site;
mod database;
mod database_url;
mod dependencies;
mod document;
mod durability;
mod each_database;
mod emission;
mod errors;
mod harness;
mod health;
mod hostile;
mod instances;
mod lockstep;
mod login;
mod mail_limits;
mod metrics;
mod pages;
mod pgbouncer;
mod proxy;
mod public_url;
mod request_id;
mod requests;
mod rolling_restart;
mod secrets;
mod session;
mod settings;
mod signals;
mod smtp;
mod statements;
mod tls;
mod traces;
mod trusted_proxies;
mod verification;
