//! `DELETE /api/1/app/{app_id}`.

use cortex_report_api::server::{
    Failure,
    app::DeleteApp,
    types::{DeleteAppReply, DeleteAppResult},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, not_allowed},
    store::{AppId, app, audit},
};

impl DeleteApp for Service {
    async fn delete_app(
        &self,
        request: &Request,
        session: Session,
        app_id: i64,
    ) -> Result<DeleteAppReply, Failure> {
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let app = app::find_locked(&writer, session.caller(), AppId(app_id)).await?;
        let app = app.ok_or_else(not_allowed)?;
        app::delete(&writer, &app).await?;
        let object = app.audited(Some(&app.model.name));
        audit::add(&writer, audit::Event::AppDeleted, &by, object).await?;
        writer.commit().await?;
        self.events.forget_senders();
        Ok(DeleteAppReply {
            result: DeleteAppResult::Deleted,
        })
    }
}
