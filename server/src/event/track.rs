//! `POST /{org}/1/track`.

use cortex_report_api::server::{
    Failure,
    event::{Track, TrackParameters},
};
use poem::{Body, Request};

use super::{Endpoint, take};
use crate::service::Service;

impl Track for Service {
    async fn track(
        &self,
        _: &Request,
        parameters: TrackParameters,
        body: Body,
    ) -> Result<String, Failure> {
        take(self, Endpoint::Track, &parameters.org, body).await
    }
}
