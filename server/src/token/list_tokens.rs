//! `GET /api/1/org/{org_id}/token`.

use cortex_report_api::server::{
    Failure,
    token::{ListTokens, ListTokensParameters},
    types::{Token, TokenList},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{OrgId, Page, TokenId, membership, token},
};

impl ListTokens for Service {
    async fn list_tokens(
        &self,
        _: &Request,
        session: Session,
        parameters: ListTokensParameters,
    ) -> Result<TokenList, Failure> {
        let (db, now) = (self.store.reader(), self.clock.now());
        let org_id = OrgId(parameters.org_id);
        let member = membership::find(db, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let page = Page::new(parameters.limit, parameters.after.map(TokenId));
        let tokens = token::list_page(db, member, page, now).await?;
        let token_list = tokens.into_iter().map(|token| Token {
            token_id: token.id.0,
            label: token.label,
            role: token.role.into(),
            user_id: token.user_id.0,
            email: token.email,
            created_at: token.created_at.into(),
            used_at: token.used_at.map(Into::into),
            ends_at: token.ends_at.map(Into::into),
        });
        Ok(TokenList {
            token_list: token_list.collect(),
        })
    }
}
