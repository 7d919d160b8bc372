//! Inbox: rows of events that are acknowledged, and wait to be moved into the lake.
//!
//! Bundles that wait at the same moment share one transaction, and those of one organization in it
//! one row.

use std::collections::BTreeMap;

use cortex_report_lake::Row;
use sea_orm::{
    ActiveValue::Set, Condition, DatabaseBackend, ExprTrait, FromQueryResult, QueryOrder,
    QuerySelect, entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{Connection, OrgId, Reader, Result, Writer, batch::Batched};
use crate::clock::Timestamp;

/// Size from which the entries of an organization begin another row, in bytes: MariaDB takes
/// statements of 16 MiB.
const MAX_PAYLOAD: usize = 1 << 20;
/// Size from which rows are written by another statement, in bytes.
const MAX_STATEMENT: usize = 4 << 20;

/// Rows of events of one organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Organization that the events are of.
    pub org_id: OrgId,
    /// Time of arrival of the first of them.
    pub received_at: Timestamp,
    /// Number of the batch with which it is moved into the lake, once it has one.
    pub batch: Option<i64>,
    /// Size of the payload in bytes.
    pub size: i64,
    /// Its entries, each in a line of JSON.
    pub payload: Vec<u8>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A row of an event, and what was changed in it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    /// The row.
    #[serde(rename = "r")]
    pub(crate) row: Row,
    /// Members that were cut or left out.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// Entries of a bundle.
pub(crate) struct Arrived {
    pub(crate) org_id: OrgId,
    pub(crate) received_at: Timestamp,
    /// Each entry in a line of JSON.
    pub(crate) lines: Vec<Vec<u8>>,
}

impl Batched for Arrived {
    type Outcome = ();

    async fn write_all(items: &[Self], writer: &Writer) -> Result<Vec<()>> {
        let mut rows = Vec::new();
        for (org_id, items) in by_org(items) {
            let mut payload = Vec::new();
            let mut received_at = None;
            for item in items {
                for line in &item.lines {
                    let first = *received_at.get_or_insert(item.received_at);
                    payload.extend_from_slice(line);
                    payload.push(b'\n');
                    if payload.len() >= MAX_PAYLOAD {
                        rows.push(row(org_id, first, std::mem::take(&mut payload)));
                        received_at = None;
                    }
                }
            }
            if let Some(first) = received_at {
                rows.push(row(org_id, first, payload));
            }
        }
        insert(rows, writer).await?;
        Ok(vec![(); items.len()])
    }
}

fn by_org(items: &[Arrived]) -> BTreeMap<OrgId, Vec<&Arrived>> {
    let mut of_orgs = BTreeMap::<_, Vec<_>>::new();
    for item in items {
        of_orgs.entry(item.org_id).or_default().push(item);
    }
    of_orgs
}

fn row(org_id: OrgId, received_at: Timestamp, payload: Vec<u8>) -> ActiveModel {
    ActiveModel {
        org_id: Set(org_id),
        received_at: Set(received_at),
        batch: Set(None),
        size: Set(i64::try_from(payload.len()).unwrap_or(i64::MAX)),
        payload: Set(payload),
        ..Default::default()
    }
}

async fn insert(rows: Vec<ActiveModel>, writer: &Writer) -> Result<()> {
    let (mut some, mut size) = (Vec::new(), 0);
    for row in rows {
        size += row.payload.as_ref().len();
        some.push(row);
        if size >= MAX_STATEMENT {
            insert_some(std::mem::take(&mut some), writer).await?;
            size = 0;
        }
    }
    insert_some(some, writer).await
}

async fn insert_some(rows: Vec<ActiveModel>, writer: &Writer) -> Result<()> {
    if !rows.is_empty() {
        let rows = Entity::insert_many(rows);
        rows.exec_without_returning(writer).await?;
    }
    Ok(())
}

/// Size and age of the rows of an organization.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Waiting {
    pub(crate) org_id: OrgId,
    /// Time of arrival of the oldest row.
    pub(crate) oldest: Timestamp,
    /// Size of all of them, in bytes.
    pub(crate) size: i64,
}

/// Returns what waits of each organization.
pub(crate) async fn waiting(db: &Reader) -> Result<Vec<Waiting>> {
    // The databases have types of their own for a sum.
    let integer = match db.get_database_backend() {
        DatabaseBackend::MySql => "signed",
        _ => "bigint",
    };
    let waiting = Entity::find()
        .select_only()
        .column(Column::OrgId)
        .column_as(Column::ReceivedAt.min(), "oldest")
        .column_as(Column::Size.sum().cast_as(integer), "size")
        .group_by(Column::OrgId)
        .order_by_asc(Column::OrgId);
    Ok(waiting.into_model().all(db).await?)
}

/// Returns the smallest number of a batch of an organization that was begun.
pub(crate) async fn find_begun(db: &impl Connection, org_id: OrgId) -> Result<Option<i64>> {
    let begun = Entity::find()
        .select_only()
        .column(Column::Batch)
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Batch.is_not_null())
        .order_by_asc(Column::Batch)
        .limit(1);
    let begun = begun.into_tuple::<Option<i64>>().one(db).await?;
    Ok(begun.flatten())
}

/// Gives rows of an organization that have no batch yet this one: the first that arrived, up to a
/// size in bytes, at least one. Returns their number.
pub(crate) async fn begin_batch(
    db: &Writer,
    org_id: OrgId,
    batch: i64,
    size: i64,
) -> Result<usize> {
    /// Maximum number of rows.
    const MAX_ROWS: u64 = 1000;
    let rows: Vec<(i64, i64)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Size])
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Batch.is_null())
        .order_by_asc(Column::Id)
        .limit(MAX_ROWS)
        .into_tuple()
        .all(db)
        .await?;
    let mut left = size;
    let some = rows.into_iter().take_while(|(_, size)| {
        let fits = left > 0;
        left -= size;
        fits
    });
    let ids: Vec<i64> = some.map(|(id, _)| id).collect();
    let count = ids.len();
    if count > 0 {
        Entity::update_many()
            .col_expr(Column::Batch, batch.into())
            .filter(Column::Id.is_in(ids))
            .exec(db)
            .await?;
    }
    Ok(count)
}

/// Lists the rows of a batch in the order of their arrival.
pub(crate) async fn list_batch(
    db: &impl Connection,
    org_id: OrgId,
    batch: i64,
) -> Result<Vec<Model>> {
    let rows = of_batch(org_id, batch);
    let rows = Entity::find().filter(rows).order_by_asc(Column::Id);
    Ok(rows.all(db).await?)
}

/// Deletes the rows of a batch that is in the lake.
pub(crate) async fn end_batch(db: &Writer, org_id: OrgId, batch: i64) -> Result<()> {
    let rows = Entity::delete_many().filter(of_batch(org_id, batch));
    rows.exec(db).await?;
    Ok(())
}

fn of_batch(org_id: OrgId, batch: i64) -> Condition {
    Condition::all()
        .add(Column::OrgId.eq(org_id))
        .add(Column::Batch.eq(batch))
}
