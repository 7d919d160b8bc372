//! Builds and tests a changed copy of the workspace.

use std::{
    fs, io,
    path::PathBuf,
    process::{Command, Output},
};

use cortex_report_tests::{
    oracle::Oracle,
    requests::{Attempt, attempts},
    workspace,
};
use openapi_lockstep_drift::changes;

use crate::{Change, Failure, table::Outcome};

/// The file of the document.
pub const DOCUMENT: &str = "openapi.yaml";

/// Tests of the document, and of most of what it specifies, that take a few seconds.
const FIRST: [&str; 5] = ["app::", "document::", "emission::", "login::", "requests::"];
/// Tests that wait for time-outs or are about processes: run only for changes that everything else
/// lets through.
const SLOW: [&str; 4] = ["client::", "command_line::", "connections::", "database::"];
/// Tests that are always skipped: one builds changed copies itself, one runs all tests once more.
const NESTED: [&str; 2] = ["lockstep::", "each_database::"];
/// A test that hangs has failed, in seconds. The first build of all takes some minutes.
const TIME_OUT: &str = "1200";

/// A copy of the workspace with a target folder of its own, so that the original can be worked on
/// meanwhile.
pub struct Judge<'a> {
    copy: PathBuf,
    original: &'a Oracle,
}

/// A group of tests, in the order in which they are run. None includes [`NESTED`].
#[derive(Clone, Copy)]
enum Tests {
    /// The tests in [`FIRST`].
    First,
    /// All tests that are in neither [`FIRST`] nor [`SLOW`].
    Quick,
    /// The tests in [`SLOW`].
    Slow,
}

const ALL: [Tests; 3] = [Tests::First, Tests::Quick, Tests::Slow];

impl<'a> Judge<'a> {
    /// Makes the copy, and sees that nothing fails where nothing is changed.
    ///
    /// # Errors
    ///
    /// Something fails already, or the copy cannot be made.
    pub fn new(number: usize, original: &'a Oracle) -> Result<Self, Failure> {
        let copy = workspace::original().join(format!("target/mutations/{number}"));
        workspace::copy(&copy)?;
        let judge = Self { copy, original };
        judge.sees_nothing_wrong()?;
        Ok(judge)
    }

    /// Sees that nothing fails where nothing is changed.
    ///
    /// # Errors
    ///
    /// Something does.
    pub fn sees_nothing_wrong(&self) -> Result<(), Failure> {
        // As a changed one is written.
        self.write(DOCUMENT, &self.original.written().to_string())?;
        self.build()??;
        match self.tests(&ALL)? {
            Outcome::Survived => {}
            outcome => return Err(format!("without any change: {outcome}").into()),
        }
        self.restore(DOCUMENT)?;
        Ok(())
    }

    /// Applies a change to the copy, judges it and restores the copy.
    ///
    /// # Errors
    ///
    /// The change cannot be judged.
    pub fn outcome(&self, change: &Change) -> Result<Outcome, Failure> {
        let changed = match change.file {
            DOCUMENT => Some(Oracle::new(&change.text)?),
            _ => None,
        };
        if changed.is_some()
            && let Err(refusal) = generate(&change.text)
        {
            return Ok(Outcome::Refused(refusal));
        }
        self.write(change.file, &change.text)?;
        let outcome = self.build_and_test(changed.as_ref());
        self.restore(change.file)?;
        match outcome? {
            Outcome::NotBuilt(error) if changed.is_none() => Err(format!(
                "{} does not compile, so no test can show whether it is caught: {error}",
                change.edit
            )
            .into()),
            outcome => Ok(outcome),
        }
    }

    fn build_and_test(&self, changed: Option<&Oracle>) -> Result<Outcome, Failure> {
        if let Err(error) = self.build()? {
            return Ok(Outcome::NotBuilt(error));
        }
        let outcome = self.tests(&[Tests::First])?;
        if !matches!(outcome, Outcome::Survived) {
            return Ok(outcome);
        }
        if let Some(request) = changed.and_then(|changed| otherwise(self.original, changed)) {
            return Ok(Outcome::Follows(request));
        }
        let outcome = self.tests(&[Tests::Quick])?;
        if !matches!(outcome, Outcome::Survived) {
            return Ok(outcome);
        }
        match changed.and_then(|changed| forbidden(self.original, changed)) {
            Some(change) => Ok(Outcome::Forbidden(change)),
            None => self.tests(&[Tests::Slow]),
        }
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        workspace::write_if_changed(&self.copy.join(file), text.as_bytes())
    }

    fn restore(&self, file: &str) -> io::Result<()> {
        let text = fs::read_to_string(workspace::original().join(file))?;
        self.write(file, &text)
    }

    fn tests(&self, tests: &[Tests]) -> Result<Outcome, Failure> {
        for tests in tests {
            let chosen: Vec<&str> = match tests {
                Tests::First => FIRST.to_vec(),
                Tests::Quick => {
                    let others = FIRST.iter().chain(&SLOW);
                    others.flat_map(|name| ["--skip", name]).collect()
                }
                Tests::Slow => SLOW.to_vec(),
            };
            let failed = self.test(&chosen)?;
            let Some(first) = failed.first() else {
                continue;
            };
            // What fails once may have failed for want of time: two judges share the machine.
            let again: Vec<&str> = failed.iter().map(String::as_str).collect();
            if !self.test(&[&["--exact"], &again[..]].concat())?.is_empty() {
                return Ok(Outcome::Failed(match failed.len() {
                    1 => first.clone(),
                    count => format!("{first} and {} others", count - 1),
                }));
            }
        }
        Ok(Outcome::Survived)
    }

    /// Builds the tests and all that they run: says the first error, if there is one.
    fn build(&self) -> Result<Result<(), String>, Failure> {
        let built = self.cargo(&["test", "--no-run"]).output()?;
        match (built.status.success(), first_error(&built)) {
            (true, _) => Ok(Ok(())),
            (false, Some(error)) => Ok(Err(error)),
            (false, None) => Err(format!("the build ended with {}", built.status).into()),
        }
    }

    /// Runs tests and answers the names of those that failed.
    fn test(&self, chosen: &[&str]) -> Result<Vec<String>, Failure> {
        let mut command = self.cargo(&["test"]);
        let nested = NESTED.iter().flat_map(|name| ["--skip", name]);
        command.arg("--").args(nested).args(chosen);
        let run = command.output()?;
        let said = String::from_utf8_lossy(&run.stdout);
        let failed: Vec<String> = said
            .lines()
            .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
            .map(str::to_owned)
            .collect();
        match run.status.success() || !failed.is_empty() {
            true => Ok(failed),
            false => Err(format!("the tests ended with {}", run.status).into()),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = workspace::command("timeout", &self.copy);
        cargo
            .args([TIME_OUT, "cargo"])
            .args(arguments)
            .args(["--offline", "--workspace", "--test", "whole"])
            .env("CARGO_TARGET_DIR", self.copy.join("target"))
            .env("RUST_BACKTRACE", "0");
        cargo
    }
}

fn first_error(built: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&built.stderr);
    let mut lines = said.lines();
    let error = lines.find(|line| line.starts_with("error"))?;
    let place = lines.next().map(str::trim).unwrap_or_default();
    Some(format!("{error} {place}"))
}

/// Returns true if only a build or a test can catch a change of the document.
pub fn is_undecided(original: &Oracle, change: &Change) -> bool {
    change.file == DOCUMENT
        && Oracle::new(&change.text).is_ok_and(|changed| {
            // In the order of how long they take.
            forbidden(original, &changed).is_none()
                && generate(&change.text).is_ok()
                && otherwise(original, &changed).is_none()
        })
}

/// Says why the generators refuse a document.
fn generate(text: &str) -> Result<(), String> {
    let document = openapi_lockstep::read(DOCUMENT, text).map_err(|refusals| {
        let first = refusals.first().map(ToString::to_string);
        first.unwrap_or_default()
    })?;
    for write in [openapi_lockstep::client, openapi_lockstep::mock] {
        write(&document).map_err(|refusal| refusal.to_string())?;
    }
    Ok(())
}

/// A request that the changed document judges otherwise than the original. The first tests have
/// sent it, and have seen that the service does as the changed document says.
fn otherwise(original: &Oracle, changed: &Oracle) -> Option<String> {
    let key = "key";
    attempts(changed, key)
        .iter()
        .find_map(|Attempt { name, sent }| {
            let (old, new) = (original.verdict(sent, key), changed.verdict(sent, key));
            (old != new).then(|| format!("{name}: {old:?} became {new:?}"))
        })
}

/// First breaking change of the changed document, which `.ci/drift` rejects.
fn forbidden(original: &Oracle, changed: &Oracle) -> Option<String> {
    let read = |oracle: &Oracle| {
        let text = oracle.written().to_string();
        openapi_lockstep::read(DOCUMENT, &text).ok()
    };
    let changes = changes(&read(original)?, &read(changed)?).ok()?;
    let breaking = changes.iter().find(|change| change.is_breaking);
    breaking.map(ToString::to_string)
}
