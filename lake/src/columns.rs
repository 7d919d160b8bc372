//! Tables as Arrow has them.

use std::sync::Arc;

use chrono::DateTime;
use deltalake::{
    arrow::{
        array::{
            ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
            StringArray, TimestampMicrosecondArray,
        },
        datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
        error::ArrowError,
    },
    parquet::{
        basic::{Compression, Encoding, ZstdLevel},
        file::properties::WriterProperties,
        schema::types::ColumnPath,
    },
};

use crate::{
    row::{Row, Value},
    table::{APP_ID, EVENT_ID, INGEST_DATE, Kind, Table},
};

const UTC: &str = "UTC";
const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;
/// Maximum number of rows that are read together.
const ROW_GROUP: usize = 128 * 1024;
/// Strength of the compression, from 1 to 22.
const ZSTD_LEVEL: i32 = 3;

/// The schema of a table. Every column may be null, since a later version may have more of them.
pub(crate) fn schema(table: Table) -> SchemaRef {
    let columns = table.columns().iter().map(|column| {
        let kind = match column.kind {
            Kind::Text { .. } => DataType::Utf8,
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Kind::Number(_) => DataType::Float64,
            Kind::Integer => DataType::Int64,
            Kind::Flag => DataType::Boolean,
        };
        Field::new(column.name, kind, true)
    });
    let others = [
        Field::new(APP_ID, DataType::Int64, true),
        Field::new(EVENT_ID, DataType::Int64, true),
        Field::new(INGEST_DATE, DataType::Date32, true),
    ];
    Arc::new(Schema::new(columns.chain(others).collect::<Vec<_>>()))
}

/// The rows of one table.
pub(crate) fn batch(table: Table, rows: &[&Row]) -> Result<RecordBatch, ArrowError> {
    let columns = table.columns().iter().enumerate();
    let mut arrays: Vec<ArrayRef> = columns
        .map(|(index, column)| array(column.kind, rows, index))
        .collect();
    let app_ids = rows.iter().map(|row| Some(row.app_id));
    arrays.push(Arc::new(app_ids.collect::<Int64Array>()));
    let event_ids = rows.iter().map(|row| row.event_id);
    arrays.push(Arc::new(event_ids.collect::<Int64Array>()));
    let dates = rows.iter().map(|row| day(row));
    arrays.push(Arc::new(dates.collect::<Date32Array>()));
    RecordBatch::try_new(schema(table), arrays)
}

/// The values of a column. One of another type, which the row's reader rules out, becomes null.
fn array(kind: Kind, rows: &[&Row], index: usize) -> ArrayRef {
    let values = rows.iter().map(|row| row.values.get(index));
    match kind {
        Kind::Text { .. } => {
            let texts = values.map(|it| it.and_then(Value::text));
            Arc::new(texts.collect::<StringArray>())
        }
        Kind::Time => {
            let times = values.map(|it| it.and_then(time));
            Arc::new(
                times
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone(UTC),
            )
        }
        Kind::Number(_) => {
            let numbers = values.map(|it| match it {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            });
            Arc::new(numbers.collect::<Float64Array>())
        }
        Kind::Integer => {
            let integers = values.map(|it| match it {
                Some(Value::Integer(integer)) => Some(*integer),
                _ => None,
            });
            Arc::new(integers.collect::<Int64Array>())
        }
        Kind::Flag => {
            let flags = values.map(|it| match it {
                Some(Value::Flag(flag)) => Some(*flag),
                _ => None,
            });
            Arc::new(flags.collect::<BooleanArray>())
        }
    }
}

/// A time, if the value is one.
pub(crate) fn time(value: &Value) -> Option<i64> {
    match value {
        Value::Time(time) => Some(*time),
        _ => None,
    }
}

/// The day of arrival of a row: days since 1970 in UTC.
fn day(row: &Row) -> Option<i32> {
    let arrival = time(row.get("ingest_datetime"))?;
    i32::try_from(arrival.div_euclid(MICROSECONDS_OF_DAY)).ok()
}

/// The day of a time in microseconds since 1970, as partitions are named.
pub(crate) fn day_name(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.format("%Y-%m-%d").to_string()
}

/// Settings of the files of a table.
pub(crate) fn properties(table: Table) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP));
    let times = table.columns().iter().filter(|it| it.kind == Kind::Time);
    for column in times {
        // Each differs from the one before by little.
        let path = ColumnPath::from(column.name);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    // Random numbers, of which none occurs twice.
    let event_id = ColumnPath::from(EVENT_ID);
    properties
        .set_column_dictionary_enabled(event_id, false)
        .build()
}
