//! `POST /api/1/org`.

use cortex_report_api::server::{
    Failure,
    org::CreateOrg,
    types::{CreateOrgReply, CreateOrgRequest},
};
use poem::Request;

use crate::{
    auth::Session,
    config::Registration,
    service::{Service, checked_name, not_allowed},
    store::{Role, audit, changes::Change, membership, org},
};

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
        let org = org::add(&writer, name, by.at).await?;
        membership::put(&writer, user_id, org.id, Role::Owner).await?;
        let object = audit::Object::of_org(org.id, name);
        audit::add(&writer, audit::Event::OrgCreated, &by, object).await?;
        self.commit_change(writer, &Change::All).await?;
        Ok(CreateOrgReply { org_id: org.id.0 })
    }
}
