//! Jacobians of programs by either mode, and what is made of them: Hessians and their products.
//!
//! Forward, every node carries the partials by the inputs that reach it; reverse, every output gets a sweep over the nodes below
//! it, and all sweeps share the partials of the operations. Whatever passes through a region passes through its body once.
//!
//! Invariant: an entry is there exactly where a path leads from the input to the output, in either mode.
//! Source: Griewank & Walther 2008, §7.1 (sparse vector modes).

use super::adjoint::Reverse;
use super::draft::{Derivative, Draft};
use super::tangent::{Forward, Tangents};
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::words::Map;

/// Up to this many pairs of nodes and sweeps, both modes are tried and the cheaper program is taken.
const TRIED: usize = 1 << 22;

impl Program {
    /// The Jacobian as a program with one output per structural nonzero, and their places.
    ///
    /// The mode is that with fewer operations: both are written and counted. In a large program reverse mode serves one output, and
    /// without regions also fewer than an eighth as many outputs as inputs. With regions it serves one output, and is
    /// tried only where there are no more outputs than inputs, because every output gets regions of its own.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1], x[1].sin()], &[3.0, 2.0])?;
    /// let (jacobian, places) = program.sparse_jacobian()?;
    /// assert_eq!(places, [(0, 0), (0, 1), (1, 1)]);
    /// assert_eq!((jacobian.outputs().len(), jacobian.counts().total()), (3, 1));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `x` (n), outputs the partials by rows and in a row by columns; `(row, column)` of each.
    /// **Cost**: forward, one product per edge and column of its argument; reverse, one product per edge and output above it. The body
    /// of a region is differentiated by its own inputs where they are fewer than the columns, which costs nothing outside
    /// it for arguments that are inputs.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §7.1.
    pub fn sparse_jacobian(&self) -> Result<(Self, Vec<(u32, u32)>), Error> {
        let flops = |(program, _): &Sparse| program.counts().flops();
        let (first, second) = either(self)?;
        Ok(match second {
            Some(second) if flops(&second.1) < flops(&first.1) => second.1,
            _ => first.1,
        })
    }

    /// The Jacobian as a program with all entries; structural zeros are the constant 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1], x[1].sin()], &[3.0, 0.0])?;
    /// let jacobian = program.jacobian()?;
    /// let values = jacobian.values(&[3.0, 0.0])?;
    /// let entries: Vec<f64> = jacobian.outputs().iter().map(|y| values[y.index()]).collect();
    /// assert_eq!(entries, [0.0, 3.0, 0.0, 1.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `x` (n), outputs the m*n partials by rows.
    /// **Cost**: as [`sparse_jacobian`](Self::sparse_jacobian), and an output per entry.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §7.1.
    pub fn jacobian(&self) -> Result<Self, Error> {
        let (jacobian, places) = self.sparse_jacobian()?;
        dense(jacobian, &places, self.outputs.len(), self.inputs)
    }

    /// The Hessian of a scalar function as a program; equal entries are computed once.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[0] * x[1]], &[3.0, 2.0])?;
    /// let hessian = program.hessian()?;
    /// let values = hessian.values(&[3.0, 2.0])?;
    /// let entries: Vec<f64> = hessian.outputs().iter().map(|y| values[y.index()]).collect();
    /// assert_eq!(entries, [4.0, 6.0, 6.0, 0.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `x` (n), outputs the n*n second partials by rows; structural zeros are the constant 0.
    /// **Cost**: as [`sparse_jacobian`](Self::sparse_jacobian) of the [`gradient`](Self::gradient), entries on and below the
    /// diagonal only.
    ///
    /// # Errors
    /// [`Error::NotScalar`] unless there is one output; [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §5 and §7.
    pub fn hessian(&self) -> Result<Self, Error> {
        let (mut hessian, places) = self.gradient()?.sparse_jacobian()?;
        let number: Map<(u32, u32), NodeId> = places
            .iter()
            .copied()
            .zip(hessian.outputs.iter().copied())
            .collect();
        for ((row, column), output) in places.iter().zip(&mut hessian.outputs) {
            // The entry below the diagonal stands for both; structures are symmetric but for masks, which may differ.
            if row < column
                && let Some(mirrored) = number.get(&(*column, *row))
            {
                *output = *mirrored;
            }
        }
        let dense = dense(hessian, &places, self.inputs, self.inputs)?;
        dense.live()
    }

    /// The product of the Hessian of a scalar function with a vector as a program: forward over reverse.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[0] * x[1]], &[3.0, 2.0])?;
    /// let hvp = program.hvp()?;
    /// let values = hvp.values(&[3.0, 2.0, 1.0, 10.0])?;
    /// let product: Vec<f64> = hvp.outputs().iter().map(|y| values[y.index()]).collect();
    /// assert_eq!(product, [64.0, 6.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `[x, v]` (2n), outputs `H v` (n).
    /// **Cost**: as [`jvp`](Self::jvp) of the [`gradient`](Self::gradient).
    ///
    /// # Errors
    /// [`Error::NotScalar`] unless there is one output; [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §5.2; Pearlmutter 1994.
    pub fn hvp(&self) -> Result<Self, Error> {
        let mut hvp = self.gradient()?.jvp()?;
        hvp.outputs.drain(..self.inputs);
        hvp.live()
    }
}

/// A Jacobian with an output per structural nonzero, and their places.
pub(crate) type Sparse = (Program, Vec<(u32, u32)>);

/// A basic mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basic {
    Forward,
    Reverse,
}

/// A Jacobian and the mode it is by.
pub(crate) type Tried = (Basic, Sparse);

/// The Jacobian by the mode that is sure to be cheaper, or by forward and reverse mode where neither is.
pub(crate) fn either(program: &Program) -> Result<(Tried, Option<Tried>), Error> {
    let (n, m) = (program.inputs, program.outputs.len());
    let is_flat = program.regions.is_empty();
    let is_small = is_small(program);
    if is_small && (is_flat || (m <= n && m != 1)) {
        let second = (Basic::Reverse, reverse(program)?);
        return Ok(((Basic::Forward, forward(program)?), Some(second)));
    }
    let first = if m == 1 || (is_flat && 8 * m <= n) {
        (Basic::Reverse, reverse(program)?)
    } else {
        (Basic::Forward, forward(program)?)
    };
    Ok((first, None))
}

/// Whether a product per node and sweep is little enough to be tried.
pub(crate) fn is_small(program: &Program) -> bool {
    let size = program.len() + program.arguments.len();
    size.saturating_mul(program.inputs.max(program.outputs.len())) <= TRIED
}

/// The Jacobian by forward mode.
pub(super) fn forward(program: &Program) -> Result<Sparse, Error> {
    let draft = Draft::open(program.inputs)?;
    let inputs: Vec<NodeId> = (0..program.inputs)
        .map(NodeId::new)
        .collect::<Result<_, _>>()?;
    let seeds: Vec<Tangents> = inputs
        .iter()
        .map(|x| vec![(x.raw(), draft.constant(1.0).into())])
        .collect();
    let forward = Forward::run(&draft, program, inputs, seeds)?;
    let (mut outputs, mut places) = (Vec::new(), Vec::new());
    for (row, y) in program.outputs.iter().enumerate() {
        let row = NodeId::new(row)?.raw();
        for (column, tangent) in &forward.tangents[y.index()] {
            places.push((row, *column));
            outputs.push(tangent.value);
        }
    }
    drop(forward);
    Ok((draft.finish(outputs)?.live()?, places))
}

/// The Jacobian by reverse mode.
pub(super) fn reverse(program: &Program) -> Result<Sparse, Error> {
    let draft = Draft::open(program.inputs)?;
    let inputs = (0..program.inputs)
        .map(NodeId::new)
        .collect::<Result<_, _>>()?;
    let mut reverse = Reverse::prepare(&draft, program, inputs, &vec![true; program.inputs])?;
    reverse.keep_edges();
    let (mut outputs, mut places) = (Vec::new(), Vec::new());
    for row in 0..program.outputs.len() {
        let adjoints = reverse.sweep(&[(row, Derivative::from(draft.constant(1.0)))])?;
        let row = NodeId::new(row)?.raw();
        for (column, adjoint) in adjoints {
            places.push((row, column));
            outputs.push(adjoint.value);
        }
    }
    drop(reverse);
    Ok((draft.finish(outputs)?.live()?, places))
}

/// Fills the structural zeros with a constant.
pub(crate) fn dense(
    mut program: Program,
    places: &[(u32, u32)],
    rows: usize,
    columns: usize,
) -> Result<Program, Error> {
    let entries = rows.checked_mul(columns).ok_or(Error::TapeFull {
        limit: u32::MAX as usize,
    })?;
    if entries == places.len() {
        return Ok(program);
    }
    let zero = NodeId::new(program.len())?;
    let end = program.ends.last().copied().unwrap_or(0);
    program.kinds.push(NodeKind::Constant(0.0));
    program.ends.push(end);
    if !program.places.is_empty() {
        program.places.push(0);
    }
    let mut outputs = vec![zero; entries];
    for ((row, column), output) in places.iter().zip(&program.outputs) {
        outputs[*row as usize * columns + *column as usize] = *output;
    }
    program.outputs = outputs;
    Ok(program)
}
