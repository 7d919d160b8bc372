//! Rows of the events of a bundle: members are coerced, cut and completed, events that cannot be
//! stored become rows of the table of errors.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime};
use cortex_report_api::server::types::InvalidMember;
use cortex_report_lake::{Column, Kind, Row, Table, Value};
use serde_json::value::RawValue;
use twox_hash::XxHash3_64;

use super::{
    bundle::{Bundle, Endpoint, Events},
    field::Field,
    json::{Members, Scalar},
    source::{SOURCES, Source, default},
    tag,
};
use crate::{clock::Timestamp, store::sender::Sender};

/// Maximum number of recipients of the messages of a bundle: one row is stored for each.
const MAX_RECIPIENTS: usize = 1000;

/// The rows that a bundle becomes.
#[derive(Default)]
pub(super) struct Cleaned {
    /// Rows of events.
    pub(super) rows: Vec<Noted>,
    /// Rows of the table of errors, one for each event that cannot be stored.
    pub(super) errors: Vec<Row>,
    /// The reason for each of these.
    pub(super) failures: Vec<InvalidMember>,
}

/// A row, and what was changed in it.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) row: Row,
    /// Names of the members that were cut or left out, with the reason.
    pub(super) notes: Vec<String>,
}

/// Makes rows of the events of a bundle that an application has sent.
pub(super) fn clean(bundle: &Bundle<'_>, sender: &Sender, received_at: Timestamp) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let mut cleaner = Cleaner {
        bundle,
        app: &sender.app_name,
        app_id: sender.app_id.0,
        received_at: received_at.0.saturating_mul(1000),
        recipients: 0,
        digest: XxHash3_64::oneshot_with_seed(bundle.endpoint as u64, bundle.written.as_bytes()),
        rows: 0,
    };
    let events = match bundle.events() {
        Ok(events) => events,
        Err(failure) => {
            cleaned.errors.push(cleaner.error(None, &failure));
            cleaned.failures.push(failure);
            return cleaned;
        }
    };
    cleaner.digest = cleaner.digest_of(&events);
    for (number, event) in events.list.iter().enumerate() {
        let place = match bundle.shared.get(Field::Events) {
            Some(_) => format!("/body/events/{number}"),
            None => "/body".to_owned(),
        };
        let rows = match event {
            Ok(event) => cleaner.rows_of(event),
            Err(other) => Err((None, format!("is {other}, not an object"))),
        };
        match rows {
            Ok(rows) => cleaned.rows.extend(rows),
            Err((field, detail)) => {
                let field = field.map(|field: Field| format!("/{}", field.name()));
                let failure = InvalidMember {
                    pointer: place + &field.unwrap_or_default(),
                    detail,
                };
                let error = cleaner.error(event.as_ref().ok(), &failure);
                cleaned.errors.push(error);
                cleaned.failures.push(failure);
            }
        }
    }
    cleaned
}

/// Reason why an event cannot be stored, and the member that is at fault.
type Skipped = (Option<Field>, String);

struct Cleaner<'a> {
    bundle: &'a Bundle<'a>,
    app: &'a str,
    app_id: i64,
    /// Time of arrival, in microseconds.
    received_at: i64,
    /// Number of recipients so far.
    recipients: usize,
    /// Digest of the whole bundle.
    digest: u64,
    /// Number of rows so far that have no index of their own.
    rows: u64,
}

impl<'a> Cleaner<'a> {
    /// The value of a member: that of the event, else that of the bundle.
    fn member(&self, event: &Members<'a>, field: Field) -> Option<&'a RawValue> {
        let of_event = matches!(field, Field::Type | Field::EventIndex)
            && self.bundle.shared.get(Field::Events).is_some();
        let own = event.get(field);
        own.or_else(|| match of_event {
            true => None,
            false => self.bundle.shared.get(field),
        })
    }

    fn scalar(&self, event: &Members<'a>, field: Field) -> Option<Scalar<'a>> {
        self.member(event, field).and_then(|it| Scalar::of(it).ok())
    }

    fn text(&self, event: &Members<'a>, field: Field) -> Cow<'a, str> {
        let scalar = self.scalar(event, field);
        scalar.map_or(Cow::Borrowed(""), Scalar::into_text)
    }

    /// The rows of an event: one for each recipient of a message, otherwise one.
    fn rows_of(&mut self, event: &Members<'a>) -> Result<Vec<Noted>, Skipped> {
        let table = self.table(event)?;
        if table == Table::Economy {
            self.require_money(event)?;
        }
        if table != Table::AppLog && self.text(event, Field::DeviceTag).is_empty() {
            return Err((Some(Field::DeviceTag), "is required".to_owned()));
        }
        if table == Table::Experiment && self.text(event, Field::ExperimentName).is_empty() {
            return Err((Some(Field::ExperimentName), "is required".to_owned()));
        }
        let recipients = match table {
            Table::MessageSend => Some(self.recipients(event)?),
            _ => None,
        };
        let Some(recipients) = recipients else {
            return Ok(vec![self.row(table, event, None)]);
        };
        let rows = recipients.into_iter().enumerate();
        Ok(rows
            .map(|recipient| self.row(table, event, Some(recipient)))
            .collect())
    }

    fn table(&self, event: &Members<'a>) -> Result<Table, Skipped> {
        if self.bundle.endpoint == Endpoint::AppLog {
            return Ok(Table::AppLog);
        }
        let name = self.text(event, Field::Type);
        let table =
            Table::of_name(&name).filter(|it| !matches!(it, Table::AppLog | Table::IngestErrorLog));
        table.ok_or_else(|| {
            let detail = match name.is_empty() {
                true => "is required",
                false => "is not a known type of event",
            };
            (Some(Field::Type), detail.to_owned())
        })
    }

    fn require_money(&self, event: &Members<'a>) -> Result<(), Skipped> {
        if self.text(event, Field::SpendCurrency).is_empty() {
            return Err((Some(Field::SpendCurrency), "is required".to_owned()));
        }
        match self.scalar(event, Field::SpendAmount) {
            None => Err((Some(Field::SpendAmount), "is required".to_owned())),
            Some(amount) if amount.number().is_none() => {
                Err((Some(Field::SpendAmount), "is not a number".to_owned()))
            }
            Some(_) => Ok(()),
        }
    }

    /// The recipients of a message.
    fn recipients(&mut self, event: &Members<'a>) -> Result<Vec<Cow<'a, str>>, Skipped> {
        let mut recipients = Vec::new();
        if let Some(list) = self.member(event, Field::ToList) {
            match serde_json::from_str::<Vec<&RawValue>>(list.get()) {
                Ok(list) => {
                    let tags = list.into_iter().filter(|tag| tag.get() != "null");
                    let tags = tags.filter_map(|tag| Scalar::of(tag).ok());
                    recipients.extend(tags.map(Scalar::into_text));
                }
                // A single recipient.
                Err(_) => recipients.extend(Scalar::of(list).ok().map(Scalar::into_text)),
            }
        }
        let to_tag = self.text(event, Field::ToTag);
        if !recipients.contains(&to_tag) {
            recipients.push(to_tag);
        }
        recipients.retain(|tag| !tag.is_empty());
        if recipients.is_empty() {
            return Err((Some(Field::ToList), "has no recipient".to_owned()));
        }
        let all = self.recipients + recipients.len();
        if all > MAX_RECIPIENTS {
            let detail = format!("has too many recipients: a bundle has at most {MAX_RECIPIENTS}");
            return Err((Some(Field::ToList), detail));
        }
        self.recipients = all;
        Ok(recipients)
    }

    /// A row of an event, for one recipient of a message.
    fn row(
        &mut self,
        table: Table,
        event: &Members<'a>,
        recipient: Option<(usize, Cow<'a, str>)>,
    ) -> Noted {
        let mut notes = Vec::new();
        let sources = &SOURCES[table as usize];
        let values = sources.iter().map(|(column, source)| {
            let value = self.value(event, *column, *source, &mut notes);
            match (value, column.kind) {
                (Value::Null, kind) => default(kind),
                (value, _) => value,
            }
        });
        let mut row = Row {
            table,
            app_id: self.app_id,
            event_id: None,
            is_indexed: false,
            values: values.collect(),
        };
        let number = recipient.map_or(0, |(number, tag)| {
            row.set("to_tag", Value::Text(tag::shortened(tag).into_owned()));
            number
        });
        let index = self.scalar(event, Field::EventIndex);
        let index = index.and_then(|index| index.integer());
        let has_time = *row.get("event_datetime") != Value::Null;
        let index = index.filter(|_| has_time && table != Table::AppLog);
        row.is_indexed = index.is_some();
        row.event_id = Some(match index {
            Some(index) => self.id_of_event(&row, index, number),
            None => self.id_in_bundle(),
        });
        self.complete(&mut row);
        Noted { row, notes }
    }

    /// The value of a column; null if there is none.
    fn value(
        &self,
        event: &Members<'a>,
        column: Column,
        source: Source,
        notes: &mut Vec<String>,
    ) -> Value {
        let field = match source {
            Source::App => return Value::Text(self.app.to_owned()),
            Source::Arrival | Source::Later => return Value::Null,
            Source::User => {
                let user = tag::of_user([event, &self.bundle.shared]);
                return user.map_or(Value::Null, Value::Text);
            }
            Source::EventTime => Field::EventDatetime,
            Source::Device => Field::DeviceTag,
            Source::UserTag => Field::UserTag,
            Source::Member(field) => field,
        };
        let Some(written) = self.member(event, field) else {
            return Value::Null;
        };
        let mut note = |what: &str| notes.push(format!("{} {what}", field.name()));
        let scalar = match Scalar::of(written) {
            Ok(scalar) => scalar,
            Err(other) => {
                note(&format!("is {other}, and left out"));
                return Value::Null;
            }
        };
        let found = match (column.kind, source) {
            (Kind::Text { .. }, Source::Device | Source::UserTag) => {
                let text = scalar.into_text();
                let tag = tag::shortened(text.clone());
                if tag != text {
                    note("is cut");
                }
                return Value::Text(tag.into_owned());
            }
            // An application says so when a device takes no longer part in an experiment.
            (Kind::Text { .. }, _)
                if field == Field::VariantName && scalar == Scalar::Flag(false) =>
            {
                return Value::Null;
            }
            (Kind::Text { width, .. }, _) => {
                let text = scalar.into_text();
                return Value::Text(match text.char_indices().nth(width) {
                    None => text.into_owned(),
                    Some((end, _)) => {
                        note("is cut");
                        text[..end].to_owned()
                    }
                });
            }
            (Kind::Time, _) => time(&scalar.into_text()).map(Value::Time),
            (Kind::Number(_), _) => scalar.number().map(Value::Number),
            (Kind::Integer, _) => scalar.integer().map(Value::Integer),
            (Kind::Flag, _) => scalar.flag().map(Value::Flag),
        };
        found.unwrap_or_else(|| {
            note(match column.kind {
                Kind::Time => "is not a time, so the time of arrival is used",
                Kind::Flag => "is neither true nor false, and left out",
                _ => "is not a number, and left out",
            });
            Value::Null
        })
    }

    /// Sets what depends on the arrival.
    fn complete(&self, row: &mut Row) {
        let arrival = Value::Time(self.received_at);
        if *row.get("event_datetime") == Value::Null {
            row.set("event_datetime", arrival.clone());
        }
        row.set("ingest_datetime", arrival);
    }

    /// The row of the table of errors for an event that cannot be stored.
    fn error(&mut self, event: Option<&Members<'a>>, failure: &InvalidMember) -> Row {
        let none = Members::none();
        let event = event.unwrap_or(&none);
        let Noted { mut row, .. } = self.row(Table::IngestErrorLog, event, None);
        row.set("place", Value::Text(failure.pointer.clone()));
        row.set("reason", Value::Text(failure.detail.clone()));
        row
    }

    /// The id of an event with an index: that of all that the client says of it, so that it does not
    /// depend on the bundle.
    fn id_of_event(&self, row: &Row, index: i64, number: usize) -> i64 {
        // A row of texts and finite numbers always has a form in JSON.
        let mut written = serde_json::to_vec(row).unwrap_or_default();
        // Not every table has a column for it.
        written.extend(index.to_le_bytes());
        id(&written, number as u64)
    }

    /// The id of the next row without an index: its number in the bundle.
    fn id_in_bundle(&mut self) -> i64 {
        self.rows += 1;
        id(&self.digest.to_le_bytes(), self.rows)
    }

    /// The digest of a bundle: of all that it says but for its key, which an application may change.
    fn digest_of(&self, events: &Events<'_>) -> u64 {
        let mut parts = self.app_id.to_string();
        for field in Field::ALL {
            let is_part = !matches!(field, Field::ApiKey | Field::Events);
            if let Some(value) = self.bundle.shared.get(*field).filter(|_| is_part) {
                parts.extend(["\n", field.name(), value.get()]);
            }
        }
        parts.extend(["\n", events.written]);
        XxHash3_64::oneshot_with_seed(self.bundle.endpoint as u64, parts.as_bytes())
    }
}

fn id(bytes: &[u8], number: u64) -> i64 {
    XxHash3_64::oneshot_with_seed(number, bytes).cast_signed()
}

/// Reads a time as SDKs write it: with or without fractions of a second and zone, which is UTC if
/// there is none. In microseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let with_zone = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let time = match with_zone {
        Ok(time) => time.to_utc(),
        Err(_) => {
            let separator = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
            let mut times = separator.into_iter();
            let time = times.find_map(|it| NaiveDateTime::parse_from_str(text, it).ok())?;
            time.and_utc()
        }
    };
    // Beyond the year 9999 other engines cannot read it.
    let micros = time.timestamp_micros();
    (-62_135_596_800_000_000..253_402_300_800_000_000)
        .contains(&micros)
        .then_some(micros)
}
