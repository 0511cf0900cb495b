//! The error of readers, constructors and the registry: it says where, what was expected and what was found.

use std::fmt;
use std::path::Path;

/// Why a problem could not be built.
///
/// ```
/// use wengert_problems::gmm::Gmm;
/// let wrong = Gmm::from_text("2 5\nmany").unwrap_err();
/// assert_eq!(wrong.to_string(), "<text>:2: expected the number of data points, found `many`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemError {
    /// A file could not be read.
    Io {
        /// The path.
        file: Box<str>,
        /// What the operating system said.
        reason: Box<str>,
    },
    /// A file does not have the expected contents.
    Format {
        /// The path, or `<text>`.
        file: Box<str>,
        /// The line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: Box<str>,
    },
    /// A size that the problem does not have.
    Size {
        /// The problem.
        problem: &'static str,
        /// Which sizes it has.
        expected: &'static str,
        /// The sizes asked for.
        found: Box<[usize]>,
    },
    /// No problem has this name.
    UnknownProblem {
        /// The name asked for.
        name: Box<str>,
        /// All names.
        known: Box<[&'static str]>,
    },
    /// The problem has no data file.
    NoData {
        /// The problem.
        problem: &'static str,
    },
}

impl ProblemError {
    /// A file that could not be read.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            file: path.display().to_string().into(),
            reason: error.to_string().into(),
        }
    }

    /// Sizes that a problem does not have.
    pub(crate) fn size(problem: &'static str, expected: &'static str, found: &[usize]) -> Self {
        Self::Size {
            problem,
            expected,
            found: found.into(),
        }
    }
}

impl fmt::Display for ProblemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, reason } => write!(f, "cannot read {file}: {reason}"),
            Self::Format {
                file,
                line,
                expected,
                found,
            } => {
                write!(f, "{file}:{line}: expected {expected}, found {found}")
            }
            Self::Size {
                problem,
                expected,
                found,
            } => {
                write!(f, "{problem} needs {expected}, found {found:?}")
            }
            Self::UnknownProblem { name, known } => {
                write!(
                    f,
                    "no problem is named `{name}`; known are {}",
                    known.join(", ")
                )
            }
            Self::NoData { problem } => {
                write!(
                    f,
                    "{problem} is not read from a file; give sizes or nothing"
                )
            }
        }
    }
}

impl std::error::Error for ProblemError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_small_and_shareable() {
        fn shareable<T: Send + Sync + 'static>() {}
        shareable::<ProblemError>();
        assert!(size_of::<ProblemError>() <= 64);
    }

    #[test]
    fn every_message_is_one_line_with_its_data() {
        let size = ProblemError::size("minsurf", "a square n", &[7]);
        assert_eq!(size.to_string(), "minsurf needs a square n, found [7]");
        let none = ProblemError::NoData { problem: "rosen" };
        assert!(
            none.to_string()
                .starts_with("rosen is not read from a file")
        );
        let missing = ProblemError::io(Path::new("/no/such"), &std::io::Error::other("gone"));
        assert_eq!(missing.to_string(), "cannot read /no/such: gone");
    }
}
