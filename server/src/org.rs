//! The tag `org`: organizations, and their audit log.

mod create_org;
mod delete_org;
mod get_org;
mod list_audit;
mod update_org;
