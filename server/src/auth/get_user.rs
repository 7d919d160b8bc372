//! `GET /api/1/user`.

use cortex_report_api::server::{
    Failure,
    auth::GetUser,
    types::{Org, User},
};
use poem::Request;

use super::Session;
use crate::service::Service;

impl GetUser for Service {
    /// Returns the user of the session and the organizations that the user is in.
    async fn get_user(&self, _: &Request, session: Session) -> Result<User, Failure> {
        let active = &session.active;
        let org_list = active.orgs.iter().map(|org| Org {
            org_id: org.id.0,
            name: org.name.clone(),
            short_name: org.short_name.clone(),
            role: Some(org.role.into()),
        });
        Ok(User {
            user_id: active.user_id.0,
            email: active.email.clone(),
            display_name: active.display_name.clone(),
            org_list: org_list.collect(),
        })
    }
}
