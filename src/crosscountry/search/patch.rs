//! [`Patch`]: a few vertices of a linearized graph and what surrounds them, as sets of bits.
//!
//! What eliminating a vertex costs depends on which vertices are gone, not on the order in which they went: its edges then are
//! the paths of the original graph through vertices that are gone. With rows of a few words an elimination takes tens of
//! nanoseconds, so that a search can try millions.
//!
//! With `K = 1` only the structure is kept, which is all that multiplications without copies depend on; edges between vertices
//! that stay are then left out. With `K = 4` there are four sets per row: all edges, those that are constant, those that are
//! units or copies, and copies.
//!
//! Invariant: `entering[w]` contains `u` if and only if `leaving[u]` contains `w`, wherever both are kept; vertices that can be
//! eliminated are numbered first, in both; then `entering` has the targets that stay and `leaving` the sources that stay.
//! Source: Griewank & Walther 2008, §9.2; the counts are those of [`Elimination`](super::super::Elimination).

use std::collections::HashMap;

use super::super::cost::CostModel;
use super::super::eliminate::{Counting, Elimination};
use super::super::graph::{EdgeClass, VertexId};

/// A set of bits.
type Bits<const W: usize> = [u64; W];
/// The edges at one vertex: by class, see the head of this file.
type Row<const W: usize, const K: usize> = [Bits<W>; K];

/// An edge of a patch between numbers that the patch gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct PatchEdge {
    pub(super) source: usize,
    pub(super) target: usize,
    pub(super) class: EdgeClass,
}

/// The size and the edges of a patch, before its rows are made.
///
/// Vertices that can be eliminated are `0..inner`, in both roles; sources that stay are `inner..inner + sources`, targets that
/// stay `inner..inner + targets`.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) inner: usize,
    pub(super) sources: usize,
    pub(super) targets: usize,
    pub(super) edges: Vec<PatchEdge>,
    /// All edges that are stored outside, for the memory.
    pub(super) others: u64,
}

impl Outline {
    /// The outline of some intermediates as they stand in an elimination, and their edges; with `is_complete` also all edges
    /// between what surrounds them.
    pub(super) fn of(
        elimination: &mut Elimination<Counting>,
        vertices: &[VertexId],
        is_complete: bool,
    ) -> Self {
        let inner: HashMap<VertexId, usize> = vertices.iter().copied().zip(0..).collect();
        let mut outline = Self {
            inner: vertices.len(),
            ..Self::default()
        };
        let mut sources = HashMap::new();
        let mut outer_targets: Vec<VertexId> = Vec::new();
        for (number, vertex) in vertices.iter().enumerate() {
            for (source, class) in elimination.entering(*vertex) {
                let source = inner.get(&source).copied().unwrap_or_else(|| {
                    let next = outline.inner + sources.len();
                    *sources.entry(source).or_insert(next)
                });
                outline.edges.push(PatchEdge {
                    source,
                    target: number,
                    class,
                });
            }
            let successors = elimination.successors(*vertex).into_iter();
            outer_targets.extend(successors.filter(|target| !inner.contains_key(target)));
        }
        outer_targets.sort_unstable();
        outer_targets.dedup();
        for (target, vertex) in (outline.inner..).zip(&outer_targets) {
            for (source, class) in elimination.entering(*vertex) {
                let inside = inner.get(&source);
                let around = sources.get(&source).filter(|_| is_complete);
                if let Some(source) = inside.or(around).copied() {
                    outline.edges.push(PatchEdge {
                        source,
                        target,
                        class,
                    });
                }
            }
        }
        outline.sources = sources.len();
        outline.targets = outer_targets.len();
        outline.others = elimination.edges() - outline.edges.len() as u64;
        outline
    }

    /// The number of bits of a row.
    pub(super) fn width(&self) -> usize {
        self.inner + self.sources.max(self.targets)
    }

    /// Whether some edge is a copy.
    pub(super) fn has_copies(&self) -> bool {
        self.edges.iter().any(|edge| edge.class == EdgeClass::Copy)
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Patch<const W: usize, const K: usize> {
    model: CostModel,
    inner: usize,
    entering: Vec<Row<W, K>>,
    leaving: Vec<Row<W, K>>,
    edges: u64,
}

impl<const W: usize, const K: usize> Patch<W, K> {
    /// Makes the rows; the width must fit.
    pub(super) fn new(outline: &Outline, model: CostModel) -> Self {
        // Rows of what stays are only read for the classes of the edges between.
        let staying = |count: usize| if K == 1 { 0 } else { count };
        let mut patch = Self {
            model,
            inner: outline.inner,
            entering: vec![[[0; W]; K]; outline.inner + staying(outline.targets)],
            leaving: vec![[[0; W]; K]; outline.inner + staying(outline.sources)],
            edges: outline.others + outline.edges.len() as u64,
        };
        for edge in &outline.edges {
            let is_in = [
                true,
                edge.class.is_constant(),
                matches!(edge.class, EdgeClass::Unit | EdgeClass::Copy),
                edge.class == EdgeClass::Copy,
            ];
            for (k, is_in) in is_in.into_iter().enumerate().take(K) {
                if !is_in {
                    continue;
                }
                if let Some(row) = patch.entering.get_mut(edge.target) {
                    insert(&mut row[k], edge.source);
                }
                if let Some(row) = patch.leaving.get_mut(edge.source) {
                    insert(&mut row[k], edge.target);
                }
            }
        }
        patch
    }

    /// The number of vertices that can be eliminated.
    pub(super) fn len(&self) -> usize {
        self.inner
    }

    /// The number of edges that are stored.
    pub(super) fn edges(&self) -> u64 {
        self.edges
    }

    /// Becomes what the other is, without allocating.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.entering.copy_from_slice(&other.entering);
        self.leaving.copy_from_slice(&other.leaving);
        self.edges = other.edges;
    }

    /// The vertices that can be eliminated and that share an edge with this one.
    pub(super) fn neighbours(&self, vertex: usize) -> impl Iterator<Item = usize> + use<W, K> {
        let inner = self.inner;
        let mut both = self.entering[vertex][0];
        for (word, other) in both.iter_mut().zip(&self.leaving[vertex][0]) {
            *word |= other;
        }
        ones(both).take_while(move |found| *found < inner)
    }

    /// Eliminates a vertex; the result is the number of operations, or the number of edges stored meanwhile.
    #[inline]
    pub(super) fn eliminate(&mut self, vertex: usize) -> u64 {
        if K == 1 {
            self.eliminate_structure(vertex)
        } else {
            self.eliminate_classes(vertex)
        }
    }

    #[inline]
    fn eliminate_structure(&mut self, vertex: usize) -> u64 {
        let (entering, leaving) = (self.entering[vertex][0], self.leaving[vertex][0]);
        let (at, bit) = (vertex / 64, 1_u64 << (vertex % 64));
        for source in ones(entering).take_while(|source| *source < self.inner) {
            let row = &mut self.leaving[source][0];
            for (word, new) in row.iter_mut().zip(&leaving) {
                *word |= new;
            }
            row[at] &= !bit;
        }
        for target in ones(leaving).take_while(|target| *target < self.inner) {
            let row = &mut self.entering[target][0];
            for (word, new) in row.iter_mut().zip(&entering) {
                *word |= new;
            }
            row[at] &= !bit;
        }
        count(&entering) * count(&leaving)
    }

    fn eliminate_classes(&mut self, vertex: usize) -> u64 {
        let (entering, leaving) = (self.entering[vertex], self.leaving[vertex]);
        let (mut sums, mut fill) = (0, 0);
        for source in ones(entering[0]) {
            let (new, added) = join(
                &mut self.leaving[source],
                &leaving,
                &entering,
                source,
                vertex,
            );
            fill += new;
            sums += added;
        }
        for target in ones(leaving[0]) {
            join(
                &mut self.entering[target],
                &entering,
                &leaving,
                target,
                vertex,
            );
        }
        let (into, out) = (Classes::of(&entering), Classes::of(&leaving));
        let most = self.edges + fill;
        self.edges = most - into.all - out.all;
        match self.model {
            CostModel::Multiplications => (into.all - into.copies) * (out.all - out.copies),
            CostModel::Arithmetic => {
                let products = (into.variable + into.constant) * (out.variable + out.constant);
                products - into.constant * out.constant + sums
            }
            CostModel::Memory => most,
        }
    }
}

/// The number of edges of every class.
struct Classes {
    all: u64,
    variable: u64,
    /// Neither units nor copies.
    constant: u64,
    copies: u64,
}

impl Classes {
    fn of<const W: usize, const K: usize>(row: &Row<W, K>) -> Self {
        let [all, constant, units, copies] = [0, 1, 2, 3].map(|k| count(&row[k]));
        Self {
            all,
            variable: all - constant,
            constant: constant - units,
            copies,
        }
    }
}

/// Adds to the row of `near` the paths by way of `vertex`, whose own rows are `far` and, on the side of `near`, `side`.
///
/// The result is the number of new edges, and that of sums that are not constants.
fn join<const W: usize, const K: usize>(
    row: &mut Row<W, K>,
    far: &Row<W, K>,
    side: &Row<W, K>,
    near: usize,
    vertex: usize,
) -> (u64, u64) {
    let mask = |k: usize| {
        if contains(&side[k], near) {
            u64::MAX
        } else {
            0
        }
    };
    let (is_constant, is_unit, is_copy) = (mask(1), mask(2), mask(3));
    for bits in row.iter_mut() {
        bits[vertex / 64] &= !(1 << (vertex % 64));
    }
    let (mut fill, mut sums) = (0, 0);
    for w in 0..W {
        let (old, new) = (row[0][w], far[0][w]);
        let fresh = new & !old;
        let constant = far[1][w] & is_constant;
        fill += u64::from(fresh.count_ones());
        sums += u64::from((old & new & !(row[1][w] & constant)).count_ones());
        row[0][w] = old | new;
        row[1][w] = (row[1][w] & (!new | constant)) | (constant & fresh);
        row[2][w] = (row[2][w] & !new) | (far[2][w] & is_unit & fresh);
        row[3][w] = (row[3][w] & !new) | (far[3][w] & is_copy & fresh);
    }
    (fill, sums)
}

fn insert<const W: usize>(bits: &mut Bits<W>, element: usize) {
    bits[element / 64] |= 1 << (element % 64);
}

fn contains<const W: usize>(bits: &Bits<W>, element: usize) -> bool {
    bits[element / 64] >> (element % 64) & 1 == 1
}

fn count<const W: usize>(bits: &Bits<W>) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// The elements, ascending.
fn ones<const W: usize>(mut bits: Bits<W>) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < W {
            if bits[at] != 0 {
                let lowest = bits[at].trailing_zeros() as usize;
                bits[at] &= bits[at] - 1;
                return Some(at * 64 + lowest);
            }
            at += 1;
        }
        None
    })
}
