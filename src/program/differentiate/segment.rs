//! [`Storage`]: what the reverse sweep of a scan keeps, and scans in segments.
//!
//! A scan over segments whose body is a scan over the iterations of one segment computes the same values. Its reverse sweep
//! stores what segments hand on, and runs a segment again before it goes backwards through it.
//!
//! Invariant: the same operations in the same order, so the same bits; a sum over iterations is carried along.
//! Source: Griewank & Walther 2008, §12.2 (two-level checkpointing).

use std::borrow::Cow;
use std::sync::Arc;

use super::draft::{Draft, mapped};
use crate::elementary::Op;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::region::{Region, ResultStarts, Sink, Source};
use crate::program::words::Map;

/// What the reverse sweep of a scan keeps of the forward pass, for `N` iterations that hand on `s` values each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// Everything that iterations hand on: `N s` numbers; every body runs twice.
    #[default]
    Store,
    /// What every segment of about `sqrt(N)` iterations receives: about `2 sqrt(N) s` numbers; every body runs three times.
    ///
    /// Scans inside bodies of regions store everything for one iteration of the region.
    Recompute,
}

/// Scans shorter than this are not worth segments.
const SHORTEST: usize = 4;

/// The program whose reverse sweep keeps what is asked for.
pub(super) fn segmented(program: &Program, storage: Storage) -> Result<Cow<'_, Program>, Error> {
    let is_long = |region: &Region| region.is_scan() && region.iterations >= SHORTEST;
    if storage == Storage::Store || !program.regions.iter().any(is_long) {
        return Ok(Cow::Borrowed(program));
    }
    let draft = Draft::open(program.inputs)?;
    draft.adopt(program);
    let mut map: Vec<NodeId> = (0..program.inputs)
        .map(NodeId::new)
        .collect::<Result<_, _>>()?;
    let mut scans: Map<NodeId, Segments> = Map::default();
    for node in program.nodes().skip(program.inputs) {
        let copy = match program.kind(node) {
            NodeKind::Region(r) if is_long(&program.regions[r as usize]) => {
                let region = &program.regions[r as usize];
                let segments = Segments::build(&draft, region, &mapped(program, node, &map))?;
                let copy = segments.outer;
                scans.insert(node, segments);
                copy
            }
            NodeKind::Result(k) => match scans.get(&program.arguments(node)[0]) {
                Some(segments) => segments.result(&draft, k as usize)?,
                None => draft.copy(program, node, &map)?,
            },
            _ => draft.copy(program, node, &map)?,
        };
        map.push(copy);
        draft.place(program, node);
    }
    draft.guards(program, &map);
    let outputs = program.outputs.iter().map(|y| map[y.index()]).collect();
    Ok(Cow::Owned(draft.finish(outputs)?))
}

/// A scan in segments of equal length, and a scan over the remaining iterations.
struct Segments {
    outer: NodeId,
    rest: Option<NodeId>,
    region: Region,
    results: ResultStarts,
    length: usize,
    count: usize,
}

impl Segments {
    fn build(draft: &Draft, region: &Region, nodes: &[NodeId]) -> Result<Self, Error> {
        let results = ResultStarts::of(region);
        let (region, nodes) = with_carried_sums(draft, region, nodes)?;
        let n = region.iterations;
        let length = (1..n).find(|s| s * s >= n).unwrap_or(1);
        let count = n / length;
        let order: Vec<usize> = region.order().collect();
        // Positions in the order of execution, segment after segment for each place in a segment.
        let at = |place: usize| (0..count).map(move |segment| segment * length + place);
        let rest = count * length..n;
        let (mut inner, mut sources, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rest_sources, mut rest_arguments, mut initial) =
            (Vec::new(), Vec::new(), Vec::new());
        let outputs: Vec<usize> = region
            .sinks
            .iter()
            .scan(0, |next, sink| {
                let first = *next;
                *next += if *sink == Sink::Each { length } else { 1 };
                Some(first)
            })
            .collect();
        for (source, range) in region.sources.iter().zip(region.argument_ranges()) {
            let here = &nodes[range];
            match source {
                Source::Uniform => {
                    inner.push(Source::Uniform);
                    sources.push(Source::Uniform);
                    arguments.extend_from_slice(here);
                    rest_sources.push(Source::Uniform);
                    rest_arguments.extend_from_slice(here);
                }
                Source::Lane => {
                    inner.push(Source::Lane);
                    for place in 0..length {
                        sources.push(Source::Lane);
                        arguments.extend(at(place).map(|t| here[order[t]]));
                    }
                    rest_sources.push(Source::Lane);
                    rest_arguments.extend(rest.clone().map(|t| here[order[t]]));
                }
                Source::Data(data) => {
                    inner.push(Source::Lane);
                    for place in 0..length {
                        sources.push(Source::Data(at(place).map(|t| data[order[t]]).collect()));
                    }
                    rest_sources.push(Source::Data(rest.clone().map(|t| data[order[t]]).collect()));
                }
                Source::Carried { output } => {
                    inner.push(source.clone());
                    let first = outputs[*output as usize];
                    sources.push(Source::Carried {
                        output: NodeId::new(first)?.raw(),
                    });
                    arguments.extend_from_slice(here);
                    rest_sources.push(source.clone());
                    initial.push((rest_arguments.len(), *output as usize));
                    rest_arguments.extend_from_slice(here);
                }
            }
        }
        let segment = Region {
            iterations: length,
            is_reversed: false,
            sources: inner,
            ..region.clone()
        };
        let body = Draft::open(sources.len())?;
        let inputs: Vec<NodeId> = (0..sources.len())
            .map(NodeId::new)
            .collect::<Result<_, _>>()?;
        let sinks: Vec<Sink> = segment
            .sinks
            .iter()
            .flat_map(|sink| vec![*sink; segment.height(*sink)])
            .collect();
        let node = body.region(segment, &inputs)?;
        let ends = (0..sinks.len())
            .map(|k| body.result(node, k))
            .collect::<Result<_, _>>()?;
        let outer = Region {
            iterations: count,
            is_reversed: false,
            body: Arc::new(body.finish(ends)?),
            sources,
            sinks,
        };
        let starts: Vec<usize> = outer.result_ranges().map(|range| range.start).collect();
        let outer = draft.region(outer, &arguments)?;
        let rest = if rest.is_empty() {
            None
        } else {
            for (place, output) in initial {
                rest_arguments[place] = draft.result(outer, starts[outputs[output]])?;
            }
            let rest = Region {
                iterations: rest.len(),
                is_reversed: false,
                sources: rest_sources,
                ..region.clone()
            };
            Some(draft.region(rest, &rest_arguments)?)
        };
        Ok(Self {
            outer,
            rest,
            region,
            results,
            length,
            count,
        })
    }

    /// A result of the original scan.
    fn result(&self, draft: &Draft, result: usize) -> Result<NodeId, Error> {
        let (output, i) = self.results.locate(result);
        let sink = self.region.sinks[output];
        let before = &self.region.sinks[..output];
        let rest_start = |rest: usize| -> usize {
            before
                .iter()
                .map(|sink| if *sink == Sink::Each { rest } else { 1 })
                .sum()
        };
        // In the outer region every output of its body that stands for values of iterations has a result per segment.
        let outer_start: usize = before
            .iter()
            .map(|sink| {
                if *sink == Sink::Each {
                    self.length * self.count
                } else {
                    1
                }
            })
            .sum();
        let whole = self.length * self.count;
        let rest = self.region.iterations - whole;
        let t = if self.region.is_reversed {
            self.region.iterations - 1 - i
        } else {
            i
        };
        match (sink, self.rest) {
            (Sink::Each, Some(node)) if t >= whole => {
                draft.result(node, rest_start(rest) + t - whole)
            }
            (Sink::Each, _) => {
                let (segment, place) = (t / self.length, t % self.length);
                draft.result(self.outer, outer_start + place * self.count + segment)
            }
            (_, Some(node)) => draft.result(node, rest_start(rest)),
            (_, None) => draft.result(self.outer, outer_start),
        }
    }
}

/// The scan with every sum over iterations as a carried value.
fn with_carried_sums(
    draft: &Draft,
    region: &Region,
    nodes: &[NodeId],
) -> Result<(Region, Vec<NodeId>), Error> {
    let old = &*region.body;
    let is_sum = |sink: &&Sink| **sink == Sink::Sum;
    let sums = region.sinks.iter().filter(is_sum).count();
    let (mut region, mut nodes) = (region.clone(), nodes.to_vec());
    let body = Draft::open(old.inputs + sums)?;
    body.adopt(old);
    let mut map: Vec<NodeId> = (0..old.inputs).map(NodeId::new).collect::<Result<_, _>>()?;
    for node in old.nodes().skip(old.inputs) {
        map.push(body.copy(old, node, &map)?);
        body.place(old, node);
    }
    body.guards(old, &map);
    let mut outputs = Vec::with_capacity(old.outputs.len());
    for (k, (output, sink)) in old.outputs.iter().zip(&mut region.sinks).enumerate() {
        let mut node = map[output.index()];
        if *sink == Sink::Sum {
            let sum = NodeId::new(region.sources.len())?;
            node = body.operation(Op::Add, &[sum, node]);
            region.sources.push(Source::Carried {
                output: NodeId::new(k)?.raw(),
            });
            nodes.push(draft.constant(-0.0));
            *sink = Sink::Last;
        }
        outputs.push(node);
    }
    region.body = Arc::new(body.finish(outputs)?);
    Ok((region, nodes))
}
