//! `GET /api/1/app/{app_id}`.

use cortex_report_api::server::{Failure, app::GetApp, types::App};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{AppId, api_key, app},
};

impl GetApp for Service {
    async fn get_app(&self, _: &Request, session: Session, app_id: i64) -> Result<App, Failure> {
        let (db, now) = (self.store.reader(), self.clock.now());
        let found = app::find(db, session.caller(), AppId(app_id)).await?;
        let (app, _) = found.ok_or_else(not_allowed)?;
        let api_key_list = api_key::list_working(db, &app, now).await?;
        Ok(App {
            app_id,
            name: app.name,
            api_key_list,
        })
    }
}
