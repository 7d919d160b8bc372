//! `DELETE /api/1/org/{org_id}/invitation/{invitation_id}`.

use cortex_report_api::server::{
    Failure,
    member::{RevokeInvitation, RevokeInvitationParameters},
    types::{RevokeInvitationReply, RevokeInvitationResult},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{InvitationId, Member, OrgId, audit, invitation, membership},
};

impl RevokeInvitation for Service {
    async fn revoke_invitation(
        &self,
        request: &Request,
        session: Session,
        parameters: RevokeInvitationParameters,
    ) -> Result<RevokeInvitationReply, Failure> {
        let (org_id, id) = (
            OrgId(parameters.org_id),
            InvitationId(parameters.invitation_id),
        );
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), org_id).await?;
        let owner = member.and_then(Member::owner).ok_or_else(not_allowed)?;
        let revoked = invitation::revoke(&writer, owner, id, by.at).await?;
        let revoked = revoked.ok_or_else(not_allowed)?;
        let object = audit::Object::of_org(org_id, &revoked.email);
        audit::add(&writer, audit::Event::InviteRevoked, &by, object).await?;
        writer.commit().await?;
        Ok(RevokeInvitationReply {
            result: RevokeInvitationResult::InvitationRevoked,
        })
    }
}
