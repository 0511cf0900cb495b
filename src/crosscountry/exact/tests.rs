//! Exact methods against each other and against all orders.

use std::time::Duration;

use super::*;
use crate::crosscountry::samples::{least_over_orders, random_graph, small_graphs};
use crate::crosscountry::{
    Budget, CostModel, EdgeClass, Elimination, GroupLimits, LinearizedGraph, Order, VertexId,
    cost_of,
};

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
    let clock = Budget::default().with_time(Duration::ZERO).start();
    let chain = LinearizedGraph::new("chain", 1, 20, &[19], &edges[..19]).unwrap();
    let best = best_by_subsets(&chain, CostModel::Multiplications, &clock);
    assert_eq!(best.unwrap(), None);
}

/// Groups so small that they prove little: the search must do the work.
const WEAK: GroupLimits = GroupLimits {
    members: 2,
    last_members: 2,
    subsets: 20,
    target: None,
};

#[test]
fn branch_and_bound_agrees_with_subsets() {
    for seed in 0..3_000 {
        let graph = random_graph(seed, 9);
        let incumbent = Order::Forward.of(&graph).unwrap();
        for model in CostModel::ALL {
            let clock = Budget::default().start();
            let best = branch_and_bound(&graph, model, &incumbent, &WEAK, 1_000_000, &clock);
            let best = best.unwrap();
            assert_eq!(
                Some(best.cost),
                optimum(&graph, model),
                "seed {seed}, {model}"
            );
            assert_eq!(best.status, Status::Optimal, "seed {seed}, {model}");
            assert_eq!(best.cost, cost_of(&graph, &best.order).unwrap().of(model));
        }
    }
}

/// The graph with copies of random intermediates, each with the edges of the original.
fn with_twins(graph: &LinearizedGraph, random: &mut fastrand::Rng) -> LinearizedGraph {
    let intermediates: Vec<usize> = graph.intermediates().map(|v| v.index()).collect();
    // Twins stand next to each other, so that edges still lead forward.
    let mut at = Vec::new();
    let mut vertices = 0;
    for v in 0..graph.len() {
        let copies = match intermediates.contains(&v) {
            true => 1 + random.usize(0..3) / 2 * random.usize(1..3),
            false => 1,
        };
        at.push(vertices..vertices + copies);
        vertices += copies;
    }
    let mut edges = Vec::new();
    for edge in graph.edges() {
        for source in at[edge.source.index()].clone() {
            for target in at[edge.target.index()].clone() {
                edges.push((source, target, EdgeClass::Variable));
            }
        }
    }
    let outputs = graph.outputs().iter().map(|v| at[v.index()].start);
    let outputs: Vec<usize> = outputs.collect();
    LinearizedGraph::new("twins", graph.inputs(), vertices, &outputs, &edges).unwrap()
}

#[test]
fn twins_are_eliminated_together_without_loss() {
    let mut twins = 0;
    for seed in 0..1_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let few = random_graph(seed, 5);
        let graph = with_twins(&few, &mut random);
        twins += graph.len() - few.len();
        let incumbent = Order::Forward.of(&graph).unwrap();
        let model = CostModel::Multiplications;
        let clock = Budget::default().start();
        let best = branch_and_bound(&graph, model, &incumbent, &WEAK, 1_000_000, &clock).unwrap();
        assert_eq!(Some(best.cost), optimum(&graph, model), "seed {seed}");
        assert_eq!(best.cost, cost_of(&graph, &best.order).unwrap().of(model));
    }
    assert!(twins > 1_000, "{twins}");
}

#[test]
fn branch_and_bound_without_work_keeps_the_incumbent() {
    let mut has_gap = false;
    for seed in 0..500 {
        let graph = random_graph(seed, 12);
        let incumbent = Order::Forward.of(&graph).unwrap();
        let model = CostModel::Multiplications;
        let known = cost_of(&graph, &incumbent).unwrap().multiplications;
        let least = optimum(&graph, model).unwrap();
        for evaluations in [0, 3] {
            let clock = Budget::default().start();
            let best =
                branch_and_bound(&graph, model, &incumbent, &WEAK, evaluations, &clock).unwrap();
            assert!(
                best.cost <= known && best.lower_bound <= least,
                "seed {seed}"
            );
            assert_eq!(
                best.status == Status::Optimal,
                best.lower_bound == best.cost
            );
            has_gap |= best.status == Status::NoIncumbent && best.order == incumbent;
        }
    }
    assert!(has_gap);
}

#[test]
fn the_integer_program_proves_all_small_graphs() {
    for (graph, known) in small_graphs() {
        // The worse one of two orders, so that the solver has something to find.
        let incumbent = [Order::Forward, Order::Reverse].map(|order| order.of(&graph).unwrap());
        let cost = |order: &Vec<VertexId>| cost_of(&graph, order).unwrap().multiplications;
        let worst = incumbent.iter().map(cost).max().unwrap();
        let (order, proven) = ilp::ask(&graph, worst, Solver::Microlp, Duration::from_secs(60))
            .unwrap()
            .unwrap();
        assert_eq!(proven, Some(known), "{}", graph.name());
        assert_eq!(cost(&order), known);
    }
}

#[test]
fn the_integer_program_agrees_with_subsets_on_all_classes() {
    for seed in 0..300 {
        let graph = random_graph(seed, 6);
        let known = optimum(&graph, CostModel::Multiplications);
        let found = ilp::ask(&graph, 10_000, Solver::Microlp, Duration::from_secs(60)).unwrap();
        assert_eq!(found.unwrap().1, known, "seed {seed}");
    }
}

#[test]
fn edge_e95_the_integer_program_without_time() {
    let (graph, known) = small_graphs().swap_remove(0);
    let incumbent = Order::Forward.of(&graph).unwrap();
    let clock = Budget::default().with_time(Duration::ZERO).start();
    let best = integer_program(&graph, &incumbent, Solver::Microlp, Duration::ZERO, &clock);
    let best = best.unwrap();
    assert!(best.cost >= known && best.lower_bound <= known);
    assert_eq!((best.order, best.status), (incumbent, Status::NoIncumbent));
}
