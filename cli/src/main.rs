//! The `wengert` command: derivatives of the example problems, checks, tables and cost reports.
//!
//! Invariant: exit code 0 only on success, 1 for a failure, 2 for wrong usage; an error is one line on stderr.
//! Source: the conventions of POSIX utilities and of the GNU coding standards (`--help`, `--version`).
#![deny(unsafe_code)]

mod arguments;
mod blocks;
mod chain;
mod check;
mod completions;
mod error;
mod gradient;
mod interrupt;
mod measure;
mod memory;
mod output;
mod plan;
mod problems;
mod program;
mod progress;
mod report;
mod timing;
mod trace;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Command, Wengert};
use crate::error::CliError;

fn main() -> ExitCode {
    let result = match Wengert::try_parse() {
        Ok(wengert) => run(wengert.command),
        Err(outcome) => error::usage(&outcome),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

/// Runs one command.
fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Program(arguments) => program::run(&arguments),
        Command::Gradient(arguments) => gradient::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Chain(arguments) => chain::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Problems(arguments) => problems::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
