//! The lake, and the tables of an organization.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use deltalake::{
    DeltaTable, DeltaTableBuilder, DeltaTableError, TableProperty, ensure_table_uri,
    kernel::{StructType, engine::arrow_conversion::TryIntoKernel, transaction::CommitProperties},
    protocol::SaveMode,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    append::{append, last_batch},
    columns::{day_name, schema},
    durable::Durable,
    error::{LakeError, TableError},
    maintain::{clean, compact},
    row::Row,
    table::{INGEST_DATE, Table},
};

/// The events of all organizations, in a folder.
pub struct Lake {
    folder: PathBuf,
    /// Its own threads, since compression keeps them busy for long. `None` once it is closed.
    runtime: Option<Runtime>,
}

/// The tables of one organization.
#[derive(Clone)]
pub struct OrgTables {
    lake: Arc<Lake>,
    org: i64,
}

/// Outcome of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Number of rows that are new.
    pub new: usize,
    /// Number of rows that the tables had already.
    pub repeated: usize,
}

/// Outcome of the upkeep of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Number of files that were replaced by larger ones.
    pub replaced: usize,
    /// Number of files that were deleted.
    pub deleted: usize,
}

/// Folder in the lake for what does not fit into memory.
const SPILL: &str = ".spill";

impl Lake {
    /// Opens the lake in a folder, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// The folder cannot be used.
    pub fn open(folder: PathBuf) -> Result<Arc<Self>, LakeError> {
        let usable = |folder: &Path| {
            // Only for who runs the service, unless somebody made it for others too.
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            let folder = fs::canonicalize(folder)?;
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("lake")
                .enable_all()
                .build()?;
            Ok((folder, runtime))
        };
        let (folder, runtime) =
            usable(&folder).map_err(|error: io::Error| LakeError::Folder { folder, error })?;
        Ok(Arc::new(Self {
            folder,
            runtime: Some(runtime),
        }))
    }

    /// The tables of the organization with a number.
    pub fn org(self: &Arc<Self>, number: i64) -> OrgTables {
        OrgTables {
            lake: Arc::clone(self),
            org: number,
        }
    }

    /// Does work by the lake's own threads.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LakeError>> + Send + 'static,
    ) -> Result<T, LakeError> {
        let runtime = self.runtime.as_ref().ok_or(LakeError::Closed)?;
        match runtime.spawn(work).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(LakeError::Closed),
        }
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Without waiting, which a task must not do.
            runtime.shutdown_background();
        }
    }
}

impl OrgTables {
    /// Returns the number of the last batch that any of the tables has; 0 if none has one.
    ///
    /// # Errors
    ///
    /// A table cannot be read.
    pub async fn last_batch(&self) -> Result<i64, LakeError> {
        let tables = self.clone();
        let last = async move {
            let mut last = 0;
            for table in Table::ALL {
                if !tables.folder(table).is_dir() {
                    continue;
                }
                let found = async { last_batch(&tables.open(table).await?).await };
                last = last.max(found.await.map_err(|error| tables.error(table, error))?);
            }
            Ok(last)
        };
        self.lake.run(last).await
    }

    /// Appends a batch of rows. Rows that the tables had already are left out, and so is the whole
    /// batch in each table that has it.
    ///
    /// # Errors
    ///
    /// A table cannot be written. Some may have the batch, so that it has to be appended again.
    pub async fn append(&self, batch: i64, rows: Vec<Row>) -> Result<Appended, LakeError> {
        let tables = self.clone();
        let appended = async move {
            let mut of_tables = BTreeMap::<Table, Vec<&Row>>::new();
            for row in &rows {
                of_tables.entry(row.table).or_default().push(row);
            }
            let mut new = 0;
            for (table, rows) in of_tables {
                let added = async {
                    let stored = tables.open(table).await?;
                    append(&stored, table, batch, rows).await
                };
                new += added.await.map_err(|error| tables.error(table, error))?;
            }
            Ok(Appended {
                new,
                repeated: rows.len() - new,
            })
        };
        self.lake.run(appended).await
    }

    /// Makes large files of small ones, and deletes what nobody reads any more. `now` is the time
    /// in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// A table cannot be read or written.
    pub async fn maintain(&self, now: i64) -> Result<Maintained, LakeError> {
        let tables = self.clone();
        let maintained = async move {
            let today = day_name(now.saturating_mul(1000));
            let spill = tables.lake.folder.join(SPILL);
            let (mut maintained, mut outcome) = (Maintained::default(), Ok(()));
            for table in Table::ALL {
                if !tables.folder(table).is_dir() {
                    continue;
                }
                let done = async {
                    let mut stored = tables.open(table).await?;
                    let replaced = compact(&mut stored, table, &today, &spill).await;
                    // Also after an error, which may last.
                    let folder = tables.folder(table);
                    maintained.deleted += clean(&mut stored, &folder, now).await?;
                    maintained.replaced += replaced?;
                    Ok(())
                };
                if let Err(error) = done.await {
                    outcome = Err(tables.error(table, error));
                }
            }
            outcome?;
            Ok(maintained)
        };
        self.lake.run(maintained).await
    }

    fn folder(&self, table: Table) -> PathBuf {
        let org = format!("org-{}", self.org);
        self.lake.folder.join(org).join(table.name())
    }

    fn error(&self, table: Table, error: TableError) -> LakeError {
        LakeError::Table {
            org: self.org,
            table,
            error: error.0,
        }
    }

    /// Opens a table, which is created if it does not exist.
    async fn open(&self, table: Table) -> Result<DeltaTable, TableError> {
        let url = ensure_table_uri(self.folder(table).to_string_lossy())?;
        let store = Arc::new(Durable::default());
        let builder = DeltaTableBuilder::from_url(url.clone())?.with_storage_backend(store, url);
        let mut stored = builder.build()?;
        if self.folder(table).join("_delta_log").is_dir() {
            match stored.load().await {
                Ok(()) => return Ok(stored),
                // It was being created when the service ended.
                Err(DeltaTableError::NotATable(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let columns: StructType = schema(table).as_ref().try_into_kernel()?;
        let created = stored
            .clone()
            .create()
            .with_columns(columns.fields().cloned())
            .with_partition_columns([INGEST_DATE])
            .with_save_mode(SaveMode::Ignore)
            // Otherwise the second of two that create it would give it another id.
            .with_commit_properties(CommitProperties::default().with_max_retries(0))
            .with_configuration_property(TableProperty::CheckpointInterval, Some("20"))
            // Otherwise each commit would look for old entries.
            .with_configuration_property(TableProperty::EnableExpiredLogCleanup, Some("false"))
            .with_configuration_property(
                TableProperty::DataSkippingStatsColumns,
                // Not the tags of users, which would stay in the log when their events are deleted.
                Some("ingest_datetime,event_datetime"),
            )
            .await;
        match created {
            Ok(created) => Ok(created),
            // Another instance was first.
            Err(DeltaTableError::VersionAlreadyExists(_) | DeltaTableError::Transaction { .. }) => {
                stored.load().await?;
                Ok(stored)
            }
            Err(error) => Err(error.into()),
        }
    }
}
