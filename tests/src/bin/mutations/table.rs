//! Outcomes of the changes, by kind.

use std::{collections::BTreeMap, fmt, time::Instant};

use crate::Change;

/// Outcome of a change. The variants are in the order in which they are checked.
pub enum Outcome {
    /// The generators refuse the document.
    Refused(String),
    /// It does not compile.
    NotBuilt(String),
    /// A test fails.
    Failed(String),
    /// The first tests pass, and the service treats a request otherwise than before, as the changed
    /// document says.
    Follows(String),
    /// The tests of few seconds pass: the document promises less of its replies, which the service
    /// cannot break, or what only a time-out would show; but the released document promised it.
    Forbidden(String),
    /// Nobody noticed.
    Survived,
}

const COLUMNS: [&str; 6] = ["refused", "build", "test", "follows", "drift", "survived"];

impl Outcome {
    fn column(&self) -> usize {
        match self {
            Self::Refused(_) => 0,
            Self::NotBuilt(_) => 1,
            Self::Failed(_) => 2,
            Self::Follows(_) => 3,
            Self::Forbidden(_) => 4,
            Self::Survived => 5,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = COLUMNS[self.column()];
        match self {
            Self::Refused(how)
            | Self::NotBuilt(how)
            | Self::Failed(how)
            | Self::Follows(how)
            | Self::Forbidden(how) => write!(formatter, "{column}: {how}"),
            Self::Survived => formatter.write_str(column),
        }
    }
}

/// Number of changes by kind and outcome.
pub struct Table {
    begin: Instant,
    counts: BTreeMap<&'static str, [usize; COLUMNS.len()]>,
}

impl Table {
    pub fn new() -> Self {
        Self {
            begin: Instant::now(),
            counts: BTreeMap::new(),
        }
    }

    /// Adds a change, and prints it.
    pub fn add(&mut self, change: &Change, outcome: &Outcome) {
        println!("{} -> {outcome}", change.line());
        self.counts.entry(change.kind).or_default()[outcome.column()] += 1;
    }

    /// Prints itself, and answers how many changes survived.
    pub fn end(self) -> usize {
        print("\nkind", COLUMNS.map(str::to_owned));
        let mut sums = [0; COLUMNS.len()];
        for (kind, counts) in &self.counts {
            print(kind, counts.map(|count| count.to_string()));
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        print("all", sums.map(|sum| sum.to_string()));
        let [.., survived] = sums;
        let total: usize = sums.iter().sum();
        let minutes = self.begin.elapsed().as_secs_f64() / 60.0;
        println!("{total} changes in {minutes:.0} minutes, {survived} survived");
        survived
    }
}

fn print(kind: &str, cells: [String; COLUMNS.len()]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>9}")).collect();
    println!("{kind:20}{cells}");
}
