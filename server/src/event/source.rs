//! Sources of the values of columns.

use std::sync::LazyLock;

use cortex_report_lake::{Column, Kind, Table, Value};

use super::field::Field;

/// Source of the value of a column.
#[derive(Clone, Copy)]
pub(super) enum Source {
    App,
    Arrival,
    EventTime,
    Device,
    User,
    UserTag,
    Member(Field),
    /// Set afterwards.
    Later,
}

/// The columns of each table, with the source of each.
pub(super) static SOURCES: LazyLock<Vec<Vec<(Column, Source)>>> = LazyLock::new(|| {
    let sources = |table: Table| {
        let columns = table.columns().iter();
        let sources = columns.map(|column| {
            let source = match column.name {
                "app" => Source::App,
                "ingest_datetime" => Source::Arrival,
                "event_datetime" => Source::EventTime,
                "device_tag" => Source::Device,
                "user_map_tag" => Source::User,
                "user_tag" => Source::UserTag,
                name => Field::of_name(name).map_or(Source::Later, Source::Member),
            };
            (*column, source)
        });
        sources.collect()
    };
    Table::ALL.into_iter().map(sources).collect()
});

/// The value of a column where a client sends none.
pub(super) fn default(kind: Kind) -> Value {
    match kind {
        Kind::Text {
            default: Some(text),
            ..
        } => Value::Text(text.to_owned()),
        Kind::Number(Some(number)) => Value::Number(number),
        Kind::Flag => Value::Flag(false),
        _ => Value::Null,
    }
}
