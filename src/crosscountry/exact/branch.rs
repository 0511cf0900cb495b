//! [`branch_and_bound`]: the cheapest vertex order by best-first search over the sets of eliminated vertices.
//!
//! What is left to pay after a set is bounded by the groups of [`bounds`](crate::crosscountry::bounds): each has a table with the
//! least cost of its members that are still there. The table entries fall by no more than a step costs, so the first complete
//! set that is taken from the queue is optimal, and the smallest sum in the queue is a lower bound at any time.
//!
//! Some vertices may be eliminated at once and some together, which thins out the sets: see [`is_safe`](Search::is_safe) and
//! [`twins`](Search::twins).
//!
//! Invariant: every order that costs less than the incumbent has a prefix in the queue.
//! Source: Hart, Nilsson & Raphael 1968 (best-first search with consistent bounds); Felner, Korf & Hanan 2004 (additive tables);
//! the bounds and the rules are ours.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use smallvec::{SmallVec, smallvec};

use super::status::Proof;
use crate::crosscountry::bounds::{Clusters, GroupLimits, free_classes, storage_bound};
use crate::crosscountry::budget::{Clock, StoppedBy};
use crate::crosscountry::cost::CostModel;
use crate::crosscountry::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::crosscountry::moves::Moves;
use crate::crosscountry::orders::cost_of;
use crate::crosscountry::sets::SetGraph;
use crate::error::Error;

/// The cheapest vertex order, or how far the incumbent is from it at most.
///
/// ```
/// use wengert::crosscountry::{
///     Budget, CostModel, EdgeClass, GroupLimits, LinearizedGraph, Order, Status, branch_and_bound,
/// };
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let incumbent = Order::Forward.of(&graph)?;
/// let budget = Budget::default().with_evaluations(1000);
/// let limits = GroupLimits::default();
/// let model = CostModel::Multiplications;
/// let best = branch_and_bound(&graph, model, &incumbent, &limits, budget.evaluations, &budget.start())?;
/// assert_eq!((best.cost, best.status), (12, Status::Optimal));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `incumbent` has all intermediates, the best that is known; `evaluations` bounds the number of sets that are expanded.
/// **Cost**: the groups, and per expanded set an elimination on bit sets and a look-up per vertex that is left; some hundred bytes per
/// set in the queue. For the memory model there is no bound but the one so far, so few more intermediates are feasible than by subsets.
///
/// # Errors
/// [`Error::InvalidGraph`] if the incumbent is no order of the graph; [`Error::CostOverflow`].
///
/// **Source**: Hart, Nilsson & Raphael 1968; what is ours is said in `exact/branch.rs`.
pub fn branch_and_bound(
    graph: &LinearizedGraph,
    model: CostModel,
    incumbent: &[VertexId],
    limits: &GroupLimits,
    evaluations: u64,
    clock: &Clock,
) -> Result<Proof, Error> {
    crate::error::check_len("incumbent", graph.intermediates().count(), incumbent.len())?;
    let cost = cost_of(graph, incumbent)?.of(model);
    let limits = GroupLimits {
        target: Some(cost),
        ..*limits
    };
    let clusters = free_classes(model).map(|free| Clusters::new(graph, free, &limits, clock));
    let storage = storage_bound(graph, Moves::Vertex, model).map_or(0, |bound| bound.value);
    let root = clusters.as_ref().map_or(storage, Clusters::value);
    let sum = clusters.as_ref().map_or(storage, Clusters::sum);
    let attained = clusters
        .as_ref()
        .and_then(|clusters| clusters.order.clone());
    let has_ended = match &attained {
        Some(order) => cost_of(graph, order)?.of(model) <= root,
        None => root >= cost,
    };
    if has_ended {
        return Proof::new(graph, model, incumbent, attained, root, StoppedBy::Proof);
    }
    let mut search = Search::new(graph, model, clusters.as_ref(), cost);
    let (found, bound, stopped_by) = search.run(sum, evaluations, clock)?;
    let found = found.or(attained);
    Proof::new(graph, model, incumbent, found, bound.max(root), stopped_by)
}

/// A set of eliminated intermediates, by position.
type Set = SmallVec<[u64; 2]>;

/// How a set was reached.
#[derive(Clone, Debug)]
struct Node {
    set: Set,
    /// What it cost to come here.
    paid: u64,
    /// The node before, and the positions of what was eliminated since.
    before: (u32, SmallVec<[u32; 2]>),
}

/// What a set is taken by: the smallest bound first, then the largest set, then the oldest.
type Key = (Reverse<u64>, u32, Reverse<u32>);

struct Search<'a> {
    model: CostModel,
    incumbent: u64,
    start: SetGraph,
    vertices: Vec<VertexId>,
    is_terminal: Vec<bool>,
    clusters: Option<&'a Clusters>,
    /// The group of each intermediate and its bit there; the bound of one that is alone.
    place: Vec<Place>,
    /// The positions of the members of each group.
    positions: Vec<Vec<usize>>,
    /// Whether the rule for twins holds.
    merges_twins: bool,
    /// The cuts before and behind each vertex in the graph as given; empty when the rule for safe vertices does not hold.
    cuts: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Member { group: usize, bit: usize },
    Alone(u64),
}

impl<'a> Search<'a> {
    fn new(
        graph: &LinearizedGraph,
        model: CostModel,
        clusters: Option<&'a Clusters>,
        incumbent: u64,
    ) -> Self {
        let vertices: Vec<VertexId> = graph.intermediates().collect();
        let mut position = vec![0; graph.len()];
        for (i, v) in vertices.iter().enumerate() {
            position[v.index()] = i;
        }
        let mut place = vec![Place::Alone(0); vertices.len()];
        let mut positions = Vec::new();
        let mut cuts = Vec::new();
        if let Some(clusters) = clusters {
            for (v, value) in &clusters.single {
                place[position[v.index()]] = Place::Alone(*value);
            }
            for (group, (members, _)) in clusters.groups.iter().enumerate() {
                let here: Vec<usize> = members.iter().map(|v| position[v.index()]).collect();
                for (bit, i) in here.iter().enumerate() {
                    place[*i] = Place::Member { group, bit };
                }
                positions.push(here);
            }
            if model == CostModel::Multiplications {
                cuts.clone_from(&clusters.cuts);
            }
        }
        Self {
            model,
            incumbent,
            start: SetGraph::new(graph),
            is_terminal: graph.is_intermediate().iter().map(|is| !is).collect(),
            vertices,
            clusters,
            place,
            positions,
            cuts,
            merges_twins: model == CostModel::Multiplications
                && graph
                    .edges()
                    .iter()
                    .all(|edge| edge.class != EdgeClass::Copy),
        }
    }

    /// The cheapest order below the incumbent, if it was found, a lower bound, and why it ended.
    fn run(
        &mut self,
        root: u64,
        evaluations: u64,
        clock: &Clock,
    ) -> Result<(Option<Vec<VertexId>>, u64, StoppedBy), Error> {
        let words = self.vertices.len().div_ceil(64);
        let mut nodes = vec![Node {
            set: SmallVec::from_elem(0, words),
            paid: 0,
            before: (0, SmallVec::new()),
        }];
        let mut known: HashMap<Set, u32> = HashMap::from([(nodes[0].set.clone(), 0)]);
        let mut queue: BinaryHeap<Key> = BinaryHeap::from([(Reverse(root), 0, Reverse(0))]);
        let mut graph = self.start.clone();
        let mut expanded = 0;
        while let Some((Reverse(bound), size, Reverse(number))) = queue.pop() {
            let node = nodes[number as usize].clone();
            if known.get(&node.set) != Some(&number) {
                continue;
            }
            if size as usize == self.vertices.len() {
                return Ok((Some(self.order_of(&nodes, number)), bound, StoppedBy::Proof));
            }
            let stop = clock.must_stop();
            if stop.is_some() || expanded >= evaluations {
                return Ok((None, bound, stop.unwrap_or(StoppedBy::Work)));
            }
            expanded += 1;
            clock.count(1);
            graph.copy_from(&self.start);
            for i in members(&node.set) {
                graph.eliminate(self.vertices[i]);
            }
            let left: SmallVec<[usize; 64]> = (0..self.vertices.len())
                .filter(|i| node.set[i / 64] >> (i % 64) & 1 == 0)
                .collect();
            let safe = left.iter().copied().find(|i| self.is_safe(&graph, *i));
            let next = match safe {
                Some(i) => vec![smallvec![i]],
                None => self.twins(&graph, &left),
            };
            for group in next {
                // Twins cost the same, one after the other.
                let step = graph.step_cost(self.vertices[group[0]], self.model);
                let (mut child, mut after) = (node.clone(), bound);
                for i in &group {
                    (child.paid, after) = self.after(&child, after, *i, step)?;
                    child.set[i / 64] |= 1 << (i % 64);
                }
                if after >= self.incumbent {
                    continue;
                }
                child.before = (number, group.iter().copied().map(u32_of).collect());
                let fresh = u32::try_from(nodes.len()).map_err(|_| Error::CostOverflow)?;
                match known.entry(child.set.clone()) {
                    Entry::Occupied(entry) if nodes[*entry.get() as usize].paid <= child.paid => {
                        continue;
                    }
                    Entry::Occupied(mut entry) => *entry.get_mut() = fresh,
                    Entry::Vacant(entry) => {
                        entry.insert(fresh);
                    }
                }
                nodes.push(child);
                let size = size + u32_of(group.len());
                queue.push((Reverse(after), size, Reverse(fresh)));
            }
        }
        Ok((None, self.incumbent, StoppedBy::Proof))
    }

    /// What is paid after a step, and the bound on the whole.
    fn after(&self, node: &Node, bound: u64, i: usize, step: u64) -> Result<(u64, u64), Error> {
        if self.model == CostModel::Memory {
            let paid = node.paid.max(step);
            return Ok((paid, paid.max(bound)));
        }
        let (old, new) = match self.place[i] {
            Place::Alone(value) => (value, 0),
            Place::Member { group, bit } => {
                let positions = &self.positions[group];
                let bits = positions.iter().enumerate();
                let set = bits.fold(0, |set, (to, p)| {
                    set | usize::from(node.set[p / 64] >> (p % 64) & 1 == 1) << to
                });
                let rest = self.clusters.map_or(&[][..], |c| &c.groups[group].1);
                (rest[set], rest[set | 1 << bit])
            }
        };
        let add = |sum: u64, more| u64::checked_add(sum, more).ok_or(Error::CostOverflow);
        Ok((add(node.paid, step)?, add(add(bound, step)?, new)? - old))
    }

    /// Whether the vertex may be eliminated at once without loss.
    ///
    /// Let all sources of `v` be inputs or outputs, and let every target that is an intermediate have all of them but one as its
    /// own sources already. Whatever else is eliminated, the sources of `v` stay the same, and a vertex behind `v` loses the source
    /// `v` and gains one at most when `v` goes; nothing else has `v` on any side. So eliminating `v` earlier makes
    /// no other vertex dearer; if `v` has as few targets now as it can ever have, it is not dearer itself. The same
    /// holds with sources and targets exchanged. Copies at `v`, and copies among the edges that are there already, are left out.
    fn is_safe(&self, graph: &SetGraph, i: usize) -> bool {
        if self.cuts.is_empty() {
            return false;
        }
        let v = self.vertices[i];
        let (entering, leaving) = graph.degrees(v);
        if entering == 0 || leaving == 0 {
            return true;
        }
        let (before, behind) = self.cuts[i];
        (leaving == behind && graph.is_covered(v, true, &self.is_terminal))
            || (entering == before && graph.is_covered(v, false, &self.is_terminal))
    }

    /// The vertices that are left, those together that have the same sources and the same targets (false twins): some optimal
    /// order eliminates them one after the other.
    ///
    /// Let an optimal order eliminate `u`, then others, then its twin `v`, and consider moving `v` forward to `u` or `u` back to `v`.
    /// What one way loses on `u` and `v` themselves the other gains. For a vertex `w` between them that has `u` and `v` among its
    /// `p + 2` sources, let `q >= p` be the number of sources that it has when both are gone. It costs `p + 2`, `q + 1` or `q` times the
    /// number of its targets when none, one or both of them are gone before it, so both ways together change the cost of the order by
    /// `(p + 2) + q - 2 (q + 1) = p - q <= 0` times that number; the same holds for targets, and nothing else sees the twins. One of the
    /// ways is therefore no loss. Weighted by their numbers, the same holds for two groups of twins that are together already.
    /// This needs costs that are products of numbers of edges: multiplications, and no copies.
    fn twins(&self, graph: &SetGraph, left: &[usize]) -> Vec<SmallVec<[usize; 2]>> {
        let mut groups: Vec<SmallVec<[usize; 2]>> = Vec::with_capacity(left.len());
        for i in left {
            let is_twin = |group: &&mut SmallVec<[usize; 2]>| {
                graph.are_twins(self.vertices[group[0]], self.vertices[*i])
            };
            match groups
                .iter_mut()
                .filter(|_| self.merges_twins)
                .find(is_twin)
            {
                Some(group) => group.push(*i),
                None => groups.push(smallvec![*i]),
            }
        }
        groups
    }

    fn order_of(&self, nodes: &[Node], last: u32) -> Vec<VertexId> {
        let mut order = Vec::new();
        let mut at = last;
        while at != 0 {
            let (before, group) = &nodes[at as usize].before;
            order.extend(group.iter().rev().map(|i| self.vertices[*i as usize]));
            at = *before;
        }
        order.reverse();
        order
    }
}

/// The members of a set, ascending.
fn members(set: &Set) -> impl Iterator<Item = usize> + '_ {
    let words = set.iter().enumerate();
    words.flat_map(|(word, bits)| {
        (0..64)
            .filter(move |b| bits >> b & 1 == 1)
            .map(move |b| word * 64 + b)
    })
}

fn u32_of(index: usize) -> u32 {
    u32::try_from(index).expect("positions are those of vertices, which have 32 bits")
}
