//! `POST /api/1/logout`.

use cortex_report_api::server::{Credential, Failure, LogoutReply, LogoutResponse, LogoutResult};
use poem::Request;
use poem_openapi::payload::Json;

use super::session::{clearing_cookie, key, refuse_cross_site};
use crate::{
    service::{Service, client},
    store::{
        audit,
        session::{self, State},
    },
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
        let key_hash = key.digest();
        let db = service.store.reader();
        if let Some(session) = session::find_enabled(db, key_hash).await? {
            let writer = service.store.begin().await?;
            // A login that was never verified is nobody's: nobody has logged out.
            if session::disable(&writer, &session).await? && session.state == State::Active {
                let (event, now) = (audit::Event::Logout, service.clock.now());
                audit::add(&writer, event, &session.email, client(request), None, now).await?;
            }
            writer.commit().await?;
        }
    }
    let reply = LogoutReply {
        result: LogoutResult::LoggedOut,
    };
    // Another site could else log out whoever visits it: a browser takes a cookie away even where
    // it did not send it.
    let is_own_site = refuse_cross_site(request, &service.public_url).is_ok();
    let cookie = is_own_site.then(|| clearing_cookie(&service.public_url));
    Ok(LogoutResponse::Ok(Json(reply), cookie))
}
