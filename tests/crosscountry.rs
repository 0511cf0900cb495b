//! The planner on published graphs: costs of known orders.

use std::path::Path;

use wengert::crosscountry::{
    Budget, CostModel, EdgeClass, LinearizedGraph, Move, Moves, Order, SearchOptions, StoppedBy,
    VertexId, cost_of, cost_of_moves, optimal_moves, search, search_moves,
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

/// What an order costs, on an adjacency matrix, by the published convention: copies are free.
fn count(graph: &LinearizedGraph, order: &[VertexId]) -> usize {
    let mut matrix = vec![vec![None; graph.len()]; graph.len()];
    for edge in graph.edges() {
        matrix[edge.source.index()][edge.target.index()] = Some(edge.class == EdgeClass::Copy);
    }
    let (mut count, all) = (0, 0..graph.len());
    for v in order.iter().map(|v| v.index()) {
        for (s, t) in all.clone().flat_map(|s| all.clone().map(move |t| (s, t))) {
            if let (Some(first), Some(second)) = (matrix[s][v], matrix[v][t]) {
                count += usize::from(!first && !second);
                matrix[s][t] = Some(matrix[s][t].is_none() && first && second);
            }
        }
        all.clone()
            .for_each(|s| (matrix[s][v], matrix[v][s]) = (None, None));
    }
    count
}

#[test]
fn search_finds_the_best_known_orders() {
    for (name, best, evaluations) in [
        ("RoeFlux_1d", 295, 60_000),
        ("RobotArm_6DOF", 221, 4_000),
        ("HumanHeartDipole", 148, 4_000),
        ("BlackScholes", 297, 20_000),
    ] {
        let graph = graph(name);
        for seed in 1..=2 {
            let options = SearchOptions {
                seed,
                budget: Budget::default().with_evaluations(evaluations),
                target: Some(best),
                ..SearchOptions::default()
            };
            let found = search(&graph, &options, &|_| ()).unwrap();
            assert_eq!(found.cost.multiplications, best, "{name}, seed {seed}");
            assert_eq!(count(&graph, &found.order) as u64, best, "{name}");
            assert_eq!(found.order.len(), graph.intermediates().count());
        }
    }
}

/// A hundred Roe fluxes, each with the results of others among its arguments.
#[test]
fn search_improves_large_graphs() {
    let cell = graph("RoeFlux_1d");
    let (inputs, inner) = (cell.inputs(), cell.len() - cell.inputs());
    let (mut edges, mut previous) = (Vec::new(), vec![0, 1, 2]);
    for k in 0..100 {
        let shift = |v: VertexId| match v.index() {
            input if input < inputs => previous.get(input).copied().unwrap_or(input),
            vertex => vertex + k * inner,
        };
        for edge in cell.edges() {
            edges.push((shift(edge.source), shift(edge.target), edge.class));
        }
        previous = cell.outputs().iter().map(|v| shift(*v)).collect();
    }
    let vertices = inputs + 100 * inner;
    let large = LinearizedGraph::new("row", inputs, vertices, &previous, &edges).unwrap();
    let options = SearchOptions {
        budget: Budget::default().with_evaluations(1_000),
        ..SearchOptions::default()
    };
    let found = search(&large, &options, &|_| ()).unwrap();
    let greedy = Order::ALL.map(|order| {
        let order = order.of(&large).unwrap();
        cost_of(&large, &order).unwrap().multiplications
    });
    let best = *greedy.iter().min().unwrap();
    let reached = found.cost.multiplications;
    assert!(reached * 100 < best * 97, "{reached}, greedy {greedy:?}");
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
