//! The tag `org`: organizations, and their audit log.

mod create_org;
mod delete_org;
mod get_org;
mod list_audit;
mod update_org;

use cortex_report_api::server::Failure;

use crate::{
    service::not_allowed_since,
    store::{OrgId, Writer, org},
    text::is_reserved,
};

/// Gives an organization the short name that a request asks for.
///
/// # Errors
///
/// 403 if it is reserved, or if another organization has it.
async fn set_short_name(writer: &Writer, id: OrgId, short_name: &str) -> Result<(), Failure> {
    if is_reserved(short_name) {
        return Err(not_allowed_since(
            "This short_name is reserved. Choose another one.",
        ));
    }
    match org::set_short_name(writer, id, short_name).await? {
        true => Ok(()),
        false => Err(not_allowed_since(
            "Another organization has this short_name. Choose another one.",
        )),
    }
}
