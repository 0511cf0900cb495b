//! Common subexpressions: a node that repeats an earlier one is that one.
//!
//! Two nodes are the same if their kinds are, parameters compared by their bits, and their arguments. `a + b` and `b + a`
//! have the same bits, so the order of arguments does not count where the operation is commutative; nodes keep the order
//! in which they were recorded.
//!
//! The tables are open addressing on 64-bit entries of 32 bits of hash and the node, so that a probe that does not hit
//! rarely looks at the node itself: a program of 1e7 nodes is larger than any cache.
//!
//! Invariant: at most 3/4 of the entries found by hash are in use. Source: value numbering, Cocke & Schwartz 1970.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use crate::elementary::Op;
use crate::error::Decision;
use crate::program::guard::Guard;
use crate::program::region::{Region, Source};
use crate::program::words::{Map, Words};
use crate::program::{NodeId, NodeKind, Program, Question};

/// Whether the two arguments may be exchanged.
fn is_commutative(kind: NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::Elementary(Op::Add | Op::Mul | Op::Max | Op::Min)
            | NodeKind::Equal
            | NodeKind::And
            | NodeKind::Or
    )
}

/// Hashes a kind.
fn hash_kind(kind: NodeKind, words: &mut Words) {
    discriminant(&kind).hash(words);
    match kind {
        NodeKind::Input(k) | NodeKind::Custom(k) | NodeKind::Region(k) | NodeKind::Result(k) => {
            words.write_u32(k);
        }
        NodeKind::Constant(c) => words.write_u64(c.to_bits()),
        NodeKind::Elementary(op) => {
            discriminant(&op).hash(words);
            words.write_u64(op.parameter_bits());
        }
        _ => {}
    }
}

fn hash_node(kind: NodeKind, arguments: &[NodeId]) -> u32 {
    let mut words = Words::default();
    hash_kind(kind, &mut words);
    match arguments {
        [a, b] if is_commutative(kind) => {
            words.write_u32(a.raw().min(b.raw()));
            words.write_u32(a.raw().max(b.raw()));
        }
        _ => arguments.iter().for_each(|a| words.write_u32(a.raw())),
    }
    // The lowest bit is given away: an entry of 0 is free.
    u32::try_from(words.finish() & u64::from(u32::MAX)).unwrap_or(0) | 1
}

/// Whether two kinds do the same; quicker than by their keys.
#[inline]
fn is_same_kind(a: NodeKind, b: NodeKind) -> bool {
    match (a, b) {
        (NodeKind::Elementary(a), NodeKind::Elementary(b)) => {
            discriminant(&a) == discriminant(&b) && a.parameter_bits() == b.parameter_bits()
        }
        (NodeKind::Constant(a), NodeKind::Constant(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// Whether a node is this operation on these arguments.
fn is_node(program: &Program, node: NodeId, kind: NodeKind, arguments: &[NodeId]) -> bool {
    let found = program.arguments(node);
    is_same_kind(program.kind(node), kind)
        && (found == arguments
            || matches!((found, arguments), ([a, b], [c, d]) if a == d && b == c)
                && is_commutative(kind))
}

/// The entries that lie in one line of a cache.
const LINE: usize = 8;
/// So many nodes share a line as the place of what has them as latest argument: half of its entries.
const NODES_PER_LINE: usize = 4;

/// The nodes of a growing program by what they compute.
///
/// Most nodes have an argument that is not long ago. A node therefore stands in the line of its latest argument, so that
/// tables of any size are read nearly in order, and only what finds no place there is kept by its hash. Entries are never
/// removed: a line with a free entry holds all that belongs there.
pub(super) struct Table {
    near: Vec<[u64; LINE]>,
    far: Vec<u64>,
    used: usize,
}

impl Table {
    /// A table for about so many nodes, of which so many are kept by their hash.
    pub(super) fn new(nodes: usize, leaves: usize) -> Self {
        Self {
            near: vec![[0; LINE]; nodes / NODES_PER_LINE],
            far: vec![0; (leaves + leaves / 2).next_power_of_two().max(16)],
            used: 0,
        }
    }

    /// The node that computes this, or the place for it.
    #[inline]
    pub(super) fn find(
        &mut self,
        program: &Program,
        kind: NodeKind,
        arguments: &[NodeId],
    ) -> Result<NodeId, Vacant> {
        let hash = hash_node(kind, arguments);
        let latest = arguments.iter().max();
        if let Some(line) = latest.map(|latest| latest.index() / NODES_PER_LINE)
            && let Some(entries) = self.near.get(line)
        {
            for (slot, entry) in entries.iter().enumerate() {
                if *entry == 0 {
                    return Err(Vacant::Near { line, slot, hash });
                }
                let (found, node) = split(*entry);
                if found == hash && is_node(program, node, kind, arguments) {
                    return Ok(node);
                }
            }
        }
        if self.used * 4 >= self.far.len() * 3 {
            self.grow();
        }
        let last = self.far.len() - 1;
        let mut slot = (hash >> 1) as usize & last;
        loop {
            let entry = self.far[slot];
            if entry == 0 {
                return Err(Vacant::Far { slot, hash });
            }
            let (found, node) = split(entry);
            if found == hash && is_node(program, node, kind, arguments) {
                return Ok(node);
            }
            slot = (slot + 1) & last;
        }
    }

    /// Fills a place.
    #[inline]
    pub(super) fn fill(&mut self, vacant: Vacant, node: NodeId) {
        let entry = |hash: u32| u64::from(hash) << 32 | u64::from(node.raw());
        match vacant {
            Vacant::Near { line, slot, hash } => self.near[line][slot] = entry(hash),
            Vacant::Far { slot, hash } => {
                self.far[slot] = entry(hash);
                self.used += 1;
            }
        }
    }

    fn grow(&mut self) {
        let len = self.far.len() * 2;
        for entry in std::mem::replace(&mut self.far, vec![0; len]) {
            if entry != 0 {
                let mut slot = (split(entry).0 >> 1) as usize & (len - 1);
                while self.far[slot] != 0 {
                    slot = (slot + 1) & (len - 1);
                }
                self.far[slot] = entry;
            }
        }
    }
}

/// The hash and the node of an entry.
#[inline]
fn split(entry: u64) -> (u32, NodeId) {
    let low = |word: u64| u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0);
    (low(entry >> 32), NodeId::from_raw(low(entry)))
}

/// A free place of a table.
#[derive(Clone, Copy)]
pub(super) enum Vacant {
    /// In the line of the latest argument.
    Near { line: usize, slot: usize, hash: u32 },
    /// By the hash.
    Far { slot: usize, hash: u32 },
}

/// The hash of a program.
fn hash_program(program: &Program, words: &mut Words) {
    words.write_usize(program.inputs);
    for kind in &program.kinds {
        match kind {
            NodeKind::Custom(_) => discriminant(kind).hash(words),
            kind => hash_kind(*kind, words),
        }
    }
    program.ends.hash(words);
    program.arguments.hash(words);
    program.outputs.hash(words);
    for region in &program.regions {
        hash_program(&region.body, words);
    }
}

/// Whether two programs do the same, node by node.
pub(super) fn is_same_program(a: &Program, b: &Program) -> bool {
    let same_kind = |(x, y): (&NodeKind, &NodeKind)| match (*x, *y) {
        (NodeKind::Custom(x), NodeKind::Custom(y)) => {
            Arc::ptr_eq(&a.rules[x as usize], &b.rules[y as usize])
        }
        (x, y) => x.is_same(y),
    };
    let same_guard =
        |(x, y): (&Guard, &Guard)| x.question == y.question && x.recorded.is_same(y.recorded);
    a.inputs == b.inputs
        && a.ends == b.ends
        && a.arguments == b.arguments
        && a.outputs == b.outputs
        && a.kinds.iter().zip(&b.kinds).all(same_kind)
        && a.guards.len() == b.guards.len()
        && a.guards.iter().zip(&b.guards).all(same_guard)
        && a.regions.len() == b.regions.len()
        && a.regions
            .iter()
            .zip(&b.regions)
            .all(|(x, y)| is_same_region(x, y))
}

fn is_same_region(a: &Region, b: &Region) -> bool {
    a.iterations == b.iterations
        && a.is_reversed == b.is_reversed
        && a.sinks == b.sinks
        && a.sources.len() == b.sources.len()
        && a.sources
            .iter()
            .zip(&b.sources)
            .all(|(x, y)| is_same_source(x, y))
        && (Arc::ptr_eq(&a.body, &b.body) || is_same_program(&a.body, &b.body))
}

/// Whether two inputs of regions come from the same kind of source; data by their bits.
pub(super) fn is_same_source(a: &Source, b: &Source) -> bool {
    match (a, b) {
        (Source::Data(a), Source::Data(b)) => {
            Arc::ptr_eq(a, b)
                || a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (a, b) => a == b,
    }
}

/// So many numbers of a column take part in its hash: columns that differ mostly differ at once, and those that are the same
/// mostly share their memory.
const HASHED: usize = 16;

/// Hashes a source and what it reads.
pub(super) fn hash_source(source: &Source, arguments: &[NodeId], words: &mut Words) {
    discriminant(source).hash(words);
    match source {
        Source::Data(data) => {
            words.write_usize(data.len());
            let first = data.iter().take(HASHED);
            first.for_each(|d| words.write_u64(d.to_bits()));
        }
        Source::Carried { output } => words.write_u32(*output),
        Source::Uniform | Source::Lane => {}
    }
    arguments.hash(words);
}

/// The regions of a growing program, and their bodies, by what they do.
#[derive(Default)]
pub(super) struct Regions {
    bodies: Map<u64, Vec<Arc<Program>>>,
    nodes: Map<u64, Vec<NodeId>>,
}

impl Regions {
    /// The body that is there already if there is one.
    pub(super) fn body(&mut self, body: Arc<Program>) -> Arc<Program> {
        let mut words = Words::default();
        hash_program(&body, &mut words);
        let known = self.bodies.entry(words.finish()).or_default();
        if let Some(known) = known.iter().find(|known| is_same_program(known, &body)) {
            return Arc::clone(known);
        }
        known.push(Arc::clone(&body));
        body
    }

    /// The nodes of regions that may be the same as this one, to which its own may be added.
    pub(super) fn nodes(&mut self, region: &Region, arguments: &[NodeId]) -> &mut Vec<NodeId> {
        let mut words = Words::default();
        for (source, range) in region.sources.iter().zip(region.argument_ranges()) {
            hash_source(source, &arguments[range], &mut words);
        }
        words.write_usize(region.iterations);
        words.write_usize(Arc::as_ptr(&region.body).addr());
        self.nodes.entry(words.finish()).or_default()
    }
}

/// The node among these that is this region on these arguments.
pub(super) fn find_region(
    program: &Program,
    nodes: &[NodeId],
    region: &Region,
    arguments: &[NodeId],
) -> Option<NodeId> {
    let is_it = |node: &&NodeId| match program.kind(**node) {
        NodeKind::Region(number) => {
            program.arguments(**node) == arguments
                && is_same_region(&program.regions[number as usize], region)
        }
        _ => false,
    };
    nodes.iter().find(is_it).copied()
}

/// What tells a guard from another: the question, the kind of the answer and its bits.
pub(super) fn guard_key(guard: &Guard) -> (Question, u8, u64) {
    let (kind, bits) = match guard.recorded {
        Decision::Holds(holds) => (0, u64::from(holds)),
        Decision::Ordering(None) => (1, 0),
        Decision::Ordering(Some(Ordering::Less)) => (1, 1),
        Decision::Ordering(Some(Ordering::Equal)) => (1, 2),
        Decision::Ordering(Some(Ordering::Greater)) => (1, 3),
        Decision::Index(None) => (2, 0),
        Decision::Index(Some(index)) => (3, index as u64),
        Decision::Value(value) => (4, value.to_bits()),
    };
    (guard.question, kind, bits)
}
