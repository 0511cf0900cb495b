//! Exact methods against each other and against all orders.

use super::*;
use crate::crosscountry::samples::{least_over_orders, random_graph, small_graphs};
use crate::crosscountry::{Budget, CostModel, Elimination, LinearizedGraph, VertexId, cost_of};

#[test]
fn subsets_find_the_least_over_all_orders() {
    for seed in 0..400 {
        let graph = random_graph(seed, 6);
        for model in CostModel::ALL {
            let found = optimum(&graph, model).unwrap();
            assert_eq!(
                found,
                least_over_orders(&graph, model),
                "seed {seed}, {model}"
            );
        }
    }
}

#[test]
fn subsets_solve_all_small_graphs() {
    for (graph, known) in small_graphs() {
        let clock = Budget::default().start();
        let best = best_by_subsets(&graph, CostModel::Multiplications, &clock)
            .unwrap()
            .unwrap();
        assert_eq!(best.cost, known, "{}", graph.name());
        assert_eq!(cost_of(&graph, &best.order).unwrap().multiplications, known);
        assert_eq!(best.order.len(), graph.intermediates().count());
    }
}

#[test]
fn steps_cost_what_the_elimination_counts() {
    for seed in 0..500 {
        let graph = random_graph(seed, 9);
        let mut order: Vec<VertexId> = graph.intermediates().collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        let mut sets = crate::crosscountry::sets::SetGraph::new(&graph);
        let mut counted = Elimination::counting(&graph);
        let mut memory = sets.edges();
        for v in order {
            let before = counted.cost();
            memory = memory.max(sets.step_cost(v, CostModel::Memory));
            let steps = [CostModel::Multiplications, CostModel::Arithmetic]
                .map(|model| sets.step_cost(v, model));
            counted.eliminate_vertex(v).unwrap();
            sets.eliminate(v);
            let after = counted.cost();
            assert_eq!(
                steps[0],
                after.multiplications - before.multiplications,
                "{seed}"
            );
            assert_eq!(steps[1], after.arithmetic - before.arithmetic, "{seed}");
            assert_eq!(memory, after.memory, "{seed}");
        }
    }
}

#[test]
fn edge_e94_nothing_to_eliminate() {
    let graph = LinearizedGraph::new("empty", 0, 0, &[], &[]).unwrap();
    let best = best_by_subsets(&graph, CostModel::Memory, &Budget::default().start());
    let best = best.unwrap().unwrap();
    assert_eq!(
        (best.cost, best.order.len(), best.status),
        (0, 0, Status::Optimal)
    );
}

#[test]
fn edge_e95_too_many_or_no_time_is_none() {
    let edges: Vec<_> = (0..25).map(|v| (v, v + 1, Default::default())).collect();
    let chain = LinearizedGraph::new("chain", 1, 26, &[25], &edges).unwrap();
    assert_eq!(optimum(&chain, CostModel::Multiplications), None);
    let clock = Budget::default()
        .with_time(std::time::Duration::ZERO)
        .start();
    let chain = LinearizedGraph::new("chain", 1, 20, &[19], &edges[..19]).unwrap();
    let best = best_by_subsets(&chain, CostModel::Multiplications, &clock);
    assert_eq!(best.unwrap(), None);
}
