//! The one public error type, and what its values name.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

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
    /// A program was replayed where a decision comes out otherwise than recorded (EDGE_CASES e43).
    BranchChanged {
        /// The number of the node that the decision depends on.
        node: u32,
        /// Where the function decides.
        location: Option<Arc<Location>>,
        /// What was decided while recording.
        recorded: Decision,
        /// What would be decided now.
        found: Decision,
    },
    /// The body of a region is another program in another iteration.
    BodyChanged {
        /// Where the region is written.
        location: Option<Arc<Location>>,
        /// The iteration.
        iteration: usize,
    },
    /// A program is damaged.
    InvalidProgram {
        /// The number of the node, or of whatever else `what` names.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A linearized graph is damaged, or a vertex cannot be eliminated.
    InvalidGraph {
        /// The number of the vertex.
        vertex: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A plan does not belong to a graph, or says something of it that is not so.
    InvalidPlan {
        /// What differs.
        what: &'static str,
        /// What the graph has.
        expected: u64,
        /// What the plan says.
        found: u64,
    },
    /// A method does not cover what was asked for.
    NotSupported {
        /// What was asked for.
        what: &'static str,
    },
    /// A cost is beyond 2^64 operations.
    CostOverflow,
    /// The text of a file in JSON cannot be read.
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the reader says.
        message: Arc<str>,
    },
    /// The elements of a chain do not fit, or a plan is not one of its chain.
    InvalidChain {
        /// The number of the element, or of the task.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The text of a program cannot be read.
    Parse {
        /// The line, from 1.
        line: usize,
        /// What was expected there.
        expected: &'static str,
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
            Self::BranchChanged {
                node,
                location,
                recorded,
                found,
            } => {
                write!(
                    f,
                    "the program was recorded where a decision on v{node} gave {recorded}, here it gives {found}"
                )?;
                if let Some(location) = location {
                    write!(f, " ({location})")?;
                }
                f.write_str(
                    "; record again, use a ProgramCache, or decide without branching by to_index() or lt_mask()",
                )
            }
            Self::BodyChanged {
                location,
                iteration,
            } => {
                write!(
                    f,
                    "the body of a region records other operations in iteration {iteration} than in the first"
                )?;
                if let Some(location) = location {
                    write!(f, " ({location})")?;
                }
                f.write_str("; choose by select, or write the loop by index")
            }
            Self::InvalidProgram { index, what } => {
                write!(f, "the program is damaged at number {index}: {what}")
            }
            Self::InvalidGraph { vertex, what } => {
                write!(f, "vertex v{vertex} of the graph: {what}")
            }
            Self::InvalidPlan {
                what,
                expected,
                found,
            } => write!(
                f,
                "the plan does not fit the graph: {what} is {found}, expected {expected}"
            ),
            Self::NotSupported { what } => write!(f, "there is no {what}"),
            Self::CostOverflow => {
                f.write_str("the cost is beyond 2^64 operations; split the graph or the chain")
            }
            Self::Json {
                line,
                column,
                message,
            } => write!(f, "line {line}, column {column} of the file: {message}"),
            Self::InvalidChain { index, what } => {
                write!(f, "number {index} of the chain: {what}")
            }
            Self::Parse { line, expected } => {
                write!(f, "line {line} of the program: expected {expected}")
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

/// A place in the source of the recorded function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What a recorded function decided about active values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Decision {
    /// Whether a comparison holds.
    Holds(bool),
    /// How two values compare; `None` if one is NaN.
    Ordering(Option<Ordering>),
    /// The index; `None` if the value is no index.
    Index(Option<usize>),
    /// The value, whose bits count.
    Value(f64),
}

impl Decision {
    /// Whether both are the same; values by their bits.
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds(true) => f.write_str("true"),
            Self::Holds(false) => f.write_str("false"),
            Self::Ordering(Some(Ordering::Less)) => f.write_str("less"),
            Self::Ordering(Some(Ordering::Equal)) => f.write_str("equal"),
            Self::Ordering(Some(Ordering::Greater)) => f.write_str("greater"),
            Self::Ordering(None) => f.write_str("unordered"),
            Self::Index(Some(index)) => write!(f, "{index}"),
            Self::Index(None) => f.write_str("no index"),
            Self::Value(value) => write!(f, "{value}"),
        }
    }
}

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
