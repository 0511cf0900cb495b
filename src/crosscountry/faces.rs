//! [`FaceElimination`]: the line graph of a linearized graph, from which faces are being eliminated.
//!
//! A face is a pair of edges that follow each other. Eliminating it multiplies the two partials and nothing else, so the two
//! edges may stay for other faces; that is why the edges become vertices of their own, here called *duals*. A new dual bridges
//! the face: it has the predecessors of the first edge and the successors of the second one. Vertex and edge elimination are
//! sequences of faces.
//!
//! Invariant: a dual is named by its source and target vertex, and a face joins only duals that meet in an intermediate; no two
//! duals have the same name, predecessors and successors; every dual lies on a path from where nothing is eliminated (an
//! input or an output) to an output.
//! Source: Naumann 2004, §3 (dual graph, absorption, merging of duals).

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::cost::Tally;
use super::eliminate::{Algebra, Counting, Numbers};
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::error::Error;

/// Numbers of duals, ascending.
type List = SmallVec<[u32; 6]>;

/// A vertex of the line graph: an edge, or a product of such.
#[derive(Clone, Debug)]
pub(super) struct Dual<P> {
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) before: List,
    pub(super) after: List,
    partial: P,
}

/// A line graph from which faces are being eliminated.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, FaceElimination, LinearizedGraph};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// let mut elimination = FaceElimination::accumulating(&graph, &[2.0, 3.0, 5.0])?;
/// // Edge 0 is that to the vertex, edge 2 that from it; the product joins the direct edge 1.
/// assert_eq!(elimination.eliminate_face(0, 2)?, 1);
/// assert_eq!(elimination.jacobian()[0].2, 13.0);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the duals `0..` are the edges of [`LinearizedGraph::edges`] in their order; every face whose product joins no dual
/// makes the dual with the next number.
/// **Cost**: a face is one product, a sum where the product joins a dual, and a sum where a dual that is left becomes like
/// another.
/// **Source**: Naumann 2004, §3. Duals on no path to an output are dropped at once, which the source leaves to a preprocessor;
/// of two duals that merge the smaller number stays.
#[derive(Clone, Debug)]
pub struct FaceElimination<A: Algebra> {
    algebra: A,
    outputs: Vec<VertexId>,
    is_intermediate: Vec<bool>,
    duals: Vec<Option<Dual<A::Partial>>>,
    /// The duals by the vertices that they join.
    named: BTreeMap<(u32, u32), SmallVec<[u32; 2]>>,
    alive: u64,
    most: u64,
}

impl FaceElimination<Counting> {
    /// Starts on classes: operations are counted, nothing is computed.
    ///
    /// **Cost**: one step per pair of edges that follow each other.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn counting(graph: &LinearizedGraph) -> Result<Self, Error> {
        Self::new(graph, Counting::default(), |_, class| class)
    }

    /// What it has cost so far.
    #[must_use]
    pub fn cost(&self) -> Tally {
        Tally {
            memory: self.most,
            ..self.algebra.tally
        }
    }
}

impl FaceElimination<Numbers> {
    /// Starts on numbers, one per edge in the order of [`LinearizedGraph::edges`].
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless there is a number per edge; as [`new`](Self::new).
    pub fn accumulating(graph: &LinearizedGraph, partials: &[f64]) -> Result<Self, Error> {
        crate::error::check_len("partials", graph.edges().len(), partials.len())?;
        Self::new(graph, Numbers, |edge, _| partials[edge])
    }
}

impl<A: Algebra> FaceElimination<A> {
    /// Starts with the partials that `partial` gives for the number and the class of each edge.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 edges.
    pub fn new(
        graph: &LinearizedGraph,
        algebra: A,
        mut partial: impl FnMut(usize, EdgeClass) -> A::Partial,
    ) -> Result<Self, Error> {
        let is_intermediate = graph.is_intermediate();
        let mut entering = vec![List::new(); graph.len()];
        let mut leaving = vec![List::new(); graph.len()];
        for (number, edge) in graph.edges().iter().enumerate() {
            let number = VertexId::new(number)?.raw();
            entering[edge.target.index()].push(number);
            leaving[edge.source.index()].push(number);
        }
        // Inputs and outputs are never eliminated: no face leads through them.
        for (vertex, is) in is_intermediate.iter().enumerate() {
            if !is {
                entering[vertex].clear();
                leaving[vertex].clear();
            }
        }
        let mut elimination = Self {
            algebra,
            outputs: graph.outputs().to_vec(),
            is_intermediate,
            duals: Vec::with_capacity(graph.edges().len()),
            named: BTreeMap::new(),
            alive: 0,
            most: 0,
        };
        for (number, edge) in graph.edges().iter().enumerate() {
            let (source, target) = (edge.source, edge.target);
            elimination.push(Dual {
                source: source.raw(),
                target: target.raw(),
                before: entering[source.index()].clone(),
                after: leaving[target.index()].clone(),
                partial: partial(number, edge.class),
            })?;
        }
        for number in 0..graph.edges().len() {
            let number = VertexId::new(number)?.raw();
            elimination.bury_if_dead(number);
        }
        elimination.most = elimination.alive;
        Ok(elimination)
    }

    /// The algebra, for what it has gathered.
    pub fn algebra(&mut self) -> &mut A {
        &mut self.algebra
    }

    /// The algebra, to look at.
    pub(super) fn gathered(&self) -> &A {
        &self.algebra
    }

    /// The algebra, when all is done.
    pub fn into_algebra(self) -> A {
        self.algebra
    }

    /// The largest number of partials that were stored at one time.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.most
    }

    /// All duals that are left, by number.
    pub(super) fn duals(&self) -> impl Iterator<Item = (u32, &Dual<A::Partial>)> {
        let numbered = (0..).zip(&self.duals);
        numbered.filter_map(|(number, dual)| dual.as_ref().map(|d| (number, d)))
    }

    /// Whether faces may lead over a vertex.
    pub(super) fn is_intermediate(&self, vertex: u32) -> bool {
        self.is_intermediate[vertex as usize]
    }

    /// The graph written such that the numbers of duals do not matter, as far as sorting can achieve that: equal texts are equal
    /// graphs; equal graphs mostly have equal texts.
    pub(super) fn canonical(&self, class: impl Fn(&A::Partial) -> Option<u32>) -> Box<[u32]> {
        let mut alive: Vec<(u32, &Dual<A::Partial>)> = self.duals().collect();
        // A color tells duals apart by all that can be reached from them, as far as a few rounds of hashing see.
        let mut colors = vec![0_u64; self.duals.len()];
        for (number, dual) in &alive {
            let class = class(&dual.partial).map_or(0, u64::from);
            let name = (u64::from(dual.source) << 34) | (u64::from(dual.target) << 4) | class;
            colors[*number as usize] = mix(name);
        }
        for _ in 0..3 {
            let old = colors.clone();
            let sum = |list: &List| {
                let colors = list.iter().map(|dual| mix(old[*dual as usize]));
                colors.fold(0, u64::wrapping_add)
            };
            for (number, dual) in &alive {
                let color = old[*number as usize].rotate_left(17) ^ sum(&dual.before);
                colors[*number as usize] = mix(color.wrapping_add(mix(!sum(&dual.after))));
            }
        }
        alive.sort_by_key(|(number, dual)| (dual.source, dual.target, colors[*number as usize]));
        let mut rank = vec![0_u32; self.duals.len()];
        for (place, (number, _)) in (0..).zip(&alive) {
            rank[*number as usize] = place;
        }
        let mut text = Vec::with_capacity(8 * alive.len());
        for (_, dual) in alive {
            text.extend([dual.source, dual.target]);
            text.extend(class(&dual.partial));
            // The faces at one side say all; the end of a list is no rank.
            let mut after: Vec<u32> = dual.after.iter().map(|d| rank[*d as usize]).collect();
            after.sort_unstable();
            text.extend(after);
            text.push(u32::MAX);
        }
        text.into()
    }

    /// All faces that are left: pairs of numbers of duals, ascending.
    ///
    /// **Cost**: one pass.
    #[must_use]
    pub fn faces(&self) -> Vec<(u32, u32)> {
        let duals = self.duals();
        let faces = duals.flat_map(|(number, d)| d.after.iter().map(move |next| (number, *next)));
        faces.collect()
    }

    /// Whether no face is left, so that [`jacobian`](Self::jacobian) is the Jacobian.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.duals.iter().flatten().all(|d| d.after.is_empty())
    }

    /// The vertices that a dual joins: source and target, if the dual is there.
    #[must_use]
    pub fn ends(&self, dual: u32) -> Option<(VertexId, VertexId)> {
        let dual = self.duals.get(dual as usize)?.as_ref()?;
        let ends = (dual.source, dual.target);
        Some((VertexId::from_raw(ends.0), VertexId::from_raw(ends.1)))
    }

    /// Eliminates the face of two duals and returns the number of the dual that holds the product.
    ///
    /// **Cost**: one product and at most three sums.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if there is no such face; those of the algebra.
    ///
    /// **Source**: Naumann 2004, §3.
    pub fn eliminate_face(&mut self, first: u32, second: u32) -> Result<u32, Error> {
        let no_face = Error::InvalidGraph {
            vertex: first as usize,
            what: "there is no such face of it, as an edge of the line graph",
        };
        let (Some(a), Some(b)) = (self.dual(first), self.dual(second)) else {
            return Err(no_face);
        };
        if !a.after.contains(&second) {
            return Err(no_face);
        }
        let name = (a.source, b.target);
        let (before, after) = (a.before.clone(), b.after.clone());
        let (a, b) = (a.partial.clone(), b.partial.clone());
        let product = self.algebra.product(&a, &b)?;
        let place = match self.same(name, &before, &after, None) {
            Some(old) => {
                self.add(old, &product)?;
                old
            }
            None => {
                let number = self.push(Dual {
                    source: name.0,
                    target: name.1,
                    before: before.clone(),
                    after: after.clone(),
                    partial: product,
                })?;
                for dual in before {
                    self.edit(dual, |d| d.after.push(number));
                }
                for dual in after {
                    self.edit(dual, |d| d.before.push(number));
                }
                number
            }
        };
        self.edit(first, |d| d.after.retain(|x| *x != second));
        self.edit(second, |d| d.before.retain(|x| *x != first));
        for dual in [first, second] {
            self.bury_if_dead(dual);
            self.merge(dual)?;
        }
        Ok(place)
    }

    /// Eliminates all faces at an intermediate vertex, by the edges that leave it and then by those that enter it.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if it is no intermediate; those of the algebra.
    pub fn eliminate_vertex(&mut self, vertex: VertexId) -> Result<(), Error> {
        self.check(vertex)?;
        let all = (vertex.raw(), 0)..=(vertex.raw(), u32::MAX);
        loop {
            let mut leaving = self.named.range(all.clone()).flat_map(|(_, duals)| duals);
            let Some(next) = leaving.next().copied() else {
                return Ok(());
            };
            let Some(before) = self.dual(next).and_then(|d| d.before.first().copied()) else {
                return Ok(());
            };
            self.eliminate_face(before, next)?;
        }
    }

    /// Eliminates all faces of the edges from `source` to `target` with edges that leave the target.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the target is no intermediate, or there is no such edge; those of the algebra.
    pub fn eliminate_front(&mut self, source: VertexId, target: VertexId) -> Result<(), Error> {
        self.check(target)?;
        self.check_edge(source, target)?;
        while let Some(edge) = self.first_named(source, target) {
            let Some(next) = self.dual(edge).and_then(|d| d.after.first().copied()) else {
                break;
            };
            self.eliminate_face(edge, next)?;
        }
        Ok(())
    }

    /// Eliminates all faces of the edges from `source` to `target` with edges that enter the source.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the source is no intermediate, or there is no such edge; those of the algebra.
    pub fn eliminate_back(&mut self, source: VertexId, target: VertexId) -> Result<(), Error> {
        self.check(source)?;
        self.check_edge(source, target)?;
        while let Some(edge) = self.first_named(source, target) {
            let Some(before) = self.dual(edge).and_then(|d| d.before.first().copied()) else {
                break;
            };
            self.eliminate_face(before, edge)?;
        }
        Ok(())
    }

    /// The edges that enter outputs: `(output, source, partial)` by outputs in their order, then by source.
    ///
    /// When all faces are gone these are the nonzeros of the Jacobian.
    #[must_use]
    pub fn jacobian(&self) -> Vec<(VertexId, VertexId, A::Partial)> {
        let mut rows: BTreeMap<(u32, u32), Vec<A::Partial>> = BTreeMap::new();
        for dual in self.duals.iter().flatten() {
            let row = rows.entry((dual.target, dual.source)).or_default();
            row.push(dual.partial.clone());
        }
        let mut jacobian = Vec::new();
        for output in &self.outputs {
            for ((_, source), partials) in rows.range((output.raw(), 0)..=(output.raw(), u32::MAX))
            {
                let source = VertexId::from_raw(*source);
                jacobian.extend(partials.iter().map(|p| (*output, source, p.clone())));
            }
        }
        jacobian
    }

    fn check(&self, vertex: VertexId) -> Result<(), Error> {
        let what = match self.is_intermediate.get(vertex.index()) {
            None => "there is no such vertex",
            Some(false) => "it is an input or an output, which are never eliminated",
            Some(true) => return Ok(()),
        };
        Err(Error::InvalidGraph {
            vertex: vertex.index(),
            what,
        })
    }

    fn check_edge(&self, source: VertexId, target: VertexId) -> Result<(), Error> {
        match self.first_named(source, target) {
            Some(_) => Ok(()),
            None => Err(Error::InvalidGraph {
                vertex: target.index(),
                what: "there is no such edge to it",
            }),
        }
    }

    fn first_named(&self, source: VertexId, target: VertexId) -> Option<u32> {
        let named = self.named.get(&(source.raw(), target.raw()))?;
        named.first().copied()
    }

    fn dual(&self, number: u32) -> Option<&Dual<A::Partial>> {
        self.duals.get(number as usize)?.as_ref()
    }

    /// Changes a dual, if it is there.
    fn edit(&mut self, number: u32, change: impl FnOnce(&mut Dual<A::Partial>)) {
        if let Some(dual) = self.duals[number as usize].as_mut() {
            change(dual);
        }
    }

    /// The dual of this name with these predecessors and successors, other than `except`.
    fn same(
        &self,
        name: (u32, u32),
        before: &List,
        after: &List,
        except: Option<u32>,
    ) -> Option<u32> {
        let mut named = self.named.get(&name)?.iter().copied();
        named.find(|number| {
            let dual = self.dual(*number);
            except != Some(*number)
                && dual.is_some_and(|d| d.before == *before && d.after == *after)
        })
    }

    fn push(&mut self, dual: Dual<A::Partial>) -> Result<u32, Error> {
        let number = VertexId::new(self.duals.len())?.raw();
        let name = (dual.source, dual.target);
        self.named.entry(name).or_default().push(number);
        self.duals.push(Some(dual));
        self.alive += 1;
        self.most = self.most.max(self.alive);
        Ok(number)
    }

    /// Adds a partial to that of a dual.
    fn add(&mut self, number: u32, partial: &A::Partial) -> Result<(), Error> {
        if let Some(dual) = self.duals[number as usize].as_mut() {
            dual.partial = self.algebra.sum(&dual.partial, partial)?;
        }
        Ok(())
    }

    /// Adds up a dual with the one that has the same predecessors and successors, if there is one.
    fn merge(&mut self, number: u32) -> Result<(), Error> {
        let Some(dual) = self.dual(number) else {
            return Ok(());
        };
        let name = (dual.source, dual.target);
        let Some(other) = self.same(name, &dual.before, &dual.after, Some(number)) else {
            return Ok(());
        };
        let (stays, goes) = (number.min(other), number.max(other));
        if let Some(gone) = self.unlink(goes) {
            self.add(stays, &gone.partial)?;
        }
        Ok(())
    }

    /// Whether a dual lies on no path from where nothing is eliminated to an output.
    fn is_dead(&self, number: u32) -> bool {
        self.dual(number).is_some_and(|d| {
            (d.before.is_empty() && self.is_intermediate[d.source as usize])
                || (d.after.is_empty() && !self.is_output(d.target))
        })
    }

    /// What is no intermediate and has an edge to it is an output.
    fn is_output(&self, vertex: u32) -> bool {
        !self.is_intermediate[vertex as usize]
    }

    /// Takes a dual out if it is dead, and then its neighbours for the same reason.
    fn bury_if_dead(&mut self, number: u32) {
        let mut suspects = vec![number];
        while let Some(number) = suspects.pop() {
            if self.is_dead(number)
                && let Some(gone) = self.unlink(number)
            {
                suspects.extend(gone.before);
                suspects.extend(gone.after);
            }
        }
    }

    /// Takes a dual out of the graph.
    fn unlink(&mut self, number: u32) -> Option<Dual<A::Partial>> {
        let dual = self.duals[number as usize].take()?;
        for neighbour in &dual.before {
            self.edit(*neighbour, |d| d.after.retain(|x| *x != number));
        }
        for neighbour in &dual.after {
            self.edit(*neighbour, |d| d.before.retain(|x| *x != number));
        }
        let name = (dual.source, dual.target);
        if let Some(named) = self.named.get_mut(&name) {
            named.retain(|x| *x != number);
            if named.is_empty() {
                self.named.remove(&name);
            }
        }
        self.alive -= 1;
        Some(dual)
    }
}

/// Spreads the bits of a number over a word (Steele, Lea & Flood 2014).
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
