//! `POST /api/1/app`.

use cortex_report_api::server::{
    Failure,
    app::{CreateApp, CreateAppFailure},
    types::{CreateAppReply, CreateAppRequest, ProblemCode},
};
use poem::Request;

use crate::{
    auth::Session,
    service::{Service, checked_name, not_allowed},
    store::{
        AppId, OrgId,
        new_app::{Created, NewApp},
    },
};

impl CreateApp for Service {
    async fn create_app(
        &self,
        request: &Request,
        session: Session,
        body: CreateAppRequest,
    ) -> Result<CreateAppReply, CreateAppFailure> {
        let name = checked_name(&body.app_name, "/body/app_name")?;
        match create(self, request, &session, OrgId(body.org_id), name).await? {
            Some(AppId(app_id)) => Ok(CreateAppReply { app_id }),
            None => Err(CreateAppFailure::conflict(
                ProblemCode::NameTaken,
                NAME_TAKEN,
            )),
        }
    }
}

pub(super) const NAME_TAKEN: &str =
    "The organization has an application of this name already. Choose another name.";

/// Creates an application with its API key; returns `None` if the name is taken in the
/// organization.
pub(super) async fn create(
    service: &Service,
    request: &Request,
    session: &Session,
    org_id: OrgId,
    name: &str,
) -> Result<Option<AppId>, Failure> {
    let wanted = NewApp {
        caller: session.caller(),
        by: session.by(request, service.clock.now()),
        org_id,
        name: name.to_owned(),
        api_key: service.random.api_key(),
    };
    match service.new_apps.write(&service.store, wanted).await? {
        Created::App(app_id) => Ok(Some(app_id)),
        Created::NameTaken => Ok(None),
        Created::NotAllowed => Err(not_allowed()),
    }
}
