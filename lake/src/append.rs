//! Batches of rows on their way into a table.

use std::{collections::HashMap, num::NonZeroU64};

use deltalake::{
    DeltaTable,
    arrow::array::RecordBatch,
    datafile::writer::{DeltaWriter, WriterConfig},
    kernel::{
        Action, Transaction,
        transaction::{CommitBuilder, CommitProperties},
    },
    operations::get_num_idx_cols_and_stats_columns,
    protocol::{DeltaOperation, SaveMode},
};

use crate::{
    columns::{batch, properties, schema},
    error::TableError,
    repeated::without_repeated,
    row::Row,
    table::{INGEST_DATE, Table},
};

/// Name of the application transactions in the tables.
const APPLICATION: &str = "cortex-report";

/// Returns the number of the last batch that a table has.
pub(crate) async fn last_batch(table: &DeltaTable) -> Result<i64, TableError> {
    let state = table.snapshot()?;
    let log = table.log_store();
    let version = state.transaction_version(log.as_ref(), APPLICATION).await?;
    Ok(version.unwrap_or(0))
}

/// Appends the rows of a batch, unless the table has it. Returns the number of rows that the table
/// did not have.
pub(crate) async fn append(
    stored: &DeltaTable,
    table: Table,
    number: i64,
    rows: Vec<&Row>,
) -> Result<usize, TableError> {
    if last_batch(stored).await? >= number {
        return Ok(0);
    }
    let new = without_repeated(stored, rows).await?;
    if new.is_empty() {
        return Ok(0);
    }
    let added = write(stored, table, &batch(table, &new)?).await?;
    let transaction = Transaction::new(APPLICATION, number);
    let properties = CommitProperties::default().with_application_transaction(transaction);
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(vec![INGEST_DATE.to_owned()]),
        predicate: None,
    };
    CommitBuilder::from(properties)
        .with_actions(added)
        .build(Some(stored.snapshot()?), stored.log_store(), operation)
        .await?;
    Ok(new.len())
}

/// Writes rows into files, which do not belong to the table yet.
async fn write(
    stored: &DeltaTable,
    table: Table,
    rows: &RecordBatch,
) -> Result<Vec<Action>, TableError> {
    let mut writer = writer(stored, table, None)?;
    writer.write(rows).await?;
    let added = writer.close().await?;
    Ok(added.into_iter().map(Action::Add).collect())
}

/// Creates a writer of files of at most a size in bytes.
pub(crate) fn writer(
    stored: &DeltaTable,
    table: Table,
    size: Option<u64>,
) -> Result<DeltaWriter, TableError> {
    let state = stored.snapshot()?;
    let (indexed, with_statistics) =
        get_num_idx_cols_and_stats_columns(Some(state.table_config()), HashMap::new());
    let config = WriterConfig::new(
        schema(table),
        vec![INGEST_DATE.to_owned()],
        Some(properties(table)),
        size.and_then(NonZeroU64::new),
        None,
        indexed,
        with_statistics,
    );
    Ok(DeltaWriter::new(stored.object_store(), config))
}
