//! Events that a table has already.

use std::{collections::HashMap, sync::Arc};

use deltalake::{
    DeltaTable,
    arrow::{
        array::{AsArray, Int64Array, RecordBatch},
        datatypes::{DataType, Field, Int64Type, Schema, TimestampMicrosecondType},
    },
    datafusion::prelude::{SessionConfig, SessionContext},
};

use crate::{
    columns::{day_name, time},
    error::TableError,
    row::Row,
};

/// Time within which an event with an index is stored once, in microseconds.
const OF_INDEXED: i64 = 2 * 24 * 60 * 60 * 1_000_000;
/// Time within which an event without an index is, which is that of its bundle.
const OF_OTHERS: i64 = 10 * 60 * 1_000_000;

/// Returns those of the rows that are new: neither in the table nor earlier among the rows.
pub(crate) async fn without_repeated<'a>(
    table: &DeltaTable,
    rows: Vec<&'a Row>,
) -> Result<Vec<&'a Row>, TableError> {
    let mut seen = find(table, &rows).await?;
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(id), Some(arrival)) = (row.event_id, time(row.get("ingest_datetime"))) else {
            new.push(row);
            continue;
        };
        let window = window(row);
        let is_repeated = seen
            .get(&id)
            .is_some_and(|last| arrival.saturating_sub(*last) <= window);
        if !is_repeated {
            seen.insert(id, arrival);
            new.push(row);
        }
    }
    Ok(new)
}

fn window(row: &Row) -> i64 {
    match row.is_indexed {
        true => OF_INDEXED,
        false => OF_OTHERS,
    }
}

/// Finds rows of the table with the ids of these, each with the time of its last arrival.
async fn find(table: &DeltaTable, rows: &[&Row]) -> Result<HashMap<i64, i64>, TableError> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.event_id).collect();
    let Some(bounds) = Bounds::of(rows) else {
        return Ok(HashMap::new());
    };
    let schema = Schema::new(vec![Field::new("event_id", DataType::Int64, false)]);
    let fresh = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(ids))])?;
    let session = session();
    session.register_batch("fresh", fresh)?;
    let state = Arc::new(session.state());
    let provider = table.table_provider().with_session(state).await?;
    session.register_table("stored", provider)?;
    let Bounds {
        first_arrival,
        first,
        last,
    } = bounds;
    let time = |micros: i64| format!("to_timestamp_micros({micros})");
    let question = format!(
        "SELECT event_id, max(ingest_datetime) FROM stored \
         WHERE ingest_date >= DATE '{}' AND ingest_datetime >= {} \
         AND event_datetime BETWEEN {} AND {} \
         AND event_id IN (SELECT event_id FROM fresh) GROUP BY event_id",
        day_name(first_arrival),
        time(first_arrival),
        time(first),
        time(last),
    );
    let found = session.sql(&question).await?;
    let mut found_ids = HashMap::new();
    for batch in found.collect().await? {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let arrivals = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        found_ids.extend(
            ids.values()
                .iter()
                .copied()
                .zip(arrivals.values().iter().copied()),
        );
    }
    Ok(found_ids)
}

/// Range of a table that may hold the first copies of rows. Files without such are not read.
struct Bounds {
    first_arrival: i64,
    /// The first and last time of an event.
    first: i64,
    last: i64,
}

impl Bounds {
    /// The bounds of rows; `None` if none of them can be a repetition.
    fn of(rows: &[&Row]) -> Option<Self> {
        let mut bounds: Option<Self> = None;
        for row in rows {
            let arrival = time(row.get("ingest_datetime"));
            let happened = time(row.get("event_datetime"));
            let (Some(arrival), Some(happened), Some(_)) = (arrival, happened, row.event_id) else {
                continue;
            };
            let first_arrival = arrival.saturating_sub(window(row));
            let (first, last) = match happened == arrival {
                // Perhaps the client sent no time, and its repetition got another one.
                true => (first_arrival, arrival.saturating_add(window(row))),
                false => (happened, happened),
            };
            let bounds = bounds.get_or_insert(Self {
                first_arrival,
                first,
                last,
            });
            bounds.first_arrival = bounds.first_arrival.min(first_arrival);
            bounds.first = bounds.first.min(first);
            bounds.last = bounds.last.max(last);
        }
        bounds
    }
}

/// A session for queries of the lake itself.
fn session() -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
        // As delta-rs itself: a list of values cannot be compared with the days of partitions.
        .set_usize("datafusion.optimizer.hash_join_inlist_pushdown_max_size", 0)
        .set_usize(
            "datafusion.optimizer.hash_join_inlist_pushdown_max_distinct_values",
            0,
        );
    SessionContext::new_with_config(config)
}
