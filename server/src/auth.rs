//! The tag `auth`: log in, log out, and who is logged in.

mod get_user;
mod login;
mod logout;
mod session;
mod sessions;

pub(crate) use login::known_key;
pub use session::Session;
pub(crate) use session::refuse_cross_site;
pub(crate) use sessions::{Sessions, USED_FOR, follow};
