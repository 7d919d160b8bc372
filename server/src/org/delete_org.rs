//! `DELETE /api/1/org/{org_id}`.

use cortex_report_api::server::{
    Failure,
    org::{DeleteOrg, DeleteOrgParameters},
    types::{DeleteOrgReply, DeleteOrgResult},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, count, not_allowed, not_allowed_since},
    store::{OrgId, audit, contents, membership, org},
};

impl DeleteOrg for Service {
    async fn delete_org(
        &self,
        request: &Request,
        session: Session,
        parameters: DeleteOrgParameters,
    ) -> Result<DeleteOrgReply, Failure> {
        let by = session.by(request, self.clock.now());
        let org_id = OrgId(parameters.org_id);
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let owner = member.owner().ok_or_else(not_allowed)?;
        let org = org::find(&writer, member).await?.ok_or_else(not_allowed)?;
        if parameters.org_name.trim() != org.name {
            return Err(not_allowed_since(
                "The organization has another name than `org_name`, so nothing is deleted.",
            ));
        }
        let contents = contents::count(&writer, member, by.at).await?;
        org::delete(&writer, owner).await?;
        let object = audit::Object::of_org(org.id, &org.name);
        audit::add(&writer, audit::Event::OrgDeleted, &by, object).await?;
        self.commit_change(writer, &session.change()).await?;
        self.events.forget_senders();
        Ok(DeleteOrgReply {
            result: DeleteOrgResult::OrgDeleted,
            member_count: count(contents.members),
            invitation_count: count(contents.invitations),
            app_count: count(contents.apps),
            api_key_count: count(contents.api_keys),
            token_count: count(contents.tokens),
        })
    }
}
