//! `GET /api/1/app/{app_id}/api_key`.

use cortex_report_api::server::{
    Failure,
    api_key::{ListApiKeys, ListApiKeysParameters},
    types::ApiKeyList,
};
use poem::Request;

use super::reply;
use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{ApiKeyId, AppId, Page, api_key, app},
};

impl ListApiKeys for Service {
    async fn list_api_keys(
        &self,
        _: &Request,
        session: Session,
        parameters: ListApiKeysParameters,
    ) -> Result<ApiKeyList, Failure> {
        let (db, now) = (self.store.reader(), self.clock.now());
        let found = app::find(db, session.caller(), AppId(parameters.app_id)).await?;
        let (app, _) = found.ok_or_else(not_allowed)?;
        let page = Page::new(parameters.limit, parameters.after.map(ApiKeyId));
        let keys = api_key::list_page(db, &app, page).await?;
        Ok(ApiKeyList {
            api_key_list: keys.into_iter().map(|key| reply(key, now)).collect(),
        })
    }
}
