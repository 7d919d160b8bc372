//! `GET /api/1/org/{org_id}/invitation`.

use cortex_report_api::server::{
    Failure,
    member::{ListInvitations, ListInvitationsParameters},
    types::InvitationList,
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{InvitationId, OrgId, Page, invitation, membership},
};

impl ListInvitations for Service {
    async fn list_invitations(
        &self,
        _: &Request,
        session: Session,
        parameters: ListInvitationsParameters,
    ) -> Result<InvitationList, Failure> {
        let (db, now) = (self.store.reader(), self.clock.now());
        let org_id = OrgId(parameters.org_id);
        let member = membership::find(db, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let page = Page::new(parameters.limit, parameters.after.map(InvitationId));
        let invitations = invitation::list_page(db, member, page, now).await?;
        Ok(InvitationList {
            invitation_list: invitations.into_iter().map(Into::into).collect(),
        })
    }
}
