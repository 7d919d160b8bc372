//! The tables of an organization, by their published names, and their columns in the published
//! order.

use serde::{Deserialize, Serialize};

/// A table of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// First runs of an application on a device.
    Install,
    /// Days on which a device used an application.
    Dau,
    /// Whatever an application reports.
    Event,
    /// Money spent and earned, real or virtual.
    Economy,
    /// Messages sent, one row for each recipient.
    MessageSend,
    /// Messages that somebody followed.
    MessageClick,
    /// Experiments that a device takes part in.
    Experiment,
    /// Lines of log.
    AppLog,
    /// Events that could not be stored, with the reason.
    IngestErrorLog,
}

/// Type of a column, and its value where a client sends none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A text of at most `width` characters.
    Text {
        /// Maximum number of characters: the wider of the published column and what SDKs send.
        width: usize,
        /// Value where a client sends none; `None` for null.
        default: Option<&'static str>,
    },
    /// A point in time in UTC, to the microsecond.
    Time,
    /// A floating-point number, and its value where a client sends none; `None` for null.
    Number(Option<f64>),
    /// An integer of 64 bits, or null.
    Integer,
    /// True or false; false where a client sends neither.
    Flag,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Its published name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// Column of the number of the application.
pub const APP_ID: &str = "app_id";
/// Column of the day of arrival in UTC, by which each table is partitioned.
pub const INGEST_DATE: &str = "ingest_date";
/// Column of the number by which a repeated event is recognized. Null where none can be repeated.
pub const EVENT_ID: &str = "event_id";

impl Table {
    /// All tables.
    pub const ALL: [Self; 9] = [
        Self::Install,
        Self::Dau,
        Self::Event,
        Self::Economy,
        Self::MessageSend,
        Self::MessageClick,
        Self::Experiment,
        Self::AppLog,
        Self::IngestErrorLog,
    ];

    /// Its published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Dau => "dau",
            Self::Event => "event",
            Self::Economy => "economy",
            Self::MessageSend => "message_send",
            Self::MessageClick => "message_click",
            Self::Experiment => "experiment",
            Self::AppLog => "app_log",
            Self::IngestErrorLog => "ingest_error_log",
        }
    }

    /// Returns the table with a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Its columns in the published order, without [`APP_ID`], [`EVENT_ID`] and
    /// [`INGEST_DATE`], which follow them.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Install => &INSTALL,
            Self::Dau | Self::Event => &EVENT,
            Self::Economy => &ECONOMY,
            Self::MessageSend | Self::MessageClick => &MESSAGE,
            Self::Experiment => &EXPERIMENT,
            Self::AppLog => &APP_LOG,
            Self::IngestErrorLog => &INGEST_ERROR_LOG,
        }
    }

    /// Index of one of its columns.
    pub fn index(self, column: &str) -> Option<usize> {
        self.columns().iter().position(|it| it.name == column)
    }
}

const fn text(name: &'static str, width: usize) -> Column {
    let kind = Kind::Text {
        width,
        default: None,
    };
    Column { name, kind }
}

const fn text_or(name: &'static str, width: usize, default: &'static str) -> Column {
    let kind = Kind::Text {
        width,
        default: Some(default),
    };
    Column { name, kind }
}

const fn time(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Time,
    }
}

const fn number(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Number(Some(0.0)),
    }
}

const fn integer(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Integer,
    }
}

const APP: Column = text("app", 64);
const APP_VER: Column = text_or("app_ver", 16, "");
const INGEST_TIME: Column = time("ingest_datetime");
const EVENT_TIME: Column = time("event_datetime");
const DEVICE_TAG: Column = text_or("device_tag", 64, "");
const USER_MAP_TAG: Column = text_or("user_map_tag", 64, "");
const EVENT_INDEX: Column = integer("event_index");

/// First columns of the tables of events.
const HEAD: [Column; 17] = [
    APP,
    APP_VER,
    text("server_ver", 16),
    text("config_ver", 16),
    INGEST_TIME,
    EVENT_TIME,
    DEVICE_TAG,
    text_or("device_type", 32, ""),
    text("device_family", 32),
    USER_MAP_TAG,
    text_or("os", 16, ""),
    text_or("os_ver", 16, ""),
    text("browser", 16),
    text("browser_ver", 16),
    text("marketplace", 16),
    text_or("country", 2, "ZZ"),
    text_or("language", 5, ""),
];

/// Last columns of the tables of events.
const TAIL: [Column; 12] = [
    text("group_tag", 64),
    text("kingdom", 32),
    text("phylum", 32),
    text("class", 32),
    text("order", 32),
    text("family", 32),
    text("genus", 32),
    text("species", 32),
    number("float1"),
    number("float2"),
    number("float3"),
    number("float4"),
];

/// Puts columns in a row.
const fn joined<const N: usize>(parts: &[&[Column]]) -> [Column; N] {
    let mut all = [APP; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut column = 0;
        while column < parts[part].len() {
            all[at] = parts[part][column];
            at += 1;
            column += 1;
        }
        part += 1;
    }
    assert!(at == N, "the number of columns is wrong");
    all
}

const ONLINE_STATUS: Column = text("online_status", 16);
static EVENT: [Column; 31] = joined(&[&HEAD, &[ONLINE_STATUS], &TAIL, &[EVENT_INDEX]]);
static INSTALL: [Column; 32] = joined(&[
    &HEAD,
    &[ONLINE_STATUS],
    &TAIL,
    &[EVENT_INDEX],
    &[Column {
        name: "is_attributed",
        kind: Kind::Flag,
    }],
]);
static ECONOMY: [Column; 34] = joined(&[
    &HEAD,
    &[ONLINE_STATUS],
    &TAIL,
    &[EVENT_INDEX],
    &[
        number("spend_amount"),
        text_or("spend_currency", 32, ""),
        text("spend_type", 32),
    ],
]);
static MESSAGE: [Column; 34] = joined(&[
    &HEAD,
    &TAIL,
    &[
        text_or("network", 32, ""),
        text("channel", 32),
        text_or("from_tag", 64, ""),
        text_or("to_tag", 64, ""),
    ],
    &[EVENT_INDEX],
]);
static EXPERIMENT: [Column; 10] = [
    APP,
    APP_VER,
    text("server_ver", 16),
    text("config_ver", 16),
    EVENT_TIME,
    DEVICE_TAG,
    text_or("experiment_name", 32, ""),
    // Null once the device takes no longer part.
    text("variant_name", 32),
    INGEST_TIME,
    USER_MAP_TAG,
];
static APP_LOG: [Column; 20] = [
    APP,
    APP_VER,
    INGEST_TIME,
    EVENT_TIME,
    text("hostname", 64),
    text("filename", 256),
    text("log_level", 64),
    text("device_tag", 64),
    text("user_tag", 64),
    text("remote_address", 64),
    integer("response_bytes"),
    Column {
        name: "response_ms",
        kind: Kind::Number(None),
    },
    text("device_type", 64),
    text("os", 16),
    text("os_ver", 16),
    text("browser", 16),
    text("browser_ver", 16),
    text("country", 16),
    text("language", 16),
    text("log_line", 65_535),
];
/// The published page names the table, and none of its columns.
static INGEST_ERROR_LOG: [Column; 9] = [
    APP,
    APP_VER,
    INGEST_TIME,
    EVENT_TIME,
    text("device_tag", 64),
    USER_MAP_TAG,
    text("type", 32),
    text_or("place", 256, ""),
    text_or("reason", 256, ""),
];
