//! Changes openapi.yaml in one place at a time, and shows for each change what catches it.

#![expect(clippy::print_stdout, reason = "a program for people")]

mod document;
mod judge;
mod table;

use std::{
    error::Error,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use clap::Parser;
use cortex_report_tests::oracle::Oracle;

use crate::{judge::Judge, table::Table};

/// Shows that no change of the document can go unseen.
///
/// Builds and tests a copy of the workspace for each change, in target/mutations, two at a time.
#[derive(Parser)]
struct Arguments {
    /// Only changes whose line, as --list shows it, contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only each so many-th change.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    every: u16,
    /// Only changes that a build or a test has to catch: the generators and drift let them through, and
    /// no request is judged otherwise.
    #[arg(long)]
    undecided: bool,
    /// Only shows the changes.
    #[arg(long)]
    list: bool,
}

/// Number of changes judged at a time: a build leaves half of two cores idle.
const JUDGES: usize = 2;

/// A file of the workspace with one thing changed in it.
pub struct Change {
    /// The kind of change, as the table has it.
    pub kind: &'static str,
    /// The place of the edit, and the edit itself.
    pub edit: String,
    /// The file.
    pub file: &'static str,
    /// All of its text, changed.
    pub text: String,
}

impl Change {
    /// The kind, and where and what.
    pub fn line(&self) -> String {
        format!("{} {}", self.kind, self.edit)
    }
}

/// Why something could not be judged.
pub type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let original = Oracle::new(cortex_report_api::DOCUMENT_JSON)?;
    let changes = document::mutants(original.written());
    let is_meant = |change: &Change| change.line().contains(&arguments.only);
    let mut changes: Vec<Change> = changes
        .into_iter()
        .filter(is_meant)
        .step_by(arguments.every.into())
        .collect();
    if arguments.undecided {
        changes.retain(|change| judge::is_undecided(&original, change));
    }
    if arguments.list {
        for change in &changes {
            println!("{}", change.line());
        }
        println!("{} changes", changes.len());
        return Ok(ExitCode::SUCCESS);
    }
    judge_all(&original, &changes)
}

fn judge_all(original: &Oracle, changes: &[Change]) -> Result<ExitCode, Failure> {
    let table = Mutex::new(Table::new());
    let next = AtomicUsize::new(0);
    let work = |number: usize| -> Result<(), Failure> {
        let judge = Judge::new(number, original)?;
        while let Some(change) = changes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = judge.outcome(change)?;
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.add(change, &outcome);
        }
        judge.sees_nothing_wrong()
    };
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..JUDGES)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.join();
            ended.unwrap_or_else(|_| Err("a judge panicked".into()))
        })
    })?;
    let table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(match table.end() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
