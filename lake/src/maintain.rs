//! Upkeep of a table: small files become large ones, and what nobody reads any more is deleted.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use deltalake::{
    DeltaTable, DeltaTableError,
    datafusion::{
        execution::runtime_env::RuntimeEnvBuilder,
        logical_expr::col,
        prelude::{SessionConfig, SessionContext},
    },
    delta_datafusion::FileSelection,
    kernel::{
        Action, Add, Remove, Transaction, cast_record_batch,
        transaction::{CommitBuilder, CommitProperties},
    },
    operations::vacuum::{Clock, VacuumMode},
    protocol::{DeltaOperation, checkpoints},
};
use futures_util::StreamExt;

use crate::{
    append::writer,
    columns::schema,
    error::TableError,
    table::{INGEST_DATE, Table},
};

/// Name of the application transactions of commits that replace files.
const APPLICATION: &str = "cortex-report-upkeep";
/// Size from which a file is large enough, in bytes.
const LARGE: i64 = 32 << 20;
/// Size of the files that are made of smaller ones, in bytes.
const TARGET: i64 = 128 << 20;
/// Number of small files of the current day that are left as they are.
const LEFT_TODAY: usize = 64;
/// Memory for sorting, in bytes; beyond it rows are put on the disk.
const SORT_MEMORY: usize = 96 << 20;
/// Time for which files stay after they were replaced, since other engines may be reading them.
const FILES_KEPT_FOR: Duration = Duration::from_secs(6 * 60 * 60);
/// Number of entries of the log from which old ones are deleted.
const MANY_ENTRIES: usize = 100;
/// Time for which entries of the log stay after a checkpoint holds what they say.
const LOG_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes large files of the small ones of each day. Returns the number of files that were replaced.
pub(crate) async fn compact(
    stored: &mut DeltaTable,
    table: Table,
    today: &str,
    spill: &Path,
) -> Result<usize, TableError> {
    let mut days = BTreeMap::<String, Vec<Small>>::new();
    for file in stored.snapshot()?.log_data().iter() {
        if file.size() >= LARGE {
            continue;
        }
        let mut values: HashMap<String, Option<String>> = file.partition_values_map();
        if let Some(day) = values.remove(INGEST_DATE).flatten() {
            days.entry(day).or_default().push(Small {
                path: file.object_store_path().to_string(),
                rows: file.num_records(),
                remove: file.remove_action(false),
            });
        }
    }
    let mut replaced = 0;
    for (day, files) in days {
        let left = match day == today {
            true => LEFT_TODAY,
            false => 1,
        };
        if files.len() > left {
            replaced += files.len();
            rewrite(stored, table, files, spill).await?;
        }
    }
    Ok(replaced)
}

/// A file that is too small.
struct Small {
    path: String,
    /// Number of its rows.
    rows: Option<usize>,
    /// Entry of the log that removes it.
    remove: Remove,
}

/// Writes the rows of files anew, sorted, so that they take less room and queries read fewer of
/// them.
async fn rewrite(
    stored: &mut DeltaTable,
    table: Table,
    files: Vec<Small>,
    spill: &Path,
) -> Result<(), TableError> {
    let session = session(table, spill)?;
    let paths = files.iter().map(|file| file.path.clone());
    let provider = stored
        .table_provider()
        .with_session(Arc::new(session.state()))
        .with_file_selection(FileSelection::from_file_paths(paths))
        .await?;
    let order = ["app", "event_datetime"].map(|column| col(column).sort(true, true));
    let rows = session.read_table(provider)?.sort(order.to_vec())?;
    let mut rows = rows.execute_stream().await?;
    let mut writer = writer(stored, table, Some(TARGET.unsigned_abs()))?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = cast_record_batch(&batch?, schema(table), false, false)?;
        count += batch.num_rows();
        writer.write(&batch).await?;
    }
    if files.iter().map(|file| file.rows).sum::<Option<usize>>() != Some(count) {
        let reason = "the files have another number of rows than they say";
        return Err(DeltaTableError::generic(reason).into());
    }
    let added = writer.close().await?.into_iter().map(|added| {
        Action::Add(Add {
            data_change: false,
            ..added
        })
    });
    let removed = files.into_iter().map(|file| Action::Remove(file.remove));
    let operation = DeltaOperation::Optimize {
        predicate: None,
        target_size: TARGET,
    };
    // Two that replace the same files at the same time would both succeed otherwise, and double the
    // rows: only commits of one application exclude each other.
    let number = i64::try_from(stored.version().unwrap_or_default()).unwrap_or_default();
    let only = Transaction::new(APPLICATION, number);
    let properties = CommitProperties::default().with_application_transaction(only);
    let committed = CommitBuilder::from(properties)
        .with_actions(removed.chain(added).collect())
        .build(Some(stored.snapshot()?), stored.log_store(), operation)
        .await?;
    stored.state = Some(committed.snapshot());
    Ok(())
}

fn session(table: Table, spill: &Path) -> Result<SessionContext, TableError> {
    // A batch has to fit into the memory for sorting.
    let rows = match table {
        Table::AppLog => 256,
        _ => 8192,
    };
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(rows);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(SORT_MEMORY, 1.0)
        .with_temp_file_path(spill)
        .build_arc()?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Deletes files that were replaced or never became part of the table, and old entries of the log.
/// Returns the number of files.
pub(crate) async fn clean(
    stored: &mut DeltaTable,
    folder: &Path,
    now: i64,
) -> Result<usize, TableError> {
    let kept = TimeDelta::from_std(FILES_KEPT_FOR).unwrap_or_default();
    let (cleaned, metrics) = stored
        .clone()
        .vacuum()
        .with_retention_period(kept)
        .with_enforce_retention_duration(false)
        .with_mode(VacuumMode::Full)
        .with_clock(Arc::new(At(now)))
        .await?;
    *stored = cleaned;
    let entries = fs::read_dir(folder.join("_delta_log")).map_or(0, Iterator::count);
    if let Some(version) = stored.version().filter(|_| entries > MANY_ENTRIES) {
        // After the vacuum: a checkpoint forgets files that were replaced long ago.
        checkpoints::create_checkpoint(stored, None).await?;
        let log = stored.log_store();
        let before = before(now, LOG_KEPT_FOR);
        checkpoints::cleanup_expired_logs_for(version, log.as_ref(), before, None).await?;
        stored.update_state().await?;
    }
    let unfinished = delete_unfinished(folder, before(now, FILES_KEPT_FOR));
    Ok(metrics.files_deleted.len() + unfinished)
}

/// The time in milliseconds that is earlier than `now` by a duration.
fn before(now: i64, duration: Duration) -> i64 {
    now.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// Deletes files that were being written when the service ended. The file system does not list
/// them, so nothing else does. Returns their number.
fn delete_unfinished(folder: &Path, before: i64) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let mut deleted = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            deleted += delete_unfinished(&path, before);
            continue;
        }
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_unfinished = name.rsplit_once('#').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        });
        let changed = entry.metadata().and_then(|it| it.modified()).ok();
        let changed = changed.map(DateTime::<Utc>::from);
        let is_old = changed.is_some_and(|it| it.timestamp_millis() < before);
        if is_unfinished && is_old && fs::remove_file(&path).is_ok() {
            deleted += 1;
        }
    }
    deleted
}

/// A clock that stands at a time in milliseconds since 1970.
#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn current_timestamp_millis(&self) -> i64 {
        self.0
    }
}
