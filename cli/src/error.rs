//! What can go wrong in a command, as one line and an exit code.
//!
//! Invariant: a message never spans two lines, whatever a file or an argument contained.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use wengert_problems::ProblemError;

use crate::output;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The command line does not make sense: exit code 2.
    Usage(String),
    /// The command line does, but the work failed: exit code 1.
    Failure(String),
}

impl CliError {
    /// A file or folder that could not be written.
    pub(crate) fn write(path: &Path, error: &std::io::Error) -> Self {
        Self::Failure(format!("cannot write {}: {error}", path.display()))
    }

    /// Prints the message and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        // Nothing can be done if stderr is closed as well.
        let _ = writeln!(std::io::stderr(), "error: {self}");
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failure(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(text) | Self::Failure(text)) = self;
        let printable: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        f.write_str(&printable)
    }
}

impl std::error::Error for CliError {}

impl From<ProblemError> for CliError {
    fn from(error: ProblemError) -> Self {
        match error {
            ProblemError::UnknownProblem { .. } | ProblemError::NoData { .. } => {
                Self::Usage(error.to_string())
            }
            ProblemError::Size { .. } => Self::Usage(format!(
                "{error}; `wengert problems` says what the sizes mean"
            )),
            _ => Self::Failure(error.to_string()),
        }
    }
}

impl From<wengert::Error> for CliError {
    fn from(error: wengert::Error) -> Self {
        match error {
            wengert::Error::OutOfMemory { bytes } => Self::Failure(format!(
                "the tape needs {bytes} bytes more than there are; use --mode forward or a smaller instance"
            )),
            wengert::Error::TapeFull { limit } => Self::Failure(format!(
                "the tape is limited to {limit} entries; use --mode forward or a smaller instance"
            )),
            _ => Self::Failure(error.to_string()),
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Failure(format!("cannot write the output: {error}"))
    }
}

/// What clap had to say: help and version go to stdout and are a success, errors become one line.
pub(crate) fn usage(outcome: &clap::Error) -> Result<(), CliError> {
    if matches!(
        outcome.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return output::print(&outcome.to_string());
    }
    if outcome.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let missing = "a command is missing: trace, program, gradient, check, report, chain, plan, problems or completions";
        return Err(CliError::Usage(format!("{missing}; see `wengert --help`")));
    }
    let text = outcome.to_string();
    let message = text.split("\n\nUsage:").next().unwrap_or_default();
    let message = message
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let message = message.replace("\n\n  tip:", "; tip:");
    let words: Vec<&str> = message.split_whitespace().collect();
    let message = words.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    Err(CliError::Usage(format!("{message}; see `wengert --help`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line() {
        let error = CliError::Failure("cannot read a\nb\u{1b}[31m".into());
        assert_eq!(error.to_string(), "cannot read a b [31m");
    }
}
