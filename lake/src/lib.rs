//! The events of organizations as tables of [Delta Lake](https://delta.io), which other engines read
//! as they are: a folder for each organization, and in it one for each table.
//!
//! Events come in numbered batches. The number of a batch is that of the table's application
//! transaction, so that a batch is written once however often it is tried.

mod append;
mod columns;
mod durable;
mod error;
mod maintain;
mod repeated;
mod row;
mod table;
mod tables;

pub use error::LakeError;
pub use row::{Row, Value};
pub use table::{APP_ID, Column, EVENT_ID, INGEST_DATE, Kind, Table};
pub use tables::{Appended, Lake, Maintained, OrgTables};
