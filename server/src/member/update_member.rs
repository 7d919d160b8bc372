//! `PATCH /api/1/org/{org_id}/member/{user_id}`.

use cortex_report_api::server::{
    Failure,
    member::{UpdateMember, UpdateMemberParameters},
    types::{self, UpdateMemberRequest},
};
use poem::Request;

use super::last_owner;
use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{OrgId, Role, UserId, audit, membership},
};

impl UpdateMember for Service {
    async fn update_member(
        &self,
        request: &Request,
        session: Session,
        parameters: UpdateMemberParameters,
        body: UpdateMemberRequest,
    ) -> Result<types::Member, Failure> {
        let (org_id, user_id) = (OrgId(parameters.org_id), UserId(parameters.user_id));
        let role = Role::from(body.role);
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let owner = member.owner().ok_or_else(not_allowed)?;
        let changed = membership::find_listed(&writer, member, user_id).await?;
        let mut changed = changed.ok_or_else(not_allowed)?;
        if role != Role::Owner
            && membership::is_last_owner(&writer, org_id, user_id, changed.role).await?
        {
            return Err(last_owner());
        }
        if !membership::update_role(&writer, owner, user_id, role).await? {
            return Err(not_allowed());
        }
        let object = audit::Object::of_org(org_id, &changed.email).with_role(role);
        audit::add(&writer, audit::Event::MemberRole, &by, object).await?;
        self.commit_change(writer, &session.change()).await?;
        changed.role = role;
        Ok(changed.into())
    }
}
