//! `POST /api/1/logout`.

use cortex_report_api::server::{Credential, Failure, LogoutReply, LogoutResponse, LogoutResult};
use poem::Request;
use poem_openapi::payload::Json;

use super::session::{clearing_cookie, key, refuse_cross_site};
use crate::{
    service::{Service, client},
    store::{StoreError, audit, session},
};

/// Disables the session of the credential, pending or active, if there is one.
pub(super) async fn logout(
    service: &Service,
    request: &Request,
    credential: Option<Credential>,
) -> Result<LogoutResponse, Failure> {
    if let Some(credential) = credential {
        let (key, by_cookie) = key(credential);
        if by_cookie {
            refuse_cross_site(request, &service.public_url)?;
        }
        let now = service.clock.now();
        let writer = service.store.begin().await?;
        if let Some(session) = session::disable(&writer, key.digest()).await? {
            let event = audit::Event::Logout;
            audit::add(&writer, event, &session.email, client(request), None, now).await?;
        }
        writer.commit().await.map_err(StoreError::from)?;
    }
    let reply = LogoutReply {
        result: LogoutResult::LoggedOut,
    };
    let cookie = clearing_cookie(&service.public_url);
    Ok(LogoutResponse::Ok(Json(reply), Some(cookie)))
}
