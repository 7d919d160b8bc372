//! `DELETE /api/1/app/{app_id}/api_key/{api_key_id}`.

use cortex_report_api::server::{
    Failure,
    api_key::{RevokeApiKey, RevokeApiKeyParameters},
    types::ApiKey,
};
use poem::Request;

use super::reply;
use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{ApiKeyId, AppId, api_key, app, audit},
};

impl RevokeApiKey for Service {
    /// Revokes a key. Another call changes nothing, so that it may be repeated.
    async fn revoke_api_key(
        &self,
        request: &Request,
        session: Session,
        parameters: RevokeApiKeyParameters,
    ) -> Result<ApiKey, Failure> {
        let by = session.by(request, self.clock.now());
        let (app_id, id) = (AppId(parameters.app_id), ApiKeyId(parameters.api_key_id));
        let writer = self.store.begin().await?;
        let app = app::find_locked(&writer, session.caller(), app_id).await?;
        let app = app.ok_or_else(not_allowed)?;
        let key = api_key::find(&writer, &app, id).await?;
        let mut key = key.ok_or_else(not_allowed)?;
        if key.revoked_at.is_none() {
            key.revoked_at = Some(by.at);
            api_key::update(&writer, &key).await?;
            let object = app.audited(key.label.as_deref());
            audit::add(&writer, audit::Event::KeyRevoked, &by, object).await?;
            writer.commit().await?;
            self.events.forget_senders();
        }
        Ok(reply(key, by.at))
    }
}
