//! [`pair_costs`]: the least cost of a vertex by which of two goes first.
//!
//! Invariant: no order of all vertices costs less on the vertex in question.
//! Source: groups of two, as in `group.rs`.

use std::collections::BTreeMap;

use super::cuts::{Direction, Neighbours, Side};
use crate::crosscountry::graph::{EdgeClass, LinearizedGraph, VertexId};

/// Least costs of vertices, in multiplications; vertices by number.
#[derive(Clone, Debug, Default)]
pub(in crate::crosscountry) struct PairCosts {
    /// The cuts before and behind each intermediate.
    pub(in crate::crosscountry) cuts: BTreeMap<usize, (u32, u32)>,
    /// For `(u, v)`, what `v` costs at least if `u` goes first, and if `v` does; pairs that do not matter are left out.
    pub(in crate::crosscountry) pairs: BTreeMap<(usize, usize), (u32, u32)>,
}

/// Least costs of vertices by which of two goes first.
///
/// **Cost**: four searches for every two vertices of which one depends on the other.
pub(in crate::crosscountry) fn pair_costs(graph: &LinearizedGraph) -> PairCosts {
    let neighbours = Neighbours::new(graph, |class| class == EdgeClass::Copy);
    let is_intermediate = graph.is_intermediate();
    let mut costs = PairCosts::default();
    for v in graph.intermediates() {
        let mut sides = [Direction::Sources, Direction::Targets]
            .map(|direction| Side::new(&neighbours, v, direction));
        let cuts = [sides[0].value(), sides[1].value()];
        costs.cuts.insert(v.index(), (cuts[0], cuts[1]));
        for i in 0..2 {
            for u in sides[i].others().to_vec() {
                let u = VertexId::from_raw(u);
                if !is_intermediate[u.index()] {
                    continue;
                }
                // Bit 0 of the index: whether `u` is gone.
                let table = sides[i].table(&[u]);
                let cost = |cut: u32| cut.saturating_mul(cuts[1 - i]);
                let (first, second) = (cost(table[1]), cost(table[0]));
                if first.max(second) > cost(cuts[i]) {
                    costs.pairs.insert((u.index(), v.index()), (first, second));
                }
            }
        }
    }
    costs
}
