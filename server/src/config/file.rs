//! The settings file, under the flags and the variables.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    ops::Range,
    path::Path,
};

use clap::{Arg, ArgAction, Command, builder::OsStr};
use serde::Deserialize;
use toml::Spanned;

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
        /// Where it is, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// There is no such setting.
    #[error(
        "line {line}: there is no setting {key}; they are the flags of cortex-reportd --help, with _ for -"
    )]
    UnknownKey {
        /// Where it is, from 1.
        line: usize,
        /// What it is called.
        key: String,
    },
    /// A setting has a value that it cannot have.
    #[error("line {line}: {key}: {reason}")]
    Value {
        /// Where it is, from 1.
        line: usize,
        /// The setting.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a setting is a text, a number, or a list of texts"
)]
enum Value {
    Text(String),
    Number(i64),
    List(Vec<String>),
}

/// The name that a setting has in the file: that of its flag.
pub(crate) fn key(arg: &Arg) -> Option<String> {
    // What is no setting.
    let others = ["config", "help", "version"];
    let long = arg.get_long().filter(|long| !others.contains(long))?;
    Some(long.replace('-', "_"))
}

/// Makes what stands in a settings file the defaults of a command line. Answers also which
/// settings those are.
///
/// # Errors
///
/// The file cannot be read, or has a key that is no setting, or a value that the setting refuses.
pub(crate) fn apply(
    file: &Path,
    mut command: Command,
) -> Result<(Command, BTreeSet<String>), FileError> {
    let text = fs::read_to_string(file)?;
    let line = |span: Range<usize>| 1 + text[..span.start].matches('\n').count();
    let settings: BTreeMap<Spanned<String>, Spanned<Value>> =
        toml::from_str(&text).map_err(|error: toml::de::Error| FileError::Toml {
            line: line(error.span().unwrap_or_default()),
            reason: error.message().to_owned(),
        })?;
    let mut names = BTreeSet::new();
    for (name, value) in settings {
        let line = line(name.span());
        let name = name.into_inner();
        let arg = command
            .get_arguments()
            .find(|arg| key(arg).as_deref() == Some(&name));
        let Some(arg) = arg.cloned() else {
            return Err(FileError::UnknownKey { line, key: name });
        };
        let values = match value.into_inner() {
            Value::Text(text) => vec![text],
            Value::Number(number) => vec![number.to_string()],
            Value::List(texts) => texts,
        };
        if let Err(reason) = try_values(&arg, &values) {
            return Err(FileError::Value {
                line,
                key: name,
                reason,
            });
        }
        command = command.mut_arg(arg.get_id().clone(), |arg| {
            arg.default_values(values.into_iter().map(OsStr::from))
        });
        names.insert(name);
    }
    Ok((command, names))
}

/// Whether a setting takes these values, else why not.
fn try_values(arg: &Arg, values: &[String]) -> Result<(), String> {
    if values.is_empty() && !matches!(arg.get_action(), ArgAction::Append) {
        return Err("it needs a value".to_owned());
    }
    // Alone, so that nothing but this setting is judged.
    let alone = Command::new("alone")
        .no_binary_name(true)
        .arg(arg.clone().env(None::<&str>));
    let long = arg.get_long().unwrap_or_default();
    let given = values.iter().map(|value| format!("--{long}={value}"));
    let Err(error) = alone.try_get_matches_from(given) else {
        return Ok(());
    };
    // Without how to use and whom to ask, which is of the command line.
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    Err(first.trim_start_matches("error: ").to_owned())
}
