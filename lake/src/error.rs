//! Errors of the lake.

use std::{io, path::PathBuf};

use deltalake::{DeltaTableError, arrow::error::ArrowError, datafusion::error::DataFusionError};

use crate::Table;

/// Error of the lake.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A folder cannot be used.
    #[error("the folder {} cannot be used: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A table cannot be read or written.
    #[error("the table {} of organization {org} cannot be used: {error}", table.name())]
    Table {
        /// Number of the organization.
        org: i64,
        /// The table.
        table: Table,
        /// The reason.
        error: Box<DeltaTableError>,
    },
    /// The work was given up since the service stops.
    #[error("the lake is closed")]
    Closed,
}

/// Error of one table, before it is known which.
#[derive(Debug)]
pub(crate) struct TableError(pub(crate) Box<DeltaTableError>);

impl From<DeltaTableError> for TableError {
    fn from(error: DeltaTableError) -> Self {
        Self(Box::new(error))
    }
}

impl From<ArrowError> for TableError {
    fn from(error: ArrowError) -> Self {
        DeltaTableError::from(error).into()
    }
}

impl From<DataFusionError> for TableError {
    fn from(error: DataFusionError) -> Self {
        DeltaTableError::from(error).into()
    }
}
