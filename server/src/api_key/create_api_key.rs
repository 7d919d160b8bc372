//! `POST /api/1/app/{app_id}/api_key`.

use cortex_report_api::server::{
    Failure,
    api_key::CreateApiKey,
    types::{ApiKey, CreateApiKeyRequest},
};
use poem::Request;

use super::{checked_label, no_room, reply};
use crate::{
    auth::Session,
    service::{Service, end_in_future, not_allowed},
    store::{AppId, api_key, app, audit},
};

impl CreateApiKey for Service {
    async fn create_api_key(
        &self,
        request: &Request,
        session: Session,
        app_id: i64,
        body: CreateApiKeyRequest,
    ) -> Result<ApiKey, Failure> {
        let by = session.by(request, self.clock.now());
        let label = checked_label(body.label.as_deref())?;
        let ends_at = end_in_future(body.ends_at, by.at)?;
        let writer = self.store.begin().await?;
        let app = app::find_locked(&writer, session.caller(), AppId(app_id)).await?;
        let app = app.ok_or_else(not_allowed)?;
        if !api_key::has_room(&writer, &app, by.at).await? {
            return Err(no_room());
        }
        let key = self.random.api_key();
        let key = api_key::add(&writer, &app, key, label, ends_at, by.at).await?;
        let object = app.audited(label);
        audit::add(&writer, audit::Event::KeyCreated, &by, object).await?;
        writer.commit().await?;
        Ok(reply(key, by.at))
    }
}
