//! `GET /api/1/user`.

use cortex_report_api::server::{Failure, GetUserResponse, Org, User};
use poem_openapi::payload::Json;

use super::Session;
use crate::{service::Service, store::org};

/// Answers the user of the session and the organizations that the user is in.
pub(super) async fn get_user(
    service: &Service,
    session: Session,
) -> Result<GetUserResponse, Failure> {
    let orgs = org::list_of_user(service.store.reader(), session.user.id).await?;
    let org_list = orgs.into_iter().map(|org| Org {
        org_id: org.id,
        name: org.name,
    });
    Ok(GetUserResponse::Ok(Json(User {
        user_id: session.user.id,
        email: session.user.email,
        display_name: session.user.display_name,
        org_list: org_list.collect(),
    })))
}
