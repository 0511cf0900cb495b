//! Copying a program node by node, where every node passes folding, identities and value numbering.
//!
//! Arguments of a node have been simplified before it, so one pass over a program without regions leaves nothing to do.
//!
//! Invariant: a builder's program is valid after every call, outputs aside. Source: Cocke & Schwartz 1970.

use std::sync::Arc;

use super::common::{Regions, Table, find_region, guard_key};
use super::dead::{Needs, Shared, compact};
use super::passes::Passes;
use super::region::{Outcome, Results};
use super::{fold, identities};
use crate::error::{Error, Location};
use crate::program::guard::Guard;
use crate::program::region::Region;
use crate::program::rule::ProgramRule;
use crate::program::words::Set;
use crate::program::{NodeId, NodeKind, Program};
use crate::scalar::Short;

/// What an input of a program becomes in its simplified copy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// The input of this number.
    Input(usize),
    /// A constant.
    Constant(f64),
    /// Nothing, because nothing needs it.
    Dropped,
}

/// What a node is replaced by.
pub(super) enum Rewrite {
    /// An earlier node.
    Same(NodeId),
    /// Another operation.
    Node(NodeKind, Short<NodeId>),
}

impl Rewrite {
    pub(super) fn constant(value: f64) -> Self {
        Self::Node(NodeKind::Constant(value), Short::new())
    }
    pub(super) fn node(kind: NodeKind, arguments: &[NodeId]) -> Self {
        Self::Node(kind, Short::from_slice(arguments))
    }
}

impl Program {
    /// The arguments of the node at an index.
    #[inline]
    pub(super) fn arguments_at(&self, index: usize) -> &[NodeId] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.arguments[start as usize..self.ends[index] as usize]
    }
}

/// The simplified copy of a program with other inputs; of the outputs the needed ones remain.
///
/// # Errors
/// [`Error::TapeFull`].
pub(super) fn rebuild(
    old: &Program,
    needs: &Needs,
    entries: &[Entry],
    inputs: usize,
    passes: Passes,
) -> Result<Program, Error> {
    let mut builder = Builder::new(old, needs, inputs, passes);
    let mut new = vec![Builder::NONE; old.len()];
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    outcomes.resize_with(old.regions.len(), || None);
    let mut arguments: Vec<NodeId> = Vec::new();
    for index in 0..old.len() {
        if !needs.nodes[index] {
            continue;
        }
        let kind = old.kinds[index];
        builder.place = old.places.get(index).copied().unwrap_or(0);
        arguments.clear();
        arguments.extend(old.arguments_at(index).iter().map(|a| new[a.index()]));
        new[index] = match kind {
            NodeKind::Input(input) => match entries[input as usize] {
                Entry::Input(input) => node(input),
                Entry::Constant(c) => builder.constant(c),
                Entry::Dropped => continue,
            },
            NodeKind::Region(number) => {
                let region = &old.regions[number as usize];
                let needs = &needs.regions[number as usize];
                outcomes[number as usize] = Some(builder.region(region, needs, &arguments)?);
                continue;
            }
            NodeKind::Result(result) => {
                let NodeKind::Region(number) = old.kind(old.arguments_at(index)[0]) else {
                    continue;
                };
                let outcome = outcomes[number as usize].as_ref();
                let outcome = outcome.expect("a region is before its results");
                builder.result(outcome, result as usize)
            }
            _ => builder.emit(kind, &arguments),
        };
    }
    let needed = old
        .outputs
        .iter()
        .zip(&needs.outputs)
        .filter(|(_, is)| **is);
    builder.program.outputs = needed.map(|(output, _)| new[output.index()]).collect();
    builder.guards(&old.guards, &new);
    builder.finish()
}

/// The node of this number.
///
/// # Panics
/// Never: numbers of inputs and of nodes that exist fit.
fn node(index: usize) -> NodeId {
    NodeId::new(index).expect("it is the number of a node that exists")
}

/// A program that grows by simplified nodes.
pub(super) struct Builder {
    pub(super) program: Program,
    pub(super) passes: Passes,
    /// The place of the node being built, in the numbering of the program that is copied.
    pub(super) place: u32,
    table: Table,
    regions: Regions,
    rules: Shared<dyn ProgramRule>,
    locations: Shared<Location>,
    has_places: bool,
    is_full: bool,
}

impl Builder {
    /// Stands for nodes that are not needed.
    pub(super) const NONE: NodeId = NodeId::from_raw(u32::MAX);

    /// A copy of a program that has its inputs only.
    fn new(old: &Program, needs: &Needs, inputs: usize, passes: Passes) -> Self {
        let nodes = needs.nodes.iter().filter(|is_needed| **is_needed).count();
        // They do not find room in the line of an argument: they have none, or all share one.
        let is_leaf = |kind: &NodeKind| matches!(kind, NodeKind::Constant(_) | NodeKind::Result(_));
        let leaves = old.kinds.iter().filter(|kind| is_leaf(kind)).count();
        let mut program = Program {
            rules: old.rules.clone(),
            locations: old.locations.clone(),
            inputs,
            ..Program::default()
        };
        program.kinds.reserve(nodes.max(inputs));
        program.ends.reserve(nodes.max(inputs));
        // Most nodes have two arguments, and memory that is never written is never there.
        program.arguments.reserve(old.arguments.len());
        let has_places = !old.places.is_empty();
        let mut builder = Self {
            rules: Shared::new(&program.rules),
            locations: Shared::new(&program.locations),
            program,
            passes,
            place: 0,
            table: if passes.common {
                Table::new(nodes, leaves)
            } else {
                Table::new(0, 0)
            },
            regions: Regions::default(),
            has_places,
            is_full: false,
        };
        for input in 0..inputs {
            builder.place = match old.kinds.get(input) {
                Some(NodeKind::Input(_)) => old.places.get(input).copied().unwrap_or(0),
                _ => 0,
            };
            builder.push(NodeKind::Input(node(input).raw()), &[]);
        }
        builder
    }

    fn finish(mut self) -> Result<Program, Error> {
        if self.is_full {
            return Err(Error::TapeFull {
                limit: u32::MAX as usize,
            });
        }
        drop(self.table);
        if self.passes.dead && self.passes.replace() {
            compact(&mut self.program);
        }
        Ok(self.program)
    }

    /// The node that computes this, simplified.
    pub(super) fn emit(&mut self, kind: NodeKind, arguments: &[NodeId]) -> NodeId {
        let (mut kind, mut arguments) = match self.rewrite(kind, arguments) {
            None => return self.numbered(kind, arguments),
            Some(Rewrite::Same(node)) => return node,
            Some(Rewrite::Node(kind, arguments)) => (kind, arguments),
        };
        // Every rewrite leaves fewer arguments or a kind nearer to the end of the list of identities.
        loop {
            (kind, arguments) = match self.rewrite(kind, &arguments) {
                None => return self.numbered(kind, &arguments),
                Some(Rewrite::Same(node)) => return node,
                Some(Rewrite::Node(kind, arguments)) => (kind, arguments),
            };
        }
    }

    #[inline]
    fn rewrite(&mut self, kind: NodeKind, arguments: &[NodeId]) -> Option<Rewrite> {
        if matches!(kind, NodeKind::Constant(_) | NodeKind::Result(_)) {
            return None;
        }
        if self.passes.fold
            && let Some(rewrite) = fold::rewrite(&self.program, kind, arguments)
        {
            return Some(rewrite);
        }
        if self.passes.identities || self.passes.zero_products {
            return identities::rewrite(self, kind, arguments);
        }
        None
    }

    /// A constant.
    pub(super) fn constant(&mut self, value: f64) -> NodeId {
        self.numbered(NodeKind::Constant(value), &[])
    }

    /// The earlier node that computes this, or a new one.
    fn numbered(&mut self, mut kind: NodeKind, arguments: &[NodeId]) -> NodeId {
        if !self.passes.common {
            return self.push(kind, arguments);
        }
        if let NodeKind::Custom(rule) = &mut kind {
            let shared = Arc::clone(&self.program.rules[*rule as usize]);
            *rule = self.rule(&shared);
        }
        match self.table.find(&self.program, kind, arguments) {
            Ok(node) => node,
            Err(vacant) => {
                let node = self.push(kind, arguments);
                self.table.fill(vacant, node);
                node
            }
        }
    }

    #[inline]
    fn push(&mut self, kind: NodeKind, arguments: &[NodeId]) -> NodeId {
        let end = self.program.arguments.len() + arguments.len();
        let number = u32::try_from(self.program.kinds.len()).unwrap_or(u32::MAX);
        let (true, Ok(end)) = (number < Self::NONE.raw(), u32::try_from(end)) else {
            self.is_full = true;
            return NodeId::from_raw(0);
        };
        self.program.kinds.push(kind);
        // Nearly all nodes have one or two, which is not worth a call that copies memory.
        match arguments {
            [a] => self.program.arguments.push(*a),
            [a, b] => self.program.arguments.extend([*a, *b]),
            many => self.program.arguments.extend_from_slice(many),
        }
        self.program.ends.push(end);
        if self.has_places {
            self.program.places.push(self.place);
        }
        NodeId::from_raw(number)
    }

    /// A region with a body that may be there already.
    pub(super) fn push_region(&mut self, region: Region, arguments: &[NodeId]) -> NodeId {
        let mut region = region;
        if self.passes.common {
            region.body = self.regions.body(region.body);
            let nodes = self.regions.nodes(&region, arguments);
            if let Some(node) = find_region(&self.program, nodes, &region, arguments) {
                return node;
            }
        }
        let number = u32::try_from(self.program.regions.len()).unwrap_or(u32::MAX);
        let node = self.push(NodeKind::Region(number), arguments);
        if self.passes.common {
            self.regions.nodes(&region, arguments).push(node);
        }
        self.program.regions.push(region);
        node
    }

    /// The number of a rule in this program.
    pub(super) fn rule(&mut self, rule: &Arc<dyn ProgramRule>) -> u32 {
        self.rules.number(&mut self.program.rules, rule)
    }

    /// Lets the next nodes lie where this one lies.
    pub(super) fn set_place(&mut self, location: Option<&Arc<Location>>) {
        self.place = match location {
            Some(location) if self.has_places => {
                1 + self.locations.number(&mut self.program.locations, location)
            }
            _ => 0,
        };
    }

    /// The value of a constant node.
    pub(super) fn constant_of(&self, node: NodeId) -> Option<f64> {
        match self.program.kind(node) {
            NodeKind::Constant(c) => Some(c),
            _ => None,
        }
    }

    /// A result of a region that has been simplified.
    fn result(&mut self, outcome: &Outcome, result: usize) -> NodeId {
        let (output, offset) = outcome.starts.locate(result);
        match &outcome.results[output] {
            Results::Of { region, start } => {
                let result = u32::try_from(start + offset).unwrap_or(u32::MAX);
                self.emit(NodeKind::Result(result), &[*region])
            }
            Results::Node(node) => *node,
            Results::Nodes(nodes) => nodes[offset],
            Results::Data(data) => self.constant(data[offset]),
            Results::None => Self::NONE,
        }
    }

    /// Copies guards; one whose answer is known to be the recorded one is no question any more.
    fn guards(&mut self, guards: &[Guard], new: &[NodeId]) {
        let mut seen: Set<_> = Set::default();
        for guard in guards {
            let guard = Guard {
                question: guard.question.map(|node| new[node.index()]),
                ..guard.clone()
            };
            if self.passes.fold && fold::is_answered(&self.program, &guard) {
                continue;
            }
            if !self.passes.common || seen.insert(guard_key(&guard)) {
                self.program.guards.push(guard);
            }
        }
    }
}
