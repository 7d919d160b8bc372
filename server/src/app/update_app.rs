//! `PATCH /api/1/app/{app_id}`.

use cortex_report_api::server::{
    app::{UpdateApp, UpdateAppFailure},
    types::{App, ProblemCode, UpdateAppRequest},
};
use poem::Request;

use super::create_app::NAME_TAKEN;
use crate::{
    auth::Session,
    service::{Service, checked_name, not_allowed},
    store::{AppId, api_key, app, audit},
    text::name_key,
};

impl UpdateApp for Service {
    async fn update_app(
        &self,
        request: &Request,
        session: Session,
        app_id: i64,
        body: UpdateAppRequest,
    ) -> Result<App, UpdateAppFailure> {
        let name = checked_name(&body.app_name, "/body/app_name")?;
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let app = app::find_locked(&writer, session.caller(), AppId(app_id)).await?;
        let app = app.ok_or_else(not_allowed)?;
        if !app::rename(&writer, &app, name, &name_key(name)).await? {
            let code = ProblemCode::NameTaken;
            return Err(UpdateAppFailure::conflict(code, NAME_TAKEN));
        }
        audit::add(
            &writer,
            audit::Event::AppRenamed,
            &by,
            app.audited(Some(name)),
        )
        .await?;
        let api_key_list = api_key::list_working(&writer, &app.model, by.at).await?;
        writer.commit().await?;
        self.events.forget_senders();
        Ok(App {
            app_id,
            name: name.to_owned(),
            api_key_list,
        })
    }
}
