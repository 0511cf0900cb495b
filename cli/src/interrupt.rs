//! Ctrl-C as a request: searches end with the best that they have.
//!
//! Invariant: the handler only sets a flag; it is set up once per process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::CliError;

/// A flag that Ctrl-C sets.
pub(crate) fn interrupt_flag() -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&flag);
    ctrlc::set_handler(move || shared.store(true, Ordering::Relaxed))
        .map_err(|error| CliError::Failure(format!("cannot handle Ctrl-C: {error}")))?;
    Ok(flag)
}
