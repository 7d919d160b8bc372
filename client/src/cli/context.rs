//! Context of the commands that call the service: the service, the account, and the output.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::Path,
    time::Duration,
};

use super::{
    DEFAULT_URL, Failure, Global, KEY_VARIABLE, MAX_KEY_LENGTH,
    failure::refusal,
    output::{Output, visible},
    sessions::Sessions,
};
use crate::{CallError, Client, Error, ResponseValue, Secret, error::cause, types::ProblemCode};

/// Context of the commands that call the service.
pub(super) struct Cli<'a> {
    pub(super) client: Client,
    pub(super) sessions: Sessions,
    pub(super) output: &'a Output,
    timeout: u64,
    pub(super) has_key_of_variable: bool,
}

impl<'a> Cli<'a> {
    pub(super) fn new(global: &Global, output: &'a Output) -> Result<Self, Failure> {
        let sessions = Sessions::load()?;
        // An empty variable counts as not set: compose files pass unset variables as empty ones.
        let url = global.url.as_deref().map(str::trim);
        let url = url
            .filter(|url| !url.is_empty())
            .or(sessions.last_url())
            .unwrap_or(DEFAULT_URL);
        let ca_file = global.ca_file.as_ref().filter(|file| !file.is_empty());
        let authorities = match ca_file {
            Some(file) => read_authorities(Path::new(file))?,
            None => Vec::new(),
        };
        let client = Client::builder(url)
            .timeout(Duration::from_secs(global.timeout))
            .connection(|connection| connection.tls_certs_merge(authorities))
            .build()
            .map_err(|error| match error {
                error @ Error::InvalidUrl(_) => Failure::Usage(format!(
                    "{error}.\nGive the URL of the service with --url or CORTEX_REPORT_URL, such \
                     as {DEFAULT_URL}."
                )),
                Error::InvalidRequest(reason) => Failure::Failed(format!(
                    "No connection can be made: {reason}.\nFor https, install certificate \
                     authorities (the package ca-certificates), or give a PEM file of them with \
                     --ca-file or CORTEX_REPORT_CA_FILE."
                )),
                error => Failure::Failed(error.to_string()),
            })?;
        let of_variable = key_of_variable()?;
        let has_key_of_variable = of_variable.is_some();
        let url = &client.baseurl;
        let account = global.account.as_deref().map(str::trim);
        let key = match account.filter(|account| !account.is_empty()) {
            _ if has_key_of_variable => of_variable,
            Some(account) => sessions.key_of(url, account),
            None => sessions.key(url),
        };
        Ok(Self {
            client: client.with_session_key(key),
            sessions,
            output,
            timeout: global.timeout,
            has_key_of_variable,
        })
    }

    /// Asks whether to do something that cannot be undone.
    ///
    /// # Errors
    ///
    /// The answer is no, or nobody can be asked.
    pub(super) fn confirm(&self, yes: bool, question: &str) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "Standard input is not a terminal, so that cannot be confirmed.\nAdd --yes to do \
                 it without asking."
                    .to_owned(),
            ));
        }
        let confirmed = self.output.confirm(question);
        let confirmed = confirmed
            .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
        match confirmed {
            true => Ok(()),
            false => Err(Failure::Failed("Nothing is changed.".to_owned())),
        }
    }

    /// Returns the client, or an error that asks the user to log in if it has no session_key.
    pub(super) fn logged_in(&self) -> Result<&Client, Failure> {
        match self.client.session_key() {
            Some(_) => Ok(&self.client),
            None => Err(self.not_logged_in()),
        }
    }

    fn not_logged_in(&self) -> Failure {
        if self.has_key_of_variable {
            return Failure::NotLoggedIn(format!(
                "You are not logged in at {}: the session or service token of {KEY_VARIABLE} has \
                 ended, or belongs to another service.\nUnset it, and log in with: cortex-report \
                 login ADDRESS",
                self.client.baseurl
            ));
        }
        Failure::NotLoggedIn(format!(
            "You are not logged in at {}.\nLog in with: cortex-report login ADDRESS",
            self.client.baseurl
        ))
    }

    /// Returns the reply to a call, or the failure to report.
    pub(super) fn reply<T>(
        &self,
        result: Result<ResponseValue<T>, CallError>,
    ) -> Result<T, Failure> {
        match result {
            Ok(reply) => Ok(reply.into_inner()),
            Err(error) => Err(self.failure(error.into())),
        }
    }

    /// Converts the error of a call into a failure with a message for the user.
    pub(super) fn failure(&self, error: Error) -> Failure {
        let url = &self.client.baseurl;
        let message = match &error {
            Error::Refused { problem, .. } => match problem.code {
                ProblemCode::NotLoggedIn => return self.not_logged_in(),
                _ => refusal(problem),
            },
            Error::Unreachable(reason) => {
                let cause = visible(&cause(reason).to_string());
                let hint = match cause.contains("UnknownIssuer") {
                    true => {
                        "If its certificate was issued by an authority of your own, give the PEM \
                         file of that authority with --ca-file or CORTEX_REPORT_CA_FILE."
                    }
                    false => {
                        "Check that the service is running there, or give its URL with --url or \
                         CORTEX_REPORT_URL."
                    }
                };
                format!("{url} cannot be reached: {cause}.\n{hint}")
            }
            Error::TimedOut(_) => format!(
                "{url} did not answer within {} s.\nTry again, or wait longer with --timeout.",
                self.timeout
            ),
            Error::Unexpected { reason, .. } => format!(
                "{url} does not answer as the Report API does: {}.\nGive the URL of the service \
                 with --url or CORTEX_REPORT_URL.",
                visible(reason)
            ),
            _ => visible(&error.to_string()),
        };
        Failure::Failed(message)
    }
}

/// Reads the certificates of a file, at least one.
fn read_authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let wrong = |reason: &str| {
        Failure::Usage(format!(
            "--ca-file or CORTEX_REPORT_CA_FILE: {} {reason}",
            file.display()
        ))
    };
    let text = fs::read(file).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    match reqwest::Certificate::from_pem_bundle(&text) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        _ => Err(wrong(
            "has no certificate in PEM (-----BEGIN CERTIFICATE-----)",
        )),
    }
}

/// Reads the session_key of the environment variable, if it is set and not empty.
fn key_of_variable() -> Result<Option<Secret>, Failure> {
    let Some(value) = env::var_os(KEY_VARIABLE) else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Some("") => Ok(None),
        Some(key) if is_session_key(key) => Ok(Some(Secret::from(key))),
        _ => Err(Failure::Usage(format!(
            "{KEY_VARIABLE} is not a session_key: it is too long, or contains a space, a line \
             break or another character that a session_key never has.\nSet it to exactly the \
             session_key of a login, or unset it."
        ))),
    }
}

/// Returns true if the text can be a session_key: at most [`MAX_KEY_LENGTH`] printable ASCII
/// characters without a space, which can be sent as they are.
pub(super) fn is_session_key(text: &str) -> bool {
    (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
