//! Checks OpenAPI documents, generates servers and clients from them, and compares them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

mod check;
mod corpus;
mod diff;
mod generate;
mod reading;

use std::{io, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Checks OpenAPI documents, 3.0 and 3.1, generates poem-openapi servers and progenitor clients
/// from them, and compares their versions.
#[derive(Parser)]
#[command(name = "lockstep", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Generate(generate::Arguments),
    Diff(diff::Arguments),
    Corpus(corpus::Arguments),
    /// Prints a completion script for a shell.
    Completions {
        /// Name of the shell.
        shell: Shell,
    },
}

/// Exit code for a document or file that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Corpus(arguments) => corpus::run(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "lockstep",
                &mut io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|reason| {
        eprintln!("{reason}");
        ExitCode::from(UNUSABLE)
    })
}
