//! [`SetGraph`]: a linearized graph after the elimination of a *set* of vertices, as bit sets.
//!
//! Which edges there are and of which class they are after some vertices are gone depends on the set and not on the order:
//! `u` has an edge to `w` if a path leads there whose inner vertices are gone; it is a copy, or a unit, if that path is the only
//! one and has only copies, or only copies and units; it is constant if no variable edge is on any such path. So the cost of the next
//! vertex depends on the set as well, for every cost model, and searches may be keyed by the set.
//!
//! Invariant: `edge ⊇ constant ⊇ unit ⊇ copy` in every row; rows of targets and rows of sources say the same.
//! Source: Griewank & Walther 2008, §9.2 and §10.2 (the accumulation problem as a problem on sets).

use super::cost::CostModel;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};

/// The four nested sets that tell the class of an edge.
const EDGE: usize = 0;
const CONSTANT: usize = 1;
const UNIT: usize = 2;
const COPY: usize = 3;
const KINDS: usize = 4;

/// A linearized graph after the elimination of a set of vertices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetGraph {
    vertices: usize,
    words: usize,
    /// For each vertex, kind and word: where its edges come from.
    sources: Vec<u64>,
    /// The same for where they go to.
    targets: Vec<u64>,
}

impl SetGraph {
    /// The graph before anything is eliminated.
    pub(super) fn new(graph: &LinearizedGraph) -> Self {
        let vertices = graph.len();
        let words = vertices.div_ceil(64).max(1);
        let mut sets = Self {
            vertices,
            words,
            sources: vec![0; vertices * words * KINDS],
            targets: vec![0; vertices * words * KINDS],
        };
        for edge in graph.edges() {
            let kinds = match edge.class {
                EdgeClass::Variable => 1,
                EdgeClass::Constant => 2,
                EdgeClass::Unit => 3,
                EdgeClass::Copy => 4,
            };
            let (source, target) = (edge.source.index(), edge.target.index());
            for kind in 0..kinds {
                let row = sets.row(target, kind);
                sets.sources[row + source / 64] |= 1 << (source % 64);
                let row = sets.row(source, kind);
                sets.targets[row + target / 64] |= 1 << (target % 64);
            }
        }
        sets
    }

    fn row(&self, vertex: usize, kind: usize) -> usize {
        (vertex * KINDS + kind) * self.words
    }

    /// The number of edges that enter and that leave a vertex.
    pub(super) fn degrees(&self, vertex: VertexId) -> (u64, u64) {
        let count = |rows: &[u64]| {
            let row = self.row(vertex.index(), EDGE);
            ones(&rows[row..row + self.words])
        };
        (count(&self.sources), count(&self.targets))
    }

    /// Whether all sources of a vertex are terminals, and every target is one or has all of these sources but one already, by
    /// edges that are not copies; with `is_forward` false the same with sources and targets exchanged.
    pub(super) fn is_covered(
        &self,
        vertex: VertexId,
        is_forward: bool,
        is_terminal: &[bool],
    ) -> bool {
        let v = vertex.index();
        let (near, far) = if is_forward {
            (&self.sources, &self.targets)
        } else {
            (&self.targets, &self.sources)
        };
        let copies = self.row(v, COPY);
        if far[copies..copies + self.words]
            .iter()
            .any(|word| *word != 0)
        {
            return false;
        }
        if !self.members(near, v).iter().all(|u| is_terminal[*u]) {
            return false;
        }
        let mine = self.row(v, EDGE);
        self.members(far, v).iter().all(|w| {
            let (edges, copies) = (self.row(*w, EDGE), self.row(*w, COPY));
            let missing: u32 = (0..self.words)
                .map(|i| (near[mine + i] & !(near[edges + i] & !near[copies + i])).count_ones())
                .sum();
            is_terminal[*w] || missing <= 1
        })
    }

    /// Whether two vertices have the same sources and the same targets.
    pub(super) fn are_twins(&self, v: VertexId, w: VertexId) -> bool {
        let (v, w) = (self.row(v.index(), EDGE), self.row(w.index(), EDGE));
        let is_same = |rows: &[u64]| rows[v..v + self.words] == rows[w..w + self.words];
        is_same(&self.sources) && is_same(&self.targets)
    }

    /// Becomes a copy without a new allocation.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.vertices = other.vertices;
        self.words = other.words;
        self.sources.clone_from(&other.sources);
        self.targets.clone_from(&other.targets);
    }

    /// Eliminates a vertex.
    ///
    /// **Cost**: a few operations on sets per neighbour.
    pub(super) fn eliminate(&mut self, vertex: VertexId) {
        let v = vertex.index();
        let (before, after) = (
            self.members(&self.sources, v),
            self.members(&self.targets, v),
        );
        for u in &before {
            join(&mut self.targets, self.words, *u, v, &self.sources);
        }
        for w in &after {
            join(&mut self.sources, self.words, *w, v, &self.targets);
        }
        let (word, mask) = (v / 64, !(1_u64 << (v % 64)));
        for kind in 0..KINDS {
            for u in &before {
                let row = self.row(*u, kind);
                self.targets[row + word] &= mask;
            }
            for w in &after {
                let row = self.row(*w, kind);
                self.sources[row + word] &= mask;
            }
            let row = self.row(v, kind);
            self.sources[row..row + self.words].fill(0);
            self.targets[row..row + self.words].fill(0);
        }
    }

    /// What eliminating a vertex costs now. For [`CostModel::Memory`] it is the number of edges that are stored meanwhile.
    pub(super) fn step_cost(&self, vertex: VertexId, model: CostModel) -> u64 {
        let v = vertex.index();
        let of = |rows: &[u64], kind| {
            let row = self.row(v, kind);
            ones(&rows[row..row + self.words])
        };
        match model {
            CostModel::Multiplications => {
                let entering = of(&self.sources, EDGE) - of(&self.sources, COPY);
                let leaving = of(&self.targets, EDGE) - of(&self.targets, COPY);
                entering * leaving
            }
            CostModel::Arithmetic => {
                let other = |rows: &[u64]| of(rows, EDGE) - of(rows, UNIT);
                let constant = |rows: &[u64]| of(rows, CONSTANT) - of(rows, UNIT);
                let products = other(&self.sources) * other(&self.targets)
                    - constant(&self.sources) * constant(&self.targets);
                products + self.sums(v)
            }
            CostModel::Memory => self.edges() + self.fill_in(v),
        }
    }

    /// The number of all edges.
    pub(super) fn edges(&self) -> u64 {
        (0..self.vertices)
            .map(|u| {
                let row = self.row(u, EDGE);
                ones(&self.targets[row..row + self.words])
            })
            .sum()
    }

    fn fill_in(&self, v: usize) -> u64 {
        let next = self.row(v, EDGE);
        let per_source = self.members(&self.sources, v).into_iter().map(|u| {
            let row = self.row(u, EDGE);
            (0..self.words)
                .map(|w| u64::from((self.targets[next + w] & !self.targets[row + w]).count_ones()))
                .sum::<u64>()
        });
        per_source.sum()
    }

    /// The number of additions, folded ones excepted.
    fn sums(&self, v: usize) -> u64 {
        let common = |u: usize, kind| {
            let (next, row) = (self.row(v, kind), self.row(u, kind));
            (0..self.words)
                .map(|w| u64::from((self.targets[next + w] & self.targets[row + w]).count_ones()))
                .sum::<u64>()
        };
        let per_source = self.members(&self.sources, v).into_iter().map(|u| {
            let row = self.row(v, CONSTANT);
            let is_constant = self.sources[row + u / 64] >> (u % 64) & 1 == 1;
            let folded = if is_constant { common(u, CONSTANT) } else { 0 };
            common(u, EDGE) - folded
        });
        per_source.sum()
    }

    /// The vertices of a row of edges.
    fn members(&self, rows: &[u64], v: usize) -> smallvec::SmallVec<[usize; 16]> {
        let row = self.row(v, EDGE);
        let mut members = smallvec::SmallVec::new();
        for word in 0..self.words {
            let mut rest = rows[row + word];
            while rest != 0 {
                members.push(word * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
        members
    }
}

/// Adds to the row of `u` the edges that lead through `v`. `opposite` are the rows of the other direction.
fn join(rows: &mut [u64], words: usize, u: usize, v: usize, opposite: &[u64]) {
    let at = |vertex: usize, kind: usize| (vertex * KINDS + kind) * words;
    for word in 0..words {
        let old = rows[at(u, EDGE) + word];
        let new = rows[at(v, EDGE) + word];
        rows[at(u, EDGE) + word] = old | new;
        for kind in CONSTANT..KINDS {
            let is_first = opposite[at(v, kind) + u / 64] >> (u % 64) & 1 == 1;
            let product = if is_first {
                rows[at(v, kind) + word]
            } else {
                0
            };
            let before = rows[at(u, kind) + word];
            // Where both were, the edge is a sum: constant if both are, never a unit or a copy.
            let both = if kind == CONSTANT {
                before & product
            } else {
                0
            };
            let alone = (before & !new) | (product & !old);
            rows[at(u, kind) + word] = alone | both;
        }
    }
}

fn ones(words: &[u64]) -> u64 {
    words.iter().map(|w| u64::from(w.count_ones())).sum()
}
