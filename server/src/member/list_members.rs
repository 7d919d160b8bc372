//! `GET /api/1/org/{org_id}/member`.

use cortex_report_api::server::{
    Failure,
    member::{ListMembers, ListMembersParameters},
    types::MemberList,
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{OrgId, Page, UserId, membership},
};

impl ListMembers for Service {
    async fn list_members(
        &self,
        _: &Request,
        session: Session,
        parameters: ListMembersParameters,
    ) -> Result<MemberList, Failure> {
        let db = self.store.reader();
        let org_id = OrgId(parameters.org_id);
        let member = membership::find(db, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let page = Page::new(parameters.limit, parameters.after.map(UserId));
        let members = membership::list_page(db, member, page).await?;
        Ok(MemberList {
            member_list: members.into_iter().map(Into::into).collect(),
        })
    }
}
