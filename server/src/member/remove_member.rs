//! `DELETE /api/1/org/{org_id}/member/{user_id}`.

use cortex_report_api::server::{
    Failure,
    member::{RemoveMember, RemoveMemberParameters},
    types::{RemoveMemberReply, RemoveMemberResult},
};
use poem::Request;

use super::last_owner;
use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{OrgId, UserId, audit, membership},
};

impl RemoveMember for Service {
    async fn remove_member(
        &self,
        request: &Request,
        session: Session,
        parameters: RemoveMemberParameters,
    ) -> Result<RemoveMemberReply, Failure> {
        let (org_id, user_id) = (OrgId(parameters.org_id), UserId(parameters.user_id));
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let remover = member.remover(user_id).ok_or_else(not_allowed)?;
        let removed = membership::find_listed(&writer, member, user_id).await?;
        let removed = removed.ok_or_else(not_allowed)?;
        if membership::is_last_owner(&writer, org_id, user_id, removed.role).await? {
            return Err(last_owner());
        }
        if !membership::remove(&writer, remover).await? {
            return Err(not_allowed());
        }
        let object = audit::Object::of_org(org_id, &removed.email);
        audit::add(&writer, audit::Event::MemberRemoved, &by, object).await?;
        self.commit_change(writer, &session.change()).await?;
        Ok(RemoveMemberReply {
            result: RemoveMemberResult::MemberRemoved,
        })
    }
}
