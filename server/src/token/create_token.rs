//! `POST /api/1/org/{org_id}/token`.

use cortex_report_api::server::{
    Failure,
    token::CreateToken,
    types::{CreateTokenReply, CreateTokenRequest},
};
use poem::Request;

use crate::{
    auth::Session,
    secret::digest,
    service::{Service, checked_name, end_in_future, not_allowed},
    store::{
        OrgId, audit, membership,
        token::{self, NewToken},
    },
};

impl CreateToken for Service {
    async fn create_token(
        &self,
        request: &Request,
        session: Session,
        org_id: i64,
        body: CreateTokenRequest,
    ) -> Result<CreateTokenReply, Failure> {
        let by = session.by(request, self.clock.now());
        let label = checked_name(&body.label, "/body/label")?;
        let ends_at = end_in_future(body.ends_at, by.at)?;
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), OrgId(org_id)).await?;
        let maker = member.and_then(|member| member.token_maker(body.role.into()));
        let maker = maker.ok_or_else(not_allowed)?;
        let secret = self.random.service_token();
        let new = NewToken {
            token_hash: digest(secret.reveal()),
            label,
            ends_at,
        };
        let token = token::add(&writer, maker, new, by.at).await?;
        let object = audit::Object::of_org(token.org_id, label).with_role(token.role);
        audit::add(&writer, audit::Event::TokenCreated, &by, object).await?;
        writer.commit().await?;
        Ok(CreateTokenReply {
            token_id: token.id.0,
            token: secret,
        })
    }
}
