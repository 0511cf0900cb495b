//! [`Program`], its nodes and guards.

use std::fmt;
use std::sync::Arc;

use super::guard::Guard;
use super::node::{NodeId, NodeKind};
use super::region::Region;
use super::rule::ProgramRule;
use crate::error::{Error, Location};

/// A recorded Wengert list.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
/// assert_eq!(program.to_string(), "v0 = input 0\nv1 = input 1\nv2 = sin v1\nv3 = mul v0 v2\noutput v3\n");
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, `m` outputs, any number of nodes up to 2^32.
/// **Cost**: about 40 bytes per binary operation.
/// **Source**: Wengert 1964.
#[derive(Clone, Default)]
pub struct Program {
    pub(super) kinds: Vec<NodeKind>,
    /// Per node, the number of arguments up to and including its own.
    pub(super) ends: Vec<u32>,
    pub(super) arguments: Vec<NodeId>,
    pub(super) inputs: usize,
    pub(super) outputs: Vec<NodeId>,
    pub(super) guards: Vec<Guard>,
    pub(super) regions: Vec<Region>,
    pub(super) rules: Vec<Arc<dyn ProgramRule>>,
    /// Per node, one more than the number of its location, or 0; empty if no location is known.
    pub(super) places: Vec<u32>,
    pub(super) locations: Vec<Arc<Location>>,
    /// Whether it computes derivatives; then replay may fuse products with sums (EDGE_CASES R1).
    pub(super) is_derivative: bool,
    /// Where the function was recorded; empty if there is no such point.
    pub(super) point: Vec<f64>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("inputs", &self.inputs)
            .field("nodes", &self.kinds.len())
            .field("outputs", &self.outputs)
            .field("guards", &self.guards.len())
            .finish()
    }
}

impl Program {
    /// The number of inputs `n`.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The nodes of the `m` outputs.
    #[must_use]
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// The number of nodes, inputs and constants included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// All nodes in order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.kinds.len())
            .map(|i| NodeId::new(i).expect("every node was checked when it was made"))
    }

    /// What a node computes.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.kinds[node.index()]
    }

    /// The arguments of a node.
    #[must_use]
    pub fn arguments(&self, node: NodeId) -> &[NodeId] {
        let start = node
            .index()
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        &self.arguments[start..self.ends[node.index()] as usize]
    }

    /// The point at which the function was recorded; empty for a program that was not recorded or has been transformed.
    #[must_use]
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Where a node was recorded, if it is known.
    #[must_use]
    pub fn location(&self, node: NodeId) -> Option<&Arc<Location>> {
        let place = *self.places.get(node.index())?;
        self.locations
            .get(usize::try_from(place).ok()?.checked_sub(1)?)
    }

    /// The program with some of its outputs, in the order of `picks`; an output may be picked more than once.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] + 1.0, x[0] * 2.0], &[3.0])?;
    /// assert_eq!(program.select_outputs(&[1])?.prepare()?.run(&[3.0])?, [6.0]);
    /// assert!(program.select_outputs(&[2]).is_err());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: a copy; [`simplify`](Self::simplify) drops what is no longer needed.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`] if there is no such output.
    pub fn select_outputs(&self, picks: &[usize]) -> Result<Self, Error> {
        let pick = |index: &usize| {
            self.outputs
                .get(*index)
                .copied()
                .ok_or(Error::IndexOutOfRange {
                    what: "outputs",
                    index: *index,
                    len: self.outputs.len(),
                })
        };
        let outputs = picks.iter().map(pick).collect::<Result<_, _>>()?;
        Ok(Self {
            outputs,
            ..self.clone()
        })
    }

    /// Whether the program was made by differentiation.
    ///
    /// With more than one lane, replay rounds a product and a sum of such a program only once.
    #[must_use]
    pub fn is_derivative(&self) -> bool {
        self.is_derivative
    }

    /// The regions, numbered as in [`NodeKind::Region`].
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The decisions that were made while recording.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }
}
