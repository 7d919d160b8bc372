//! `DELETE /api/1/app/{app_id}`.

use cortex_report_api::server::{
    Failure,
    app::DeleteApp,
    types::{DeleteAppReply, DeleteAppResult},
};
use poem::Request;

use crate::{
    auth::Session,
    client::client,
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
        let now = self.clock.now();
        let writer = self.store.begin().await?;
        let found = app::find_for_user(&writer, session.active.user_id, AppId(app_id)).await?;
        let found = found.and_then(|(app, member)| Some((app, member.editor()?)));
        let Some((app, editor)) = found else {
            return Err(not_allowed());
        };
        if !app::delete(&writer, editor, app.id).await? {
            return Err(not_allowed());
        }
        let event = audit::Event::AppDeleted;
        let email = &session.active.email;
        audit::add(&writer, event, email, client(request), Some(app.id), now).await?;
        writer.commit().await?;
        Ok(DeleteAppReply {
            result: DeleteAppResult::Deleted,
        })
    }
}
