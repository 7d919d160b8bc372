//! `GET /api/1/user`.

use cortex_report_api::server::{GetUserResponse, Org, User};
use openapi_lockstep_runtime::Json;

use super::Session;

/// The user of the session and the organizations that the user is in.
pub(super) fn get_user(session: &Session) -> GetUserResponse {
    let active = &session.active;
    let org_list = active.orgs.iter().map(|(org_id, name)| Org {
        org_id: *org_id,
        name: name.clone(),
    });
    GetUserResponse::Ok(Json(User {
        user_id: active.user_id,
        email: active.email.clone(),
        display_name: active.display_name.clone(),
        org_list: org_list.collect(),
    }))
}
