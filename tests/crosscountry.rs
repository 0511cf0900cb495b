//! The planner on published graphs: costs of known orders.

use std::path::Path;

use wengert::crosscountry::{
    Budget, CostModel, LinearizedGraph, Move, Moves, Order, StoppedBy, cost_of, cost_of_moves,
    optimal_moves, search_moves,
};

fn graph(name: &str) -> LinearizedGraph {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/graphs");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    LinearizedGraph::from_json(&text).unwrap()
}

#[test]
fn forward_and_reverse_cost_what_is_published() {
    for (name, forward, reverse) in [
        ("RoeFlux_1d", 620, 364),
        ("RobotArm_6DOF", 397, 301),
        ("HumanHeartDipole", 240, 172),
        ("BlackScholes", 545, 572),
    ] {
        let graph = graph(name);
        let cost = |order: Order| {
            let order = order.of(&graph).unwrap();
            cost_of(&graph, &order).unwrap().multiplications
        };
        assert_eq!(
            (cost(Order::Forward), cost(Order::Reverse)),
            (forward, reverse),
            "{name}"
        );
    }
}

#[test]
fn edges_of_small_graphs_cost_what_is_known() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/graphs/small.json");
    let text = std::fs::read_to_string(file).unwrap();
    let known: serde_json::Value = serde_json::from_str(&text).unwrap();
    let graphs = LinearizedGraph::list_from_json(&text).unwrap();
    let model = CostModel::Multiplications;
    let mut compared = 0;
    for (graph, known) in graphs.iter().zip(known.as_array().unwrap()) {
        let Some(expected) = known["known"]["edge_optimum"].as_u64() else {
            continue;
        };
        let order = Order::Markowitz.of(graph).unwrap();
        let start: Vec<Move> = order.iter().map(|v| Move::Vertex(*v)).collect();
        let budget = Budget::default();
        let found = optimal_moves(graph, model, Moves::Edge, &start, &budget).unwrap();
        assert_eq!((found.cost, found.stopped_by), (expected, StoppedBy::Proof));
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn edges_of_the_bat_cost_less_than_its_vertices() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/graphs/small.json");
    let graphs = LinearizedGraph::list_from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
    let bat = graphs.iter().find(|graph| graph.name() == "bat").unwrap();
    let start = Order::Reverse.of(bat).unwrap();
    let model = CostModel::Multiplications;
    for seed in 0..5 {
        let budget = Budget::default().with_evaluations(40_000);
        let found = search_moves(bat, model, Moves::Edge, &start, seed, &budget).unwrap();
        // No order of the vertices costs less than 24; 23 is the optimum of edges, by exhaustion.
        assert_eq!(found.cost, 23, "seed {seed}");
        assert_eq!(
            cost_of_moves(bat, &found.moves).unwrap().multiplications,
            23
        );
    }
}
