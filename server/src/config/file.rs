//! The settings file, under the flags and the variables.

use std::{collections::BTreeMap, fs, io, ops::Range, path::Path};

use toml::{Spanned, Value};

/// Why the settings file cannot be used; the place in it and what to change.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no TOML of the shape that is wanted. What stands there is not shown: it may hold a
    /// password.
    #[error("line {line}: {reason}")]
    Toml {
        /// Line number, from 1.
        line: usize,
        /// Error message of the TOML parser.
        reason: String,
    },
    /// There is no such setting.
    #[error(
        "line {line}: there is no setting {key}; they are the flags of cortex-reportd --help, with _ for -"
    )]
    UnknownKey {
        /// Line number, from 1.
        line: usize,
        /// Name of the unknown setting.
        key: String,
    },
    /// A setting has a value that it cannot have.
    #[error("line {line}: {key}: {reason}")]
    Value {
        /// Line number, from 1.
        line: usize,
        /// The setting.
        key: String,
        /// Reason that its value is refused.
        reason: String,
    },
}

/// A setting in the file: its line and what it says.
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) values: Vec<String>,
}

/// Reads a settings file. Answers its entries by their names, and why others are of no use.
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
                reason: "a setting is a text, a number, or a list of texts".to_owned(),
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
