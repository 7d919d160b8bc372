//! The binary: settings, commands, signals, metrics and traces.

mod commands;
mod metrics;
mod people;
mod secrets;
mod settings;
mod signals;
mod traces;
