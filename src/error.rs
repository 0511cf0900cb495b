//! The one public error type.

use std::fmt;

/// What can go wrong in a call of this crate; every variant carries the numbers involved.
///
/// ```
/// use wengert::prelude::*;
/// let wrong = jvp(|x| [x[0]], &[1.0, 2.0], &[1.0]).unwrap_err();
/// assert_eq!(wrong.to_string(), "tangent has length 1, expected 2");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An argument has the wrong length.
    ShapeMismatch {
        /// Which argument.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// A scalar function was expected.
    NotScalar {
        /// The number of outputs found.
        outputs: usize,
    },
    /// An index points outside its array.
    IndexOutOfRange {
        /// Which array.
        what: &'static str,
        /// The index.
        index: usize,
        /// The length of the array.
        len: usize,
    },
    /// Variables of two recordings of one level met in one operation, or a variable outlived its recording.
    MixedRecordings {
        /// The identifier of the recording that was open.
        open: u32,
        /// The identifier that a variable carried.
        found: u32,
    },
    /// The recording reached its limit on statements or arguments.
    TapeFull {
        /// The limit; raise it with [`Limits`](crate::reverse::Limits).
        limit: usize,
    },
    /// Memory for the tape or its adjoints is not available, or over the budget.
    OutOfMemory {
        /// The size of the request that failed, in bytes.
        bytes: usize,
    },
    /// An input or a result that must be finite is not.
    NotFinite {
        /// Which array.
        what: &'static str,
        /// The index of the first such entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Eigenvalues or singular values coincide where their vectors would be needed.
    RepeatedEigenvalue {
        /// The smallest distance between two of them.
        gap: f64,
    },
    /// An iterative decomposition did not converge.
    NoConvergence {
        /// The number of iterations done.
        iterations: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShapeMismatch {
                what,
                expected,
                found,
            } => {
                write!(f, "{what} has length {found}, expected {expected}")
            }
            Self::NotScalar { outputs } => {
                write!(
                    f,
                    "a gradient needs a scalar function, found {outputs} outputs"
                )
            }
            Self::IndexOutOfRange { what, index, len } => {
                write!(
                    f,
                    "index {index} is out of range for {what} of length {len}"
                )
            }
            Self::MixedRecordings { open, found } => write!(
                f,
                "a variable of recording {found} was used in recording {open}; a variable must not leave the closure \
                 that received it"
            ),
            Self::TapeFull { limit } => {
                write!(
                    f,
                    "the tape reached its limit of {limit} entries; raise `Limits::entries`"
                )
            }
            Self::OutOfMemory { bytes } => {
                write!(
                    f,
                    "no memory for {bytes} bytes of tape; raise `Limits::bytes` or split the function"
                )
            }
            Self::NotFinite { what, index, value } => {
                write!(f, "{what}[{index}] is {value}, expected a finite number")
            }
            Self::RepeatedEigenvalue { gap } => {
                write!(
                    f,
                    "eigenvalues only {gap:e} apart have no differentiable eigenvectors"
                )
            }
            Self::NoConvergence { iterations } => {
                write!(
                    f,
                    "the decomposition did not converge in {iterations} iterations"
                )
            }
        }
    }
}

impl std::error::Error for Error {}

/// Checks a length before any work is done (EDGE_CASES e70).
pub(crate) fn check_len(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::ShapeMismatch {
            what,
            expected,
            found,
        })
    }
}
