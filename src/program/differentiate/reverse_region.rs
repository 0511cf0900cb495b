//! Adjoints through a region: a second region that runs the body again and then backwards.
//!
//! The adjoints of results are further inputs of the body, uniform for a sum and a lane for values of every iteration; the
//! adjoints of inputs are its outputs, a lane's for every iteration and a uniform's summed. A scan runs in the opposite order:
//! the values that its iterations hand on were stored by the forward pass and are lanes now, and their adjoints are carried.
//!
//! Invariant: the body is differentiated once, whatever the number of iterations.
//! Source: Griewank & Walther 2008, §3.2 and §12.1 (reversal by storing everything).

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::adjoint::{Reverse, region_activity};
use super::draft::{Contribution, Derivative, Draft};
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::NodeId;
use crate::program::region::{Region, ResultStarts, Sink, Source};

/// The forward pass of a scan that also gives what every iteration received from the one before.
pub(super) struct History {
    pub(super) node: NodeId,
    /// Per input of the body, the number of the first result, if it is carried.
    starts: Vec<Option<usize>>,
}

impl History {
    /// Appends the forward pass.
    pub(super) fn store(
        draft: &Draft,
        region: &Region,
        arguments: &[NodeId],
    ) -> Result<Self, Error> {
        let mut body = Program::clone(&region.body);
        let mut region = region.clone();
        let mut starts = vec![None; region.sources.len()];
        let mut next = region.results_len();
        for (input, source) in region.sources.iter().enumerate() {
            if matches!(source, Source::Carried { .. }) {
                starts[input] = Some(next);
                next += region.iterations;
                body.outputs.push(NodeId::new(input)?);
                region.sinks.push(Sink::Each);
            }
        }
        region.body = Arc::new(body);
        let node = draft.region(region, arguments)?;
        Ok(Self { node, starts })
    }
}

/// The adjoints of one output of a region: of its only result, or of every iteration.
struct Seed {
    output: usize,
    values: Vec<Option<Derivative>>,
}

impl Seed {
    /// Whether masks enter the body: wherever there is an adjoint, it has one.
    fn is_masked(&self) -> bool {
        let mut present = self.values.iter().flatten().peekable();
        present.peek().is_some() && present.all(|adjoint| adjoint.mask.is_some())
    }
}

/// A body with its reverse sweep.
struct Reversed {
    body: Program,
    sinks: Vec<Sink>,
    /// Input of the original body, number of the output with its adjoint, and number of the output with its mask.
    adjoints: Vec<(usize, u32, Option<u32>)>,
    /// Per seed that is carried, the output that the next iteration continues from.
    carried: Vec<Option<u32>>,
}

/// A region to be reversed.
struct Task<'a> {
    region: &'a Region,
    active: Vec<bool>,
    is_scan: bool,
}

/// Appends the backward pass of a region: terms of adjoints by positions of arguments.
pub(super) fn reverse_region(
    draft: &Draft,
    region: &Region,
    nodes: &[NodeId],
    active: &[bool],
    history: Option<&History>,
    results: &[(usize, Derivative)],
) -> Result<Vec<(usize, Contribution)>, Error> {
    let task = Task {
        region,
        active: region_activity(region, active).0,
        is_scan: region.is_scan(),
    };
    let (seeds, reversed) = task.reverse(results)?;
    let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
    let iterations = 0..region.iterations;

    let (mut sources, mut arguments) = (Vec::new(), Vec::new());
    for (input, source) in region.sources.iter().enumerate() {
        match source {
            Source::Carried { .. } => {
                sources.push(Source::Lane);
                let stored = history.and_then(|h| Some((h.node, h.starts[input]?)));
                let (node, start) = stored.ok_or(Error::InvalidProgram {
                    index: input,
                    what: "a carried value without history",
                })?;
                for i in iterations.clone() {
                    arguments.push(draft.result(node, start + i)?);
                }
            }
            source => {
                sources.push(source.clone());
                arguments.extend_from_slice(&nodes[ranges[input].clone()]);
            }
        }
    }
    let mut masks = (Vec::new(), Vec::new());
    for (seed, carried) in seeds.iter().zip(&reversed.carried) {
        let source = match (region.sinks[seed.output], carried) {
            (Sink::Each, _) => Source::Lane,
            (_, Some(output)) => Source::Carried { output: *output },
            (_, None) => Source::Uniform,
        };
        let value = |d: &Option<Derivative>| d.map_or_else(|| draft.zero(), |d| d.value);
        arguments.extend(seed.values.iter().map(value));
        if carried.is_none() && seed.is_masked() {
            let mask =
                |d: &Option<Derivative>| d.and_then(|d| d.mask).unwrap_or_else(|| draft.zero());
            masks.0.push(source.clone());
            masks.1.extend(seed.values.iter().map(mask));
        }
        sources.push(source);
    }
    sources.extend(masks.0);
    arguments.extend(masks.1);

    let new = Region {
        iterations: region.iterations,
        is_reversed: region.is_reversed != (task.is_scan || region.sinks.contains(&Sink::Last)),
        body: Arc::new(reversed.body),
        sources,
        sinks: reversed.sinks,
    };
    let starts: Vec<usize> = new.result_ranges().map(|range| range.start).collect();
    let node = draft.region(new, &arguments)?;
    let outer_mask = task.outer_mask(draft, &seeds);
    let mut terms = Vec::new();
    for (input, output, mask) in reversed.adjoints {
        let is_lane = region.sources[input] == Source::Lane;
        for (i, argument) in ranges[input].clone().enumerate() {
            if !active[argument] || (is_lane && !task.is_reached(&seeds, i)) {
                continue;
            }
            let result = |output: u32| draft.result(node, starts[output as usize] + i);
            let mut adjoint = Derivative::from(result(output)?);
            if let Some(mask) = mask {
                let mask = result(mask)?;
                adjoint.mask = Some(if is_lane {
                    mask
                } else {
                    draft.is_positive(mask)
                });
            } else if let Some(mask) = outer_mask {
                adjoint.value = draft.masked(adjoint.value, Some(mask));
                adjoint.mask = Some(mask);
            }
            terms.push((argument, Contribution::from(adjoint)));
        }
    }
    Ok(terms)
}

impl Task<'_> {
    /// Differentiates the body; adjoints of carried values are seeds as soon as some iteration yields them.
    fn reverse(&self, results: &[(usize, Derivative)]) -> Result<(Vec<Seed>, Reversed), Error> {
        let index = ResultStarts::of(self.region);
        let mut given: Vec<Seed> = Vec::new();
        for (result, adjoint) in results {
            let (output, i) = index.locate(*result);
            if given.last().is_none_or(|seed| seed.output != output) {
                let height = self.region.height(self.region.sinks[output]);
                given.push(Seed {
                    output,
                    values: vec![None; height],
                });
            }
            if let Some(seed) = given.last_mut() {
                seed.values[i] = Some(*adjoint);
            }
        }
        let mut further = BTreeSet::new();
        loop {
            let mut seeds: Vec<&Seed> = given.iter().collect();
            let unseeded: Vec<Seed> = further
                .iter()
                .map(|output| Seed {
                    output: *output,
                    values: vec![None],
                })
                .collect();
            seeds.extend(&unseeded);
            let reversed = self.body(&seeds)?;
            let mut is_complete = true;
            for (input, ..) in &reversed.adjoints {
                if let Source::Carried { output } = self.region.sources[*input] {
                    let output = output as usize;
                    if seeds.iter().all(|seed| seed.output != output) {
                        further.insert(output);
                        is_complete = false;
                    }
                }
            }
            if is_complete {
                given.extend(unseeded);
                return Ok((given, reversed));
            }
        }
    }

    /// The body with its reverse sweep for these seeds.
    fn body(&self, seeds: &[&Seed]) -> Result<Reversed, Error> {
        let body = &*self.region.body;
        let n = body.inputs;
        let is_carried = |seed: &Seed| self.region.sinks[seed.output] == Sink::Last;
        let is_masked = |seed: &Seed| !is_carried(seed) && seed.is_masked();
        let masks = seeds.iter().filter(|seed| is_masked(seed)).count();
        let draft = Draft::open(n + seeds.len() + masks)?;
        let inputs = (0..n).map(NodeId::new).collect::<Result<_, _>>()?;
        let mut reverse = Reverse::prepare(&draft, body, inputs, &self.active)?;
        let mut next_mask = n + seeds.len();
        let mut derivatives = Vec::with_capacity(seeds.len());
        for (k, seed) in seeds.iter().enumerate() {
            let mut derivative = Derivative::from(NodeId::new(n + k)?);
            if is_masked(seed) {
                derivative.mask = Some(NodeId::new(next_mask)?);
                next_mask += 1;
            }
            derivatives.push((seed.output, derivative));
        }
        let found = reverse.sweep(&derivatives)?;
        drop(reverse);

        let (mut outputs, mut sinks, mut adjoints) = (Vec::new(), Vec::new(), Vec::new());
        let mut append = |node: NodeId, sink: Sink| {
            outputs.push(node);
            sinks.push(sink);
            Ok::<u32, Error>(NodeId::new(outputs.len() - 1)?.raw())
        };
        for (input, adjoint) in &found {
            let input = *input as usize;
            let sink = match self.region.sources[input] {
                Source::Lane => Sink::Each,
                Source::Carried { .. } => Sink::Last,
                _ => Sink::Sum,
            };
            let output = append(adjoint.value, sink)?;
            let mask = adjoint.mask.filter(|_| !self.is_scan);
            let mask = mask.map(|mask| append(mask, sink)).transpose()?;
            adjoints.push((input, output, mask));
        }
        let mut carried = Vec::with_capacity(seeds.len());
        for seed in seeds {
            if !is_carried(seed) {
                carried.push(None);
                continue;
            }
            let from: Vec<(u32, Contribution)> = adjoints
                .iter()
                .zip(&found)
                .filter(|((input, ..), _)| matches!(self.region.sources[*input], Source::Carried { output } if output as usize == seed.output))
                .map(|((_, output, _), (_, adjoint))| (*output, Contribution::from(*adjoint)))
                .collect();
            carried.push(Some(match from.as_slice() {
                [(output, _)] => *output,
                several => {
                    let terms: Vec<Contribution> = several.iter().map(|(_, term)| *term).collect();
                    let sum = draft
                        .combine(&terms)
                        .map_or_else(|| draft.zero(), |sum| sum.value);
                    append(sum, Sink::Last)?
                }
            }));
        }
        let body = draft.finish(outputs)?;
        Ok(Reversed {
            body,
            sinks,
            adjoints,
            carried,
        })
    }

    /// Whether an adjoint enters an iteration.
    fn is_reached(&self, seeds: &[Seed], iteration: usize) -> bool {
        let enters = |seed: &Seed| match self.region.sinks[seed.output] {
            Sink::Each => seed.values[iteration].is_some(),
            _ => true,
        };
        self.is_scan || seeds.iter().any(enters)
    }

    /// Where the adjoints of a region hold whose masks do not enter the body: where one of its seeds does.
    fn outer_mask(&self, draft: &Draft, seeds: &[Seed]) -> Option<NodeId> {
        let given: Vec<&Derivative> = seeds
            .iter()
            .flat_map(|seed| seed.values.iter().flatten())
            .collect();
        let enters = |seed: &Seed| self.region.sinks[seed.output] != Sink::Last && seed.is_masked();
        if seeds.iter().all(enters) && !self.is_scan {
            return None;
        }
        let terms: Vec<Contribution> = given.into_iter().map(|d| Contribution::from(*d)).collect();
        draft.any_mask(&terms)
    }
}
