//! [`Report`], the outcome of a derivative check.
//!
//! Plain data: the command line turns it into JSON. Invariant: a verdict is `Passed` only if all entries compared were
//! finite and within tolerance.

use std::fmt;

/// The outcome of one comparison.
///
/// ```
/// use wengert::check::{Verdict, check_gradient};
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].abs()
/// }
/// let report = check_gradient(&function!(f), &[0.0])?;
/// assert!(matches!(report.verdict(), Verdict::Kink { row: 0, column: 0, .. }));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: indices as in [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Every entry is within its tolerance.
    Passed,
    /// At least one entry is not; the worst one is in [`Check::worst`].
    Failed,
    /// The differentiated function has a kink or a jump at or very near the point; nothing is certified.
    Kink {
        /// The output that has the kink.
        row: usize,
        /// The input along which it was found, or the random direction if [`Check::projected`].
        column: usize,
        /// The smallest step at which the kink was still seen: its distance is at most this.
        within: f64,
    },
    /// A value, derivative or difference is NaN or infinite; nothing is certified.
    NotFinite {
        /// The row of the first such entry.
        row: usize,
        /// Its column.
        column: usize,
    },
}

impl Verdict {
    /// One word for tables and JSON: `passed`, `failed`, `kink` or `not-finite`.
    ///
    /// ```
    /// use wengert::check::Verdict;
    /// assert_eq!(Verdict::NotFinite { row: 0, column: 0 }.word(), "not-finite");
    /// ```
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Kink { .. } => "kink",
            Self::NotFinite { .. } => "not-finite",
        }
    }

    /// Which verdict speaks for several: a number that is none first, then a kink, then a failure.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Kink { .. } => 2,
            Self::NotFinite { .. } => 3,
        }
    }
}

/// One compared entry.
///
/// ```
/// use wengert::check::check_gradient;
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let report = check_gradient(&function!(f), &[2.0, 3.0])?;
/// let entry = report.checks[0].worst.expect("the value was compared");
/// assert_eq!((entry.row, entry.expected, entry.found, entry.error), (0, 6.0, 6.0, 0.0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The output (row of the Jacobian or Hessian).
    pub row: usize,
    /// The input (column), or the random direction if [`Check::projected`].
    pub column: usize,
    /// The reference.
    pub expected: f64,
    /// The number under test.
    pub found: f64,
    /// `|found - expected|`; infinite if one of them is not finite and they are not alike.
    pub error: f64,
    /// The largest error that passes.
    pub tolerance: f64,
}

/// One comparison of a [`Report`].
///
/// ```
/// use wengert::check::check_gradient;
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let report = check_gradient(&function!(f), &[2.0, 3.0])?;
/// let check = report.checks.iter().find(|check| check.name == "forward = differences");
/// assert_eq!(check.map(|check| (check.compared, check.projected)), Some((2, false)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was compared.
    pub name: String,
    /// The number of entries compared.
    pub compared: usize,
    /// Whether the columns are random directions instead of inputs.
    pub projected: bool,
    /// The entry with the largest error relative to its tolerance; `None` if nothing was compared.
    pub worst: Option<Entry>,
    /// The outcome.
    pub verdict: Verdict,
}

/// The outcome of a derivative check; `Display` prints an aligned table and one sentence.
///
/// ```
/// use wengert::check::check_gradient;
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     Scalar::max(x[0], x[1])
/// }
/// let report = check_gradient(&function!(f), &[1.0, 1.0])?;
/// assert!(!report.is_passed());
/// assert!(report.to_string().contains("not certified: output 0 has a kink at input 0"));
/// # Ok::<(), Error>(())
/// ```
///
/// **Source**: the report of PyTorch `gradcheck`, which passes at this kink.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The number of inputs `n`.
    pub inputs: usize,
    /// The number of outputs `m`.
    pub outputs: usize,
    /// The seed of the random directions.
    pub seed: u64,
    /// The comparisons, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether every comparison passed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.verdict == Verdict::Passed)
    }

    /// The verdict on the whole: the first of the gravest kind.
    ///
    /// A number that is not finite comes before a kink, and a kink before a failure, which it may explain.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.gravest()
            .map_or(Verdict::Passed, |check| check.verdict)
    }

    fn gravest(&self) -> Option<&Check> {
        // `max_by_key` keeps the last of equals, the first is wanted.
        self.checks
            .iter()
            .rev()
            .max_by_key(|check| check.verdict.rank())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |check: &Check| check.name.chars().count();
        let width = self.checks.iter().map(name).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:<width$}  {:>8}  {:>12}  {:>22}  {:>22}  {:>9}  {:>9}  verdict",
            "check", "compared", "worst at", "expected", "found", "error", "tolerance"
        )?;
        for check in &self.checks {
            write!(f, "{:<width$}  {:>8}  ", check.name, check.compared)?;
            match &check.worst {
                Some(worst) => {
                    let mark = if check.projected { "v" } else { "" };
                    let place = format!("{}, {mark}{}", worst.row, worst.column);
                    let Entry {
                        expected,
                        found,
                        error,
                        tolerance,
                        ..
                    } = worst;
                    write!(
                        f,
                        "{place:>12}  {expected:>22.14e}  {found:>22.14e}  {error:>9.2e}  {tolerance:>9.2e}"
                    )?;
                }
                None => write!(
                    f,
                    "{:>12}  {:>22}  {:>22}  {:>9}  {:>9}",
                    "-", "-", "-", "-", "-"
                )?,
            }
            writeln!(f, "  {}", check.verdict.word())?;
        }
        let gravest = self.gravest();
        let place = |column: usize| {
            if gravest.is_some_and(|check| check.projected) {
                format!("along random direction {column}")
            } else {
                format!("at input {column}")
            }
        };
        match self.verdict() {
            Verdict::Passed => write!(f, "passed"),
            Verdict::Failed => {
                let failed = |check: &&Check| check.verdict == Verdict::Failed;
                let failed = self.checks.iter().filter(failed).count();
                write!(f, "failed: {failed} of {} checks", self.checks.len())
            }
            Verdict::Kink {
                row,
                column,
                within,
            } => write!(
                f,
                "not certified: {} {row} has a kink {} (within {within:.1e} of the point)",
                if gravest.is_some_and(|check| check.name.ends_with("gradient")) {
                    "gradient entry"
                } else {
                    "output"
                },
                place(column)
            ),
            Verdict::NotFinite { row, column } => write!(
                f,
                "not certified: a number of `{}` is not finite (row {row}, {})",
                gravest.map_or("", |check| &check.name),
                place(column)
            ),
        }
    }
}
