//! Service of the Data Cortex Report API, and the operator's commands.
//!
//! Steps of a request: [`http`](self) accepts it and sets its limits, the contract checks it
//! against the document, the generated route authenticates the caller and calls the operation (one
//! file each, in a folder for each tag), and the operation queries the `store` and answers.

mod address;
mod api_key;
mod app;
mod auth;
mod client;
mod clock;
mod commands;
mod config;
#[cfg(feature = "events")]
mod event;
mod http;
mod mail;
mod member;
mod metrics;
mod network;
mod org;
mod pages;
mod public_url;
mod random;
mod run;
mod secret;
mod server_key;
mod service;
mod signals;
mod start;
mod store;
mod telemetry;
mod text;
mod token;
mod user_agent;
mod worker;

/// The allocator of the process; docs/performance.md says what it saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use address::{AddressError, EmailAddress};
pub use clock::{Clock, SystemTimeSource, TimeSource, Timestamp};
#[cfg(feature = "events")]
pub use config::EventSettings;
pub use config::{
    LogFormat, MailLimits, MailSettings, Registration, ServeSettings, StoreSettings,
    TelemetrySettings, TlsSettings,
};
pub use network::Network;
pub use public_url::PublicUrl;
pub use random::Random;
pub use run::main;
pub use start::{Running, StartError, start};
pub use store::{DatabaseUrl, rate_limit::Limit};
