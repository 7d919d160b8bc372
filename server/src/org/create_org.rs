//! `POST /api/1/org`.

use cortex_report_api::server::{
    Failure,
    org::CreateOrg,
    types::{CreateOrgReply, CreateOrgRequest},
};
use poem::Request;

use super::set_short_name;
use crate::{
    auth::Session,
    config::Registration,
    service::{Service, checked_name, not_allowed, not_allowed_since},
    store::{Role, audit, membership, org, user},
};

/// Maximum number of organizations of a user who creates another one. All of them are read with a
/// session.
const MAX_ORGS: u64 = 100;

impl CreateOrg for Service {
    async fn create_org(
        &self,
        request: &Request,
        session: Session,
        body: CreateOrgRequest,
    ) -> Result<CreateOrgReply, Failure> {
        let user_id = session.user_id()?;
        let name = checked_name(&body.org_name, "/body/org_name")?;
        if self.registration == Registration::Closed {
            return Err(not_allowed());
        }
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        if !user::lock(&writer, user_id).await? {
            return Err(not_allowed());
        }
        if membership::count_of_user(&writer, user_id).await? >= MAX_ORGS {
            return Err(not_allowed_since(format!(
                "You are in {MAX_ORGS} organizations. Leave one of them first."
            )));
        }
        let org = org::add(&writer, name, by.at).await?;
        if let Some(short_name) = &body.short_name {
            set_short_name(&writer, org.id, short_name).await?;
        }
        membership::put(&writer, user_id, org.id, Role::Owner).await?;
        let object = audit::Object::of_org(org.id, name);
        audit::add(&writer, audit::Event::OrgCreated, &by, object).await?;
        self.commit_change(writer, &session.change()).await?;
        Ok(CreateOrgReply { org_id: org.id.0 })
    }
}
