//! `DELETE /api/1/org/{org_id}/token/{token_id}`.

use cortex_report_api::server::{
    Failure,
    token::{RevokeToken, RevokeTokenParameters},
    types::{RevokeTokenReply, RevokeTokenResult},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{OrgId, TokenId, audit, changes::Change, membership, token},
};

impl RevokeToken for Service {
    async fn revoke_token(
        &self,
        request: &Request,
        session: Session,
        parameters: RevokeTokenParameters,
    ) -> Result<RevokeTokenReply, Failure> {
        let (org_id, id) = (OrgId(parameters.org_id), TokenId(parameters.token_id));
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find(&writer, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let revoked = token::revoke(&writer, member, id, by.at).await?;
        let revoked = revoked.ok_or_else(not_allowed)?;
        let object = audit::Object::of_org(org_id, &revoked.label);
        audit::add(&writer, audit::Event::TokenRevoked, &by, object).await?;
        self.commit_change(writer, &Change::of_hash(revoked.token_hash))
            .await?;
        Ok(RevokeTokenReply {
            result: RevokeTokenResult::TokenRevoked,
        })
    }
}
