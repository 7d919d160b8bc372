//! The tag `auth`: log in, log out, who is logged in, and their sessions.

mod end_other_sessions;
mod end_session;
mod get_user;
mod list_sessions;
mod login;
mod logout;
mod session;
pub(crate) mod verify;

pub(crate) use login::known_key;
pub use session::Session;
pub(crate) use session::refuse_cross_site;
