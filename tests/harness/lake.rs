//! The tables of an organization, read by the query engine alone.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use deltalake::{
    DeltaTableBuilder, DeltaTableError, arrow::json::ArrayWriter,
    datafusion::prelude::SessionContext, ensure_table_uri,
};
use serde_json::Value;

/// The rows of a table in the order of their events, each with the columns that are not null; none
/// if the table does not exist yet.
pub async fn rows(lake: &Path, org_id: i64, table: &str) -> Vec<BTreeMap<String, Value>> {
    let order = match table {
        "app_log" | "ingest_error_log" => "event_datetime, event_id",
        _ => "event_datetime, device_tag, event_id",
    };
    let sql = format!("SELECT * FROM stored ORDER BY {order}");
    query(lake, org_id, table, &sql).await
}

/// The answer to a query about the table `stored`.
pub async fn query(
    lake: &Path,
    org_id: i64,
    table: &str,
    sql: &str,
) -> Vec<BTreeMap<String, Value>> {
    let folder = lake.join(format!("org-{org_id}")).join(table);
    if !folder.is_dir() {
        return Vec::new();
    }
    let url = ensure_table_uri(folder.to_string_lossy()).unwrap();
    let mut stored = DeltaTableBuilder::from_url(url).unwrap().build().unwrap();
    match stored.load().await {
        Ok(()) => {}
        Err(DeltaTableError::NotATable(_)) => return Vec::new(),
        Err(error) => panic!("{error}"),
    }
    let session = SessionContext::new();
    let state = Arc::new(session.state());
    let provider = stored.table_provider().with_session(state).await.unwrap();
    session.register_table("stored", provider).unwrap();
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let mut writer = ArrayWriter::new(Vec::new());
    writer
        .write_batches(&batches.iter().collect::<Vec<_>>())
        .unwrap();
    writer.finish().unwrap();
    match writer.into_inner() {
        text if text.is_empty() => Vec::new(),
        text => serde_json::from_slice(&text).unwrap(),
    }
}
