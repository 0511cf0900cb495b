//! Replay: a program as register code, prepared once and run many times.
//!
//! | file | what |
//! |---|---|
//! | `lower`, `loops`, `select`, `link`, `allocate`, `code` | from nodes to instructions on two register files |
//! | `width` | how many lanes, with which instructions |
//! | `kernel` | the interpreters; the only unsafe code |
//!
//! Two things make it fast. A region runs over 4 to 32 iterations per dispatch, so that an interpreted program is about as fast
//! as a compiled scalar one with no compiler at hand; and what does not differ between those iterations stays scalar, so
//! parameters are broadcast from one cache line instead of being copied into every lane.
//!
//! Invariant: with [`Width::One`] every value has the bits of plain `f64`; with more lanes it is within the bounds of
//! EDGE_CASES R1, and the same for any number of threads.
//! Source: Boncz, Zukowski & Nes 2005 (many values per dispatch).

mod allocate;
mod code;
mod kernel;
mod link;
mod loops;
mod lower;
mod select;
#[cfg(test)]
mod tests;
mod width;

use std::sync::Arc;

use super::list::Program;
use crate::error::{Error, check_len};
use code::Unit;
use kernel::{Frames, Points, Report};
use width::Isa;
pub use width::Width;

/// How a program is replayed.
///
/// ```
/// use wengert::program::{ReplayOptions, Width};
/// let options = ReplayOptions { width: Width::One, ..ReplayOptions::default() };
/// assert!(options.threads >= 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// The number of lanes; the default is what the processor has.
    pub width: Width,
    /// The largest number of threads for one region or batch; the default is that of rayon's pool.
    pub threads: usize,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            width: Width::of_this_machine(),
            threads: rayon::current_num_threads(),
        }
    }
}

/// A program that is ready to be evaluated many times.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0] * x[1].sin(), x[0] + 1.0], &[3.0, 0.5])?;
/// let mut replay = program.prepare()?;
/// assert_eq!(replay.run(&[2.0, 0.0])?, [0.0, 3.0]);
/// // A program is that of the branch taken; elsewhere it is an error, never a stale number.
/// let program = Program::record(|x| [if x[0] > 0.0 { x[0] } else { -x[0] }], &[2.0])?;
/// let mut replay = program.prepare()?;
/// assert_eq!(replay.run(&[5.0])?, [5.0]);
/// assert!(matches!(replay.run(&[-2.0]), Err(Error::BranchChanged { .. })));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, `m` outputs.
/// **Cost**: preparing is linear in the program; running allocates nothing and costs about a nanosecond per operation, less in
/// regions.
/// **Source**: Griewank & Walther 2008, §6.1; CppAD's `ADFun::Forward`.
#[derive(Clone, Debug)]
pub struct Replay {
    unit: Arc<Unit>,
    inputs: usize,
    outputs: usize,
    file: Vec<f64>,
    frames: Frames,
    ties: usize,
}

/// What [`Replay::run_unchecked`] computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unchecked<'a> {
    /// The outputs of the recorded branches.
    pub outputs: &'a [f64],
    /// The number of decisions that came out otherwise than recorded; the outputs are those of the function only if it is 0.
    pub changed: usize,
}

impl Program {
    /// Makes the program ready to be run.
    ///
    /// **Cost**: linear in the number of nodes; see [`Replay`] for an example.
    ///
    /// # Errors
    /// [`Error::TapeFull`] if more than 2^31 slots are needed.
    pub fn prepare(&self) -> Result<Replay, Error> {
        self.prepare_with(&ReplayOptions::default())
    }

    /// Makes the program ready to be run with other options.
    ///
    /// **Cost**: linear in the number of nodes.
    ///
    /// # Errors
    /// [`Error::TapeFull`] if more than 2^31 slots are needed.
    pub fn prepare_with(&self, options: &ReplayOptions) -> Result<Replay, Error> {
        let unit = lower::lower(self, options.width != Width::One)?;
        Ok(Replay {
            inputs: self.inputs(),
            outputs: self.outputs().len(),
            file: unit.scalar_file(),
            frames: Frames::new(&unit, Isa::new(options.width), options.threads),
            unit: Arc::new(unit),
            ties: 0,
        })
    }

    /// Makes the program ready to be run at many points at once.
    ///
    /// **Cost**: linear in the number of nodes.
    ///
    /// # Errors
    /// [`Error::TapeFull`] if more than 2^31 slots are needed.
    pub fn prepare_batch(&self, options: &ReplayOptions) -> Result<BatchReplay, Error> {
        if options.width == Width::One {
            return Ok(BatchReplay {
                inputs: self.inputs(),
                outputs: self.outputs().len(),
                points: Batch::One(Box::new(self.prepare_with(options)?)),
            });
        }
        let (unit, outputs) = lower::lower_lanes(self)?;
        let points = Points::new(&unit, Isa::new(options.width), options.threads);
        Ok(BatchReplay {
            inputs: self.inputs(),
            outputs: self.outputs().len(),
            points: Batch::Lanes {
                unit: Arc::new(unit),
                outputs,
                points,
            },
        })
    }
}

impl Replay {
    /// The number of inputs `n`.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of outputs `m`.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// The number of comparisons of the last run whose two sides were equal (EDGE_CASES e44).
    #[must_use]
    pub const fn ties(&self) -> usize {
        self.ties
    }

    /// The memory of all register files, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(&*self.file) + self.frames.bytes()
    }

    /// The outputs at `x`; they stay valid until the next run.
    ///
    /// **Shape**: `x` has `n` entries, the result `m`.
    /// **Cost**: the operations of the program; allocates nothing.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong, [`Error::BranchChanged`] if a decision comes out otherwise than
    /// recorded.
    pub fn run(&mut self, x: &[f64]) -> Result<&[f64], Error> {
        let report = self.evaluate(x)?;
        if let Some((_, error)) = report.found.into_iter().next() {
            return Err(error);
        }
        Ok(self.last())
    }

    /// Writes the outputs at `x` into `y`.
    ///
    /// **Shape**: `x` has `n` entries, `y` has `m`.
    /// **Cost**: as [`run`](Self::run) and one copy.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::ShapeMismatch`] if `y` has the wrong length.
    pub fn run_into(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
        check_len("y", self.outputs, y.len())?;
        y.copy_from_slice(self.run(x)?);
        Ok(())
    }

    /// The outputs of the recorded branches at `x`, with the number of decisions that changed (EDGE_CASES e43).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [if x[0] > 0.0 { x[0] } else { -x[0] }], &[2.0])?;
    /// let mut replay = program.prepare()?;
    /// let unchecked = replay.run_unchecked(&[-2.0])?;
    /// assert_eq!((unchecked.outputs, unchecked.changed), (&[-2.0][..], 1));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` has `n` entries.
    /// **Cost**: as [`run`](Self::run).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong.
    pub fn run_unchecked(&mut self, x: &[f64]) -> Result<Unchecked<'_>, Error> {
        let changed = self.evaluate(x)?.changed;
        Ok(Unchecked {
            outputs: self.last(),
            changed,
        })
    }

    fn evaluate(&mut self, x: &[f64]) -> Result<Report, Error> {
        check_len("x", self.inputs, x.len())?;
        self.file[..self.inputs].copy_from_slice(x);
        let mut report = Report::default();
        let Self {
            unit, file, frames, ..
        } = self;
        kernel::run_scalar(unit, &unit.code, file, frames, &mut report);
        self.ties = report.ties;
        Ok(report)
    }

    /// The outputs of the last run.
    pub(super) fn last(&self) -> &[f64] {
        &self.file[self.inputs..self.inputs + self.outputs]
    }
}

/// A program that is ready to be evaluated at many points at once.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::{Program, ReplayOptions};
/// let program = Program::record(|x| [if x[0] > 0.0 { x[0] } else { -x[0] }], &[2.0])?;
/// let mut batch = program.prepare_batch(&ReplayOptions::default())?;
/// let mut y = [0.0; 3];
/// let changed = batch.run(&[5.0, -1.0, 7.0], &mut y)?;
/// // One point that takes another branch does not spoil the others.
/// assert_eq!((y[0], y[2]), (5.0, 7.0));
/// assert_eq!((changed.len(), changed[0].0), (1, 1));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: points are rows of `n` entries, results rows of `m`.
/// **Cost**: one dispatch per operation serves up to 32 points.
/// **Source**: as [`Replay`].
#[derive(Clone, Debug)]
pub struct BatchReplay {
    inputs: usize,
    outputs: usize,
    points: Batch,
}

#[derive(Clone, Debug)]
enum Batch {
    /// Point after point.
    One(Box<Replay>),
    /// Many points per dispatch.
    Lanes {
        unit: Arc<Unit>,
        outputs: Vec<u32>,
        points: Points,
    },
}

impl BatchReplay {
    /// Writes the outputs at all points into `y`; returns the points at which a decision changed, with the first such decision.
    ///
    /// **Shape**: `x` has `n` entries per point, `y` has `m`. The rows of `y` at the points returned are not results.
    /// **Cost**: the operations of the program at every point.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the lengths do not fit together.
    pub fn run(&mut self, x: &[f64], y: &mut [f64]) -> Result<Vec<(usize, Error)>, Error> {
        let points = match (self.inputs, self.outputs) {
            (0, 0) => 0,
            (0, m) => y.len() / m,
            (n, _) => x.len() / n,
        };
        check_len("points", points * self.inputs, x.len())?;
        check_len("y", points * self.outputs, y.len())?;
        match &mut self.points {
            Batch::Lanes {
                unit,
                outputs,
                points: lanes,
            } => Ok(lanes.run(unit, outputs, (x, self.inputs), y, points)),
            Batch::One(replay) => {
                let mut changed = Vec::new();
                for point in 0..points {
                    let x = &x[point * self.inputs..(point + 1) * self.inputs];
                    let y = &mut y[point * self.outputs..(point + 1) * self.outputs];
                    match replay.run_into(x, y) {
                        Err(error @ Error::BranchChanged { .. }) => changed.push((point, error)),
                        other => other?,
                    }
                }
                Ok(changed)
            }
        }
    }

    /// The memory of all register files, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.points {
            Batch::One(replay) => replay.memory(),
            Batch::Lanes { points, .. } => points.bytes(),
        }
    }
}
