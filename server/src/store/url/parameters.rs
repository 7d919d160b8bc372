//! Parameters of a URL: unknown ones and wrong values are refused, with the right one named.

use std::path::PathBuf;

use url::form_urlencoded;

use super::known::{Kind, POOL_SIZES, Parameter, TlsParameters, is_word};

/// Normalizes a name, to compare different spellings.
pub(super) fn folded(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Kind {
    /// Finds the parameter with a name or alias.
    pub(super) fn find(&self, name: &str) -> Option<&'static Parameter> {
        let is_it = |it: &&Parameter| it.name == name || it.aliases.contains(&name);
        self.parameters.iter().find(is_it)
    }

    /// Returns the error message for an unknown parameter, with the one that was likely meant.
    pub(super) fn unknown(&self, name: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte);
        // It may be a part of a password that was not encoded.
        if name.len() > 40 || !name.bytes().all(is_plain) {
            return format!(
                "the URL has a parameter that {} connections do not take; it is not shown here, \
                 since it may be part of a password: {}",
                self.name,
                encode("?", "%3F")
            );
        }
        let folded_name = folded(name);
        let synonym = self.synonyms.iter().find(|(it, _)| *it == folded_name);
        let nearest = || {
            let distance =
                |it: &Parameter| strsim::damerau_levenshtein(&folded(it.name), &folded_name);
            let nearest = self.parameters.iter().min_by_key(|it| distance(it))?;
            (distance(nearest) <= 2).then_some(nearest.name)
        };
        let remedy = match synonym.map(|(_, name)| *name).or_else(nearest) {
            Some(name) => format!("write {name}"),
            None if POOL_SIZES.contains(&folded_name.as_str()) => {
                "take it out and set CORTEX_REPORT_DATABASE_CONNECTIONS".to_owned()
            }
            None => {
                let names: Vec<&str> = self.parameters.iter().map(|it| it.name).collect();
                format!("take it out, or write one of {}", names.join(", "))
            }
        };
        format!(
            "the URL has the parameter {name}, which {} connections do not take: {remedy}",
            self.name
        )
    }
}

pub(super) fn encode(character: &str, encoded: &str) -> String {
    format!("in a user name or password write {encoded} for {character}")
}

/// The parameters of a URL, each known and given once.
pub(super) struct Parameters {
    pub(super) kind: &'static Kind,
    pub(super) values: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn parse(kind: &'static Kind, query: &str) -> Result<Self, String> {
        let mut parameters = Self {
            kind,
            values: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters.add(&name, &value)?;
        }
        Ok(parameters)
    }

    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let inner = name
            .strip_prefix("options[")
            .and_then(|it| it.strip_suffix(']'));
        let name = match (self.kind.find(name), inner) {
            (Some(parameter), _) if !(parameter.is_valid)(value) => {
                return Err(format!(
                    "the parameter {name} of the URL takes {}",
                    parameter.values
                ));
            }
            (Some(parameter), _) => parameter.name.to_owned(),
            (None, Some("search_path")) => return self.add("search_path", value),
            (None, Some(inner)) if self.kind.find("options").is_some() && is_word(inner) => {
                name.to_owned()
            }
            (None, _) => return Err(self.kind.unknown(name)),
        };
        if self.get(&name).is_some() {
            return Err(format!("the URL gives {name} twice: take one out"));
        }
        self.values.push((name, value.to_owned()));
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(it, _)| it == name);
        value.map(|(_, value)| value.as_str())
    }

    /// Removes a parameter that sqlx does not know, and returns its value.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.values.iter().position(|(it, _)| it == name)?;
        Some(self.values.remove(place).1)
    }

    /// Returns the parameters as a query for sqlx.
    pub(super) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.values)
            .finish()
    }

    /// Returns the parameters to be shown: without the password, and without keys in the URL.
    pub(super) fn shown(&self) -> String {
        let is_shown = |(name, value): &&(String, String)| {
            name != "password" && name != "options" && !value.contains("-----BEGIN")
        };
        let shown = self.values.iter().filter(is_shown);
        let shown: Vec<String> = shown
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        match shown.is_empty() {
            true => String::new(),
            false => format!("?{}", shown.join("&")),
        }
    }

    /// Returns the files with certificates and keys that the parameters name.
    pub(super) fn tls_files(&self) -> Vec<(&'static str, PathBuf)> {
        let names = self.kind.tls.iter();
        let names = names.flat_map(|tls| [tls.authority, tls.certificate, tls.key]);
        let file = |name: &'static str| {
            let value = self.get(name)?;
            let is_inline = value.trim_start().starts_with("-----BEGIN");
            (!is_inline).then(|| (name, PathBuf::from(value)))
        };
        names.filter_map(file).collect()
    }

    /// Refuses certificates that sqlx would ignore.
    pub(super) fn check_tls(&self) -> Result<(), String> {
        let Some(tls) = &self.kind.tls else {
            return Ok(());
        };
        let TlsParameters {
            mode,
            authority,
            certificate,
            key,
            verifying,
            off,
        } = tls;
        let value = self.get(mode).unwrap_or_default();
        let is_one = |modes: &[&str]| modes.iter().any(|it| it.eq_ignore_ascii_case(value));
        if self.get(authority).is_some() && !is_one(verifying) {
            return Err(format!(
                "the URL has {authority}, which is used only if the server's certificate is \
                 verified: add {mode}={}",
                verifying[0]
            ));
        }
        if self.get(certificate).is_some() != self.get(key).is_some() {
            return Err(format!(
                "the URL has only one of the parameters {certificate} and {key}: give both"
            ));
        }
        if self.get(key).is_some() && is_one(off) {
            return Err(format!(
                "the URL has {certificate}, but its {mode} switches TLS off"
            ));
        }
        Ok(())
    }
}
