//! Operations on organizations and what they have, a file for each tag, and what holds for the
//! requests of all operations.

mod api_key;
mod app;
mod audit;
mod errors;
mod hostile;
mod member;
mod org;
mod requests;
mod roles;
mod token;
