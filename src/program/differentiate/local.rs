//! [`Local`]: the partials of a program along its edges, and the program that computes them.
//!
//! The weights of an edge are those that forward and reverse mode multiply with. A region has no vertex of its own: its
//! results hang on its arguments, by partials that one differentiated body computes.
//!
//! Invariant: every edge lies on a path from an input to an output; edges are sorted by target, then source, and no two are
//! parallel.
//! Source: Griewank & Walther 2008, §9 (linearized computational graphs) and §10.3 (preaccumulation).

use std::collections::{BTreeMap, HashMap};

use super::adjoint::activity;
use super::draft::{Derivative, Draft, Weight, mapped};
use super::edge::edges;
use super::forward_region::RegionTangents;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};

/// An edge: source and target are nodes of the original program, the weights name nodes of [`Local::program`].
#[derive(Clone, Debug)]
pub(crate) struct LocalEdge {
    pub(crate) source: NodeId,
    pub(crate) target: NodeId,
    /// What the partial is the sum of.
    pub(crate) weights: Vec<Weight>,
}

/// The linearization of a program.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// Computes everything that the weights name; its guards are those of the original.
    pub(crate) program: Program,
    pub(crate) edges: Vec<LocalEdge>,
    /// The nodes of the outputs of the original, where they are asked for.
    pub(crate) primals: Vec<NodeId>,
}

/// Plans the Jacobian of the body of a region by the inputs that are active.
pub(crate) type BodyPlanner<'a> = dyn Fn(&Program, &[bool]) -> Result<PlannedBody, Error> + 'a;

/// The body of a region with its Jacobian.
pub(crate) struct PlannedBody {
    /// The outputs of the body come first.
    pub(crate) program: Program,
    pub(crate) entries: Vec<PlannedEntry>,
}

/// An entry of the Jacobian of a body.
pub(crate) struct PlannedEntry {
    pub(crate) output: usize,
    pub(crate) input: usize,
    /// The number of the output that it is.
    pub(crate) value: usize,
    /// That of the mask where it holds.
    pub(crate) mask: Option<usize>,
}

impl Local {
    /// Linearizes a program at the inputs that are active; the bodies of its regions are planned by themselves.
    pub(crate) fn of(
        program: &Program,
        active: &[bool],
        with_primals: bool,
        planner: &BodyPlanner<'_>,
    ) -> Result<Self, Error> {
        let draft = Draft::open(program.inputs)?;
        let varied = activity(program, active);
        let mut copies = Copies {
            draft: &draft,
            program,
            varied: &varied,
            planner,
            map: (0..program.inputs)
                .map(NodeId::new)
                .collect::<Result<_, _>>()?,
            regions: HashMap::new(),
        };
        draft.adopt(program);
        for node in program.nodes().skip(program.inputs) {
            copies.copy(node)?;
            draft.place(program, node);
        }
        draft.guards(program, &copies.map);
        let mut is_needed = vec![false; program.len()];
        for output in &program.outputs {
            is_needed[output.index()] = true;
        }
        let mut edges = Vec::new();
        for index in (program.inputs..program.len()).rev() {
            if !is_needed[index] || !varied[index] {
                continue;
            }
            let target = NodeId::new(index)?;
            for (source, weights) in copies.edges(target)?.into_iter().rev() {
                is_needed[source.index()] = true;
                edges.push(LocalEdge {
                    source,
                    target,
                    weights,
                });
            }
            draft.place(program, target);
        }
        let primals = if with_primals {
            let outputs = program.outputs.iter();
            outputs.map(|y| copies.map[y.index()]).collect()
        } else {
            Vec::new()
        };
        drop(copies);
        edges.reverse();
        keep_reached(&mut edges, active, program.len());
        close(draft, edges, primals)
    }
}

/// Drops the edges whose source no input reaches: what is left of it has no partial.
fn keep_reached(edges: &mut Vec<LocalEdge>, active: &[bool], nodes: usize) {
    let mut is_reached = active.to_vec();
    is_reached.resize(nodes, false);
    edges.retain(|edge| {
        let is = is_reached[edge.source.index()];
        is_reached[edge.target.index()] |= is;
        is
    });
}

/// Closes the program of the partials and simplifies it.
fn close(draft: Draft, mut edges: Vec<LocalEdge>, primals: Vec<NodeId>) -> Result<Local, Error> {
    let count = primals.len();
    let mut outputs = primals;
    for weight in edges.iter_mut().flat_map(|edge| &mut edge.weights) {
        each_node(weight, |node| outputs.push(*node));
    }
    let program = draft.finish(outputs)?.simplify()?;
    let (primals, weights) = program.outputs.split_at(count);
    let primals = primals.to_vec();
    let mut simple = weights.iter();
    for edge in &mut edges {
        for weight in &mut edge.weights {
            each_node(weight, |node| {
                if let Some(found) = simple.next() {
                    *node = *found;
                }
            });
            if let Weight::Times(node) = *weight
                && let NodeKind::Constant(c) = program.kind(node)
            {
                *weight = Weight::Constant(c);
            }
        }
        merge_constants(&mut edge.weights);
    }
    Ok(Local {
        program,
        edges,
        primals,
    })
}

fn each_node(weight: &mut Weight, mut visit: impl FnMut(&mut NodeId)) {
    match weight {
        Weight::Constant(_) => {}
        Weight::Times(node) | Weight::Arm(node) | Weight::Domain(node) => visit(node),
        Weight::Gated(node, mask) => {
            visit(node);
            visit(mask);
        }
    }
}

/// Constants among the weights become one.
fn merge_constants(weights: &mut Vec<Weight>) {
    let constant = |weight: &Weight| match weight {
        Weight::Constant(c) => Some(*c),
        _ => None,
    };
    let constants: Vec<f64> = weights.iter().filter_map(constant).collect();
    if constants.len() > 1 {
        weights.retain(|weight| constant(weight).is_none());
        weights.push(Weight::Constant(constants.iter().sum()));
    }
}

/// The original copied, its regions together with their partials.
struct Copies<'a> {
    draft: &'a Draft,
    program: &'a Program,
    varied: &'a [bool],
    planner: &'a BodyPlanner<'a>,
    map: Vec<NodeId>,
    regions: HashMap<NodeId, RegionPartials>,
}

/// A region with the partials of its results; the direction of an argument is the number of its node.
struct RegionPartials {
    region: RegionTangents,
    seeds: Vec<Vec<(u32, Derivative)>>,
}

impl Copies<'_> {
    fn copy(&mut self, node: NodeId) -> Result<(), Error> {
        let copy = match self.program.kind(node) {
            NodeKind::Region(r) if self.varied[node.index()] => {
                let region = &self.program.regions[r as usize];
                let nodes = mapped(self.program, node, &self.map);
                let one = Derivative::from(self.draft.constant(1.0));
                let arguments = self.program.arguments(node).iter();
                let seeds: Vec<Vec<(u32, Derivative)>> = arguments
                    .map(|argument| match self.varied[argument.index()] {
                        true => vec![(argument.raw(), one)],
                        false => Vec::new(),
                    })
                    .collect();
                let tangents: Vec<_> = seeds.iter().map(Vec::as_slice).collect();
                let planner = Some(self.planner);
                let region = RegionTangents::build(self.draft, region, &nodes, &tangents, planner)?;
                let copy = region.node;
                self.regions.insert(node, RegionPartials { region, seeds });
                copy
            }
            _ => self.draft.copy(self.program, node, &self.map)?,
        };
        self.map.push(copy);
        Ok(())
    }

    /// The edges that enter a node, by source.
    fn edges(&self, node: NodeId) -> Result<BTreeMap<NodeId, Vec<Weight>>, Error> {
        let arguments = self.program.arguments(node);
        let mut found: BTreeMap<NodeId, Vec<Weight>> = BTreeMap::new();
        if let NodeKind::Result(k) = self.program.kind(node) {
            if let Some(RegionPartials { region, seeds }) = self.regions.get(&arguments[0]) {
                let seed = |argument: usize| seeds[argument].as_slice();
                for (source, partial) in region.tangents(self.draft, k as usize, seed)? {
                    let weight = match (self.draft.constant_of(partial.value), partial.mask) {
                        (Some(c), None) => Weight::Constant(c),
                        (_, None) => Weight::Times(partial.value),
                        (_, Some(mask)) => Weight::Gated(partial.value, mask),
                    };
                    found.insert(NodeId::from_raw(source), vec![weight]);
                }
            }
            return Ok(found);
        }
        let is_wanted = |position: usize| self.varied[arguments[position].index()];
        for (position, weight) in edges(self.draft, self.program, node, &self.map, is_wanted) {
            found.entry(arguments[position]).or_default().push(weight);
        }
        Ok(found)
    }
}
