//! The tag `app`: the applications of an organization, and their API keys.

mod create_app;
mod delete_app;
mod list_apps;
