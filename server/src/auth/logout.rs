//! `POST /api/1/logout`.

use cortex_report_api::server::{
    self, Credential, Failure,
    auth::Logout,
    types::{LogoutReply, LogoutResult},
};
use poem::Request;

use super::session::{clearing_cookie, key, refuse_cross_site};
use crate::{
    client::{Client, client},
    secret::digest,
    service::Service,
    store::{
        self, audit,
        changes::{self, Change},
        session::{self, State},
    },
};

impl Logout for Service {
    /// Disables the session of the credential, pending or active, if there is one.
    async fn logout(
        &self,
        request: &Request,
        credential: Option<Credential>,
    ) -> Result<server::auth::LogoutReply, Failure> {
        if let Some(credential) = credential {
            let (key, by_cookie) = key(credential);
            if by_cookie {
                refuse_cross_site(request, &self.public_url)?;
            }
            let key_hash = digest(key.reveal());
            let db = self.store.reader();
            if let Some(session) = session::find_enabled(db, &key_hash).await? {
                let change = Change::Session(key_hash);
                let ended = end(self, &session, client(request), &change).await;
                // Even after an error, since the session may have been disabled.
                self.sessions.forget(&change);
                ended?;
            }
        }
        let reply = LogoutReply {
            result: LogoutResult::LoggedOut,
        };
        // Otherwise another site could log out its visitors: a browser deletes a cookie even if it
        // did not send it.
        let is_own_site = refuse_cross_site(request, &self.public_url).is_ok();
        let cookie = is_own_site.then(|| clearing_cookie(&self.public_url));
        Ok(server::auth::LogoutReply {
            body: reply,
            set_cookie: cookie,
        })
    }
}

/// Disables a session, and records the logout.
async fn end(
    service: &Service,
    session: &session::Model,
    client: Client,
    change: &Change,
) -> store::Result<()> {
    let writer = service.store.begin().await?;
    // A login that was never verified has no user, so it is not a logout.
    if session::disable(&writer, session).await? && session.state == State::Active {
        changes::tell(&writer, change).await?;
        let (event, now) = (audit::Event::Logout, service.clock.now());
        audit::add(&writer, event, &session.email, client, None, now).await?;
    }
    writer.commit().await
}
