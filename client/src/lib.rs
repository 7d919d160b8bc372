//! Client of the Data Cortex Report API.
//!
//! A [`Client`] has a method for each operation of the document, generated from it:
//! [`Client::login`], [`Client::logout`], [`Client::get_user`], [`Client::list_apps`],
//! [`Client::create_app`] and [`Client::delete_app`]. Each takes its arguments by name and is sent
//! with `send`.
//!
//! ```no_run
//! use cortex_report_client::{Client, Error, Login, types::{CreateAppRequest, ProblemCode}};
//!
//! # async fn run() -> Result<(), Error> {
//! let client = Client::builder("https://report.example.com").build()?;
//! let login = client.start_login("ann@example.com").await?;
//! println!("open the mailed link, and type {}", login.manual_code());
//! let (client, user) = login.wait(Login::LIFETIME).await?;
//!
//! let Some(org) = user.org_list.first() else {
//!     println!("you are not in any organization: ask the operator");
//!     return Ok(());
//! };
//! let org_id = org.org_id;
//! let app = CreateAppRequest { org_id, app_name: "Space Miner".to_owned() };
//! match client.create_app().body(app).send().await.map_err(Error::from) {
//!     Ok(app) => println!("created {}", app.app_id),
//!     Err(error) if error.code() == Some(ProblemCode::NameTaken) => println!("it exists"),
//!     Err(error) => return Err(error),
//! }
//! for app in &client.list_apps().org_id(org_id).send().await?.app_list {
//!     println!("{} {:?}", app.name, app.api_key_list);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! - `cli` (default): the command line `cortex-report`. A program that only calls the library
//!   turns it off: `default-features = false, features = ["tls"]`.
//! - `tls`: https, by rustls with the certificates that the platform trusts.
//! - `mock`: a typed mock of the service, see [`mock`].
//!
//! # Errors
//!
//! `send` returns a [`CallError`]: progenitor's error, with the reply's status and headers. `?`
//! turns it into [`Error`], which is simpler to match on. Every error that the document has is a
//! [`types::Problem`] with a `code`.

mod connection;
mod error;
mod generated;
mod inner;
mod login;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "mock")]
pub mod mock;

pub use connection::Builder;
pub use error::Error;
pub use generated::{Client, ResponseValue, builder, types};
pub use inner::Inner;
pub use login::Login;
pub use openapi_lockstep_types::Secret;

/// Error of a call, with all that is known of the reply.
///
/// Its `Debug` and `Display` show all of that, including a body that could not be read. Convert it
/// into an [`Error`] before it is logged or shown to a person.
pub type CallError = progenitor_client::Error<types::Problem>;

/// Compiles the examples of README.md as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
