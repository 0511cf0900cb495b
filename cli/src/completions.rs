//! `wengert completions`: a script for a shell.
//!
//! Invariant: the script is made from the same description as the help texts, so it knows all commands and flags.
//! Source: the crate `clap_complete`.

use clap::CommandFactory;

use crate::arguments::{CompletionsArguments, Wengert};
use crate::error::CliError;
use crate::output::print;

/// Prints the script.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), CliError> {
    let mut script = Vec::new();
    let mut command = Wengert::command();
    clap_complete::generate(arguments.shell, &mut command, "wengert", &mut script);
    // A pipe that closes early is no failure, which only `print` knows.
    print(&String::from_utf8_lossy(&script))
}
