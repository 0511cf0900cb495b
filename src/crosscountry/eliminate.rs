//! [`Elimination`]: a linearized graph from which vertices and edges are being eliminated.
//!
//! The structure is written once. What becomes of the partials is up to an [`Algebra`]: counting keeps their classes,
//! accumulating multiplies numbers, writing a program appends nodes.
//!
//! Invariant: `rows[v]` holds the edges that enter `v`; `columns[v]` names at least all vertices that `v` has an edge to, and
//! nobody twice; those that are gone are dropped when the list is read. So hubs cost nothing when a neighbour goes.
//! Source: Griewank & Walther 2008, §9.2 (vertex elimination); Naumann 2004 (front and back elimination of edges).

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::cost::Tally;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::error::Error;

/// What partials are and how they are combined.
pub trait Algebra {
    /// A partial.
    type Partial: Clone;

    /// The partial along the first edge, from `u` to `v`, and then along the second one.
    ///
    /// # Errors
    /// Where the partial cannot be formed.
    fn product(
        &mut self,
        first: &Self::Partial,
        second: &Self::Partial,
    ) -> Result<Self::Partial, Error>;

    /// The partial along both of two parallel edges.
    ///
    /// # Errors
    /// As [`product`](Self::product).
    fn sum(&mut self, old: &Self::Partial, new: &Self::Partial) -> Result<Self::Partial, Error>;
}

/// Partials are classes; operations are counted.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    /// What it has cost; memory is kept by [`Elimination::cost`].
    pub(super) tally: Tally,
}

impl Algebra for Counting {
    type Partial = EdgeClass;
    fn product(&mut self, first: &EdgeClass, second: &EdgeClass) -> Result<EdgeClass, Error> {
        self.tally.count_product(*first, *second)?;
        Ok(first.times(*second))
    }
    fn sum(&mut self, old: &EdgeClass, new: &EdgeClass) -> Result<EdgeClass, Error> {
        self.tally.count_sum(*old, *new)?;
        Ok(old.plus(*new))
    }
}

/// Partials are numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers;

impl Algebra for Numbers {
    type Partial = f64;
    fn product(&mut self, first: &f64, second: &f64) -> Result<f64, Error> {
        Ok(first * second)
    }
    fn sum(&mut self, old: &f64, new: &f64) -> Result<f64, Error> {
        Ok(old + new)
    }
}

/// Up to this many edges are kept in a sorted list; longer rows are trees. Rows of real programs rarely grow beyond it.
const LIST: usize = 24;

/// The edges that enter a vertex, by source.
#[derive(Clone, Debug)]
enum Row<P> {
    List(SmallVec<[(u32, P); 4]>),
    Tree(BTreeMap<u32, P>),
}

impl<P> Row<P> {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Tree(tree) => tree.len(),
        }
    }

    fn get_mut(&mut self, source: u32) -> Option<&mut P> {
        match self {
            Self::List(list) => {
                let found = list.binary_search_by_key(&source, |(s, _)| *s).ok()?;
                Some(&mut list[found].1)
            }
            Self::Tree(tree) => tree.get_mut(&source),
        }
    }

    fn contains(&self, source: u32) -> bool {
        match self {
            Self::List(list) => list.binary_search_by_key(&source, |(s, _)| *s).is_ok(),
            Self::Tree(tree) => tree.contains_key(&source),
        }
    }

    fn insert(&mut self, source: u32, partial: P) {
        match self {
            Self::List(list) if list.len() < LIST => {
                let place = list.partition_point(|(s, _)| *s < source);
                list.insert(place, (source, partial));
            }
            Self::List(list) => {
                let mut tree: BTreeMap<u32, P> = list.drain(..).collect();
                tree.insert(source, partial);
                *self = Self::Tree(tree);
            }
            Self::Tree(tree) => {
                tree.insert(source, partial);
            }
        }
    }

    fn remove(&mut self, source: u32) -> Option<P> {
        match self {
            Self::List(list) => {
                let found = list.binary_search_by_key(&source, |(s, _)| *s).ok()?;
                Some(list.remove(found).1)
            }
            Self::Tree(tree) => tree.remove(&source),
        }
    }

    fn to_vec(&self) -> Vec<(u32, P)>
    where
        P: Clone,
    {
        match self {
            Self::List(list) => list.to_vec(),
            Self::Tree(tree) => tree.iter().map(|(s, p)| (*s, p.clone())).collect(),
        }
    }
}

/// A linearized graph from which vertices and edges are being eliminated.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, Elimination, LinearizedGraph, VertexId};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// let mut elimination = Elimination::counting(&graph);
/// elimination.eliminate_vertex(VertexId::new(1)?)?;
/// assert_eq!((elimination.cost().multiplications, elimination.cost().arithmetic), (1, 2));
/// assert_eq!(elimination.jacobian().len(), 1);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: eliminating a vertex is one product per pair of edges that enter and leave it.
/// **Source**: Griewank & Walther 2008, §9.2.
#[derive(Clone, Debug)]
pub struct Elimination<A: Algebra> {
    algebra: A,
    outputs: Vec<VertexId>,
    is_intermediate: Vec<bool>,
    is_alive: Vec<bool>,
    rows: Vec<Row<A::Partial>>,
    columns: Vec<SmallVec<[u32; 4]>>,
    /// How many edges leave each vertex.
    leaving: Vec<u32>,
    edges: u64,
    most_edges: u64,
}

impl Elimination<Counting> {
    /// Starts on classes: operations are counted, nothing is computed.
    ///
    /// **Cost**: one pass over the edges.
    #[must_use]
    pub fn counting(graph: &LinearizedGraph) -> Self {
        Self::new(graph, Counting::default(), |_, class| class)
    }

    /// What it has cost so far.
    #[must_use]
    pub fn cost(&self) -> Tally {
        Tally {
            memory: self.most_edges,
            ..self.algebra.tally
        }
    }
}

impl Elimination<Numbers> {
    /// Starts on numbers, one per edge in the order of [`LinearizedGraph::edges`].
    ///
    /// ```
    /// use wengert::crosscountry::{EdgeClass, Elimination, LinearizedGraph, VertexId};
    /// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
    /// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
    /// let mut elimination = Elimination::accumulating(&graph, &[2.0, 3.0, 5.0])?;
    /// elimination.eliminate_vertex(VertexId::new(1)?)?;
    /// assert_eq!(elimination.jacobian()[0].2, 13.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless there is a number per edge.
    pub fn accumulating(graph: &LinearizedGraph, partials: &[f64]) -> Result<Self, Error> {
        crate::error::check_len("partials", graph.edges().len(), partials.len())?;
        Ok(Self::new(graph, Numbers, |edge, _| partials[edge]))
    }
}

impl<A: Algebra> Elimination<A> {
    /// Starts with the partials that `partial` gives for the number and the class of each edge.
    pub fn new(
        graph: &LinearizedGraph,
        algebra: A,
        mut partial: impl FnMut(usize, EdgeClass) -> A::Partial,
    ) -> Self {
        let vertices = graph.len();
        let mut elimination = Self {
            algebra,
            outputs: graph.outputs().to_vec(),
            is_intermediate: graph.is_intermediate(),
            is_alive: vec![true; vertices],
            rows: vec![Row::List(SmallVec::new()); vertices],
            columns: vec![SmallVec::new(); vertices],
            leaving: vec![0; vertices],
            edges: 0,
            most_edges: 0,
        };
        for (number, edge) in graph.edges().iter().enumerate() {
            let partial = partial(number, edge.class);
            elimination.insert(edge.source.raw(), edge.target.raw(), partial);
        }
        elimination
    }

    /// The algebra, for what it has gathered.
    pub fn algebra(&mut self) -> &mut A {
        &mut self.algebra
    }

    /// The algebra, when all is done.
    pub fn into_algebra(self) -> A {
        self.algebra
    }

    /// The largest number of partials that were stored at one time.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.most_edges
    }

    /// Whether a vertex is there.
    #[must_use]
    pub fn is_alive(&self, vertex: VertexId) -> bool {
        self.is_alive.get(vertex.index()).is_some_and(|is| *is)
    }

    /// The number of edges that enter and that leave a vertex; their product is the Markowitz degree.
    #[must_use]
    pub fn degrees(&self, vertex: VertexId) -> (u64, u64) {
        let entering = self.rows[vertex.index()].len() as u64;
        (entering, u64::from(self.leaving[vertex.index()]))
    }

    /// The number of products that eliminating a vertex takes: in-degree times out-degree.
    #[must_use]
    pub fn markowitz_degree(&self, vertex: VertexId) -> u64 {
        let (entering, leaving) = self.degrees(vertex);
        entering.saturating_mul(leaving)
    }

    /// The vertices that have an edge to a vertex, ascending.
    #[must_use]
    pub fn predecessors(&self, vertex: VertexId) -> Vec<VertexId> {
        let row = self.rows[vertex.index()].to_vec();
        row.into_iter()
            .map(|(s, _)| VertexId::from_raw(s))
            .collect()
    }

    /// The edges that enter a vertex, by source.
    pub(super) fn entering(&self, vertex: VertexId) -> Vec<(VertexId, A::Partial)> {
        let row = self.rows[vertex.index()].to_vec();
        row.into_iter()
            .map(|(s, partial)| (VertexId::from_raw(s), partial))
            .collect()
    }

    /// The number of edges.
    pub(super) fn edges(&self) -> u64 {
        self.edges
    }

    /// The vertices that a vertex has an edge to, ascending.
    #[must_use]
    pub fn successors(&mut self, vertex: VertexId) -> Vec<VertexId> {
        let mut column: Vec<VertexId> = self
            .column(vertex.raw())
            .iter()
            .map(|t| VertexId::from_raw(*t))
            .collect();
        column.sort_unstable();
        column
    }

    /// The number of new edges that eliminating a vertex would make.
    ///
    /// **Cost**: a look-up per pair of edges that enter and leave it.
    #[must_use]
    pub fn fill_in(&mut self, vertex: VertexId) -> u64 {
        let entering = self.predecessors(vertex);
        let targets = self.successors(vertex);
        let pairs = targets
            .iter()
            .flat_map(|t| entering.iter().map(move |s| (s, t)));
        let new = pairs.filter(|(s, t)| !self.rows[t.index()].contains(s.raw()));
        new.count() as u64
    }

    /// Eliminates an intermediate vertex: every path of two edges through it becomes an edge.
    ///
    /// **Cost**: one product per pair of edges, one sum per pair that has an edge already.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if it is no intermediate, or is gone; those of the algebra.
    ///
    /// **Source**: Griewank & Walther 2008, §9.2.
    pub fn eliminate_vertex(&mut self, vertex: VertexId) -> Result<(), Error> {
        self.check(vertex)?;
        let row = std::mem::replace(&mut self.rows[vertex.index()], Row::List(SmallVec::new()));
        let entering = row.to_vec();
        let mut targets = std::mem::take(self.column(vertex.raw()));
        targets.sort_unstable();
        // Whatever is written is written while the edges of the vertex are still there; they were taken out of their row only
        // for the borrow checker's sake.
        for target in &targets {
            let Some(partial) = self.rows[*target as usize].remove(vertex.raw()) else {
                continue;
            };
            for (source, first) in &entering {
                let product = self.algebra.product(first, &partial)?;
                self.add(*source, *target, product)?;
            }
        }
        self.most_edges = self.most_edges.max(self.edges);
        self.edges -= (entering.len() + targets.len()) as u64;
        for (source, _) in &entering {
            self.leaving[*source as usize] -= 1;
        }
        self.leaving[vertex.index()] = 0;
        self.is_alive[vertex.index()] = false;
        Ok(())
    }

    /// Eliminates an edge at its front: it is put together with every edge that leaves its target.
    ///
    /// A target that no edge enters any more is gone with the edges that leave it.
    ///
    /// **Cost**: one product per edge that leaves the target.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the target is no intermediate, or there is no such edge; those of the algebra.
    ///
    /// **Source**: Naumann 2004, §2.
    pub fn eliminate_front(&mut self, source: VertexId, target: VertexId) -> Result<(), Error> {
        self.check(target)?;
        let Some(first) = self.rows[target.index()].remove(source.raw()) else {
            return Err(no_edge(target));
        };
        let mut targets = self.column(target.raw()).to_vec();
        targets.sort_unstable();
        for next in &targets {
            let Some(second) = self.rows[*next as usize].get_mut(target.raw()) else {
                continue;
            };
            let product = self.algebra.product(&first, second)?;
            self.add(source.raw(), *next, product)?;
        }
        self.most_edges = self.most_edges.max(self.edges);
        self.forget(source.raw(), target.raw());
        if self.rows[target.index()].len() == 0 {
            for next in targets {
                self.rows[next as usize].remove(target.raw());
                self.edges -= 1;
            }
            self.bury(target);
        }
        Ok(())
    }

    /// Eliminates an edge at its back: it is put together with every edge that enters its source.
    ///
    /// A source that no edge leaves any more is gone with the edges that enter it.
    ///
    /// **Cost**: one product per edge that enters the source.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the source is no intermediate, or there is no such edge; those of the algebra.
    ///
    /// **Source**: Naumann 2004, §2.
    pub fn eliminate_back(&mut self, source: VertexId, target: VertexId) -> Result<(), Error> {
        self.check(source)?;
        let Some(second) = self.rows[target.index()].remove(source.raw()) else {
            return Err(no_edge(target));
        };
        let entering = self.rows[source.index()].to_vec();
        for (before, first) in &entering {
            let product = self.algebra.product(first, &second)?;
            self.add(*before, target.raw(), product)?;
        }
        self.most_edges = self.most_edges.max(self.edges);
        self.forget(source.raw(), target.raw());
        if self.leaving[source.index()] == 0 {
            for (before, _) in entering {
                self.forget(before, source.raw());
            }
            self.rows[source.index()] = Row::List(SmallVec::new());
            self.bury(source);
        }
        Ok(())
    }

    /// The edges that enter outputs: `(output, source, partial)` by outputs in their order, then by source.
    ///
    /// When all intermediates are gone these are the nonzeros of the Jacobian.
    #[must_use]
    pub fn jacobian(&self) -> Vec<(VertexId, VertexId, A::Partial)> {
        let rows = self.outputs.iter().flat_map(|output| {
            let row = self.rows[output.index()].to_vec();
            row.into_iter()
                .map(|(s, partial)| (*output, VertexId::from_raw(s), partial))
        });
        rows.collect()
    }

    /// Checks that a vertex may be eliminated.
    fn check(&self, vertex: VertexId) -> Result<(), Error> {
        let index = vertex.index();
        let what = match self.is_intermediate.get(index) {
            None => "there is no such vertex",
            Some(false) => "it is an input or an output, which are never eliminated",
            Some(true) if !self.is_alive[index] => "it is eliminated already",
            Some(true) => return Ok(()),
        };
        Err(Error::InvalidGraph {
            vertex: index,
            what,
        })
    }

    /// Adds a partial to an edge, which may be new.
    fn add(&mut self, source: u32, target: u32, partial: A::Partial) -> Result<(), Error> {
        match self.rows[target as usize].get_mut(source) {
            Some(old) => *old = self.algebra.sum(old, &partial)?,
            None => self.insert(source, target, partial),
        }
        Ok(())
    }

    fn insert(&mut self, source: u32, target: u32, partial: A::Partial) {
        self.rows[target as usize].insert(source, partial);
        self.columns[source as usize].push(target);
        self.leaving[source as usize] += 1;
        self.edges += 1;
        self.most_edges = self.most_edges.max(self.edges);
    }

    /// Keeps the books for an edge whose partial is out of its row.
    fn forget(&mut self, source: u32, target: u32) {
        self.columns[source as usize].retain(|t| *t != target);
        self.leaving[source as usize] -= 1;
        self.edges -= 1;
    }

    fn bury(&mut self, vertex: VertexId) {
        self.columns[vertex.index()] = SmallVec::new();
        self.leaving[vertex.index()] = 0;
        self.is_alive[vertex.index()] = false;
    }

    /// The targets of the edges that leave a vertex, those that are gone dropped.
    fn column(&mut self, vertex: u32) -> &mut SmallVec<[u32; 4]> {
        let column = &mut self.columns[vertex as usize];
        if column.len() > self.leaving[vertex as usize] as usize {
            column.retain(|target| self.is_alive[*target as usize]);
        }
        column
    }
}

fn no_edge(target: VertexId) -> Error {
    Error::InvalidGraph {
        vertex: target.index(),
        what: "there is no such edge to it",
    }
}
