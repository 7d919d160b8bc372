//! `GET /api/1/org/{org_id}`.

use cortex_report_api::server::{Failure, org::GetOrg, types::OrgOverview};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, count, not_allowed},
    store::{OrgId, contents, membership, org},
};

impl GetOrg for Service {
    async fn get_org(
        &self,
        _: &Request,
        session: Session,
        org_id: i64,
    ) -> Result<OrgOverview, Failure> {
        let (db, now) = (self.store.reader(), self.clock.now());
        let member = membership::find(db, session.caller(), OrgId(org_id)).await?;
        let member = member.ok_or_else(not_allowed)?;
        let org = org::find(db, member).await?.ok_or_else(not_allowed)?;
        let contents = contents::count(db, member, now).await?;
        Ok(OrgOverview {
            org_id: org.id.0,
            name: org.name,
            role: member.role().into(),
            created_at: org.created_at.into(),
            member_count: count(contents.members),
            invitation_count: count(contents.invitations),
            app_count: count(contents.apps),
            api_key_count: count(contents.api_keys),
            token_count: count(contents.tokens),
        })
    }
}
