//! placeholder
use crate::arguments::ReportArguments;
use crate::error::CliError;
pub(crate) fn run(_: &ReportArguments) -> Result<(), CliError> {
    Ok(())
}
