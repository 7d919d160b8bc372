//! Operations of the tag `auth`, and the verification of a login.

mod cross_site;
mod login;
mod session;
mod sessions;
mod verification;
