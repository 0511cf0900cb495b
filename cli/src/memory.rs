//! How much memory a command may use, so that too large a request is an error and not a killed process.

use wengert::reverse::Limits;

use crate::error::CliError;
use crate::output;

/// What is assumed where the system does not say.
const FALLBACK: usize = 4 << 30;

/// Three quarters of the memory that is free now.
pub(crate) fn budget() -> usize {
    let free = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available(&text));
    free.unwrap_or(FALLBACK) / 4 * 3
}

/// The available memory in the format of Linux' `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<usize> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The limits of a recording that stays within the budget.
pub(crate) fn limits() -> Limits {
    Limits {
        bytes: budget(),
        ..Limits::default()
    }
}

/// Refuses a dense Jacobian that would not fit, with its conversion to triplets.
pub(crate) fn check_dense(rows: usize, columns: usize) -> Result<(), CliError> {
    // The matrix, the rows before they are put together, and a triplet of 24 bytes.
    let needed = rows
        .checked_mul(columns)
        .and_then(|entries| entries.checked_mul(8 + 8 + 24));
    let budget = budget();
    match needed {
        Some(needed) if needed <= budget => Ok(()),
        _ => Err(CliError::Failure(format!(
            "a dense {rows} x {columns} Jacobian does not fit in the free memory of {}; use a smaller instance",
            output::bytes(budget)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_available_memory_is_read() {
        let text = "MemTotal:  8000 kB\nMemFree: 10 kB\nMemAvailable:    2000 kB\n";
        assert_eq!(available(text), Some(2000 * 1024));
        for wrong in [
            "",
            "MemAvailable: many kB",
            "MemAvailable: 5",
            "MemTotal: 3 kB",
        ] {
            assert_eq!(available(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn huge_jacobians_are_refused() {
        assert!(check_dense(1, 1).is_ok());
        assert!(check_dense(95_529_000, 55_710_000).is_err());
        assert!(check_dense(usize::MAX, 2).is_err());
    }
}
