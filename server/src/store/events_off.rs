//! Stands in for the state of the ingestion of events in a service without the feature `events`.

/// State of the ingestion of events: none.
#[derive(Default)]
pub(crate) struct Events;

impl Events {
    /// There are no senders to forget.
    #[expect(clippy::unused_self, reason = "the other one needs it")]
    pub(crate) fn forget_senders(&self) {}
}
