//! The tag `app`: the applications of an organization.

mod create_app;
mod delete_app;
mod get_app;
mod list_apps;
mod update_app;
