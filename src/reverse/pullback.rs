//! [`Pullback`], a finished recording that can be swept many times.

use nalgebra::DMatrix;

use super::drivers::Recorder;
use super::slots::recycle;
use super::tape::{Adjoint, Tape};
use super::var::Var;
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// Rows of a Jacobian that one sweep computes.
const ROWS: usize = 8;

/// A function recorded at one point: its values there, and products of cotangents with its Jacobian.
///
/// ```
/// use wengert::prelude::*;
/// let pullback = Pullback::record(|x| [x[0] * x[1], x[0] + x[1]], &[2.0, 3.0])?;
/// assert_eq!(pullback.values(), [6.0, 5.0]);
/// assert_eq!(pullback.vjp(&[1.0, 0.0])?, [3.0, 2.0]);
/// assert_eq!(pullback.vjp(&[0.0, 1.0])?, [1.0, 1.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, `m` outputs.
/// **Cost**: the memory of the tape until it is dropped; one sweep per product.
/// **Source**: JAX `vjp`; Griewank & Walther 2008, §3.2.
#[derive(Debug)]
pub struct Pullback<T: Scalar> {
    tape: Option<Box<Tape<T>>>,
    inputs: usize,
    /// Where the outputs stand on the tape; `None` for constants.
    outputs: Vec<Option<u32>>,
    values: Vec<T>,
}

/// Memory for sweeps over a [`Pullback`], reused between calls.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::reverse::Workspace;
/// let pullback = Pullback::record(|x| [x[0] * x[0]], &[3.0])?;
/// let (mut workspace, mut gradient) = (Workspace::new(), [0.0]);
/// pullback.vjp_into(&[1.0], &mut workspace, &mut gradient)?;
/// assert_eq!(gradient, [6.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Workspace<T> {
    adjoints: Vec<T>,
}

impl<T> Workspace<T> {
    /// An empty workspace; the first call fills it.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            adjoints: Vec::new(),
        }
    }
}

impl<T: Scalar> Pullback<T> {
    /// Records `f` at `x`.
    ///
    /// # Errors
    /// As [`gradient`](super::gradient).
    pub fn record<R: AsRef<[Var<T>]>>(
        f: impl FnOnce(&[Var<T>]) -> R,
        x: &[T],
    ) -> Result<Self, Error> {
        Recorder::new().record(f, x)
    }

    pub(super) fn new(
        tape: Box<Tape<T>>,
        inputs: usize,
        outputs: Vec<Option<u32>>,
        values: Vec<T>,
    ) -> Self {
        Self {
            tape: Some(tape),
            inputs,
            outputs,
            values,
        }
    }

    fn tape(&self) -> &Tape<T> {
        self.tape
            .as_ref()
            .expect("the tape is taken out only in drop")
    }

    /// The number of inputs `n`.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The values of the `m` outputs.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The number of recorded statements, independents included.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.tape().statements()
    }

    /// The size of the tape in bytes.
    #[must_use]
    pub fn tape_bytes(&self) -> usize {
        self.tape().bytes()
    }

    /// The size of the adjoints of one sweep in bytes.
    #[must_use]
    pub fn adjoint_bytes(&self) -> usize {
        self.tape().statements() * size_of::<T>()
    }

    /// The product of a cotangent with the Jacobian.
    ///
    /// **Shape**: `cotangent` has `m` entries, the result `n`. **Cost**: one sweep.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the cotangent has not `m` entries, [`Error::OutOfMemory`] if there is no room for the
    /// adjoints.
    pub fn vjp(&self, cotangent: &[T]) -> Result<Vec<T>, Error> {
        let mut gradient = vec![T::from(0.0); self.inputs];
        self.vjp_into(cotangent, &mut Workspace::new(), &mut gradient)?;
        Ok(gradient)
    }

    /// The product of a cotangent with the Jacobian, into the caller's buffer and in the caller's workspace.
    ///
    /// **Shape**: `cotangent` has `m` entries, `gradient` has `n`. **Cost**: one sweep; no allocation once the workspace
    /// has seen a tape of this size.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if a length is wrong, [`Error::OutOfMemory`] if there is no room for the adjoints.
    pub fn vjp_into(
        &self,
        cotangent: &[T],
        workspace: &mut Workspace<T>,
        gradient: &mut [T],
    ) -> Result<(), Error> {
        check_len("cotangent", self.outputs.len(), cotangent.len())?;
        check_len("gradient", self.inputs, gradient.len())?;
        let tape = self.tape();
        let adjoints = &mut workspace.adjoints;
        clear(tape, adjoints)?;
        let seeds = self.outputs.iter().zip(cotangent);
        for (output, seed) in seeds.clone() {
            if let Some(output) = output {
                adjoints[*output as usize] += *seed;
            }
        }
        tape.sweep(self.inputs, adjoints);
        gradient.copy_from_slice(&adjoints[..self.inputs]);
        if !gradient.iter().all(T::is_all_finite) {
            let seeds: Vec<(u32, T)> = seeds
                .filter_map(|(output, seed)| output.map(|output| (output, *seed)))
                .collect();
            strict_adjoints(tape, self.inputs, &seeds, gradient)?;
        }
        Ok(())
    }

    /// The Jacobian.
    ///
    /// **Shape**: m×n. **Cost**: `m` sweeps, 8 rows at a time.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is no room for the adjoints.
    pub fn jacobian(&self) -> Result<DMatrix<T>, Error> {
        let (rows, columns) = (self.outputs.len(), self.inputs);
        let mut jacobian = DMatrix::from_element(rows, columns, T::structural_zero());
        let tape = self.tape();
        let mut adjoints: Vec<[T; ROWS]> = Vec::new();
        for (block, outputs) in self.outputs.chunks(ROWS).enumerate() {
            clear(tape, &mut adjoints)?;
            for (lane, output) in outputs.iter().enumerate() {
                if let Some(output) = output {
                    adjoints[*output as usize][lane] += T::from(1.0);
                }
            }
            tape.sweep(columns, &mut adjoints);
            for (lane, output) in outputs.iter().enumerate() {
                // The row of a constant is zero, whatever infinite partials elsewhere have left in its lane.
                let Some(output) = output else { continue };
                let row = block * ROWS + lane;
                for column in 0..columns {
                    jacobian[(row, column)] = adjoints[column][lane];
                }
                let finite = adjoints[..columns].iter().all(|a| a[lane].is_all_finite());
                if !finite {
                    let mut strict = vec![T::from(0.0); columns];
                    strict_adjoints(tape, columns, &[(*output, T::from(1.0))], &mut strict)?;
                    jacobian
                        .row_mut(row)
                        .iter_mut()
                        .zip(strict)
                        .for_each(|(j, s)| *j = s);
                }
            }
        }
        Ok(jacobian)
    }
}

impl<T: Scalar> Drop for Pullback<T> {
    fn drop(&mut self) {
        if let Some(tape) = self.tape.take() {
            recycle(tape);
        }
    }
}

/// Makes a buffer of zero adjoints for a sweep, or says how much memory was missing.
fn clear<T: Scalar, A: Adjoint<T>>(tape: &Tape<T>, adjoints: &mut Vec<A>) -> Result<(), Error> {
    let len = tape.statements();
    tape.check_budget(size_of::<A>())?;
    adjoints.clear();
    adjoints
        .try_reserve_exact(len)
        .map_err(|_| Error::OutOfMemory {
            bytes: len.saturating_mul(size_of::<A>()),
        })?;
    adjoints.resize(len, A::zero());
    Ok(())
}

/// Sweeps once more, skipping variables that never received an adjoint (EDGE_CASES R3).
#[cold]
pub(super) fn strict_adjoints<T: Scalar>(
    tape: &Tape<T>,
    inputs: usize,
    seeds: &[(u32, T)],
    gradient: &mut [T],
) -> Result<(), Error> {
    let mut adjoints: Vec<Option<T>> = Vec::new();
    clear(tape, &mut adjoints)?;
    for (output, seed) in seeds {
        let adjoint = &mut adjoints[*output as usize];
        *adjoint = Some(adjoint.map_or(*seed, |sum| sum + *seed));
    }
    tape.sweep(inputs, &mut adjoints);
    for (gradient, adjoint) in gradient.iter_mut().zip(adjoints) {
        *gradient = adjoint.unwrap_or_else(T::structural_zero);
    }
    Ok(())
}
