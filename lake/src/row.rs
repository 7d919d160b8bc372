//! Rows on their way into a table, and the form in which they wait for it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, IgnoredAny, SeqAccess, Visitor},
    ser::SerializeTuple,
};

use crate::table::{Kind, Table};

/// A row of a table. As JSON it is a list of its members.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table that it belongs to.
    pub table: Table,
    /// Number of the application, which keeps it when it gets another name.
    pub app_id: i64,
    /// Number by which a repetition of the event is recognized, if it can be.
    pub event_id: Option<i64>,
    /// True if the event has an index, so that a repetition is recognized however its bundle was
    /// composed.
    pub is_indexed: bool,
    /// One value for each of the table's columns, in their order.
    pub values: Vec<Value>,
}

/// Value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A point in time: microseconds since 1970 in UTC.
    Time(i64),
    /// A number, which is finite.
    Number(f64),
    /// An integer.
    Integer(i64),
    /// True or false.
    Flag(bool),
}

impl Value {
    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Row {
    /// The value of a column; null if the table does not have it.
    pub fn get(&self, column: &str) -> &Value {
        let index = self.table.index(column);
        let value = index.and_then(|index| self.values.get(index));
        value.unwrap_or(&Value::Null)
    }

    /// Sets the value of a column, if the table has it.
    pub fn set(&mut self, column: &str, value: Value) {
        let index = self.table.index(column);
        if let Some(place) = index.and_then(|index| self.values.get_mut(index)) {
            *place = value;
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(number) | Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(5)?;
        tuple.serialize_element(&self.table)?;
        tuple.serialize_element(&self.app_id)?;
        tuple.serialize_element(&self.event_id)?;
        tuple.serialize_element(&self.is_indexed)?;
        tuple.serialize_element(&self.values)?;
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(5, RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Row, A::Error> {
        fn present<T, E: Error>(part: Option<T>) -> Result<T, E> {
            part.ok_or_else(|| E::custom("a row needs five parts"))
        }
        let table: Table = present(access.next_element()?)?;
        Ok(Row {
            table,
            app_id: present(access.next_element()?)?,
            event_id: present(access.next_element()?)?,
            is_indexed: present(access.next_element()?)?,
            values: present(access.next_element_seed(Values(table))?)?,
        })
    }
}

/// Reads the values of a table's columns. A row of an older version may have fewer of them, one of
/// a newer version more.
struct Values(Table);

impl<'de> DeserializeSeed<'de> for Values {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values {
    type Value = Vec<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the values of a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Vec<Value>, A::Error> {
        let columns = self.0.columns();
        let mut values = Vec::with_capacity(columns.len());
        for column in columns {
            let value = match column.kind {
                Kind::Text { .. } => access
                    .next_element()?
                    .map(|it: Option<_>| it.map(Value::Text)),
                Kind::Time => access
                    .next_element()?
                    .map(|it: Option<_>| it.map(Value::Time)),
                Kind::Number(_) => access
                    .next_element()?
                    .map(|it: Option<_>| it.map(Value::Number)),
                Kind::Integer => access
                    .next_element()?
                    .map(|it: Option<_>| it.map(Value::Integer)),
                Kind::Flag => access
                    .next_element()?
                    .map(|it: Option<_>| it.map(Value::Flag)),
            };
            values.push(value.flatten().unwrap_or(Value::Null));
        }
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written_also_by_another_version() {
        let mut row = Row {
            table: Table::Dau,
            app_id: 7,
            event_id: Some(-7),
            is_indexed: true,
            values: vec![Value::Null; Table::Dau.columns().len()],
        };
        row.set("app", Value::Text("Space \u{0} Miner".to_owned()));
        row.set("event_datetime", Value::Time(1_790_000_000_123_456));
        row.set("float1", Value::Number(0.1));
        row.set("event_index", Value::Integer(i64::MAX));
        row.set("no_such_column", Value::Flag(true));
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row, "{text}");

        let of_older = r#"["install",7,null,false,["Space Miner"]]"#;
        let older: Row = serde_json::from_str(of_older).unwrap();
        assert_eq!(older.get("app").text(), Some("Space Miner"));
        assert_eq!(older.values.len(), Table::Install.columns().len());
        let of_newer = text.replace("]]", ",\"more\",[1]]]");
        assert_eq!(serde_json::from_str::<Row>(&of_newer).unwrap(), row);
    }
}
