//! The tag `token`: service tokens of an organization.

mod create_token;
mod list_tokens;
mod revoke_token;
