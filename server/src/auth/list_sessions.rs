//! `GET /api/1/session`.

use cortex_report_api::server::{
    Failure,
    auth::ListSessions,
    types::{self, SessionList},
};
use poem::Request;

use super::Session;
use crate::{service::Service, store::session};

impl ListSessions for Service {
    async fn list_sessions(&self, _: &Request, session: Session) -> Result<SessionList, Failure> {
        let current = session.session_id()?;
        let (db, now) = (self.store.reader(), self.clock.now());
        let sessions = session::list_active(db, &session.active.email, now).await?;
        let session_list = sessions.into_iter().map(|session| types::Session {
            session_id: session.id.0,
            created_at: session.created_at.into(),
            used_at: session.used_at.into(),
            ends_at: session.expires_at.into(),
            is_current: session.id == current,
            client: session.client,
            user_agent: session.user_agent,
        });
        Ok(SessionList {
            session_list: session_list.collect(),
        })
    }
}
