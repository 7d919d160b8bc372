//! `DELETE /api/1/app/{app_id}`.

use cortex_report_api::server::{DeleteAppReply, DeleteAppResponse, DeleteAppResult, Failure};
use openapi_lockstep_runtime::Json;
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, client, not_allowed},
    store::{app, audit},
};

/// Deletes an application with its API keys.
pub(super) async fn delete_app(
    service: &Service,
    request: &Request,
    session: Session,
    app_id: i64,
) -> Result<DeleteAppResponse, Failure> {
    let now = service.clock.now();
    let writer = service.store.begin().await?;
    let found = app::find_for_user(&writer, session.active.user_id, app_id).await?;
    let Some((app, role)) = found else {
        return Err(not_allowed());
    };
    if !role.may_change() || !app::delete(&writer, &app).await? {
        return Err(not_allowed());
    }
    let event = audit::Event::AppDeleted;
    let email = &session.active.email;
    audit::add(&writer, event, email, client(request), Some(app.id), now).await?;
    writer.commit().await?;
    let reply = DeleteAppReply {
        result: DeleteAppResult::Deleted,
    };
    Ok(DeleteAppResponse::Ok(Json(reply)))
}
