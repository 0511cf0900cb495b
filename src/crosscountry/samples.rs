//! Random graphs, files and naive twins for the tests of this folder.
//!
//! Invariant: the same seed makes the same graph.
//! Source: none.

use super::cost::CostModel;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::orders::cost_of;

/// A random graph with this many intermediates, of all classes of edges, with outputs that have successors and with vertices that
/// nothing leads to or from.
pub(super) fn random_graph(seed: u64, most_intermediates: usize) -> LinearizedGraph {
    use EdgeClass::{Constant, Copy, Unit, Variable};
    let mut random = fastrand::Rng::with_seed(seed);
    let inputs = random.usize(1..4);
    let intermediates = random.usize(0..=most_intermediates);
    let outputs = random.usize(1..4);
    let vertices = inputs + intermediates + outputs;
    // Outputs stand anywhere behind the inputs in a part of the graphs, and at the end in the others.
    let mut places: Vec<usize> = (inputs..vertices).collect();
    if random.bool() {
        random.shuffle(&mut places);
    } else {
        places.reverse();
    }
    let classes: &[EdgeClass] = match random.usize(0..3) {
        0 => &[Variable],
        1 => &[Variable, Variable, Copy],
        _ => &[Variable, Constant, Unit, Copy],
    };
    let density = random.usize(1..5);
    let reach = random.usize(2..=vertices);
    let mut edges = Vec::new();
    for target in inputs..vertices {
        for _ in 0..random.usize(0..=density) {
            let source = target - 1 - random.usize(0..reach.min(target));
            edges.push((source, target, classes[random.usize(0..classes.len())]));
        }
    }
    let name = format!("random {seed}");
    LinearizedGraph::new(&name, inputs, vertices, &places[..outputs], &edges).unwrap()
}

/// Naumann's lion: two inputs meet in a vertex that feeds another one; edges cost less than vertices.
pub(super) fn lion() -> LinearizedGraph {
    let edges = [
        (0, 2),
        (1, 2),
        (2, 3),
        (2, 7),
        (3, 4),
        (3, 5),
        (3, 6),
        (3, 7),
    ];
    of_variables("lion", 2, &[4, 5, 6, 7], &edges)
}

/// Naumann's bat, two lions that share their last vertex; faces cost less than edges.
pub(super) fn bat() -> LinearizedGraph {
    let edges = [
        (0, 5),
        (1, 5),
        (2, 6),
        (3, 6),
        (5, 7),
        (6, 7),
        (5, 8),
        (6, 11),
        (7, 8),
        (7, 9),
        (7, 10),
        (7, 11),
    ];
    of_variables("bat", 5, &[8, 9, 10, 11], &edges)
}

/// A graph of variable edges whose last vertex is an output.
fn of_variables(
    name: &str,
    inputs: usize,
    outputs: &[usize],
    edges: &[(usize, usize)],
) -> LinearizedGraph {
    let variables = edges.iter().map(|(s, t)| (*s, *t, EdgeClass::Variable));
    let edges: Vec<_> = variables.collect();
    let vertices = outputs[outputs.len() - 1] + 1;
    LinearizedGraph::new(name, inputs, vertices, outputs, &edges).unwrap()
}

/// The least cost over all orders, one by one.
pub(super) fn least_over_orders(graph: &LinearizedGraph, model: CostModel) -> u64 {
    fn visit(
        graph: &LinearizedGraph,
        model: CostModel,
        order: &mut Vec<VertexId>,
        rest: &[VertexId],
    ) -> u64 {
        if rest.is_empty() {
            return cost_of(graph, order).unwrap().of(model);
        }
        let costs = (0..rest.len()).map(|i| {
            let mut rest = rest.to_vec();
            order.push(rest.remove(i));
            let cost = visit(graph, model, order, &rest);
            order.pop();
            cost
        });
        costs.min().unwrap()
    }
    let all: Vec<VertexId> = graph.intermediates().collect();
    visit(graph, model, &mut Vec::new(), &all)
}

/// A file of the reference graphs.
pub(super) fn reference(file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/oracles/graphs/");
    let path = format!("{folder}{file}");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The small graphs with their optimal costs.
pub(super) fn small_graphs() -> Vec<(LinearizedGraph, u64)> {
    let text = reference("small.json");
    let graphs = LinearizedGraph::list_from_json(&text).unwrap();
    let values: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let optima = values
        .iter()
        .map(|value| value["known"]["vertex_optimum"].as_u64().unwrap());
    graphs.into_iter().zip(optima).collect()
}
