//! The linearized graph of a recorded program, for the figures.
//!
//! Invariant: an edge is a partial that is not structurally zero; vertices that no output depends on, or that depend on no
//! input, are left out, and an output that others use gets a vertex of its own.
//! Source: Griewank & Walther 2008, §2.2 and §10.1.

use wengert::program::{NodeKind, Program};

use super::figures::Figure;
use super::figures::graph::{self, Graph, MOST_VERTICES, Role, Vertex};
use super::figures::orders::{self, Order};
use crate::error::CliError;

/// The graph at a point; `None` if there are too many vertices for a picture, or loops that are one node.
fn graph(program: &Program, x: &[f64]) -> Result<Option<Graph>, CliError> {
    let has_loops = program
        .nodes()
        .any(|node| matches!(program.kind(node), NodeKind::Region(_)));
    // Constants and questions are not vertices, so a longer program may do.
    if has_loops || program.len() > 20 * MOST_VERTICES {
        return Ok(None);
    }
    let values = program.values(x)?;
    let count = program.len();
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut depends = vec![false; count];
    for node in program.nodes() {
        let to = node.index();
        if matches!(program.kind(node), NodeKind::Input(_)) {
            depends[to] = true;
            continue;
        }
        let partials = program.partials(node, &values);
        for (argument, partial) in program.arguments(node).iter().zip(partials) {
            if partial.is_some() && depends[argument.index()] {
                depends[to] = true;
                edges.push((argument.index(), to));
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    let mut leads = vec![false; count];
    for output in program.outputs() {
        leads[output.index()] = true;
    }
    for node in (0..count).rev() {
        leads[node] |= edges.iter().any(|(from, to)| *from == node && leads[*to]);
    }
    let mut numbers = vec![None; count];
    let mut vertices = Vec::new();
    for node in program.nodes() {
        let index = node.index();
        if !(depends[index] && leads[index]) {
            continue;
        }
        let is_used = edges.iter().any(|(from, to)| *from == index && leads[*to]);
        let is_output = program.outputs().contains(&node);
        let role = match program.kind(node) {
            NodeKind::Input(_) => Role::Input,
            _ if is_output && !is_used => Role::Output,
            _ => Role::Inner,
        };
        numbers[index] = Some(vertices.len());
        vertices.push(Vertex {
            name: node.to_string(),
            role,
        });
    }
    let edges = edges
        .iter()
        .filter_map(|(from, to)| Some((numbers[*from]?, numbers[*to]?)));
    let mut edges: Vec<(usize, usize)> = edges.collect();
    for (place, output) in program.outputs().iter().enumerate() {
        if let Some(number) =
            numbers[output.index()].filter(|number| vertices[*number].role != Role::Output)
        {
            edges.push((number, vertices.len()));
            vertices.push(Vertex {
                name: format!("y{place}"),
                role: Role::Output,
            });
        }
    }
    let fits = vertices.len() <= MOST_VERTICES && !edges.is_empty();
    Ok(fits.then_some(Graph { vertices, edges }))
}

/// The graph with the order of forward mode, and the bars of the two orders that everybody uses.
pub(super) fn figures(
    problem: &str,
    program: &Program,
    x: &[f64],
) -> Result<Vec<Figure>, CliError> {
    let Some(graph) = graph(program, x)? else {
        return Ok(Vec::new());
    };
    let inner = graph
        .vertices
        .iter()
        .enumerate()
        .filter(|(_, vertex)| vertex.role == Role::Inner);
    let forward: Vec<usize> = inner.map(|(index, _)| index).collect();
    let reverse: Vec<usize> = forward.iter().rev().copied().collect();
    let order = |name: &str, order: &[usize]| Order {
        name: name.into(),
        multiplications: graph::multiplications(&graph, order),
        is_optimal: false,
    };
    let bars = [order("forward", &forward), order("reverse", &reverse)];
    let (name, steps) = if bars[0].multiplications <= bars[1].multiplications {
        ("forward", &forward)
    } else {
        ("reverse", &reverse)
    };
    Ok(vec![
        graph::figure(problem, name, &graph, steps),
        orders::figure(problem, &bars, None),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_and_constant_vertices_are_left_out_and_used_outputs_doubled() {
        let program: Program = "v0 = input 0
            v1 = input 1
            v2 = mul v0 v1
            v3 = sin v2
            v4 = constant 2
            v5 = exp v4
            v6 = mul v3 v5
            v7 = cos v1
            output v2
            output v6"
            .parse()
            .unwrap();
        let graph = graph(&program, &[1.0, 2.0]).unwrap().unwrap();
        let names: Vec<(&str, Role)> = graph
            .vertices
            .iter()
            .map(|v| (v.name.as_str(), v.role))
            .collect();
        let expected = [
            ("v0", Role::Input),
            ("v1", Role::Input),
            ("v2", Role::Inner),
            ("v3", Role::Inner),
            ("v6", Role::Output),
            ("y0", Role::Output),
        ];
        assert_eq!(names, expected);
        assert_eq!(graph.edges, [(0, 2), (1, 2), (2, 3), (3, 4), (2, 5)]);
        let figures = figures("sample", &program, &[1.0, 2.0]).unwrap();
        // Forward: 2 x 2 and 2 x 1; reverse: 1 x 1 and 2 x 2.
        assert_eq!(
            figures[1].csv,
            "order,multiplications,lower_bound,optimal\nforward,6,,false\nreverse,5,,false\n"
        );
    }
}
