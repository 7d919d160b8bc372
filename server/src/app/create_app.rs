//! `POST /api/1/app`.

use cortex_report_api::server::{
    CreateAppReply, CreateAppRequest, CreateAppResponse, Failure, ProblemCode,
};
use openapi_lockstep_runtime::Json;
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, client, invalid, not_allowed},
    store::{api_key, app, audit, membership},
    text::check_name,
};

/// Creates an application and answers its id.
pub(super) async fn create_app(
    service: &Service,
    request: &Request,
    session: Session,
    body: CreateAppRequest,
) -> Result<CreateAppResponse, Failure> {
    let name = Name::new(&body.app_name, "/body/app_name")?;
    match create(service, request, &session, body.org_id, name).await? {
        Some(app_id) => Ok(CreateAppResponse::Ok(Json(CreateAppReply { app_id }))),
        None => Ok(CreateAppResponse::conflict(
            ProblemCode::NameTaken,
            NAME_TAKEN,
        )),
    }
}

pub(super) const NAME_TAKEN: &str =
    "The organization has an application of this name already. Choose another name.";

/// A name that an application may have.
pub(super) struct Name<'a>(&'a str);

impl<'a> Name<'a> {
    /// The name that the member at `pointer` says.
    ///
    /// # Errors
    ///
    /// 400 if it has characters that the document's pattern cannot name.
    pub(super) fn new(name: &'a str, pointer: &str) -> Result<Self, Failure> {
        let name = check_name(name).map_err(|error| invalid(pointer, error))?;
        Ok(Self(name))
    }
}

/// Creates an application with its API key; none if the organization has one of this name.
pub(super) async fn create(
    service: &Service,
    request: &Request,
    session: &Session,
    org_id: i64,
    name: Name<'_>,
) -> Result<Option<i64>, Failure> {
    let now = service.clock.now();
    let writer = service.store.begin().await?;
    let role = membership::role(&writer, session.active.user_id, org_id).await?;
    if !role.is_some_and(membership::Role::may_change) {
        return Err(not_allowed());
    }
    let Some(app) = app::add(&writer, org_id, name.0, now).await? else {
        return Ok(None);
    };
    api_key::add(&writer, &app, service.random.api_key(), now).await?;
    let event = audit::Event::AppCreated;
    let email = &session.active.email;
    audit::add(&writer, event, email, client(request), Some(app.id), now).await?;
    writer.commit().await?;
    Ok(Some(app.id))
}
