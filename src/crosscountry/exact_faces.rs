//! [`Faces`]: line graphs as states of the exhaustive search, [`Twins`]: what need not be told apart in them, and a bound on the
//! rest.
//!
//! **Twins.** Inputs with edges of the same classes to the same vertices become one input with a weight: a product that starts
//! there counts as often as there are twins. Nothing is lost for products, copies excepted or not: take a cheapest sequence, and of
//! two twins the one with fewer products that start at it. Without the other twin the sequence is still possible, and each product
//! in it is one of before, for sets of neighbours that were equal are equal without it. Put the other twin back, doing whatever the first
//! does. In the same way outputs that nothing leaves and that the same edges enter are one.
//!
//! **Faces that can go first.** A face from a terminal to a terminal over `v`, where no other path leads from the first to `v` and
//! none from `v` to the second: neither of its duals will ever be a part of another product or be added to another dual, so it
//! has to be eliminated as it is, and no other dual's neighbours change by that.
//!
//! **Bound.** That of [`separator_bound`](super::separator_bound) for the line graph as it is now: paths must follow its faces. Where
//! some faces of a vertex are gone, only those duals that enter it are looked at that have a set of others in common.
//!
//! Invariant: weights are 1 where twins cost different things; a bound is never above what is left to pay.
//! Source: Naumann 2004 (the moves); the rest is our own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cost::{CostModel, Tally};
use super::eliminate::Algebra;
use super::exact_moves::{Rules, Space};
use super::faces::{Dual, FaceElimination};
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::moves::Move;
use super::search_moves::state::word_members as members;
use crate::error::Error;

/// A graph in which one of each set of twins stands for all.
#[derive(Debug)]
pub(super) struct Twins {
    graph: LinearizedGraph,
    /// For each vertex those it stands for, itself first; nobody for those that are left out.
    members: Vec<Vec<VertexId>>,
}

impl Twins {
    pub(super) fn of(graph: &LinearizedGraph, model: CostModel) -> Result<Self, Error> {
        let mut entering = vec![Vec::new(); graph.len()];
        let mut leaving = vec![Vec::new(); graph.len()];
        for edge in graph.edges() {
            entering[edge.target.index()].push((edge.source, edge.class.name()));
            leaving[edge.source.index()].push((edge.target, edge.class.name()));
        }
        let mut members: Vec<Vec<VertexId>> = vec![Vec::new(); graph.len()];
        let mut first = BTreeMap::new();
        let is_intermediate = graph.is_intermediate();
        for v in 0..graph.len() {
            let vertex = VertexId::new(v)?;
            // Sums and stored partials of twins are not those of one of them.
            let may_be = model == CostModel::Multiplications && !is_intermediate[v];
            let stands_for = match (may_be, entering[v].is_empty(), leaving[v].is_empty()) {
                (true, true, false) => *first.entry((true, &leaving[v])).or_insert(v),
                (true, false, true) => *first.entry((false, &entering[v])).or_insert(v),
                _ => v,
            };
            members[stands_for].push(vertex);
        }
        let is_kept = |v: VertexId| !members[v.index()].is_empty();
        let edges = graph.edges().iter();
        let edges: Vec<(usize, usize, EdgeClass)> = edges
            .filter(|e| is_kept(e.source) && is_kept(e.target))
            .map(|e| (e.source.index(), e.target.index(), e.class))
            .collect();
        let outputs: Vec<usize> = graph.outputs().iter().map(|v| v.index()).collect();
        Ok(Self {
            graph: LinearizedGraph::new(
                graph.name(),
                graph.inputs(),
                graph.len(),
                &outputs,
                &edges,
            )?,
            members,
        })
    }

    /// The faces of the whole graph from those of the one with twins as one.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if a face is not possible.
    pub(super) fn expand(
        &self,
        graph: &LinearizedGraph,
        moves: &[Move],
    ) -> Result<Vec<Move>, Error> {
        let mut one = FaceElimination::counting(&self.graph)?;
        let mut all = FaceElimination::counting(graph)?;
        let number = |source: VertexId, target: VertexId| {
            let found = graph
                .edges()
                .binary_search_by_key(&(target, source), |e| (e.target, e.source));
            VertexId::new(found.unwrap_or_else(|place| place)).map(VertexId::raw)
        };
        // For each dual those it stands for: by sources, then by targets.
        let mut copies: Vec<Vec<u32>> = Vec::new();
        for edge in self.graph.edges() {
            let sources = self.members[edge.source.index()].iter();
            let pairs = sources.flat_map(|s| {
                let targets = self.members[edge.target.index()].iter();
                targets.map(move |t| (*s, *t))
            });
            copies.push(pairs.map(|(s, t)| number(s, t)).collect::<Result<_, _>>()?);
        }
        let mut expanded = Vec::new();
        for step in moves {
            let Move::Face(first, second) = *step else {
                continue;
            };
            let mut products = Vec::new();
            for a in copies[first as usize].clone() {
                for b in &copies[second as usize] {
                    expanded.push(Move::Face(a, *b));
                    products.push(all.eliminate_face(a, *b)?);
                }
            }
            if one.eliminate_face(first, second)? as usize == copies.len() {
                copies.push(products);
            }
        }
        Ok(expanded)
    }
}

/// The class of a partial, and for how many sources and targets it stands.
#[derive(Clone, Copy, Debug)]
struct Weighted {
    class: EdgeClass,
    sources: u64,
    targets: u64,
}

/// Counts operations as often as partials stand for twins.
#[derive(Clone, Debug, Default)]
struct CountingTwins {
    tally: Tally,
}

impl Algebra for CountingTwins {
    type Partial = Weighted;

    fn product(&mut self, first: &Weighted, second: &Weighted) -> Result<Weighted, Error> {
        for _ in 0..first.sources * second.targets {
            self.tally.count_product(first.class, second.class)?;
        }
        Ok(Weighted {
            class: first.class.times(second.class),
            sources: first.sources,
            targets: second.targets,
        })
    }

    fn sum(&mut self, old: &Weighted, new: &Weighted) -> Result<Weighted, Error> {
        for _ in 0..old.sources * old.targets {
            self.tally.count_sum(old.class, new.class)?;
        }
        let class = old.class.plus(new.class);
        Ok(Weighted { class, ..*old })
    }
}

/// A line graph with twins as one.
#[derive(Clone)]
pub(super) struct Faces {
    elimination: FaceElimination<CountingTwins>,
    weights: Arc<[u64]>,
}

impl Faces {
    pub(super) fn new(twins: &Twins) -> Result<Self, Error> {
        let weights = twins.members.iter().map(|list| list.len() as u64);
        let weights: Arc<[u64]> = weights.collect();
        let ends: Vec<(usize, usize)> = twins
            .graph
            .edges()
            .iter()
            .map(|e| (e.source.index(), e.target.index()))
            .collect();
        let partial = |edge: usize, class| Weighted {
            class,
            sources: weights[ends[edge].0],
            targets: weights[ends[edge].1],
        };
        Ok(Self {
            elimination: FaceElimination::new(&twins.graph, CountingTwins::default(), partial)?,
            weights: Arc::clone(&weights),
        })
    }
}

impl Space for Faces {
    fn possible(&mut self, rules: &Rules) -> Vec<Move> {
        let faces = self.elimination.faces();
        if rules.model != CostModel::Memory
            && let Some(network) = Network::new(&self.elimination, &self.weights)
            && let Some((a, b)) = faces.iter().find(|(a, b)| network.can_go_first(*a, *b))
        {
            return vec![Move::Face(*a, *b)];
        }
        faces.into_iter().map(|(a, b)| Move::Face(a, b)).collect()
    }

    fn apply(&mut self, step: Move) -> Result<(), Error> {
        self.elimination.take(step)
    }

    fn paid(&self, model: CostModel) -> u64 {
        let memory = self.elimination.memory();
        let tally = self.elimination.gathered().tally;
        Tally { memory, ..tally }.of(model)
    }

    fn middle(&self, step: Move) -> VertexId {
        match step {
            Move::Vertex(v) | Move::Front(_, v) | Move::Back(v, _) => v,
            Move::Face(first, _) => self
                .elimination
                .ends(first)
                .map_or(VertexId::from_raw(0), |ends| ends.1),
        }
    }

    fn is_finished(&self) -> bool {
        self.elimination.is_complete()
    }

    fn rest(&self, rules: &Rules, paid: &[u64]) -> u64 {
        let mut rest: Vec<u64> = rules
            .least
            .iter()
            .zip(paid)
            .map(|(least, paid)| least.saturating_sub(*paid))
            .collect();
        if rules.model == CostModel::Multiplications
            && !rules.has_classes
            && let Some(network) = Network::new(&self.elimination, &self.weights)
        {
            for (v, here) in network.vertices.iter().zip(network.least_products()) {
                rest[*v as usize] = rest[*v as usize].max(here);
            }
        }
        rest.iter().sum()
    }

    fn key(&mut self, rules: &Rules) -> Box<[u64]> {
        let has_classes = rules.has_classes;
        let class = |partial: &Weighted| has_classes.then_some(partial.class as u32);
        let text = self.elimination.canonical(class);
        text.iter().map(|x| u64::from(*x)).collect()
    }
}

/// A set of duals, or of vertices, by their places in a [`Network`].
type Set = u64;

/// A small line graph, for the paths in it.
struct Network {
    /// The vertices that some dual joins; their numbers are ranks here.
    vertices: Vec<u32>,
    /// The number of a vertex's twins; 0 for an intermediate.
    room: Vec<u64>,
    numbers: Vec<u32>,
    ends: Vec<(usize, usize)>,
    before: Vec<Set>,
    after: Vec<Set>,
    entering: Vec<Set>,
    leaving: Vec<Set>,
}

/// The most vertices: each is two nodes of a flow, and there are a source and a sink.
const MOST_VERTICES: usize = 31;

impl Network {
    /// Nothing if there are too many duals or vertices.
    fn new(elimination: &FaceElimination<CountingTwins>, weights: &[u64]) -> Option<Self> {
        let duals: Vec<(u32, &Dual<Weighted>)> = elimination.duals().collect();
        if duals.len() > 64 {
            return None;
        }
        let ends = duals.iter().flat_map(|(_, d)| [d.source, d.target]);
        let mut vertices: Vec<u32> = ends.collect();
        vertices.sort_unstable();
        vertices.dedup();
        if vertices.len() > MOST_VERTICES {
            return None;
        }
        let rank = |v: u32| vertices.partition_point(|other| *other < v);
        let numbers: Vec<u32> = duals.iter().map(|(number, _)| *number).collect();
        let set = |list: &[u32]| {
            let places = list.iter().map(|x| numbers.partition_point(|n| n < x));
            places.fold(0, |set: Set, place| set | 1 << place)
        };
        let is_terminal = |v: &u32| !elimination.is_intermediate(*v);
        let mut network = Self {
            room: vertices
                .iter()
                .map(|v| {
                    if is_terminal(v) {
                        weights[*v as usize]
                    } else {
                        0
                    }
                })
                .collect(),
            ends: duals
                .iter()
                .map(|(_, d)| (rank(d.source), rank(d.target)))
                .collect(),
            before: duals.iter().map(|(_, d)| set(&d.before)).collect(),
            after: duals.iter().map(|(_, d)| set(&d.after)).collect(),
            entering: vec![0; vertices.len()],
            leaving: vec![0; vertices.len()],
            numbers,
            vertices,
        };
        for (place, (source, target)) in network.ends.iter().enumerate() {
            network.leaving[*source] |= 1 << place;
            network.entering[*target] |= 1 << place;
        }
        Some(network)
    }

    /// See the head of this file.
    fn can_go_first(&self, first: u32, second: u32) -> bool {
        let place = |number| self.numbers.partition_point(|n| *n < number);
        let (a, b) = (place(first), place(second));
        let (source, middle) = self.ends[a];
        let target = self.ends[b].1;
        if self.room[source] == 0 || self.room[target] == 0 {
            return false;
        }
        let mut before = self.entering[middle] & !(1 << a);
        let mut behind = self.leaving[middle] & !(1 << b);
        let (mut starts, mut stops) = (0, 0);
        // Sets of duals only grow until they are closed.
        loop {
            let more = members(before).fold(before, |set, d| set | self.before[d]);
            if more == before {
                break;
            }
            before = more;
        }
        loop {
            let more = members(behind).fold(behind, |set, d| set | self.after[d]);
            if more == behind {
                break;
            }
            behind = more;
        }
        for d in members(before) {
            starts |= 1_u64 << self.ends[d].0;
        }
        for d in members(behind) {
            stops |= 1_u64 << self.ends[d].1;
        }
        starts >> source & 1 == 0 && stops >> target & 1 == 0
    }

    /// For each vertex the products that must still be formed there.
    fn least_products(&self) -> Vec<u64> {
        let is_full: Vec<bool> = (0..self.vertices.len())
            .map(|v| members(self.entering[v]).all(|d| self.after[d] == self.leaving[v]))
            .collect();
        // Paths lead only through vertices that have all their faces.
        let next = |sets: &[Set], end: fn(&(usize, usize)) -> usize| -> Vec<Set> {
            let ends = |v: usize| {
                let duals = members(if is_full[v] { sets[v] } else { 0 });
                duals.fold(0, |set: Set, d| set | 1 << end(&self.ends[d]))
            };
            (0..self.vertices.len()).map(ends).collect()
        };
        let sources = next(&self.entering, |ends| ends.0);
        let targets = next(&self.leaving, |ends| ends.1);
        let of = |v: usize| {
            if self.room[v] > 0 {
                return 0;
            }
            let mut best = 0;
            let mut seen: smallvec::SmallVec<[Set; 8]> = smallvec::SmallVec::new();
            for d in members(self.entering[v]) {
                let behind = self.after[d];
                if seen.contains(&behind) {
                    continue;
                }
                seen.push(behind);
                let before =
                    members(self.entering[v]).filter(|e| self.after[*e] & behind == behind);
                let starts = before.fold(0, |set: Set, e| set | 1 << self.ends[e].0);
                let stops = members(behind).fold(0, |set: Set, f| set | 1 << self.ends[f].1);
                best = best.max(self.paths(starts, &sources) * self.paths(stops, &targets));
            }
            best
        };
        (0..self.vertices.len()).map(of).collect()
    }

    /// The number of paths from some vertices to terminals that share no intermediate, and no more at a terminal than it has
    /// twins (Menger 1927, by augmenting paths).
    fn paths(&self, starts: Set, next: &[Set]) -> u64 {
        const SOURCE: usize = 2 * MOST_VERTICES;
        const SINK: usize = SOURCE + 1;
        const MUCH: u64 = u64::MAX >> 1;
        let mut room = [[0_u64; 64]; 64];
        let mut open = [0_u64; 64];
        let mut give = |open: &mut [u64; 64], from: usize, to: usize, more: u64| {
            room[from][to] += more;
            open[from] |= 1 << to;
        };
        for v in members(starts) {
            give(&mut open, SOURCE, 2 * v, MUCH);
        }
        for (v, next) in next.iter().enumerate() {
            if self.room[v] > 0 {
                give(&mut open, 2 * v, SINK, self.room[v]);
            } else {
                give(&mut open, 2 * v, 2 * v + 1, 1);
                for w in members(*next) {
                    give(&mut open, 2 * v + 1, 2 * w, MUCH);
                }
            }
        }
        let mut count = 0;
        loop {
            let mut from = [usize::MAX; 64];
            let (mut seen, mut front) = (1_u64 << SOURCE, vec![SOURCE]);
            while let Some(node) = front.pop() {
                for to in members(open[node] & !seen) {
                    seen |= 1 << to;
                    from[to] = node;
                    front.push(to);
                }
            }
            if seen >> SINK & 1 == 0 {
                return count;
            }
            let mut node = SINK;
            while node != SOURCE {
                let last = from[node];
                room[last][node] -= 1;
                if room[last][node] == 0 {
                    open[last] &= !(1 << node);
                }
                room[node][last] += 1;
                open[node] |= 1 << last;
                node = last;
            }
            count += 1;
        }
    }
}
