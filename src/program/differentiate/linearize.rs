//! [`Linearization`]: the partials of a program at one point, for many products with the Jacobian or its transpose.
//!
//! Invariant: an edge is kept only where a derivative passes it at this point; what is not selected, or does not depend on an
//! input, has no edge, so no structural zero is ever multiplied (EDGE_CASES R3).
//! Source: Griewank & Walther 2008, §3.1 and §3.2 (sweeps over the linearized computational graph).

use std::ops::Range;

use crate::error::{Error, check_len};
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::region::{Region, ResultStarts, Sink, Source};
use crate::scalar::Short;

/// The derivative of a program at a point as a linear function; see [`Program::linearize`].
///
/// **Shape**: `n` inputs, `m` outputs.
/// **Cost**: 16 bytes per edge, regions once per iteration.
/// **Source**: JAX `linearize`; Griewank & Walther 2008, §3.
#[derive(Debug)]
pub struct Linearization {
    values: Vec<f64>,
    outputs: Vec<f64>,
    graph: Graph,
}

/// The edges of a program.
#[derive(Debug)]
struct Graph {
    inputs: usize,
    outputs: Vec<usize>,
    /// Per node, where its edges end.
    ends: Vec<usize>,
    edges: Vec<(usize, f64)>,
    /// The regions that derivatives pass, by ascending node.
    regions: Vec<(usize, Loop)>,
    /// Results of those regions: node, index into `regions`, number of the result.
    results: Vec<(usize, usize, usize)>,
    /// Whether a derivative reaches the node.
    varied: Vec<bool>,
}

/// A region: the graph of its body for every iteration.
#[derive(Debug)]
struct Loop {
    region: Region,
    arguments: Vec<usize>,
    graphs: Vec<Graph>,
}

impl Program {
    /// The partials of all operations at `x`, for any number of [`jvp`](Linearization::jvp) and [`vjp`](Linearization::vjp).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// let derivative = program.linearize(&[3.0, 2.0])?;
    /// assert_eq!(derivative.outputs(), [6.0]);
    /// assert_eq!(derivative.jvp(&[1.0, 10.0])?, [32.0]);
    /// assert_eq!(derivative.vjp(&[10.0])?, [20.0, 30.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` has `n` entries.
    /// **Cost**: one naive evaluation and the partials of every operation, bodies once per iteration (a body inside a body once
    /// more per level).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong, [`Error::BranchChanged`] if a decision is another one at `x`.
    ///
    /// **Source**: Griewank & Walther 2008, §3.
    pub fn linearize(&self, x: &[f64]) -> Result<Linearization, Error> {
        let values = self.values(x)?;
        let graph = Graph::build(self, &values, &vec![true; self.inputs])?;
        let outputs = self.outputs.iter().map(|y| values[y.index()]).collect();
        Ok(Linearization {
            values,
            outputs,
            graph,
        })
    }
}

impl Linearization {
    /// The values of all nodes.
    ///
    /// **Shape**: one per node of the program. **Cost**: none.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values of the outputs.
    ///
    /// **Shape**: `m`. **Cost**: none.
    #[must_use]
    pub fn outputs(&self) -> &[f64] {
        &self.outputs
    }

    /// The product of the Jacobian with a tangent; every entry of it is a seed, also a 0.0.
    ///
    /// **Shape**: `tangent` has `n` entries, the result `m`.
    /// **Cost**: one multiplication per edge.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong.
    ///
    /// **Source**: Griewank & Walther 2008, §3.1.
    pub fn jvp(&self, tangent: &[f64]) -> Result<Vec<f64>, Error> {
        check_len("tangent", self.graph.inputs, tangent.len())?;
        Ok(self.graph.jvp(tangent))
    }

    /// The product of the transposed Jacobian with a cotangent; every entry of it is a seed, also a 0.0.
    ///
    /// **Shape**: `cotangent` has `m` entries, the result `n`.
    /// **Cost**: one multiplication per edge.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong.
    ///
    /// **Source**: Griewank & Walther 2008, §3.2.
    pub fn vjp(&self, cotangent: &[f64]) -> Result<Vec<f64>, Error> {
        check_len("cotangent", self.graph.outputs.len(), cotangent.len())?;
        let seeds: Vec<Option<f64>> = cotangent.iter().copied().map(Some).collect();
        let adjoints = self.graph.vjp(&seeds);
        Ok(adjoints
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect())
    }
}

impl Graph {
    /// The graph at the values of all nodes, for these active inputs.
    fn build(program: &Program, values: &[f64], active: &[bool]) -> Result<Self, Error> {
        for guard in &program.guards {
            guard.check(|node| values[node.index()])?;
        }
        let mut graph = Self {
            inputs: program.inputs,
            outputs: program.outputs.iter().map(|y| y.index()).collect(),
            ends: vec![0; program.inputs],
            edges: Vec::new(),
            regions: Vec::new(),
            results: Vec::new(),
            varied: active.to_vec(),
        };
        let mut varied_results: Vec<Vec<bool>> = Vec::new();
        let (mut args, mut partials) = (Short::new(), Short::new());
        for node in program.nodes().skip(program.inputs) {
            let arguments = program.arguments(node);
            let mut is_varied = false;
            match program.kind(node) {
                NodeKind::Region(r) => {
                    let region = &program.regions[r as usize];
                    let (inner, results) = graph.region(region, arguments, values)?;
                    graph.regions.push((node.index(), inner));
                    varied_results.push(results);
                }
                NodeKind::Result(k) => {
                    let from = arguments[0].index();
                    let found = graph.regions.binary_search_by_key(&from, |(node, _)| *node);
                    if let Ok(number) = found {
                        is_varied = varied_results[number][k as usize];
                        graph.results.push((node.index(), number, k as usize));
                    }
                }
                _ => {
                    program.partials_into(node, values, &mut args, &mut partials);
                    for (argument, partial) in arguments.iter().zip(&partials) {
                        if let (Some(p), true) = (*partial, graph.varied[argument.index()]) {
                            graph.edges.push((argument.index(), p));
                            is_varied = true;
                        }
                    }
                }
            }
            graph.ends.push(graph.edges.len());
            graph.varied.push(is_varied);
        }
        Ok(graph)
    }

    /// The graphs of all iterations, and which results derivatives reach.
    fn region(
        &self,
        region: &Region,
        arguments: &[NodeId],
        values: &[f64],
    ) -> Result<(Loop, Vec<bool>), Error> {
        let arguments: Vec<usize> = arguments.iter().map(|a| a.index()).collect();
        let args: Vec<f64> = arguments.iter().map(|a| values[*a]).collect();
        let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
        let mut graphs: Vec<Self> = Vec::with_capacity(region.iterations);
        let mut results = vec![false; region.results_len()];
        region.evaluate(&args, |i, evaluation| {
            let handed_on = graphs.last();
            let sources = region.sources.iter().zip(&ranges);
            let active: Vec<bool> = sources
                .map(|(source, range)| match (source, handed_on) {
                    (Source::Data(_), _) => false,
                    (Source::Lane, _) => self.varied[arguments[range.start + i]],
                    (Source::Carried { output }, Some(last)) => {
                        last.varied[last.outputs[*output as usize]]
                    }
                    _ => self.varied[arguments[range.start]],
                })
                .collect();
            let graph = Self::build(&region.body, &evaluation.values, &active)?;
            for ((output, sink), range) in graph
                .outputs
                .iter()
                .zip(&region.sinks)
                .zip(region.result_ranges())
            {
                let is_varied = graph.varied[*output];
                match sink {
                    Sink::Sum => results[range.start] |= is_varied,
                    Sink::Each => results[range.start + i] = is_varied,
                    Sink::Last => results[range.start] = is_varied,
                }
            }
            graphs.push(graph);
            Ok(())
        })?;
        let region = region.clone();
        Ok((
            Loop {
                region,
                arguments,
                graphs,
            },
            results,
        ))
    }

    fn range(&self, node: usize) -> Range<usize> {
        node.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[node]
    }

    /// The tangents of the outputs.
    fn jvp(&self, seeds: &[f64]) -> Vec<f64> {
        let mut tangents = seeds.to_vec();
        let mut results: Vec<Vec<f64>> = Vec::new();
        let mut next = self.results.iter().peekable();
        for node in self.inputs..self.ends.len() {
            let mut tangent = 0.0;
            if let Some((_, number, k)) = next.next_if(|(result, ..)| *result == node) {
                tangent = results[*number][*k];
            } else if self
                .regions
                .get(results.len())
                .is_some_and(|(region, _)| *region == node)
            {
                results.push(self.regions[results.len()].1.jvp(&tangents));
            } else {
                for (argument, p) in &self.edges[self.range(node)] {
                    tangent += p * tangents[*argument];
                }
            }
            tangents.push(tangent);
        }
        let at = |y: &usize| if self.varied[*y] { tangents[*y] } else { 0.0 };
        self.outputs.iter().map(at).collect()
    }

    /// The adjoints of the inputs; `None` for those that no seed reaches.
    fn vjp(&self, seeds: &[Option<f64>]) -> Vec<Option<f64>> {
        let mut adjoints: Vec<Option<f64>> = vec![None; self.ends.len()];
        for (output, seed) in self.outputs.iter().zip(seeds) {
            if let (Some(seed), true) = (seed, self.varied[*output]) {
                add(&mut adjoints[*output], *seed);
            }
        }
        let mut results: Vec<Vec<Option<f64>>> = self
            .regions
            .iter()
            .map(|(_, inner)| vec![None; inner.region.results_len()])
            .collect();
        let mut next = self.results.iter().rev().peekable();
        let mut regions = self.regions.iter().enumerate().rev().peekable();
        for node in (self.inputs..self.ends.len()).rev() {
            if let Some((_, number, k)) = next.next_if(|(result, ..)| *result == node) {
                results[*number][*k] = adjoints[node];
            } else if let Some((number, (_, inner))) =
                regions.next_if(|(_, (region, _))| *region == node)
            {
                let found = inner.vjp(&results[number]);
                for (argument, adjoint) in inner.arguments.iter().zip(found) {
                    if let Some(adjoint) = adjoint {
                        add(&mut adjoints[*argument], adjoint);
                    }
                }
            } else if let Some(adjoint) = adjoints[node] {
                for (argument, p) in &self.edges[self.range(node)] {
                    add(&mut adjoints[*argument], p * adjoint);
                }
            }
        }
        adjoints.truncate(self.inputs);
        adjoints
    }
}

impl Loop {
    fn jvp(&self, tangents: &[f64]) -> Vec<f64> {
        let region = &self.region;
        let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
        let mut results = vec![0.0; region.results_len()];
        let mut last: Option<Vec<f64>> = None;
        for (i, graph) in region.order().zip(&self.graphs) {
            let seeds: Vec<f64> = region
                .sources
                .iter()
                .zip(&ranges)
                .map(|(source, range)| match (source, &last) {
                    (Source::Data(_), _) => 0.0,
                    (Source::Lane, _) => tangents[self.arguments[range.start + i]],
                    (Source::Carried { output }, Some(last)) => last[*output as usize],
                    _ => tangents[self.arguments[range.start]],
                })
                .collect();
            let outputs = graph.jvp(&seeds);
            for ((tangent, sink), range) in outputs
                .iter()
                .zip(&region.sinks)
                .zip(region.result_ranges())
            {
                match sink {
                    Sink::Sum => results[range.start] += tangent,
                    Sink::Each => results[range.start + i] = *tangent,
                    Sink::Last => results[range.start] = *tangent,
                }
            }
            last = Some(outputs);
        }
        results
    }

    fn vjp(&self, results: &[Option<f64>]) -> Vec<Option<f64>> {
        let region = &self.region;
        let index = ResultStarts::of(region);
        let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
        let mut adjoints = vec![None; self.arguments.len()];
        // The adjoints of the outputs of an iteration from the one that follows it, at first those of the last values.
        let mut handed_back: Vec<Option<f64>> = vec![None; region.sinks.len()];
        for (result, adjoint) in results.iter().enumerate() {
            let (output, _) = index.locate(result);
            if region.sinks[output] == Sink::Last {
                handed_back[output] = *adjoint;
            }
        }
        let order: Vec<usize> = region.order().collect();
        for (position, (i, graph)) in order.into_iter().zip(&self.graphs).enumerate().rev() {
            let mut seeds = handed_back;
            for ((seed, sink), range) in seeds
                .iter_mut()
                .zip(&region.sinks)
                .zip(region.result_ranges())
            {
                match sink {
                    Sink::Sum => *seed = results[range.start],
                    Sink::Each => *seed = results[range.start + i],
                    Sink::Last => {}
                }
            }
            let found = graph.vjp(&seeds);
            handed_back = vec![None; region.sinks.len()];
            for ((source, range), adjoint) in region.sources.iter().zip(&ranges).zip(found) {
                let Some(adjoint) = adjoint else { continue };
                match source {
                    Source::Data(_) => {}
                    Source::Lane => add(&mut adjoints[range.start + i], adjoint),
                    Source::Carried { output } if position > 0 => {
                        add(&mut handed_back[*output as usize], adjoint);
                    }
                    _ => add(&mut adjoints[range.start], adjoint),
                }
            }
        }
        adjoints
    }
}

/// Adds to an adjoint that may not have received anything yet.
fn add(adjoint: &mut Option<f64>, term: f64) {
    *adjoint = Some(adjoint.map_or(term, |sum| sum + term));
}
