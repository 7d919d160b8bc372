//! The settings file, which flags and variables override.

use std::{collections::BTreeMap, fs, io, ops::Range, path::Path};

use toml::{Spanned, Value};

/// Error of the settings file: the line, and what to change.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Read(#[from] io::Error),
    /// The file is not valid TOML. Its content is not shown: it may hold a password.
    #[error("line {line}: {reason}")]
    Toml {
        /// Line number, from 1.
        line: usize,
        /// Error message of the TOML parser.
        reason: String,
    },
    /// The file has an unknown setting.
    #[error(
        "line {line}: there is no setting {key}; settings are named like the flags in \
         cortex-reportd --help, with _ instead of -"
    )]
    UnknownKey {
        /// Line number, from 1.
        line: usize,
        /// Name of the unknown setting.
        key: String,
    },
    /// A setting has an invalid value.
    #[error("line {line}: {key}: {reason}")]
    Value {
        /// Line number, from 1.
        line: usize,
        /// The setting.
        key: String,
        /// Reason that its value is invalid.
        reason: String,
    },
}

/// A setting in the file: its line and its values.
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) values: Vec<String>,
}

/// Reads a settings file. Returns its entries by name, and the errors of all others.
pub(crate) fn read(
    file: &Path,
    is_setting: impl Fn(&str) -> bool,
) -> (BTreeMap<String, Entry>, Vec<FileError>) {
    let (mut entries, mut errors) = (BTreeMap::new(), Vec::new());
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return (entries, vec![error.into()]),
    };
    let line = |span: Range<usize>| 1 + text[..span.start].matches('\n').count();
    let parsed: Result<BTreeMap<Spanned<String>, Value>, toml::de::Error> = toml::from_str(&text);
    let parsed = parsed.unwrap_or_else(|error| {
        errors.push(FileError::Toml {
            line: line(error.span().unwrap_or_default()),
            reason: error.message().to_owned(),
        });
        BTreeMap::new()
    });
    for (name, value) in parsed {
        let line = line(name.span());
        let key = name.into_inner();
        if !is_setting(&key) {
            errors.push(FileError::UnknownKey { line, key });
            continue;
        }
        match texts(value) {
            Some(values) => {
                entries.insert(key, Entry { line, values });
            }
            None => errors.push(FileError::Value {
                line,
                key,
                reason: "must be a string, a number, or a list of strings".to_owned(),
            }),
        }
    }
    (entries, errors)
}

fn texts(value: Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Array(values) => {
            let texts = values.into_iter().map(|it| it.as_str().map(str::to_owned));
            texts.collect()
        }
        _ => None,
    }
}
