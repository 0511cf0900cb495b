//! Forward mode on programs: every node carries a sparse list of tangents, one per direction that reaches it.
//!
//! One direction is a Jacobian-vector product, one per input is a Jacobian.
//! Invariant: a list is sorted by direction, and a direction that is not in it is a structural zero.
//! Source: Griewank & Walther 2008, §3.1 and §7.1 (sparse vector forward).

use std::cell::Cell;

use super::draft::{Contribution, Derivative, Draft, mapped};
use super::edge::{edges, shared_tangent};
use super::forward_region::RegionTangents;
use crate::elementary::Op;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::words::Map;

/// The tangents of a node by direction, ascending.
pub(super) type Tangents = Vec<(u32, Derivative)>;

/// A program copied together with its tangents.
pub(super) struct Forward<'a> {
    pub(super) draft: &'a Draft,
    pub(super) program: &'a Program,
    pub(super) map: Vec<NodeId>,
    pub(super) tangents: Vec<Tangents>,
    regions: Map<NodeId, RegionTangents>,
}

impl<'a> Forward<'a> {
    /// Copies a program whose inputs are these nodes with these tangents.
    pub(super) fn run(
        draft: &'a Draft,
        program: &'a Program,
        inputs: Vec<NodeId>,
        tangents: Vec<Tangents>,
    ) -> Result<Self, Error> {
        let mut forward = Self {
            draft,
            program,
            map: inputs,
            tangents,
            regions: Map::default(),
        };
        draft.adopt(program);
        for node in program.nodes().skip(program.inputs) {
            forward.visit(node)?;
            draft.place(program, node);
        }
        draft.guards(program, &forward.map);
        Ok(forward)
    }

    fn visit(&mut self, node: NodeId) -> Result<(), Error> {
        let arguments = self.program.arguments(node);
        let is_active = |argument: &NodeId| !self.tangents[argument.index()].is_empty();
        let kind = self.program.kind(node);
        if let (NodeKind::Region(r), true) = (kind, arguments.iter().any(is_active)) {
            let region = &self.program.regions[r as usize];
            let nodes = mapped(self.program, node, &self.map);
            let tangents: Vec<&[(u32, Derivative)]> = arguments
                .iter()
                .map(|argument| self.tangents[argument.index()].as_slice())
                .collect();
            let region = RegionTangents::build(self.draft, region, &nodes, &tangents, None)?;
            self.map.push(region.node);
            self.tangents.push(Vec::new());
            self.regions.insert(node, region);
            return Ok(());
        }
        self.map
            .push(self.draft.copy(self.program, node, &self.map)?);
        let tangents = match kind {
            NodeKind::Select => self.select(node),
            NodeKind::Result(k) => match self.regions.get(&arguments[0]) {
                Some(region) => {
                    let outer = self.program.arguments(arguments[0]);
                    let tangents =
                        |argument: usize| self.tangents[outer[argument].index()].as_slice();
                    region.tangents(self.draft, k as usize, tangents)?
                }
                None => Vec::new(),
            },
            _ if arguments.iter().any(is_active) => self.along_edges(node),
            _ => Vec::new(),
        };
        self.tangents.push(tangents);
        Ok(())
    }

    fn along_edges(&self, node: NodeId) -> Tangents {
        let arguments = self.program.arguments(node);
        let tangents = |position: usize| &self.tangents[arguments[position].index()];
        // Several directions are cheaper by partials, which they have in common.
        if let &[x, y] = arguments
            && let ([(direction, dx)], [(other, dy)]) = (
                self.tangents[x.index()].as_slice(),
                self.tangents[y.index()].as_slice(),
            )
            && direction == other
            && let Some(tangent) =
                shared_tangent(self.draft, self.program, node, &self.map, [*dx, *dy])
        {
            return vec![(*direction, tangent)];
        }
        let edges = edges(self.draft, self.program, node, &self.map, |position| {
            !tangents(position).is_empty()
        });
        let mut terms = Vec::new();
        for (position, weight) in edges {
            for (direction, tangent) in tangents(position) {
                let term = self.draft.apply(weight, *tangent);
                terms.push((*direction, term));
            }
        }
        let mut sums = by_direction(self.draft, terms);
        if let NodeKind::Elementary(Op::Max | Op::Min | Op::MaxOf | Op::MinOf) =
            self.program.kind(node)
        {
            // One argument always wins: where all have tangents there is one everywhere.
            for (direction, sum) in &mut sums {
                let everywhere =
                    |position| of(tangents(position), *direction).is_some_and(|t| t.mask.is_none());
                if (0..arguments.len()).all(everywhere) {
                    sum.mask = None;
                }
            }
        }
        sums
    }

    /// Either tangent; one that is missing is a structural zero.
    fn select(&self, node: NodeId) -> Tangents {
        let arguments = self.program.arguments(node);
        let [a, b] = [0, 1].map(|k: usize| &self.tangents[arguments[k].index()]);
        let mut directions: Vec<u32> = a.iter().chain(b).map(|(direction, _)| *direction).collect();
        directions.sort_unstable();
        directions.dedup();
        let draft = self.draft;
        let mask = self.map[arguments[2].index()];
        let not = Cell::new(None);
        let other = || {
            let node = not
                .get()
                .unwrap_or_else(|| draft.push(NodeKind::Not, &[mask]));
            not.set(Some(node));
            node
        };
        directions
            .into_iter()
            .map(|direction| {
                let tangent = match (of(a, direction), of(b, direction)) {
                    (Some(a), Some(b)) => {
                        let value = if a.value == b.value {
                            a.value
                        } else {
                            draft.push(NodeKind::Select, &[a.value, b.value, mask])
                        };
                        // Without masks it holds everywhere; else where the chosen one does.
                        let holds = match (a.mask, b.mask) {
                            (None, None) => None,
                            (a, b) if a == b => a,
                            (a, b) => {
                                let arms = [draft.both(mask, a), draft.both(other(), b)];
                                Some(draft.push(NodeKind::Or, &arms))
                            }
                        };
                        Derivative { value, mask: holds }
                    }
                    (a, b) => {
                        let zero = draft.zero();
                        let [x, y] = [a, b].map(|t| t.map_or(zero, |t| t.value));
                        let value = draft.push(NodeKind::Select, &[x, y, mask]);
                        let (arm, inner) = match a {
                            Some(a) => (mask, a.mask),
                            None => (other(), b.and_then(|b| b.mask)),
                        };
                        Derivative {
                            value,
                            mask: Some(draft.both(arm, inner)),
                        }
                    }
                };
                (direction, tangent)
            })
            .collect()
    }
}

/// The tangent in a direction.
pub(super) fn of(tangents: &[(u32, Derivative)], direction: u32) -> Option<Derivative> {
    let found = tangents.binary_search_by_key(&direction, |(direction, _)| *direction);
    found.ok().map(|index| tangents[index].1)
}

/// Adds the terms of every direction.
pub(super) fn by_direction(draft: &Draft, mut terms: Vec<(u32, Contribution)>) -> Tangents {
    terms.sort_by_key(|(direction, _)| *direction);
    let mut tangents = Vec::new();
    for group in terms.chunk_by(|a, b| a.0 == b.0) {
        let contributions: Vec<Contribution> = group.iter().map(|(_, term)| *term).collect();
        if let Some(sum) = draft.combine(&contributions) {
            tangents.push((group[0].0, sum));
        }
    }
    tangents
}

impl Program {
    /// The Jacobian-vector product as a program.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// let jvp = program.jvp()?;
    /// let values = jvp.values(&[3.0, 2.0, 1.0, 10.0])?;
    /// assert_eq!(jvp.outputs().iter().map(|y| values[y.index()]).collect::<Vec<_>>(), [6.0, 32.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `[x, x_dot]` (2n), outputs `[y, y_dot]` (2m). An output without influence of an input has the constant 0.
    /// **Cost**: one operation and its partials per operation; a region stays a region with up to twice the inputs and outputs.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §3.1.
    pub fn jvp(&self) -> Result<Self, Error> {
        let n = self.inputs;
        let draft = Draft::open(2 * n)?;
        let input = |k: usize| NodeId::new(k);
        let inputs = (0..n).map(input).collect::<Result<_, _>>()?;
        let seeds = (n..2 * n)
            .map(|k| Ok(vec![(0, input(k)?.into())]))
            .collect::<Result<_, Error>>()?;
        let forward = Forward::run(&draft, self, inputs, seeds)?;
        let primals = self.outputs.iter().map(|y| forward.map[y.index()]);
        let tangents = self
            .outputs
            .iter()
            .map(|y| of(&forward.tangents[y.index()], 0).map_or_else(|| draft.zero(), |t| t.value));
        let outputs = primals.chain(tangents).collect();
        draft.finish(outputs)?.live()
    }
}
