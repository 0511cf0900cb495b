//! [`ProgramCache`]: a program per path of decisions, recorded when a point takes a new one.
//!
//! Invariant: a value comes from a program whose guards all hold at the point, never from another branch (EDGE_CASES e43).
//! Rows: `EDGE_CASES.md` e43, e45.

use super::evaluate::Evaluation;
use super::list::Program;
use super::node::NodeKind;
use crate::error::{Error, check_len};
use crate::scalar::Function;

/// The largest number of programs that a cache keeps if nothing else is said.
const LIMIT: usize = 64;

/// Programs of a function, one for every path of its decisions that was taken.
///
/// A point is evaluated by the program whose guards hold there. If there is none, the function is recorded there. Above the
/// limit the program that was not used for longest is forgotten.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::ProgramCache;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     if x[0] > 0.0 { x[0] * x[0] } else { -x[0] }
/// }
/// let f = function!(f);
/// let mut cache = ProgramCache::new(&f);
/// assert_eq!(cache.values(&[3.0])?, [9.0]);
/// assert_eq!(cache.values(&[-3.0])?, [3.0]);
/// assert_eq!(cache.values(&[2.0])?, [4.0]);
/// assert_eq!(cache.programs().len(), 2);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, `m` outputs; at most 64 programs, unless [`with_limit`](Self::with_limit) says otherwise.
/// **Cost**: the programs; an evaluation tries them from the one used last.
/// **Source**: none.
#[derive(Debug)]
pub struct ProgramCache<'a, F> {
    f: &'a F,
    /// The one used last comes first.
    programs: Vec<Program>,
    limit: usize,
}

impl<'a, F: Function> ProgramCache<'a, F> {
    /// A cache without programs.
    ///
    /// **Cost**: none; nothing is recorded yet.
    #[must_use]
    pub const fn new(f: &'a F) -> Self {
        Self {
            f,
            programs: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Keeps at most this many programs; at least one.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self.programs.truncate(self.limit);
        self
    }

    /// The programs, that used last first.
    #[must_use]
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// The values of the outputs.
    ///
    /// **Shape**: `x` has `n` entries, the result `m`.
    /// **Cost**: one evaluation for every program that is tried; a recording for a new path.
    ///
    /// # Errors
    /// As [`values_into`](Self::values_into).
    pub fn values(&mut self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let mut y = vec![0.0; self.f.outputs(x.len())];
        self.values_into(x, &mut y)?;
        Ok(y)
    }

    /// Writes the values of the outputs.
    ///
    /// **Shape**: `x` has `n` entries, `y` has `m`.
    /// **Cost**: as [`values`](Self::values).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if a length is wrong, those of [`Program::record`], and [`Error::BranchChanged`] if the
    /// program does not even hold where it was recorded: a body that decides otherwise in another row.
    pub fn values_into(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
        check_len("x", self.f.inputs().unwrap_or(x.len()), x.len())?;
        check_len("y", self.f.outputs(x.len()), y.len())?;
        for index in 0..self.programs.len() {
            if self.programs[index].inputs() != x.len() {
                continue;
            }
            match evaluate(&self.programs[index], x, y) {
                Ok(()) => {
                    self.programs[..=index].rotate_right(1);
                    return Ok(());
                }
                Err(Error::BranchChanged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let outputs = y.len();
        let program = Program::record(
            |x| {
                let mut y = vec![0.0.into(); outputs];
                self.f.eval(x, &mut y);
                y
            },
            x,
        )?;
        evaluate(&program, x, y)?;
        self.programs.truncate(self.limit - 1);
        self.programs.insert(0, program);
        Ok(())
    }
}

/// Evaluates a program if its guards hold.
fn evaluate(program: &Program, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
    let mut evaluation = Evaluation::default();
    evaluation.advance(program, program.len(), x);
    check(program, &evaluation)?;
    for (y, output) in y.iter_mut().zip(program.outputs()) {
        *y = evaluation.values[output.index()];
    }
    Ok(())
}

/// Checks the guards of a program and of the bodies in it.
fn check(program: &Program, evaluation: &Evaluation) -> Result<(), Error> {
    for guard in program.guards() {
        guard.check(|node| evaluation.values[node.index()])?;
    }
    if program.regions().is_empty() {
        return Ok(());
    }
    for node in program.nodes() {
        if let NodeKind::Region(region) = program.kind(node) {
            let region = &program.regions()[region as usize];
            let arguments = program.arguments(node).iter();
            let arguments: Vec<f64> = arguments.map(|x| evaluation.values[x.index()]).collect();
            region.evaluate(&arguments, |_, body| check(region.body(), body))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn power<S: Scalar>(x: &[S]) -> S {
        // The number of turns depends on the second input.
        let turns = x[1].to_index().unwrap_or(0);
        (0..turns).fold(S::from(1.0), |p, _| p * x[0])
    }

    #[test]
    fn one_program_per_path_and_the_oldest_goes() {
        let f = function!(power);
        let mut cache = ProgramCache::new(&f).with_limit(2);
        for (x, y) in [(2.0, 4.0), (3.0, 8.0), (2.5, 4.0), (0.0, 1.0), (3.0, 8.0)] {
            assert_eq!(cache.values(&[2.0, x]), Ok(vec![y]));
            assert!(cache.programs().len() <= 2);
        }
        let recorded = |index: usize| cache.programs()[index].point()[1];
        assert_eq!((recorded(0), recorded(1)), (3.0, 0.0));
        let wrong = ProgramCache::new(&f).values_into(&[1.0, 1.0], &mut []);
        assert!(matches!(wrong, Err(Error::ShapeMismatch { .. })));
    }

    fn rows<S: Scalar>(x: &[S]) -> S {
        S::sum_over(&[Rows::column(x)], &[], |x, _| {
            if x[0] > 0.0 { x[0] * 2.0 } else { -x[0] }
        })
    }

    #[test]
    fn a_body_that_holds_nowhere_is_an_error() {
        let f = function!(rows);
        let mut cache = ProgramCache::new(&f);
        assert_eq!(cache.values(&[1.0, 2.0, 3.0]), Ok(vec![12.0]));
        assert_eq!(cache.values(&[-1.0, -2.0, -3.0]), Ok(vec![6.0]));
        assert_eq!(cache.programs().len(), 2);
        // The second row shows that the body changes, the third only when the program runs.
        let second = cache.values(&[1.0, -2.0, 3.0]);
        assert!(matches!(
            second,
            Err(Error::BodyChanged { iteration: 1, .. })
        ));
        let third = cache.values(&[1.0, 2.0, -3.0]);
        assert!(matches!(third, Err(Error::BranchChanged { .. })));
        assert_eq!(cache.programs().len(), 2);
    }
}
