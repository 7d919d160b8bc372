//! Operations of the tag `app`, and what holds for the requests of all operations.

mod app;
mod errors;
mod hostile;
mod requests;
