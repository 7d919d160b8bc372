//! The tag `app`: the applications of an organization, and their API keys.

mod create_app;
mod delete_app;
mod list_apps;

use cortex_report_api::server::{
    AppApi, CreateAppRequest, CreateAppResponse, DeleteAppResponse, Failure, ListAppsResponse,
};
use poem::Request;

use crate::{auth::Session, service::Service, store::app::Page};

impl AppApi for Service {
    async fn list_apps(
        &self,
        request: &Request,
        session: Session,
        org_id: i64,
        app_name: Option<String>,
        limit: Option<i32>,
        after: Option<i64>,
    ) -> Result<ListAppsResponse, Failure> {
        let page = (limit.is_some() || after.is_some()).then(|| Page {
            // The document allows none that is less than 1.
            limit: limit.and_then(|limit| limit.try_into().ok()),
            after,
        });
        list_apps::list_apps(self, request, session, org_id, app_name, page).await
    }

    async fn create_app(
        &self,
        request: &Request,
        session: Session,
        body: CreateAppRequest,
    ) -> Result<CreateAppResponse, Failure> {
        create_app::create_app(self, request, session, body).await
    }

    async fn delete_app(
        &self,
        request: &Request,
        session: Session,
        app_id: i64,
    ) -> Result<DeleteAppResponse, Failure> {
        delete_app::delete_app(self, request, session, app_id).await
    }
}
