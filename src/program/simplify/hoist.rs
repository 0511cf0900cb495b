//! Hoisting: nodes of a body that do not depend on the iteration move out and come back as uniform inputs.
//!
//! A node moves if all its arguments are uniform inputs, constants or nodes that move; whole regions move, too. Work that
//! would not have been done inside, such as the other arm of a selection, may be done outside: nothing traps, and its value
//! is not used. Guards stay in the body and ask about the new input.
//!
//! Bodies within the body have been treated before, so work moves out level by level.
//!
//! Invariant: what is left of a body has no node that could move, constants aside.
//! Source: loop-invariant code motion, Allen & Cocke 1971.

use std::sync::Arc;

use super::dead::{compact, reach};
use super::rebuild::Builder;
use super::region::{Interface, Rest};
use crate::program::region::{Region, Source};
use crate::program::words::Map;
use crate::program::{NodeId, NodeKind, Program};

/// What of a body does not depend on the iteration.
pub(super) struct Moved {
    /// Per node of the body; constants included.
    is_invariant: Vec<bool>,
    /// The node outside, for what has moved and for uniform inputs.
    outer: Vec<NodeId>,
}

impl Builder {
    /// Copies what does not depend on the iteration in front of the region.
    pub(super) fn move_out(&mut self, region: &Region, interface: &Interface) -> Moved {
        let body = &*region.body;
        let needed = reach(region, &mut vec![true; body.outputs.len()], |_| false);
        let mut moved = Moved {
            is_invariant: vec![false; body.len()],
            outer: vec![Self::NONE; body.len()],
        };
        let mut outside = Vec::new();
        for node in body.nodes() {
            let (index, arguments) = (node.index(), body.arguments(node));
            moved.is_invariant[index] = match body.kind(node) {
                NodeKind::Constant(_) => true,
                NodeKind::Input(input) => {
                    let is_uniform = interface.sources[input as usize] == Source::Uniform;
                    if is_uniform {
                        moved.outer[index] = interface.arguments(input as usize)[0];
                    }
                    is_uniform
                }
                _ => arguments.iter().all(|a| moved.is_invariant[a.index()]),
            };
            if !moved.is_invariant[index]
                || !needed[index]
                || matches!(body.kind(node), NodeKind::Constant(_) | NodeKind::Input(_))
            {
                continue;
            }
            outside.clear();
            for argument in arguments {
                outside.push(self.outer(region, *argument, &moved).unwrap_or(Self::NONE));
            }
            self.set_place(body.location(node));
            moved.outer[index] = match body.kind(node) {
                NodeKind::Region(number) => {
                    let inner = body.regions[number as usize].clone();
                    self.push_region(inner, &outside)
                }
                NodeKind::Custom(number) => {
                    let rule = self.rule(&body.rules[number as usize]);
                    self.emit(NodeKind::Custom(rule), &outside)
                }
                kind => self.emit(kind, &outside),
            };
        }
        moved
    }

    /// The node outside with the value that a node of the body has in every iteration.
    pub(super) fn outer(&mut self, region: &Region, node: NodeId, moved: &Moved) -> Option<NodeId> {
        match region.body.kind(node) {
            NodeKind::Constant(c) => Some(self.constant(c)),
            _ => Some(moved.outer[node.index()]).filter(|outer| *outer != Self::NONE),
        }
    }

    /// The region with the outputs that are needed, or carried into something needed, and without what has moved.
    pub(super) fn rest(
        &mut self,
        region: &Region,
        outputs: &mut [bool],
        interface: &Interface,
        moved: &Moved,
    ) -> Rest {
        let old = &*region.body;
        let is_reached = reach(region, outputs, |node| moved.is_invariant[node.index()]);
        let mut number = Numbering::default();
        let numbers: Vec<usize> = (0..outputs.len())
            .map(|output| match outputs[output] {
                true => number.of(old.outputs[output], region, output),
                false => usize::MAX,
            })
            .collect();
        let mut rest = Interface::with_capacity(interface.sources.len());
        let mut new = vec![Self::NONE; old.len()];
        for node in old.nodes().filter(|node| is_reached[node.index()]) {
            let index = node.index();
            let source = match old.kind(node) {
                NodeKind::Input(input) => &interface.sources[input as usize],
                // A region that asks has moved as a whole, questions included.
                NodeKind::Constant(_) | NodeKind::Region(_) => continue,
                _ if moved.is_invariant[index] => &Source::Uniform,
                _ => continue,
            };
            let input = match (source, old.kind(node)) {
                (Source::Uniform, _) => {
                    let outer = moved.outer[index];
                    if self.constant_of(outer).is_some() {
                        continue;
                    }
                    rest.add(Source::Uniform, &[outer], true)
                }
                (Source::Carried { output }, NodeKind::Input(input)) => {
                    let output = u32::try_from(numbers[*output as usize]);
                    let output = output.expect("no more outputs than before");
                    let initial = interface.arguments(input as usize);
                    rest.add(Source::Carried { output }, initial, true)
                }
                (source, NodeKind::Input(input)) => {
                    rest.add(source.clone(), interface.arguments(input as usize), true)
                }
                _ => continue,
            };
            new[index] = NodeId::new(input).expect("no more inputs than nodes before");
        }
        let body = self.remaining(old, &is_reached, moved, &mut new, rest.sources.len());
        let body = Program {
            outputs: number.nodes.iter().map(|node| new[node.index()]).collect(),
            ..body
        };
        let mut region = Region {
            sinks: number.sinks.iter().map(|k| region.sinks[*k]).collect(),
            sources: Vec::new(),
            body: Arc::new(body),
            ..*region
        };
        if self.passes.dead {
            compact(Arc::make_mut(&mut region.body));
        }
        Rest {
            region,
            interface: rest,
            outputs: numbers,
        }
    }

    /// The nodes of a body that depend on the iteration, behind inputs that have got their numbers.
    fn remaining(
        &self,
        old: &Program,
        is_reached: &[bool],
        moved: &Moved,
        new: &mut [NodeId],
        inputs: usize,
    ) -> Program {
        let mut body = Program {
            inputs,
            rules: old.rules.clone(),
            locations: old.locations.clone(),
            ..Program::default()
        };
        let nodes = is_reached.iter().filter(|is_reached| **is_reached).count();
        body.kinds.reserve(nodes);
        body.ends.reserve(nodes);
        body.arguments.reserve(old.arguments.len());
        let place = |index: usize| old.places.get(index).copied();
        let no_place = (!old.places.is_empty()).then_some(0);
        let next = |body: &Program| NodeId::new(body.len()).expect("no more nodes than before");
        for _ in 0..inputs {
            let input = NodeKind::Input(next(&body).raw());
            body.append(input, &[], no_place);
        }
        let mut arguments: Vec<NodeId> = Vec::new();
        for node in old.nodes().filter(|node| is_reached[node.index()]) {
            let index = node.index();
            let is_moved_region =
                moved.is_invariant[index] && matches!(old.kind(node), NodeKind::Region(_));
            if new[index] != Self::NONE || is_moved_region {
                continue;
            }
            let kind = match old.kind(node) {
                // What has moved and was found to be constant comes back as such.
                kind if moved.is_invariant[index] && !matches!(kind, NodeKind::Constant(_)) => self
                    .constant_of(moved.outer[index])
                    .map_or(kind, NodeKind::Constant),
                NodeKind::Region(number) => {
                    let number = &old.regions[number as usize];
                    body.regions.push(number.clone());
                    let last = body.regions.len() - 1;
                    NodeKind::Region(u32::try_from(last).expect("no more regions than before"))
                }
                kind => kind,
            };
            arguments.clear();
            if !matches!(kind, NodeKind::Constant(_)) {
                arguments.extend(old.arguments(node).iter().map(|a| new[a.index()]));
            }
            new[index] = next(&body);
            body.append(kind, &arguments, place(index));
        }
        let guards = old.guards.iter().cloned().map(|mut guard| {
            guard.question = guard.question.map(|node| new[node.index()]);
            guard
        });
        body.guards = guards.collect();
        body
    }
}

/// Numbers the outputs that are left; those of the same node and sink get the same number.
#[derive(Default)]
struct Numbering {
    seen: Map<(u32, u8), usize>,
    nodes: Vec<NodeId>,
    /// The number that each output had.
    sinks: Vec<usize>,
}

impl Numbering {
    fn of(&mut self, node: NodeId, region: &Region, output: usize) -> usize {
        use crate::program::region::Sink;
        let sink = match region.sinks[output] {
            Sink::Sum => 0,
            Sink::Each => 1,
            Sink::Last => 2,
        };
        let number = *self
            .seen
            .entry((node.raw(), sink))
            .or_insert(self.nodes.len());
        if number == self.nodes.len() {
            self.nodes.push(node);
            self.sinks.push(output);
        }
        number
    }
}
