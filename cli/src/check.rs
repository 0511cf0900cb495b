//! placeholder
use crate::arguments::CheckArguments;
use crate::error::CliError;
pub(crate) fn run(_: &CheckArguments) -> Result<(), CliError> {
    Ok(())
}
