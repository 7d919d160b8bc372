//! `PUT /api/1/app/{app_id}/api_key/{api_key_id}`.

use cortex_report_api::server::{
    Failure,
    api_key::{UpdateApiKey, UpdateApiKeyParameters},
    types::{ApiKey, UpdateApiKeyRequest},
};
use poem::Request;

use super::{checked_label, no_room, reply};
use crate::{
    auth::Session,
    service::{Service, end_in_future, not_allowed},
    store::{ApiKeyId, AppId, api_key, app, audit},
};

impl UpdateApiKey for Service {
    async fn update_api_key(
        &self,
        request: &Request,
        session: Session,
        parameters: UpdateApiKeyParameters,
        body: UpdateApiKeyRequest,
    ) -> Result<ApiKey, Failure> {
        let by = session.by(request, self.clock.now());
        let label = checked_label(body.label.as_deref())?;
        let ends_at = end_in_future(body.ends_at, by.at)?;
        let (app_id, id) = (AppId(parameters.app_id), ApiKeyId(parameters.api_key_id));
        let writer = self.store.begin().await?;
        let app = app::find_locked(&writer, session.caller(), app_id).await?;
        let app = app.ok_or_else(not_allowed)?;
        let key = api_key::find(&writer, &app, id).await?;
        let key = key.filter(|key| key.revoked_at.is_none());
        let mut key = key.ok_or_else(not_allowed)?;
        let revives = key.state(by.at) == api_key::State::Ended;
        if revives && !api_key::has_room(&writer, &app, by.at).await? {
            return Err(no_room());
        }
        key.label = label.map(str::to_owned);
        key.ends_at = ends_at;
        api_key::update(&writer, &key).await?;
        let object = app.audited(label);
        audit::add(&writer, audit::Event::KeyChanged, &by, object).await?;
        writer.commit().await?;
        self.events.forget_senders();
        Ok(reply(key, by.at))
    }
}
