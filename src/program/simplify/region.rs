//! Regions: what their inputs read and their outputs give, seen from the program around them.
//!
//! - An input that is the same in every iteration is uniform: a lane of one node, data of one number, a value that is carried
//!   unchanged, anything in a region of one iteration. A lane of constants is data. A uniform constant moves into the body.
//! - Inputs that read the same are one input.
//! - An output that every iteration gives, or the last one, is no output if its value is known outside: an input, a constant,
//!   or what `hoist` moved out. The sum over one iteration is the value of that iteration (sums start from `-0`); sums over
//!   more of them stay.
//! - Outputs that give the same are one output. A region without outputs and guards is no region.
//!
//! Invariant: the order in which iterations run, and so every sum, is that of the program. Source: none.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::common::{hash_source, is_same_source};
use super::dead::{Needs, asks};
use super::hoist::Moved;
use super::rebuild::{Builder, Entry, rebuild};
use crate::error::Error;
use crate::program::region::{Region, ResultStarts, Sink, Source};
use crate::program::words::{Map, Words};
use crate::program::{NodeId, NodeKind, Program};

/// What became of a region.
pub(super) struct Outcome {
    /// Where the results of the outputs it had begin.
    pub(super) starts: ResultStarts,
    /// What the results of every output are now.
    pub(super) results: Vec<Results>,
}

/// The results of an output.
pub(super) enum Results {
    /// Results of a region, from a number on.
    Of {
        /// The region's node.
        region: NodeId,
        /// The first result.
        start: usize,
    },
    /// The same node for all.
    Node(NodeId),
    /// A node for each.
    Nodes(Vec<NodeId>),
    /// A constant for each.
    Data(Arc<[f64]>),
    /// Not needed.
    None,
}

/// The inputs of a region being built.
#[derive(Default)]
pub(super) struct Interface {
    pub(super) sources: Vec<Source>,
    /// The end of every input's arguments.
    ends: Vec<usize>,
    pub(super) arguments: Vec<NodeId>,
    /// Inputs by a hash of what they read; hardly ever do two share one.
    seen: Map<u64, SmallVec<[u32; 2]>>,
}

impl Interface {
    /// No inputs, with room for so many.
    pub(super) fn with_capacity(inputs: usize) -> Self {
        let mut interface = Self::default();
        interface.sources.reserve(inputs);
        interface.seen.reserve(inputs);
        interface
    }

    /// The number of an input that reads this, a new one if there is none or they are not to be merged.
    pub(super) fn add(&mut self, source: Source, arguments: &[NodeId], merges: bool) -> usize {
        let number = self.sources.len();
        if merges {
            let mut words = Words::default();
            hash_source(&source, arguments, &mut words);
            let known = self.seen.entry(words.finish()).or_default();
            let is_it = |known: &usize| {
                let start = known.checked_sub(1).map_or(0, |before| self.ends[before]);
                is_same_source(&self.sources[*known], &source)
                    && self.arguments[start..self.ends[*known]] == *arguments
            };
            if let Some(known) = known.iter().map(|known| *known as usize).find(is_it) {
                return known;
            }
            // An input beyond 2^32 is not found again.
            known.extend(u32::try_from(number));
        }
        self.sources.push(source);
        self.arguments.extend_from_slice(arguments);
        self.ends.push(self.arguments.len());
        number
    }

    /// The arguments of an input.
    pub(super) fn arguments(&self, input: usize) -> &[NodeId] {
        let start = input.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.arguments[start..self.ends[input]]
    }
}

impl Builder {
    /// Simplifies a region whose node has these arguments and of whose body this is needed.
    ///
    /// # Errors
    /// [`Error::TapeFull`].
    pub(super) fn region(
        &mut self,
        region: &Region,
        needs: &Needs,
        arguments: &[NodeId],
    ) -> Result<Outcome, Error> {
        let place = self.place;
        let kept = new_numbers(&needs.outputs);
        let mut interface = Interface::with_capacity(region.sources.len());
        let mut entries = Vec::with_capacity(region.sources.len());
        for (input, range) in region.argument_ranges().enumerate() {
            entries.push(if needs.nodes[input] {
                self.entry(region, input, &arguments[range], &kept, &mut interface)
            } else {
                Entry::Dropped
            });
        }
        let inputs = interface.sources.len();
        let body = rebuild(&region.body, needs, &entries, inputs, self.passes)?;
        let sinks = region.sinks.iter().zip(&needs.outputs);
        let simple = Region {
            iterations: region.iterations,
            is_reversed: region.is_reversed,
            body: Arc::new(body),
            sources: Vec::new(),
            sinks: sinks
                .filter(|(_, is)| **is)
                .map(|(sink, _)| *sink)
                .collect(),
        };
        let mut results = if self.passes.hoist {
            self.hoist(simple, &interface, place).into_iter()
        } else {
            let ranges: Vec<_> = simple.result_ranges().collect();
            let node = self.place(simple, interface, place);
            let of = |range: Range<usize>| {
                node.map_or(Results::None, |region| Results::Of {
                    region,
                    start: range.start,
                })
            };
            ranges.into_iter().map(of).collect::<Vec<_>>().into_iter()
        };
        let results = needs.outputs.iter().map(|is_needed| match is_needed {
            true => results.next().unwrap_or(Results::None),
            false => Results::None,
        });
        Ok(Outcome {
            starts: ResultStarts::of(region),
            results: results.collect(),
        })
    }

    /// Appends a region; `None` if it does nothing at all.
    fn place(&mut self, region: Region, interface: Interface, place: u32) -> Option<NodeId> {
        if region.sinks.is_empty() && !asks(&region.body) && self.passes.dead {
            return None;
        }
        self.place = place;
        let region = Region {
            sources: interface.sources,
            ..region
        };
        Some(self.push_region(region, &interface.arguments))
    }

    /// What an input of a body becomes.
    fn entry(
        &mut self,
        region: &Region,
        input: usize,
        arguments: &[NodeId],
        kept: &[usize],
        interface: &mut Interface,
    ) -> Entry {
        let merges = self.passes.hoist;
        let source = match &region.sources[input] {
            Source::Carried { output } => Source::Carried {
                output: u32::try_from(kept[*output as usize]).expect("no more than before"),
            },
            source => source.clone(),
        };
        if !merges {
            return Entry::Input(interface.add(source, arguments, false));
        }
        match &source {
            Source::Uniform => return self.uniform(arguments[0], interface),
            Source::Lane => {
                if arguments.iter().all(|a| *a == arguments[0]) {
                    return self.uniform(arguments[0], interface);
                }
                let constants: Option<Arc<[f64]>> =
                    arguments.iter().map(|a| self.constant_of(*a)).collect();
                if let Some(data) = constants {
                    return datum(data, interface);
                }
            }
            Source::Data(data) => return datum(Arc::clone(data), interface),
            Source::Carried { .. } => {
                if self.stays(region, input, arguments[0]) {
                    return self.uniform(arguments[0], interface);
                }
            }
        }
        Entry::Input(interface.add(source, arguments, true))
    }

    /// Whether a carried value is the initial one in every iteration.
    fn stays(&self, region: &Region, input: usize, initial: NodeId) -> bool {
        let Source::Carried { output } = region.sources[input] else {
            return false;
        };
        let next = region.body.outputs[output as usize];
        region.iterations == 1
            || next.index() == input
            || match (region.body.kind(next), self.constant_of(initial)) {
                (NodeKind::Constant(next), Some(initial)) => next.to_bits() == initial.to_bits(),
                _ => false,
            }
    }

    fn uniform(&self, node: NodeId, interface: &mut Interface) -> Entry {
        match self.constant_of(node) {
            Some(c) => Entry::Constant(c),
            None => Entry::Input(interface.add(Source::Uniform, &[node], true)),
        }
    }

    /// Finishes a region out of whose body nodes have moved.
    fn hoist(&mut self, mut region: Region, interface: &Interface, place: u32) -> Vec<Results> {
        region.sources.clone_from(&interface.sources);
        let moved = self.move_out(&region, interface);
        let mut results: Vec<Option<Results>> = (0..region.sinks.len())
            .map(|output| self.known(&region, output, interface, &moved))
            .collect();
        let mut outputs: Vec<bool> = results.iter().map(Option::is_none).collect();
        let needed = outputs.clone();
        let rest = self.rest(&region, &mut outputs, interface, &moved);
        let starts = ResultStarts::of(&rest.region);
        if let Some(region) = self.place(rest.region, rest.interface, place) {
            for (output, result) in results.iter_mut().enumerate() {
                if needed[output] {
                    let start = starts.start(rest.outputs[output]);
                    *result = Some(Results::Of { region, start });
                }
            }
        }
        let results = results.into_iter();
        results.map(|r| r.unwrap_or(Results::None)).collect()
    }

    /// The results of an output whose value is known outside.
    fn known(
        &mut self,
        region: &Region,
        output: usize,
        interface: &Interface,
        moved: &Moved,
    ) -> Option<Results> {
        let (sink, node) = (region.sinks[output], region.body.outputs[output]);
        if sink == Sink::Sum && region.iterations > 1 {
            return None;
        }
        if let Some(node) = self.outer(region, node, moved) {
            return Some(Results::Node(node));
        }
        let NodeKind::Input(input) = region.body.kind(node) else {
            return None;
        };
        let last = if region.is_reversed {
            0
        } else {
            region.iterations - 1
        };
        let arguments = interface.arguments(input as usize);
        Some(match (&interface.sources[input as usize], sink) {
            (Source::Lane, Sink::Each) => Results::Nodes(arguments.to_vec()),
            (Source::Lane, _) => Results::Node(arguments[last]),
            (Source::Data(data), Sink::Each) => Results::Data(Arc::clone(data)),
            (Source::Data(data), _) => Results::Node(self.constant(data[last])),
            _ => return None,
        })
    }
}

/// Data, unless all are the same number.
fn datum(data: Arc<[f64]>, interface: &mut Interface) -> Entry {
    if data.iter().all(|d| d.to_bits() == data[0].to_bits()) {
        return Entry::Constant(data[0]);
    }
    Entry::Input(interface.add(Source::Data(data), &[], true))
}

/// The numbers of the needed among the needed.
fn new_numbers(needed: &[bool]) -> Vec<usize> {
    let mut next = 0;
    let number = |is_needed: &bool| {
        let number = next;
        next += usize::from(*is_needed);
        number
    };
    needed.iter().map(number).collect()
}

/// A region without what has moved out.
pub(super) struct Rest {
    pub(super) region: Region,
    pub(super) interface: Interface,
    /// The new number of every output that is left.
    pub(super) outputs: Vec<usize>,
}

impl Program {
    /// Appends a node without looking for it.
    pub(super) fn append(&mut self, kind: NodeKind, arguments: &[NodeId], place: Option<u32>) {
        self.kinds.push(kind);
        self.arguments.extend_from_slice(arguments);
        let end = u32::try_from(self.arguments.len());
        self.ends.push(end.expect("no more arguments than before"));
        self.places.extend(place);
    }
}
