//! `DELETE /api/1/session`.

use cortex_report_api::server::{
    Failure,
    auth::EndOtherSessions,
    types::{EndOtherSessionsReply, EndSessionResult},
};
use poem::Request;

use super::Session;
use crate::{
    service::{Service, count},
    store::{audit, changes::Change, session},
};

impl EndOtherSessions for Service {
    async fn end_other_sessions(
        &self,
        request: &Request,
        session: Session,
    ) -> Result<EndOtherSessionsReply, Failure> {
        let current = session.session_id()?;
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let ended = session::disable_others(&writer, &by.email, current).await?;
        if ended > 0 {
            let event = audit::Event::SessionEnded;
            audit::add(&writer, event, &by, audit::Object::default()).await?;
            self.commit_change(writer, &Change::All).await?;
        }
        Ok(EndOtherSessionsReply {
            result: EndSessionResult::SessionEnded,
            session_count: count(ended),
        })
    }
}
