//! The worker that keeps the files of the lake few and large.

use std::{sync::Arc, time::Duration};

use cortex_report_lake::Lake;

use super::{Result, Stop, Worker};
use crate::{service::Service, store::lake_claim};

/// The worker that keeps the files of the lake few and large. Of several instances the one does it
/// for an organization that moved its events last.
pub(crate) struct Upkeep {
    service: Service,
    lake: Arc<Lake>,
    /// Name of this instance in its claims.
    instance: Arc<str>,
}

impl Upkeep {
    pub(crate) fn new(service: Service, lake: Arc<Lake>, instance: Arc<str>) -> Self {
        Self {
            service,
            lake,
            instance,
        }
    }
}

impl Worker for Upkeep {
    const NAME: &'static str = "upkeep";
    const INTERVAL: Duration = Duration::from_secs(10 * 60);
    const DELAY: Duration = Self::INTERVAL;

    async fn round(&self, stop: &Stop) -> Result<()> {
        let db = self.service.store.reader();
        let mut outcome = Ok(());
        for org_id in lake_claim::list_orgs(db, &self.instance).await? {
            if stop.is_due() {
                break;
            }
            let now = self.service.clock.now();
            // Another organization does not wait for one whose tables cannot be written.
            if let Err(error) = self.lake.org(org_id.0).maintain(now.0).await {
                tracing::warn!(org = org_id.0, %error, "cannot compact the tables of an organization");
                outcome = Err(error.into());
            }
        }
        outcome
    }
}
