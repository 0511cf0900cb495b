//! [`beam_search`]: orders grown from their beginning, the most promising sets of eliminated vertices kept.
//!
//! What comes after a set depends on the set only, so of all orders that eliminate the same vertices first one is kept: the
//! cheapest. Sets of one size are compared by what they have paid and what the groups of the [lower bound](super::super::bounds) say that
//! the rest costs at least. The
//! planner does not use it: annealing finds cheaper orders in less time.
//!
//! Invariant: every kept set has the cheapest prefix that the search has seen for it; ties fall to the earlier parent and the smaller
//! vertex (EDGE_CASES e96).
//! Source: Lowerre 1976 (beam search); the measure is ours.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::crosscountry::bounds::{Clusters, GroupLimits, free_classes};
use crate::crosscountry::budget::Clock;
use crate::crosscountry::cost::CostModel;
use crate::crosscountry::graph::{LinearizedGraph, VertexId};
use crate::crosscountry::sets::SetGraph;

/// A set of eliminated vertices.
#[derive(Clone)]
struct Prefix {
    graph: SetGraph,
    order: Vec<VertexId>,
    set: Vec<u64>,
    cost: u64,
    rest: Rest,
}

/// What is left of the lower bound.
#[derive(Clone)]
struct Rest {
    /// Per group, its members that are gone, a bit each.
    gone: Vec<usize>,
    value: u64,
}

/// Where the lower bound has a vertex.
#[derive(Clone, Copy)]
enum Place {
    Group(usize, usize),
    Alone(u64),
}

/// The tables of the lower bound.
struct Tables {
    clusters: Clusters,
    places: Vec<Place>,
}

impl Tables {
    fn new(graph: &LinearizedGraph, model: CostModel, clock: &Clock) -> Option<Self> {
        let limits = GroupLimits {
            subsets: SUBSETS,
            ..GroupLimits::default()
        };
        let clusters = Clusters::new(graph, free_classes(model)?, &limits, clock);
        let mut places = vec![Place::Alone(0); graph.len()];
        for (vertex, value) in &clusters.single {
            places[vertex.index()] = Place::Alone(*value);
        }
        for (group, (members, _)) in clusters.groups.iter().enumerate() {
            for (bit, member) in members.iter().enumerate() {
                places[member.index()] = Place::Group(group, bit);
            }
        }
        Some(Self { clusters, places })
    }

    fn all(&self) -> Rest {
        Rest {
            gone: vec![0; self.clusters.groups.len()],
            value: self.clusters.sum(),
        }
    }

    /// What is left of the bound without this vertex.
    fn without(&self, rest: &Rest, vertex: VertexId) -> u64 {
        match self.places[vertex.index()] {
            Place::Alone(value) => rest.value.saturating_sub(value),
            Place::Group(group, bit) => {
                let (table, gone) = (&self.clusters.groups[group].1, rest.gone[group]);
                rest.value.saturating_sub(table[gone]) + table[gone | 1 << bit]
            }
        }
    }

    fn remove(&self, rest: &mut Rest, vertex: VertexId) {
        rest.value = self.without(rest, vertex);
        if let Place::Group(group, bit) = self.places[vertex.index()] {
            rest.gone[group] |= 1 << bit;
        }
    }
}

/// The size of the tables: as good as larger ones for choosing, and made in a tenth of a second.
const SUBSETS: u64 = 200_000;

/// A set that differs from a kept one by a vertex.
#[derive(Clone, Copy)]
struct Step {
    parent: usize,
    vertex: VertexId,
    cost: u64,
    /// What an order that begins so costs at least.
    least: u64,
}

/// Grows orders of all intermediates, keeping `width` sets of every size.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, beam_search, cost_of};
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let clock = Budget::default().start();
/// let order = beam_search(&graph, CostModel::Multiplications, 4, &clock).unwrap();
/// assert_eq!(cost_of(&graph, &order)?.multiplications, 12);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: all `l` intermediates, each once; `None` for memory, whose cost is no sum, and when the clock ends it.
/// **Cost**: the tables of the lower bound; `width` `l`^2 look-ups of degrees and `width` `l` eliminations on bit sets.
/// **Source**: Lowerre 1976.
#[must_use]
pub fn beam_search(
    graph: &LinearizedGraph,
    model: CostModel,
    width: usize,
    clock: &Clock,
) -> Option<Vec<VertexId>> {
    let tables = Tables::new(graph, model, clock)?;
    let all: Vec<VertexId> = graph.intermediates().collect();
    let mut beam = vec![Prefix {
        graph: SetGraph::new(graph),
        order: Vec::with_capacity(all.len()),
        set: vec![0; graph.len().div_ceil(64)],
        cost: 0,
        rest: tables.all(),
    }];
    for _ in 0..all.len() {
        if clock.must_stop().is_some() {
            return None;
        }
        let steps = candidates(&beam, &all, &tables, model);
        beam = best(&beam, steps, width.max(1))
            .into_iter()
            .map(|step| beam[step.parent].after(step, &tables))
            .collect();
    }
    let first = beam.into_iter().min_by_key(|prefix| prefix.cost)?;
    Some(first.order)
}

/// All sets that differ from one of the beam by a vertex.
fn candidates(beam: &[Prefix], all: &[VertexId], tables: &Tables, model: CostModel) -> Vec<Step> {
    let mut steps = Vec::new();
    for (parent, prefix) in beam.iter().enumerate() {
        for vertex in all.iter().filter(|vertex| !prefix.has(**vertex)) {
            let cost = prefix
                .cost
                .saturating_add(prefix.graph.step_cost(*vertex, model));
            steps.push(Step {
                parent,
                vertex: *vertex,
                cost,
                least: cost.saturating_add(tables.without(&prefix.rest, *vertex)),
            });
        }
    }
    steps
}

/// The `width` best of different sets.
///
/// Among sets that promise the same, those come first that have paid more: less is left to the bound.
fn best(beam: &[Prefix], mut steps: Vec<Step>, width: usize) -> Vec<Step> {
    steps.sort_by_key(|step| (step.least, Reverse(step.cost), step.parent, step.vertex));
    let mut kept: Vec<Step> = Vec::new();
    let mut seen = HashSet::new();
    for step in steps {
        // Equal sets have the same rest, so the first is the cheapest.
        if seen.insert(beam[step.parent].set_with(step.vertex)) {
            kept.push(step);
            if kept.len() == width {
                break;
            }
        }
    }
    kept
}

impl Prefix {
    fn has(&self, vertex: VertexId) -> bool {
        self.set[vertex.index() / 64] >> (vertex.index() % 64) & 1 == 1
    }

    fn set_with(&self, vertex: VertexId) -> Vec<u64> {
        let mut set = self.set.clone();
        set[vertex.index() / 64] |= 1 << (vertex.index() % 64);
        set
    }

    fn after(&self, step: Step, tables: &Tables) -> Self {
        let mut next = self.clone();
        next.graph.eliminate(step.vertex);
        next.order.push(step.vertex);
        next.set = self.set_with(step.vertex);
        next.cost = step.cost;
        tables.remove(&mut next.rest, step.vertex);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crosscountry::budget::Budget;
    use crate::crosscountry::orders::cost_of;
    use crate::crosscountry::search::tests::{optimum, random_graph};

    /// A beam that keeps everything is dynamic programming; a narrow one is an order that costs what it says.
    #[test]
    fn a_wide_beam_is_exact() {
        for seed in 0..100 {
            let graph = random_graph(seed, 3, 7, 3);
            let clock = Budget::default().start();
            for model in [CostModel::Multiplications, CostModel::Arithmetic] {
                let cost = |width| {
                    let order = beam_search(&graph, model, width, &clock).unwrap();
                    assert_eq!(order.len(), graph.intermediates().count());
                    cost_of(&graph, &order).unwrap().of(model)
                };
                let best = optimum(&graph, model).0;
                assert_eq!(cost(usize::MAX >> 8), best, "seed {seed}, {model}");
                assert!(cost(2) >= best);
            }
        }
    }

    #[test]
    fn memory_has_no_beam() {
        let graph = random_graph(1, 3, 7, 3);
        let clock = Budget::default().start();
        assert_eq!(beam_search(&graph, CostModel::Memory, 4, &clock), None);
    }
}
