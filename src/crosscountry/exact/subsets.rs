//! [`best_by_subsets`]: the cheapest vertex order by dynamic programming over the sets of eliminated vertices.
//!
//! The sets are visited in falling order as binary numbers, so that all larger ones are known; the graph of each is made from that
//! of a smaller set by one elimination, on a stack.
//!
//! Invariant: `rest[set]` is the least cost of eliminating what is not in the set.
//! Source: Griewank & Walther 2008, §10.2; Held & Karp 1962 (the recursion over sets).

use super::status::{Proof, Status};
use crate::crosscountry::budget::{Clock, StoppedBy};
use crate::crosscountry::cost::CostModel;
use crate::crosscountry::graph::{LinearizedGraph, VertexId};
use crate::crosscountry::orders::cost_of;
use crate::crosscountry::sets::SetGraph;
use crate::error::Error;

/// The most intermediates, those that no path from an input to an output touches excepted: 2^22 numbers of 8 bytes are 32 MiB.
pub const MOST_INTERMEDIATES: usize = 22;

/// The cheapest vertex order of a small graph, by any cost model.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, Status, best_by_subsets};
/// // The lion: two inputs meet, and both of two intermediates feed four outputs.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let clock = Budget::default().start();
/// let best = best_by_subsets(&graph, CostModel::Multiplications, &clock)?.unwrap();
/// assert_eq!((best.cost, best.status), (12, Status::Optimal));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: at most [`MOST_INTERMEDIATES`] vertices between inputs and outputs, else `None`; also `None` when the clock ends it.
/// **Cost**: 2^l eliminations on bit sets and `l` times as many look-ups; 2^l numbers. Under two seconds for `l` = 22.
///
/// # Errors
/// [`Error::CostOverflow`] beyond 2^64.
///
/// **Source**: Griewank & Walther 2008, §10.2. By memory the costs are maxima and not sums; the recursion is the same.
pub fn best_by_subsets(
    graph: &LinearizedGraph,
    model: CostModel,
    clock: &Clock,
) -> Result<Option<Proof>, Error> {
    let mut start = SetGraph::new(graph);
    // What no edge enters or leaves costs nothing, and only hinders others while it is there.
    let mut order = Vec::new();
    let mut live: Vec<VertexId> = graph.intermediates().collect();
    loop {
        let (rest, dead): (Vec<_>, Vec<_>) = live.iter().partition(|v| {
            let (entering, leaving) = start.degrees(**v);
            entering > 0 && leaving > 0
        });
        if dead.is_empty() {
            break;
        }
        for v in dead {
            start.eliminate(v);
            order.push(v);
        }
        live = rest;
    }
    if live.len() > MOST_INTERMEDIATES {
        return Ok(None);
    }
    let mut table = Table {
        model,
        clock,
        live: &live,
        rest: vec![0; 1 << live.len()],
        stack: vec![start.clone(); live.len() + 1],
        is_stopped: false,
    };
    table.fill(live.len(), 0)?;
    if table.is_stopped {
        return Ok(None);
    }
    // Ties fall to the smallest vertex.
    let mut set = 0;
    let mut now = start;
    while set + 1 < table.rest.len() {
        let next = (0..live.len()).find(|i| {
            set >> i & 1 == 0 && table.through(&now, set, *i).ok() == Some(table.rest[set])
        });
        let next = next.expect("the minimum over the next vertices is taken by one of them");
        now.eliminate(live[next]);
        order.push(live[next]);
        set |= 1 << next;
    }
    let cost = cost_of(graph, &order)?.of(model);
    Ok(Some(Proof {
        order,
        cost,
        lower_bound: cost,
        status: Status::Optimal,
        stopped_by: StoppedBy::Proof,
    }))
}

/// The cheapest vertex order of a graph that is small enough, `None` otherwise: an oracle for tests of other methods.
#[cfg(test)]
pub(in crate::crosscountry) fn optimum(graph: &LinearizedGraph, model: CostModel) -> Option<u64> {
    let clock = crate::crosscountry::Budget::default().start();
    let best = best_by_subsets(graph, model, &clock).unwrap();
    best.map(|proof| proof.cost)
}

struct Table<'a> {
    model: CostModel,
    clock: &'a Clock,
    live: &'a [VertexId],
    rest: Vec<u64>,
    /// The graph at each level of the recursion.
    stack: Vec<SetGraph>,
    is_stopped: bool,
}

impl Table<'_> {
    /// Decides on the vertices below `undecided`, those that are eliminated first.
    fn fill(&mut self, undecided: usize, set: usize) -> Result<(), Error> {
        if self.is_stopped {
            return Ok(());
        }
        let depth = self.live.len() - undecided;
        let Some(bit) = undecided.checked_sub(1) else {
            let mut best = u64::MAX;
            for i in 0..self.live.len() {
                if set >> i & 1 == 0 {
                    best = best.min(self.through(&self.stack[depth], set, i)?);
                }
            }
            if set + 1 < self.rest.len() {
                self.rest[set] = best;
            }
            return Ok(());
        };
        // Often enough for a deadline, and rarely enough to cost nothing.
        if bit == 12 {
            self.is_stopped = self.clock.must_stop().is_some();
        }
        let (lower, upper) = self.stack.split_at_mut(depth + 1);
        upper[0].copy_from(&lower[depth]);
        upper[0].eliminate(self.live[bit]);
        self.fill(bit, set | 1 << bit)?;
        let (lower, upper) = self.stack.split_at_mut(depth + 1);
        upper[0].copy_from(&lower[depth]);
        self.fill(bit, set)
    }

    /// The least cost of the rest if vertex `i` comes next.
    fn through(&self, graph: &SetGraph, set: usize, i: usize) -> Result<u64, Error> {
        let step = graph.step_cost(self.live[i], self.model);
        let after = self.rest[set | 1 << i];
        match self.model {
            CostModel::Memory => Ok(step.max(after)),
            _ => step.checked_add(after).ok_or(Error::CostOverflow),
        }
    }
}
