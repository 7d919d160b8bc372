//! `PATCH /api/1/org/{org_id}`.

use cortex_report_api::server::{
    Failure,
    org::UpdateOrg,
    types::{Org, UpdateOrgRequest},
};
use poem::Request;

use super::set_short_name;
use crate::{
    auth::Session,
    service::{Service, checked_name, not_allowed},
    store::{Member, OrgId, Role, audit, membership, org},
};

impl UpdateOrg for Service {
    async fn update_org(
        &self,
        request: &Request,
        session: Session,
        org_id: i64,
        body: UpdateOrgRequest,
    ) -> Result<Org, Failure> {
        let name = checked_name(&body.org_name, "/body/org_name")?;
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), OrgId(org_id)).await?;
        let owner = member.and_then(Member::owner).ok_or_else(not_allowed)?;
        org::rename(&writer, owner, name).await?;
        if let Some(short_name) = &body.short_name {
            set_short_name(&writer, owner.org_id(), short_name).await?;
        }
        let org = org::find_by_id(&writer, owner.org_id()).await?;
        let object = audit::Object::of_org(owner.org_id(), name);
        audit::add(&writer, audit::Event::OrgRenamed, &by, object).await?;
        self.commit_change(writer, &session.change()).await?;
        self.events.forget_senders();
        Ok(Org {
            org_id,
            name: name.to_owned(),
            short_name: org.and_then(|org| org.short_name),
            role: Some(Role::Owner.into()),
        })
    }
}
