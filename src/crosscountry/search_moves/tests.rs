//! Bit sets against lists, and searches against what is known.
//!
//! Invariant: costs are recounted by the eliminations that the searches do not use.
//! Source: none.

use super::super::moves_tests::{naive_edges, random_graph};
use super::super::{Elimination, Order};
use super::*;

#[test]
fn bit_sets_cost_what_lists_cost() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 9);
        for model in CostModel::ALL {
            let mut state = State::<1>::new(&graph, model);
            let mut lists = Elimination::counting(&graph);
            for _ in 0..40 {
                let all: Vec<VertexId> = graph.intermediates().collect();
                let Some(v) = random.choice(&all).copied() else {
                    break;
                };
                let u = VertexId::new(random.usize(0..graph.len())).unwrap();
                let step = match random.u8(0..8) {
                    0 => Move::Vertex(v),
                    1..4 => Move::Front(u, v),
                    _ => Move::Back(v, u),
                };
                let (entering, leaving) = lists.degrees(v);
                let is_possible = match step {
                    Move::Vertex(_) => entering + leaving > 0,
                    _ => lists.take(step).is_ok(),
                };
                if matches!(step, Move::Vertex(_)) && is_possible {
                    lists.take(step).unwrap();
                }
                assert_eq!(state.take(step).unwrap(), is_possible, "seed {seed}");
                assert_eq!(state.cost(), lists.cost().of(model), "seed {seed}");
                let (entering, leaving) = lists.degrees(v);
                let (found_in, found_out) = state.degrees(v);
                let found = (u64::from(found_in), u64::from(found_out));
                assert_eq!(found, (entering, leaving), "seed {seed}");
            }
        }
    }
}

#[test]
fn edge_e96_found_moves_are_recounted_and_never_worse_than_the_start() {
    let budget = Budget::default().with_evaluations(2000);
    let mut gained = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 12);
        let start: Vec<VertexId> = graph.intermediates().collect();
        for model in CostModel::ALL {
            let search =
                || search_moves(&graph, model, Moves::Edge, &start, seed, &budget).unwrap();
            let found = search();
            let forward = Order::Forward.of(&graph).unwrap();
            let before = super::super::cost_of(&graph, &forward).unwrap().of(model);
            assert!(found.cost <= before, "seed {seed}");
            gained += u64::from(found.cost < before);
            let recounted = cost_of_moves(&graph, &found.moves).unwrap();
            assert_eq!(found.cost, recounted.of(model));
            let multiplications = naive_edges(&graph, &found.moves);
            assert_eq!(recounted.multiplications, multiplications, "seed {seed}");
            assert_eq!(found, search(), "seed {seed}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
            assert_eq!(found, pool.unwrap().install(search), "seed {seed}");
        }
    }
    assert!(gained > 30, "{gained}");
}

#[test]
fn a_search_without_time_returns_the_start() {
    let graph = random_graph(&mut fastrand::Rng::with_seed(3), 9);
    let start: Vec<VertexId> = graph.intermediates().collect();
    let budget = Budget::default().with_time(std::time::Duration::ZERO);
    let model = CostModel::Multiplications;
    let found = search_moves(&graph, model, Moves::Edge, &start, 1, &budget).unwrap();
    let cost = super::super::cost_of(&graph, &start).unwrap().of(model);
    assert_eq!((found.cost, found.evaluations), (cost, 0));
    assert_eq!(found.stopped_by, StoppedBy::Time);
}
