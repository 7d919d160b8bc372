//! The tag `auth`: log in, log out, and who is logged in.

mod get_user;
mod login;
mod logout;
mod session;
pub(crate) mod verify;

pub use session::Session;
pub(crate) use session::refuse_cross_site;
