//! `POST /api/1/app`.

use cortex_report_api::server::{
    Failure,
    app::{CreateApp, CreateAppFailure},
    types::{CreateAppReply, CreateAppRequest, ProblemCode},
};
use poem::Request;

use crate::{
    auth::Session,
    client::client,
    service::{Service, invalid, not_allowed},
    store::{
        AppId, OrgId,
        new_app::{Created, NewApp},
    },
    text::check_name,
};

impl CreateApp for Service {
    async fn create_app(
        &self,
        request: &Request,
        session: Session,
        body: CreateAppRequest,
    ) -> Result<CreateAppReply, CreateAppFailure> {
        let name = Name::new(&body.app_name, "/body/app_name")?;
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

/// A name that an application may have.
pub(super) struct Name<'a>(&'a str);

impl<'a> Name<'a> {
    /// Checks a name; `pointer` is the place in the request that an error reports.
    ///
    /// # Errors
    ///
    /// 400 if it has characters that the pattern in the document cannot express.
    pub(super) fn new(name: &'a str, pointer: &str) -> Result<Self, Failure> {
        let name = check_name(name).map_err(|error| invalid(pointer, error))?;
        Ok(Self(name))
    }
}

/// Creates an application with its API key; returns `None` if the name is taken in the
/// organization.
pub(super) async fn create(
    service: &Service,
    request: &Request,
    session: &Session,
    org_id: OrgId,
    name: Name<'_>,
) -> Result<Option<AppId>, Failure> {
    let wanted = NewApp {
        user_id: session.active.user_id,
        email: session.active.email.clone(),
        client: client(request),
        org_id,
        name: name.0.to_owned(),
        api_key: service.random.api_key(),
        now: service.clock.now(),
    };
    match service.new_apps.write(&service.store, wanted).await? {
        Created::App(app_id) => Ok(Some(app_id)),
        Created::NameTaken => Ok(None),
        Created::NotAllowed => Err(not_allowed()),
    }
}
