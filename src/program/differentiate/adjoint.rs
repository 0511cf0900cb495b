//! Reverse mode on programs: the adjoint of every node that an output depends on.
//!
//! Invariant: a node gets an adjoint only if an output was seeded above it and an input lies below it; what no seed reaches
//! has no adjoint, not the adjoint 0 (EDGE_CASES R3).
//! Source: Griewank & Walther 2008, §3.2 and §4.4.

use smallvec::SmallVec;

use super::draft::{Contribution, Derivative, Draft, Weight, mapped};
use super::edge::{edges, shared_adjoints};
use super::reverse_region::{History, reverse_region};
use super::segment::{Storage, segmented};
use super::waiting::Waiting;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::region::{Region, ResultStarts, Source};
use crate::program::words::Map;

/// A copied program with what a reverse sweep over it needs; any number of sweeps share the partials.
pub(super) struct Reverse<'a> {
    pub(super) draft: &'a Draft,
    program: &'a Program,
    pub(super) map: Vec<NodeId>,
    varied: Vec<bool>,
    histories: Map<NodeId, History>,
    edges: Map<NodeId, Vec<(usize, Weight)>>,
    /// What every node has received; most receive one term or two.
    pending: Vec<SmallVec<[Contribution; 2]>>,
    /// The nodes that have received something; empty between sweeps.
    waiting: Waiting,
    keeps_edges: bool,
}

impl<'a> Reverse<'a> {
    /// Copies a program whose inputs are these nodes.
    pub(super) fn prepare(
        draft: &'a Draft,
        program: &'a Program,
        inputs: Vec<NodeId>,
        active: &[bool],
    ) -> Result<Self, Error> {
        let varied = activity(program, active);
        let mut map = inputs;
        let mut histories = Map::default();
        draft.adopt(program);
        for node in program.nodes().skip(program.inputs) {
            let copy = match program.kind(node) {
                NodeKind::Region(r)
                    if varied[node.index()] && program.regions[r as usize].is_scan() =>
                {
                    let region = &program.regions[r as usize];
                    let arguments = mapped(program, node, &map);
                    let history = History::store(draft, region, &arguments)?;
                    let copy = history.node;
                    histories.insert(node, history);
                    copy
                }
                _ => draft.copy(program, node, &map)?,
            };
            map.push(copy);
            draft.place(program, node);
        }
        draft.guards(program, &map);
        Ok(Self {
            draft,
            program,
            map,
            varied,
            histories,
            edges: Map::default(),
            pending: vec![SmallVec::new(); program.len()],
            waiting: Waiting::new(program.len()),
            keeps_edges: false,
        })
    }

    /// Keeps the partials for further sweeps.
    pub(super) fn keep_edges(&mut self) {
        self.keeps_edges = true;
    }

    /// The adjoints of the inputs, ascending, for adjoints of the outputs with these numbers.
    pub(super) fn sweep(
        &mut self,
        seeds: &[(usize, Derivative)],
    ) -> Result<Vec<(u32, Derivative)>, Error> {
        for (output, seed) in seeds {
            let node = self.program.outputs[*output];
            self.add(node, Contribution::from(*seed));
        }
        let mut adjoints = Vec::new();
        let mut results: Map<NodeId, Vec<(usize, Derivative)>> = Map::default();
        while let Some(node) = self.waiting.pop() {
            let contributions = std::mem::take(&mut self.pending[node.index()]);
            let kind = self.program.kind(node);
            if let NodeKind::Region(r) = kind {
                let results = results.remove(&node).unwrap_or_default();
                let results = self.by_result(results);
                let region = &self.program.regions[r as usize];
                let arguments = self.program.arguments(node);
                let active: Vec<bool> = arguments.iter().map(|a| self.varied[a.index()]).collect();
                let nodes = mapped(self.program, node, &self.map);
                let history = self.histories.get(&node);
                let terms = reverse_region(self.draft, region, &nodes, &active, history, &results)?;
                for (position, term) in terms {
                    self.add(arguments[position], term);
                }
                self.draft.place(self.program, node);
                continue;
            }
            let Some(adjoint) = self.draft.combine(&contributions) else {
                continue;
            };
            match kind {
                NodeKind::Input(k) => adjoints.push((k, adjoint)),
                NodeKind::Result(k) => {
                    let region = self.program.arguments(node)[0];
                    let results = results.entry(region).or_default();
                    if results.is_empty() {
                        self.waiting.push(region);
                    }
                    results.push((k as usize, adjoint));
                }
                _ => {
                    if let Some(terms) = self.shared(node, adjoint) {
                        for (argument, term) in self.program.arguments(node).iter().zip(terms) {
                            self.add(*argument, term);
                        }
                        self.draft.place(self.program, node);
                        continue;
                    }
                    let edges = match self.edges.remove(&node) {
                        Some(edges) => edges,
                        None => edges(self.draft, self.program, node, &self.map, |position| {
                            self.varied[self.program.arguments(node)[position].index()]
                        }),
                    };
                    for (position, weight) in &edges {
                        let argument = self.program.arguments(node)[*position];
                        let term = self.draft.apply(*weight, adjoint);
                        self.add(argument, term);
                    }
                    if self.keeps_edges {
                        self.edges.insert(node, edges);
                    }
                }
            }
            self.draft.place(self.program, node);
        }
        adjoints.reverse();
        Ok(adjoints)
    }

    /// What the node gives to its two arguments if they share; several sweeps have the partials in common instead.
    fn shared(&self, node: NodeId, adjoint: Derivative) -> Option<[Contribution; 2]> {
        let is_active = |argument: &NodeId| self.varied[argument.index()];
        let is_shared = !self.keeps_edges && self.program.arguments(node).iter().all(is_active);
        let shared = || shared_adjoints(self.draft, self.program, node, &self.map, adjoint);
        is_shared.then(shared).flatten()
    }

    /// The adjoints of results, ascending; several nodes may stand for one result.
    fn by_result(&self, mut found: Vec<(usize, Derivative)>) -> Vec<(usize, Derivative)> {
        found.sort_by_key(|(result, _)| *result);
        let sum = |group: &[(usize, Derivative)]| {
            let terms: Vec<Contribution> = group.iter().map(|(_, d)| (*d).into()).collect();
            Some((group[0].0, self.draft.combine(&terms)?))
        };
        found.chunk_by(|a, b| a.0 == b.0).filter_map(sum).collect()
    }

    fn add(&mut self, node: NodeId, term: Contribution) {
        if !self.varied[node.index()] {
            return;
        }
        let pending = &mut self.pending[node.index()];
        if pending.is_empty() {
            self.waiting.push(node);
        }
        pending.push(term);
    }
}

/// Which nodes depend on the active inputs in a way that derivatives see.
pub(super) fn activity(program: &Program, active: &[bool]) -> Vec<bool> {
    let mut varied = active.to_vec();
    let mut outputs: Map<NodeId, (ResultStarts, Vec<bool>)> = Map::default();
    for node in program.nodes().skip(program.inputs) {
        let arguments = program.arguments(node);
        let is_varied = |position: usize| varied[arguments[position].index()];
        let any = match program.kind(node) {
            NodeKind::Constant(_) | NodeKind::Detach => false,
            kind if kind.is_mask() => false,
            NodeKind::Domain => is_varied(1),
            NodeKind::Select | NodeKind::Gate => is_varied(0) || is_varied(1),
            NodeKind::Region(r) => {
                let active: Vec<bool> = (0..arguments.len()).map(is_varied).collect();
                let region = &program.regions[r as usize];
                outputs.insert(
                    node,
                    (ResultStarts::of(region), region_activity(region, &active).1),
                );
                active.contains(&true)
            }
            NodeKind::Result(k) => outputs
                .get(&arguments[0])
                .is_some_and(|(results, outputs)| outputs[results.locate(k as usize).0]),
            _ => (0..arguments.len()).any(is_varied),
        };
        varied.push(any);
    }
    varied
}

/// Which inputs and outputs of a body are active in some iteration, given the arguments of the region that are.
pub(super) fn region_activity(region: &Region, active: &[bool]) -> (Vec<bool>, Vec<bool>) {
    let mut inputs: Vec<bool> = region
        .argument_ranges()
        .map(|range| active[range].contains(&true))
        .collect();
    loop {
        let varied = activity(&region.body, &inputs);
        let outputs: Vec<bool> = region
            .body
            .outputs
            .iter()
            .map(|y| varied[y.index()])
            .collect();
        let mut is_complete = true;
        for (input, source) in inputs.iter_mut().zip(&region.sources) {
            if let Source::Carried { output } = source {
                is_complete &= *input || !outputs[*output as usize];
                *input |= outputs[*output as usize];
            }
        }
        if is_complete {
            return (inputs, outputs);
        }
    }
}

impl Program {
    /// The vector-Jacobian product as a program, with [`Storage::Store`].
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// let vjp = program.vjp()?;
    /// let values = vjp.values(&[3.0, 2.0, 10.0])?;
    /// let outputs: Vec<f64> = vjp.outputs().iter().map(|y| values[y.index()]).collect();
    /// assert_eq!(outputs, [6.0, 20.0, 30.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `[x, y_bar]` (n + m), outputs `[y, x_bar]` (m + n). An input without influence has the constant 0.
    /// **Cost**: one operation and its partials per operation on a path from an input to an output; a region gets a second
    /// region that runs its body again and then backwards, and a scan also stores what its iterations hand on.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §3.2.
    pub fn vjp(&self) -> Result<Self, Error> {
        self.vjp_by(Storage::Store)
    }

    /// [`vjp`](Self::vjp) with a choice of what scans keep.
    ///
    /// **Shape**, **Cost**, **Source**: as [`vjp`](Self::vjp) and [`Storage`].
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    pub fn vjp_by(&self, storage: Storage) -> Result<Self, Error> {
        let (n, m) = (self.inputs, self.outputs.len());
        let program = &*segmented(self, storage)?;
        let draft = Draft::open(n + m)?;
        let inputs = (0..n).map(NodeId::new).collect::<Result<_, _>>()?;
        let mut reverse = Reverse::prepare(&draft, program, inputs, &vec![true; n])?;
        let seeds: Vec<(usize, Derivative)> = (0..m)
            .map(|k| Ok((k, Derivative::from(NodeId::new(n + k)?))))
            .collect::<Result<_, Error>>()?;
        let adjoints = reverse.sweep(&seeds)?;
        let mut outputs = reverse.primals();
        outputs.extend(reverse.dense(&adjoints));
        drop(reverse);
        draft.finish(outputs)?.live()
    }

    /// The gradient of a scalar function as a program, with [`Storage::Store`].
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// // The partials of a product are its factors: nothing is left to compute.
    /// let gradient = program.gradient()?;
    /// assert_eq!(gradient.to_string(), "derivative\nv0 = input 0\nv1 = input 1\noutput v1\noutput v0\n");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `x` (n), outputs the `n` partials.
    /// **Cost**: as [`vjp`](Self::vjp), without what only the value needs.
    ///
    /// # Errors
    /// [`Error::NotScalar`] unless there is one output; [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §3.2 (the cheap gradient).
    pub fn gradient(&self) -> Result<Self, Error> {
        self.gradient_by(Storage::Store)
    }

    /// [`gradient`](Self::gradient) with a choice of what scans keep.
    ///
    /// **Shape**, **Cost**, **Source**: as [`gradient`](Self::gradient) and [`Storage`].
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn gradient_by(&self, storage: Storage) -> Result<Self, Error> {
        self.scalar_gradient(storage, false)
    }

    /// The value and the gradient of a scalar function as a program.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// assert_eq!(program.value_and_gradient()?.outputs().len(), 3);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: inputs `x` (n), outputs `[y, partials]` (1 + n).
    /// **Cost**: as [`vjp`](Self::vjp).
    ///
    /// # Errors
    /// [`Error::NotScalar`] unless there is one output; [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §3.2.
    pub fn value_and_gradient(&self) -> Result<Self, Error> {
        self.scalar_gradient(Storage::Store, true)
    }

    fn scalar_gradient(&self, storage: Storage, with_value: bool) -> Result<Self, Error> {
        let n = self.inputs;
        if self.outputs.len() != 1 {
            return Err(Error::NotScalar {
                outputs: self.outputs.len(),
            });
        }
        let program = &*segmented(self, storage)?;
        let draft = Draft::open(n)?;
        let inputs = (0..n).map(NodeId::new).collect::<Result<_, _>>()?;
        let mut reverse = Reverse::prepare(&draft, program, inputs, &vec![true; n])?;
        let adjoints = reverse.sweep(&[(0, Derivative::from(draft.constant(1.0)))])?;
        let mut outputs = if with_value {
            reverse.primals()
        } else {
            Vec::new()
        };
        outputs.extend(reverse.dense(&adjoints));
        drop(reverse);
        draft.finish(outputs)?.live()
    }
}

impl Reverse<'_> {
    pub(super) fn primals(&self) -> Vec<NodeId> {
        self.program
            .outputs
            .iter()
            .map(|y| self.map[y.index()])
            .collect()
    }

    /// The nodes of adjoints, 0 for those that are missing.
    fn dense(&self, adjoints: &[(u32, Derivative)]) -> Vec<NodeId> {
        let mut nodes = vec![None; self.program.inputs];
        for (input, adjoint) in adjoints {
            nodes[*input as usize] = Some(adjoint.value);
        }
        let zero = |node: Option<NodeId>| node.unwrap_or_else(|| self.draft.zero());
        nodes.into_iter().map(zero).collect()
    }
}
