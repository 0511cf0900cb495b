//! [`ProgramCache`]: a program per path of decisions, recorded when a point takes a new one.
//!
//! Invariant: a value comes from a program whose guards all hold at the point, never from another branch (EDGE_CASES e43).
//! Rows: `EDGE_CASES.md` e43, e45.

use super::list::Program;
use super::replay::{Replay, ReplayOptions};
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
/// use wengert::program::{Program, ProgramCache};
/// fn f<S: Scalar>(x: &[S]) -> S {
///     if x[0] > 0.0 { x[0] * x[0] } else { -x[0] }
/// }
/// let f = function!(f);
/// let mut cache = ProgramCache::new(&f);
/// assert_eq!(cache.values(&[3.0])?, [9.0]);
/// assert_eq!(cache.values(&[-3.0])?, [3.0]);
/// assert_eq!(cache.values(&[2.0])?, [4.0]);
/// assert_eq!(cache.len(), 2);
/// // The same for a derivative.
/// let mut slopes = ProgramCache::derived(&f, Program::gradient);
/// assert_eq!((slopes.values(&[3.0])?, slopes.values(&[-3.0])?), (vec![6.0], vec![-1.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, as many outputs as the programs have; at most 64 programs, unless
/// [`with_limit`](Self::with_limit) says otherwise.
/// **Cost**: the programs; an evaluation tries them from the one used last.
/// **Source**: none.
#[derive(Debug)]
pub struct ProgramCache<'a, F> {
    f: &'a F,
    derive: fn(&Program) -> Result<Program, Error>,
    options: ReplayOptions,
    /// The one used last comes first.
    programs: Vec<Replay>,
    limit: usize,
}

impl<'a, F: Function> ProgramCache<'a, F> {
    /// A cache of programs of the function itself.
    ///
    /// **Cost**: none; nothing is recorded yet.
    #[must_use]
    pub fn new(f: &'a F) -> Self {
        Self::derived(f, |program| Ok(program.clone()))
    }

    /// A cache of programs made from those of the function, such as its gradient.
    ///
    /// **Cost**: none; nothing is recorded yet.
    #[must_use]
    pub fn derived(f: &'a F, derive: fn(&Program) -> Result<Program, Error>) -> Self {
        Self {
            f,
            derive,
            options: ReplayOptions::default(),
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

    /// Replays with other options; what was kept is forgotten.
    #[must_use]
    pub fn with_options(mut self, options: ReplayOptions) -> Self {
        self.options = options;
        self.programs.clear();
        self
    }

    /// The number of programs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether nothing was recorded yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// The outputs at `x`.
    ///
    /// **Shape**: `x` has `n` entries.
    /// **Cost**: one replay for every program that is tried; a recording for a new path.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong, those of [`Program::record`] and of the derivation, and
    /// [`Error::BranchChanged`] if the program does not even hold where it was recorded: a body that decides otherwise in
    /// another row.
    pub fn values(&mut self, x: &[f64]) -> Result<Vec<f64>, Error> {
        self.find(x)?;
        Ok(self.programs[0].last().to_vec())
    }

    /// Writes the outputs at `x`.
    ///
    /// **Shape**: `x` has `n` entries, `y` has as many as the programs have outputs.
    /// **Cost**: as [`values`](Self::values); allocates nothing on a path that is known.
    ///
    /// # Errors
    /// As [`values`](Self::values); [`Error::ShapeMismatch`] also if `y` has the wrong length.
    pub fn values_into(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
        self.find(x)?;
        let found = self.programs[0].last();
        check_len("y", found.len(), y.len())?;
        y.copy_from_slice(found);
        Ok(())
    }

    /// Runs the program that holds at `x` and puts it first.
    fn find(&mut self, x: &[f64]) -> Result<(), Error> {
        check_len("x", self.f.inputs().unwrap_or(x.len()), x.len())?;
        for index in 0..self.programs.len() {
            if self.programs[index].inputs() != x.len() {
                continue;
            }
            match self.programs[index].run(x) {
                Ok(_) => {
                    self.programs[..=index].rotate_right(1);
                    return Ok(());
                }
                Err(Error::BranchChanged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let record = |x: &[super::Traced]| {
            let mut y = vec![0.0.into(); self.f.outputs(x.len())];
            self.f.eval(x, &mut y);
            y
        };
        let program = Program::record(record, x)?.simplify()?;
        let program = (self.derive)(&program)?.simplify()?;
        let mut replay = program.prepare_with(&self.options)?;
        replay.run(x)?;
        self.programs.truncate(self.limit - 1);
        self.programs.insert(0, replay);
        Ok(())
    }
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
            assert!(cache.len() <= 2);
        }
        // What is kept is a program for 3 turns and one for none.
        let mut holds = |x: f64| cache.programs.iter_mut().any(|p| p.run(&[2.0, x]).is_ok());
        assert!(holds(3.0) && holds(0.0) && !holds(2.0));
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
        assert_eq!(cache.len(), 2);
        // The second row shows that the body changes, the third only when the program runs.
        let second = cache.values(&[1.0, -2.0, 3.0]);
        assert!(matches!(
            second,
            Err(Error::BodyChanged { iteration: 1, .. })
        ));
        let third = cache.values(&[1.0, 2.0, -3.0]);
        assert!(matches!(third, Err(Error::BranchChanged { .. })));
        assert_eq!(cache.len(), 2);
    }
}
