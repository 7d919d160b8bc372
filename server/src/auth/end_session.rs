//! `DELETE /api/1/session/{session_id}`.

use cortex_report_api::server::{
    Failure,
    auth::EndSession,
    types::{EndSessionReply, EndSessionResult},
};
use poem::Request;

use super::Session;
use crate::{
    service::{Service, not_allowed},
    store::{SessionId, audit, changes::Change, session},
};

impl EndSession for Service {
    async fn end_session(
        &self,
        request: &Request,
        session: Session,
        session_id: i64,
    ) -> Result<EndSessionReply, Failure> {
        session.session_id()?;
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let id = SessionId(session_id);
        let ended = session::find_active(&writer, &by.email, id, by.at).await?;
        let ended = ended.ok_or_else(not_allowed)?;
        session::disable(&writer, &ended).await?;
        let event = audit::Event::SessionEnded;
        audit::add(&writer, event, &by, audit::Object::default()).await?;
        self.commit_change(writer, &Change::of_hash(ended.key_hash))
            .await?;
        Ok(EndSessionReply {
            result: EndSessionResult::SessionEnded,
        })
    }
}
