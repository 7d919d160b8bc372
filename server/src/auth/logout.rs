//! `POST /api/1/logout`.

use cortex_report_api::server::{
    self, Credential, Failure,
    auth::Logout,
    types::{LogoutReply, LogoutResult},
};
use poem::Request;

use super::{
    session::{clearing_cookie, key, refuse_cross_site},
    verify::by,
};
use crate::{
    client::client,
    secret::digest,
    service::Service,
    store::{
        self, audit,
        changes::Change,
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
                let now = self.clock.now();
                let by = by(&session, session.user_id, client(request), now);
                end(self, &session, &by, &change).await?;
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
    by: &audit::By,
    change: &Change,
) -> store::Result<()> {
    let writer = service.store.begin().await?;
    // A login that was never verified has no user, so it is not a logout.
    if session::disable(&writer, session).await? && session.state == State::Active {
        audit::add(&writer, audit::Event::Logout, by, audit::Object::default()).await?;
    }
    service.commit_change(writer, change).await
}
