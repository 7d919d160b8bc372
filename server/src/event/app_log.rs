//! `POST /{org}/1/app_log`.

use cortex_report_api::server::{
    Failure,
    event::{AppLog, AppLogParameters},
};
use poem::{Body, Request};

use super::{Endpoint, take};
use crate::service::Service;

impl AppLog for Service {
    async fn app_log(
        &self,
        _: &Request,
        parameters: AppLogParameters,
        body: Body,
    ) -> Result<String, Failure> {
        take(self, Endpoint::AppLog, &parameters.org, body).await
    }
}
