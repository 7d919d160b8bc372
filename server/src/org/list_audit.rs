//! `GET /api/1/org/{org_id}/audit`.

use cortex_report_api::server::{
    Failure,
    org::{ListAudit, ListAuditParameters},
    types::{Audit, AuditList},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{Member, OrgId, Page, audit, membership},
};

impl ListAudit for Service {
    async fn list_audit(
        &self,
        _: &Request,
        session: Session,
        parameters: ListAuditParameters,
    ) -> Result<AuditList, Failure> {
        let db = self.store.reader();
        let org_id = OrgId(parameters.org_id);
        let member = membership::find(db, session.caller(), org_id).await?;
        let owner = member.and_then(Member::owner).ok_or_else(not_allowed)?;
        let page = Page::new(parameters.limit, parameters.before);
        let entries = audit::list_page(db, owner, parameters.kind.as_deref(), page).await?;
        let audit_list = entries.into_iter().map(|entry| Audit {
            audit_id: entry.id,
            at: entry.at.into(),
            kind: entry.event,
            user_id: entry.user_id.map(|it| it.0),
            email: Some(entry.email).filter(|email| !email.is_empty()),
            token_id: entry.token_id.map(|it| it.0),
            client: entry.client,
            app_id: entry.app_id.map(|it| it.0),
            role: entry.role.map(Into::into),
            subject: entry.subject,
        });
        Ok(AuditList {
            audit_list: audit_list.collect(),
        })
    }
}
