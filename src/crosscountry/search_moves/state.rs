//! [`State`]: a graph from which vertices and edges are eliminated in bit sets, for searches that do so millions of times.
//!
//! Invariant: `entering[v]` and `leaving[v]` are the two sides of one relation; the tally is that of
//! [`Elimination`](super::super::Elimination) after the same moves.
//! Source: none; a twin in the tests.

use super::super::cost::{CostModel, Tally};
use super::super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::step::{Graph, Step};
use crate::error::Error;

/// A set of at most `64 W` vertices.
pub(super) type Set<const W: usize> = [u64; W];

/// A graph from which vertices and edges are being eliminated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct State<const W: usize> {
    entering: Vec<Set<W>>,
    leaving: Vec<Set<W>>,
    /// One class per pair of vertices; empty if classes do not matter to the cost.
    classes: Vec<EdgeClass>,
    edges: u64,
    /// The cost so far.
    tally: Tally,
    model: CostModel,
}

impl<const W: usize> State<W> {
    pub(in super::super) fn new(graph: &LinearizedGraph, model: CostModel) -> Self {
        let vertices = graph.len();
        let has_copies = graph.edges().iter().any(|e| e.class == EdgeClass::Copy);
        let has_classes = has_copies || model == CostModel::Arithmetic;
        let cells = if has_classes { vertices * vertices } else { 0 };
        let mut state = Self {
            entering: vec![[0; W]; vertices],
            leaving: vec![[0; W]; vertices],
            classes: vec![EdgeClass::Variable; cells],
            edges: graph.edges().len() as u64,
            tally: Tally::default(),
            model,
        };
        state.tally.memory = state.edges;
        for edge in graph.edges() {
            let (source, target) = (edge.source.index(), edge.target.index());
            insert(&mut state.entering[target], source);
            insert(&mut state.leaving[source], target);
            if has_classes {
                state.classes[target * vertices + source] = edge.class;
            }
        }
        state
    }

    /// The sets of the vertices before each one, and the classes of the edges if they matter: all that later costs depend on.
    pub(in super::super) fn key(&self) -> Box<[u64]> {
        let mut key = Vec::with_capacity(self.entering.len() * W);
        let vertices = self.entering.len();
        for (target, set) in self.entering.iter().enumerate() {
            key.extend_from_slice(set);
            if !self.classes.is_empty() {
                let classes = members(set).map(|source| self.classes[target * vertices + source]);
                key.extend(classes.map(|class| class as u64));
            }
        }
        key.into()
    }

    /// Classes of edges that are not there may differ.
    fn classes_agree(&self, other: &Self) -> bool {
        let vertices = self.entering.len();
        self.classes.is_empty()
            || (0..vertices).all(|target| {
                let mut sources = members(&self.entering[target]);
                sources.all(|source| {
                    let cell = target * vertices + source;
                    self.classes[cell] == other.classes[cell]
                })
            })
    }

    fn vertex(&mut self, v: usize) -> Result<bool, Error> {
        let (before, after) = (self.entering[v], self.leaving[v]);
        let gone = u64::from(size(&before)) + u64::from(size(&after));
        if gone == 0 {
            return Ok(false);
        }
        self.bridge(&before, v, &after)?;
        for target in members(&after) {
            remove(&mut self.entering[target], v);
        }
        for source in members(&before) {
            remove(&mut self.leaving[source], v);
        }
        (self.entering[v], self.leaving[v]) = ([0; W], [0; W]);
        self.edges -= gone;
        Ok(true)
    }

    fn front(&mut self, u: usize, v: usize) -> Result<bool, Error> {
        if !contains(&self.entering[v], u) {
            return Ok(false);
        }
        let mut before = [0; W];
        insert(&mut before, u);
        let after = self.leaving[v];
        self.bridge(&before, v, &after)?;
        self.cut(u, v);
        if size(&self.entering[v]) == 0 {
            for target in members(&after) {
                self.cut(v, target);
            }
        }
        Ok(true)
    }

    fn back(&mut self, u: usize, v: usize) -> Result<bool, Error> {
        if !contains(&self.entering[v], u) {
            return Ok(false);
        }
        let mut after = [0; W];
        insert(&mut after, v);
        let before = self.entering[u];
        self.bridge(&before, u, &after)?;
        self.cut(u, v);
        if size(&self.leaving[u]) == 0 {
            for source in members(&before) {
                self.cut(source, u);
            }
        }
        Ok(true)
    }

    fn cut(&mut self, source: usize, target: usize) {
        remove(&mut self.entering[target], source);
        remove(&mut self.leaving[source], target);
        self.edges -= 1;
    }

    /// Makes an edge of each path from `before` over `middle` to `after`.
    fn bridge(&mut self, before: &Set<W>, middle: usize, after: &Set<W>) -> Result<(), Error> {
        if self.classes.is_empty() {
            let products = u64::from(size(before)) * u64::from(size(after));
            let total = self.tally.multiplications.checked_add(products);
            self.tally.multiplications = total.ok_or(Error::CostOverflow)?;
        } else {
            self.multiply_classes(before, middle, after)?;
        }
        for target in members(after) {
            let old = size(&self.entering[target]);
            unite(&mut self.entering[target], before);
            self.edges += u64::from(size(&self.entering[target]) - old);
        }
        for source in members(before) {
            unite(&mut self.leaving[source], after);
        }
        self.tally.memory = self.tally.memory.max(self.edges);
        Ok(())
    }

    fn multiply_classes(
        &mut self,
        before: &Set<W>,
        middle: usize,
        after: &Set<W>,
    ) -> Result<(), Error> {
        let vertices = self.entering.len();
        for target in members(after) {
            let second = self.classes[target * vertices + middle];
            for source in members(before) {
                let first = self.classes[middle * vertices + source];
                self.tally.count_product(first, second)?;
                let product = first.times(second);
                let place = &mut self.classes[target * vertices + source];
                if contains(&self.entering[target], source) {
                    self.tally.count_sum(*place, product)?;
                    *place = place.plus(product);
                } else {
                    *place = product;
                }
            }
        }
        Ok(())
    }
}

impl<const W: usize> Graph for State<W> {
    /// A step between vertices of which an end is no intermediate must not be asked for.
    fn take(&mut self, step: Step) -> Result<bool, Error> {
        match step {
            Step::Vertex(v) => self.vertex(v.index()),
            Step::Front(u, v) => self.front(u.index(), v.index()),
            Step::Back(u, v) => self.back(u.index(), v.index()),
            Step::Face(..) => Ok(false),
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn tally_mut(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn model(&self) -> CostModel {
        self.model
    }

    fn has_same_graph(&self, other: &Self) -> bool {
        self.entering == other.entering
            && self.classes_agree(other)
            && (self.model != CostModel::Memory || self.tally.memory == other.tally.memory)
    }

    fn degrees(&self, vertex: VertexId) -> (u32, u32) {
        let vertex = vertex.index();
        (size(&self.entering[vertex]), size(&self.leaving[vertex]))
    }

    fn sources(&self, vertex: VertexId) -> impl Iterator<Item = VertexId> {
        members(&self.entering[vertex.index()]).map(vertex_of)
    }

    fn targets(&self, vertex: VertexId) -> impl Iterator<Item = VertexId> {
        members(&self.leaving[vertex.index()]).map(vertex_of)
    }
}

/// The vertex of a number in a set.
fn vertex_of(index: usize) -> VertexId {
    VertexId::new(index).expect("it is the number of a vertex of the graph")
}

pub(super) fn insert<const W: usize>(set: &mut Set<W>, vertex: usize) {
    set[vertex / 64] |= 1 << (vertex % 64);
}

pub(super) fn remove<const W: usize>(set: &mut Set<W>, vertex: usize) {
    set[vertex / 64] &= !(1 << (vertex % 64));
}

pub(super) fn contains<const W: usize>(set: &Set<W>, vertex: usize) -> bool {
    set[vertex / 64] & (1 << (vertex % 64)) != 0
}

fn unite<const W: usize>(set: &mut Set<W>, other: &Set<W>) {
    for (word, more) in set.iter_mut().zip(other) {
        *word |= more;
    }
}

pub(super) fn is_empty<const W: usize>(set: &Set<W>) -> bool {
    set.iter().all(|word| *word == 0)
}

pub(super) fn size<const W: usize>(set: &Set<W>) -> u32 {
    set.iter().map(|word| word.count_ones()).sum()
}

/// The members of a set of at most 64, ascending.
pub(in super::super) fn word_members(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let member = (set != 0).then_some(set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(member)
    })
}

/// The members, ascending.
pub(super) fn members<const W: usize>(set: &Set<W>) -> impl Iterator<Item = usize> + use<W> {
    let set = *set;
    (0..W).flat_map(move |place| word_members(set[place]).map(move |bit| place * 64 + bit))
}
