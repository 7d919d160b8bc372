//! The worker that moves events from the inbox into the lake.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use cortex_report_lake::{Lake, OrgTables, Row, Table, Value};

use super::{Result, Stop, Worker, WorkerError};
use crate::{
    event::{blocking, tag},
    service::Service,
    store::{
        AppId, OrgId, app, device_user,
        inbox::{self, Entry},
        lake_claim,
    },
};

/// Size from which the events of an organization are moved at once, in bytes.
const MANY: i64 = 8 << 20;
/// Maximum number of batches of an organization in one round.
const MAX_BATCHES: usize = 16;
/// Maximum length of a user_tag whose user_map_tag can be made of its column.
const MAX_USER_TAG: usize = 62;
/// Time for which an instance claims an organization. It is extended with each batch, which takes
/// far less. Two that move the same batch do no harm, but for the work.
const CLAIMED_FOR: Duration = Duration::from_secs(30);

/// The worker that moves events from the inbox into the lake.
pub(crate) struct Sealing {
    service: Service,
    lake: Arc<Lake>,
    /// Time after which events are moved.
    interval: Duration,
    /// Name of this instance in its claims.
    instance: Arc<str>,
}

impl Worker for Sealing {
    const NAME: &'static str = "sealing";
    const INTERVAL: Duration = Duration::from_secs(1);

    async fn round(&self, stop: &Stop) -> Result<()> {
        let (mut done, mut has_claims, mut outcome) = (BTreeSet::new(), false, Ok(()));
        for _ in 0..MAX_BATCHES {
            let mut due = self.due().await?;
            due.retain(|org_id| !done.contains(org_id));
            if due.is_empty() {
                break;
            }
            // A batch of each, so that none waits for the others.
            for org_id in due {
                if stop.is_due() {
                    break;
                }
                has_claims = true;
                let sealed = self.seal(org_id).await;
                if !matches!(sealed, Ok(true)) {
                    done.insert(org_id);
                }
                if let Err(error) = sealed {
                    let org = org_id.0;
                    tracing::warn!(org, %error, "cannot move events into the lake; they stay in the inbox");
                    outcome = Err(error);
                }
            }
        }
        if has_claims {
            let db = self.service.store.reader();
            lake_claim::release_all(db, &self.instance).await?;
        }
        outcome
    }
}

impl Sealing {
    /// Creates a worker that moves events once they have waited for `interval`.
    pub(crate) fn new(
        service: Service,
        lake: Arc<Lake>,
        interval: Duration,
        instance: Arc<str>,
    ) -> Self {
        Self {
            service,
            lake,
            interval,
            instance,
        }
    }

    /// Finds the organizations whose events are to be moved now.
    async fn due(&self) -> Result<Vec<OrgId>> {
        let now = self.service.clock.now();
        let waiting = inbox::waiting(self.service.store.reader()).await?;
        let due = waiting
            .into_iter()
            .filter(|it| now.since(it.oldest) >= self.interval || it.size >= MANY);
        Ok(due.map(|it| it.org_id).collect())
    }

    /// Moves a batch of an organization. Returns false if nothing waits, or another instance moves
    /// it.
    async fn seal(&self, org_id: OrgId) -> Result<bool> {
        let tables = self.lake.org(org_id.0);
        if !self.claim(org_id).await? {
            return Ok(false);
        }
        let Some(batch) = self.batch(org_id, &tables).await? else {
            return Ok(false);
        };
        self.seal_batch(org_id, &tables, batch).await?;
        Ok(true)
    }

    async fn claim(&self, org_id: OrgId) -> Result<bool> {
        let now = self.service.clock.now();
        let db = self.service.store.reader();
        let until = now.plus(CLAIMED_FOR);
        Ok(lake_claim::take(db, org_id, &self.instance, now, until).await?)
    }

    /// The number of the batch to move next: one that was begun, or a new one. Returns `None` if
    /// nothing waits, or another instance has the claim now.
    async fn batch(&self, org_id: OrgId, tables: &OrgTables) -> Result<Option<i64>> {
        let store = &self.service.store;
        if let Some(begun) = inbox::find_begun(store.reader(), org_id).await? {
            return Ok(Some(begun));
        }
        // The database may be an older one, restored from a backup: its numbers are in the lake
        // already.
        let least = tables.last_batch().await? + 1;
        let writer = store.begin().await?;
        let number = lake_claim::next_batch(&writer, org_id, &self.instance, least).await?;
        let Some(number) = number else {
            return Ok(None);
        };
        // The claim is locked now. A batch that another instance has begun meanwhile comes first: a
        // table takes a batch for a repetition once it has one with a larger number.
        if let Some(begun) = inbox::find_begun(&writer, org_id).await? {
            return Ok(Some(begun));
        }
        if inbox::begin_batch(&writer, org_id, number, MANY).await? == 0 {
            return Ok(None);
        }
        writer.commit().await?;
        Ok(Some(number))
    }

    /// Moves a batch. It may have been moved before, up to any point.
    async fn seal_batch(&self, org_id: OrgId, tables: &OrgTables, batch: i64) -> Result<()> {
        let store = &self.service.store;
        let waiting = inbox::list_batch(store.reader(), org_id, batch).await?;
        let mut rows = blocking(move || read(waiting)).await?;
        self.drop_deleted(org_id, &mut rows).await?;
        let devices: BTreeSet<String> = rows.iter().filter_map(device).collect();
        let devices: Vec<String> = devices.into_iter().collect();
        let known = device_user::find_all(store.reader(), org_id, &devices).await?;
        let learnt = assign_users(&mut rows, known);
        tables.append(batch, rows).await?;
        let writer = store.begin().await?;
        device_user::put_all(&writer, org_id, &learnt).await?;
        inbox::end_batch(&writer, org_id, batch).await?;
        Ok(writer.commit().await?)
    }

    /// Leaves out the events of applications that were deleted.
    async fn drop_deleted(&self, org_id: OrgId, rows: &mut Vec<Row>) -> Result<()> {
        let ids: BTreeSet<AppId> = rows.iter().map(|row| AppId(row.app_id)).collect();
        let db = self.service.store.reader();
        let there = app::list_ids(db, org_id, ids).await?;
        rows.retain(|row| there.contains(&AppId(row.app_id)));
        Ok(())
    }
}

/// Reads the rows that wait.
fn read(waiting: Vec<inbox::Model>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for model in waiting {
        for line in model.payload.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let entry: Entry = serde_json::from_slice(line)
                .map_err(|error| WorkerError::Unreadable(model.id, error.column()))?;
            rows.push(entry.row);
        }
    }
    Ok(rows)
}

fn device(row: &Row) -> Option<String> {
    let device = row.get("device_tag").text();
    device.filter(|it| !it.is_empty()).map(str::to_owned)
}

/// Gives each row without a user the one that its device was last known as, or else that of the
/// device. Returns the users of the devices that were learnt.
fn assign_users(rows: &mut [Row], mut known: HashMap<String, String>) -> BTreeMap<String, String> {
    let mut learnt = BTreeMap::new();
    for row in rows {
        let device = device(row);
        let user = match row.table {
            Table::AppLog => {
                let tag = row.get("user_tag").text();
                let is_whole = |tag: &&str| tag.chars().count() <= MAX_USER_TAG;
                tag.filter(is_whole).map(tag::of_user_tag)
            }
            _ => row.get("user_map_tag").text().map(str::to_owned),
        };
        let user = user.filter(|user| !user.is_empty());
        match (device, user) {
            (Some(device), Some(user)) => {
                if known.get(&device) != Some(&user) {
                    known.insert(device.clone(), user.clone());
                    learnt.insert(device, user);
                }
            }
            (Some(device), None) => {
                let user = known.get(&device).cloned();
                let user = user.unwrap_or_else(|| tag::of_device(&device));
                row.set("user_map_tag", Value::Text(user));
            }
            (None, _) => {}
        }
    }
    learnt
}
