//! The sources of the settings: flags, then variables, then the settings file, then the defaults.
//! An empty variable, or an empty string in the file, counts as not set; spaces around a value are
//! ignored.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgMatches, Command,
    error::{Error, ErrorKind},
    parser::ValueSource,
    value_parser,
};
use serde::Serialize;
use url::Url;

use super::{
    error::{SettingError, sentence},
    file::{self, FileError},
};
use crate::{mail::SmtpUrl, store::DatabaseUrl};

/// All settings as they were given, and the errors of those that cannot be used.
pub(crate) struct Sources {
    settings: Vec<Setting>,
    config: Option<PathBuf>,
    /// Errors of the settings that are left out.
    pub(crate) errors: Vec<SettingError>,
}

struct Setting {
    key: String,
    long: String,
    source: Option<Source>,
    values: Vec<OsString>,
    /// The value without a password.
    shown: Option<String>,
    is_refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Flag,
    Variable,
    /// The settings file, with the line.
    File(usize),
}

/// Name of a setting in the file: its flag, with _ for -.
fn key(arg: &Arg) -> Option<String> {
    let others = ["config", "help", "version"];
    let long = arg.get_long().filter(|long| !others.contains(long))?;
    Some(long.replace('-', "_"))
}

/// Command line that accepts any value for its flags, and reports only unknown flags and commands.
pub(crate) fn unchecked(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_action().takes_values() {
        true => arg.value_parser(value_parser!(OsString)),
        false => arg,
    })
}

impl Sources {
    /// Collects the settings of a command from the matches of its [`unchecked`] form, from
    /// variables, and from the file that one of them names.
    pub(crate) fn read(
        command: &Command,
        matches: &ArgMatches,
        variable: impl Fn(&OsStr) -> Option<OsString>,
    ) -> Self {
        let mut sources = Self {
            settings: Vec::new(),
            config: None,
            errors: Vec::new(),
        };
        let config = command.get_arguments().find(|arg| arg.get_id() == "config");
        let config = config.and_then(|arg| sources.find(command, arg, matches, &variable));
        sources.config = config.and_then(|(_, values)| values.into_iter().next().map(Into::into));
        let keys: Vec<String> = command.get_arguments().filter_map(key).collect();
        let entries = match &sources.config {
            Some(config) => {
                let (entries, errors) = file::read(config, |name| keys.iter().any(|it| it == name));
                let of_file = |error| SettingError::File {
                    file: config.clone(),
                    error,
                };
                sources.errors.extend(errors.into_iter().map(of_file));
                entries
            }
            None => BTreeMap::new(),
        };
        for arg in command.get_arguments() {
            let Some(key) = key(arg) else {
                continue;
            };
            let given = sources.find(command, arg, matches, &variable);
            let in_file = entries.get(&key).and_then(|entry| {
                let values = present(arg, entry.values.iter().map(OsString::from));
                (!values.is_empty()).then_some((Source::File(entry.line), values))
            });
            // An invalid value in the file is reported even if a flag or a variable overrides it.
            if let (Some(_), Some((source, values))) = (&given, &in_file)
                && let Err(error) = matches_alone(arg, values)
            {
                sources.refuse(command, arg, &key, Some(*source), error);
            }
            sources.add(command, arg, key, given.or(in_file));
        }
        sources
    }

    /// Value of a setting from its flag, otherwise from its variable.
    fn find(
        &mut self,
        command: &Command,
        arg: &Arg,
        matches: &ArgMatches,
        variable: impl Fn(&OsStr) -> Option<OsString>,
    ) -> Option<(Source, Vec<OsString>)> {
        if let Some(values) = flag(arg.get_id().as_str(), matches) {
            let values: Vec<OsString> = values.into_iter().map(trimmed).collect();
            if !values.iter().any(|value| value.is_empty()) {
                return Some((Source::Flag, values));
            }
            let long = long(arg);
            let text = format!("--{long} needs a value; to leave it unset, omit the flag\n");
            let error = Error::raw(ErrorKind::InvalidValue, text).with_cmd(command);
            self.errors.push(SettingError::Flag(error));
        }
        let values = present(arg, variable(arg.get_env()?));
        (!values.is_empty()).then_some((Source::Variable, values))
    }

    /// Adds a setting, without its value if that is invalid.
    fn add(
        &mut self,
        command: &Command,
        arg: &Arg,
        key: String,
        given: Option<(Source, Vec<OsString>)>,
    ) {
        let (source, values) = given.unzip();
        let values = values.unwrap_or_default();
        let matches = matches_alone(arg, &values);
        let shown = matches.as_ref().ok().and_then(|it| shown(arg, it));
        let is_refused = matches.is_err();
        if let Err(error) = matches {
            self.refuse(command, arg, &key, source, error);
        }
        self.settings.push(Setting {
            key,
            long: long(arg),
            source,
            values: if is_refused { Vec::new() } else { values },
            shown,
            is_refused,
        });
    }

    fn refuse(
        &mut self,
        command: &Command,
        arg: &Arg,
        key: &str,
        source: Option<Source>,
        error: Error,
    ) {
        self.errors.push(match source {
            Some(Source::Variable) => SettingError::Variable {
                name: arg.get_env().unwrap_or_default().display().to_string(),
                reason: sentence(&error),
            },
            Some(Source::File(line)) => SettingError::File {
                file: self.config.clone().unwrap_or_default(),
                error: FileError::Value {
                    line,
                    key: key.to_owned(),
                    reason: sentence(&error),
                },
            },
            Some(Source::Flag) | None => SettingError::Flag(error.with_cmd(command)),
        });
    }

    /// The settings as flags, for a command line that reads no variables.
    pub(crate) fn flags(&self) -> Vec<OsString> {
        let config = self.config.iter().map(|it| it.clone().into_os_string());
        let mut flags = written("config", &config.collect::<Vec<_>>());
        for setting in &self.settings {
            flags.extend(written(&setting.long, &setting.values));
        }
        flags
    }

    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub(crate) fn checked(self) -> Result<(), SettingError> {
        self.errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns true if all of these settings can be used.
    pub(crate) fn are_usable(&self, keys: &[&str]) -> bool {
        let is_refused = |it: &Setting| it.is_refused && keys.contains(&it.key.as_str());
        !self.settings.iter().any(is_refused)
    }

    /// Path of the settings file, if it sets one of these settings.
    pub(crate) fn file_with(&self, keys: &[&str]) -> Option<&Path> {
        let is_in_file = |it: &Setting| {
            matches!(it.source, Some(Source::File(_))) && keys.contains(&it.key.as_str())
        };
        let config = self.config.as_deref();
        config.filter(|_| self.settings.iter().any(is_in_file))
    }

    /// Lists each setting with its value and source.
    pub(crate) fn list(&self) -> impl Iterator<Item = Listed<'_>> {
        self.settings.iter().map(|setting| {
            let source = match setting.source {
                Some(Source::Flag) => "flag",
                Some(Source::Variable) => "variable",
                Some(Source::File(_)) => "file",
                None => "default",
            };
            let is_set = setting.shown.is_some() || setting.is_refused;
            Listed {
                setting: &setting.key,
                value: setting.shown.as_deref(),
                source: is_set.then_some(source),
            }
        })
    }
}

/// A setting in a list.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    setting: &'a str,
    /// The value without a password; absent if it is not set or cannot be used.
    value: Option<&'a str>,
    /// Place that it is from; absent if it is not set.
    source: Option<&'static str>,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(source) = self.source else {
            return write!(formatter, "{}: not set", self.setting);
        };
        let value = self.value.unwrap_or("cannot be used");
        write!(formatter, "{}: {value} ({source})", self.setting)
    }
}

/// The values that the command line gives a flag, before or after the name of a command.
fn flag(id: &str, matches: &ArgMatches) -> Option<Vec<OsString>> {
    let is_given = |it: &&ArgMatches| {
        it.try_contains_id(id).is_ok() && it.value_source(id) == Some(ValueSource::CommandLine)
    };
    let behind = matches.subcommand().map(|(_, matches)| matches);
    let levels = behind.into_iter().chain([matches]);
    let matches = levels.into_iter().find(is_given)?;
    let values = matches.get_raw(id)?;
    Some(values.map(OsStr::to_owned).collect())
}

/// The values of a setting without spaces around them and without empty ones.
fn present(arg: &Arg, values: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut present = Vec::new();
    for value in values {
        match (arg.get_value_delimiter(), value.to_str()) {
            (Some(delimiter), Some(text)) => present.extend(text.split(delimiter).map(Into::into)),
            _ => present.push(value),
        }
    }
    let present = present.into_iter().map(trimmed);
    present.filter(|value| !value.is_empty()).collect()
}

fn trimmed(value: OsString) -> OsString {
    match value.to_str() {
        Some(text) => text.trim().into(),
        None => value,
    }
}

fn long(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().to_owned()
}

/// Matches of one setting alone, so that only its own values can cause an error.
fn matches_alone(arg: &Arg, values: &[OsString]) -> Result<ArgMatches, Error> {
    let alone = Command::new("alone").no_binary_name(true);
    let alone = alone.arg(arg.clone().env(None::<&str>));
    alone.try_get_matches_from(written(&long(arg), values))
}

fn written(long: &str, values: &[OsString]) -> Vec<OsString> {
    let flag = |value: &OsString| {
        let mut flag = OsString::from(format!("--{long}="));
        flag.push(value);
        flag
    };
    values.iter().map(flag).collect()
}

/// The value of a setting to show; without the parts that may hold a password.
fn shown(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = arg.get_id().as_str();
    let values: Vec<&OsStr> = matches.get_raw(id)?.collect();
    if !arg.is_hide_env_values_set() {
        return Some(values.join(OsStr::new(",")).display().to_string());
    }
    let database = matches.try_get_one::<DatabaseUrl>(id).ok().flatten();
    let smtp = matches.try_get_one::<SmtpUrl>(id).ok().flatten();
    let collector = matches.try_get_one::<Url>(id).ok().flatten();
    let database = database.map(ToString::to_string);
    let smtp = || smtp.map(ToString::to_string);
    // Some collectors identify their users by the path.
    let collector = || collector.map(|url| url.origin().ascii_serialization());
    database.or_else(smtp).or_else(collector)
}
