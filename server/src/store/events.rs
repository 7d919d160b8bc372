//! State of the ingestion of events.

use std::sync::Arc;

use super::{batch::Batch, inbox::Arrived, sender::Senders};

/// State of the ingestion of events.
#[derive(Default)]
pub(crate) struct Events {
    /// Events that wait to be written to the inbox.
    pub(crate) arrived: Arc<Batch<Arrived>>,
    pub(crate) senders: Senders,
}

impl Events {
    /// Lets the next bundles query their senders. To be called once a change of an API key, its
    /// application or its organization may be committed, and before that change is answered.
    pub(crate) fn forget_senders(&self) {
        self.senders.forget_all();
    }
}
