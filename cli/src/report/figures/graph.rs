//! The linearized graph in layers, its vertices coloured by the step that eliminates them.
//!
//! A layer is the longest way from an input; within a layer vertices stand near those that they depend on.
//!
//! Invariant: eliminating a vertex joins each predecessor with each successor, one multiplication each, as in the definition.
//! Source: Griewank & Walther 2008, §10.1 (vertex elimination); Sugiyama, Tagawa & Toda 1981 (layered drawings).

use std::collections::BTreeMap;

use super::canvas::{Align, Color, Drawing, Mark, Place, text_width};
use super::chart::{Key, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, SteppedLine, Steps, csv};

/// The most vertices that a picture shows.
pub(in super::super) const MOST_VERTICES: usize = 300;
/// Up to so many vertices, names are written.
const MOST_NAMED: usize = 40;

/// What a vertex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Role {
    Input,
    Inner,
    Output,
}

/// A vertex.
#[derive(Clone, Debug)]
pub(in super::super) struct Vertex {
    pub(in super::super) name: String,
    pub(in super::super) role: Role,
}

/// A graph and an order; edges lead from smaller to larger numbers.
#[derive(Clone, Debug)]
pub(in super::super) struct Graph {
    pub(in super::super) vertices: Vec<Vertex>,
    pub(in super::super) edges: Vec<(usize, usize)>,
}

/// An edge, the step that makes it (0 for the start), and the step that removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    edge: (usize, usize),
    comes: usize,
    goes: Option<usize>,
}

/// Eliminates the vertices in order: the edges with their lifetimes, and the multiplications of every step.
fn eliminate(graph: &Graph, order: &[usize]) -> (Vec<Lifetime>, Vec<u64>) {
    let mut lifetimes: Vec<Lifetime> = Vec::new();
    let mut alive: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut add = |alive: &mut BTreeMap<(usize, usize), usize>, edge, comes| {
        alive.entry(edge).or_insert_with(|| {
            lifetimes.push(Lifetime {
                edge,
                comes,
                goes: None,
            });
            lifetimes.len() - 1
        });
    };
    for edge in &graph.edges {
        add(&mut alive, *edge, 0);
    }
    let mut costs = Vec::with_capacity(order.len());
    let mut ends = Vec::new();
    for (index, vertex) in order.iter().enumerate() {
        let step = index + 1;
        let before: Vec<usize> = alive
            .keys()
            .filter(|e| e.1 == *vertex)
            .map(|e| e.0)
            .collect();
        let after: Vec<usize> = alive
            .keys()
            .filter(|e| e.0 == *vertex)
            .map(|e| e.1)
            .collect();
        let products = before.len().saturating_mul(after.len());
        costs.push(u64::try_from(products).unwrap_or(u64::MAX));
        for from in &before {
            for to in &after {
                add(&mut alive, (*from, *to), step);
            }
        }
        alive.retain(|edge, line| {
            let stays = edge.0 != *vertex && edge.1 != *vertex;
            if !stays {
                ends.push((*line, step));
            }
            stays
        });
    }
    for (line, step) in ends {
        lifetimes[line].goes = Some(step);
    }
    (lifetimes, costs)
}

/// The multiplications of an order.
pub(in super::super) fn multiplications(graph: &Graph, order: &[usize]) -> u64 {
    let (_, costs) = eliminate(graph, order);
    costs.iter().fold(0, |sum, cost| sum.saturating_add(*cost))
}

/// The longest way from an input, per vertex.
fn layers(graph: &Graph) -> Vec<usize> {
    let mut layers = vec![0; graph.vertices.len()];
    let mut edges = graph.edges.clone();
    edges.sort_unstable_by_key(|edge| edge.1);
    for (from, to) in edges {
        layers[to] = layers[to].max(layers[from] + 1);
    }
    // Outputs stand at the end.
    let last = layers.iter().copied().max().unwrap_or(0);
    for (layer, vertex) in layers.iter_mut().zip(&graph.vertices) {
        if vertex.role == Role::Output {
            *layer = last;
        }
    }
    layers
}

/// The vertices of every layer from top to bottom, few crossings by the mean place of their neighbours.
fn rows(graph: &Graph, layers: &[usize]) -> Vec<Vec<usize>> {
    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows = vec![Vec::new(); count];
    for (vertex, layer) in layers.iter().enumerate() {
        rows[*layer].push(vertex);
    }
    let mut heights = vec![0.0; layers.len()];
    let spread = |row: &[usize], heights: &mut [f64]| {
        for (index, vertex) in row.iter().enumerate() {
            heights[*vertex] = (index as f64 + 0.5) / row.len() as f64;
        }
    };
    for row in &rows {
        spread(row, &mut heights);
    }
    for round in 0..8 {
        let forth = round % 2 == 0;
        for place in 0..count {
            let row = if forth { place } else { count - 1 - place };
            let wanted = |vertex: usize| {
                let neighbours = graph.edges.iter().filter_map(|(from, to)| match forth {
                    true if *to == vertex => Some(heights[*from]),
                    false if *from == vertex => Some(heights[*to]),
                    _ => None,
                });
                let (sum, count) =
                    neighbours.fold((0.0, 0.0), |(sum, count), h| (sum + h, count + 1.0));
                if count > 0.0 {
                    sum / count
                } else {
                    heights[vertex]
                }
            };
            let mut keyed: Vec<(f64, usize)> = rows[row].iter().map(|v| (wanted(*v), *v)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            rows[row] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
            spread(&rows[row], &mut heights);
        }
    }
    rows
}

/// An edge as a line that bows where it passes over layers, so that it does not hide behind their vertices.
fn bow(from: Place, to: Place, layers: usize) -> Vec<Place> {
    if layers <= 1 {
        return vec![from, to];
    }
    let lift = 7.0 * (layers as f64).sqrt() + 5.0;
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0 - 2.0 * lift);
    let at = |i: u32| {
        let t = f64::from(i) / 10.0;
        let mix = |a: f64, b: f64, c: f64| {
            (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * b + t * t * c
        };
        (mix(from.0, middle.0, to.0), mix(from.1, middle.1, to.1))
    };
    (0..=10).map(at).collect()
}

/// The picture of a graph, and the steps of an order to walk through.
pub(in super::super) fn figure(
    problem: &str,
    order_name: &str,
    graph: &Graph,
    order: &[usize],
) -> Figure {
    let (lifetimes, costs) = eliminate(graph, order);
    let layers = layers(graph);
    let rows = rows(graph, &layers);
    let tallest = rows.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let width = (rows.len() as f64 * 30.0 + 60.0).max(WIDTH);
    let (left, right, top) = (34.0, width - 34.0, 96.0);
    let field = (tallest * 34.0).clamp(170.0, 640.0);
    let total = costs
        .iter()
        .fold(0_u64, |sum, cost| sum.saturating_add(*cost));
    let title = format!("Linearized graph of {problem}, {order_name} order");
    let legend = [
        (Key::Box(Color::Ink), "inputs and outputs".to_string()),
        (Key::Box(Color::Scale(0)), "eliminated first".into()),
        (Key::Box(Color::Scale(128)), "half-way".into()),
        (Key::Box(Color::Scale(255)), "eliminated last".into()),
    ];
    let mut drawing = Drawing::new(
        width,
        top + field + 40.0 + legend_height(&legend, 16.0) + 8.0,
    );
    drawing.text((width / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    let mut places = vec![(0.0, 0.0); graph.vertices.len()];
    let step = (right - left) / (rows.len().max(2) - 1) as f64;
    for (layer, row) in rows.iter().enumerate() {
        for (index, vertex) in row.iter().enumerate() {
            let y = top + field * (index as f64 + 0.5) / row.len() as f64;
            places[*vertex] = (left + step * layer as f64, y);
        }
    }
    // The axis: which way the values flow.
    drawing.colored_text(
        (left - 20.0, 48.0),
        "inputs",
        13.0,
        Align::Left,
        Color::Soft,
    );
    drawing.colored_text(
        (right + 20.0, 48.0),
        "outputs",
        13.0,
        Align::Right,
        Color::Soft,
    );
    drawing.colored_text(
        (width / 2.0, 48.0),
        "layer (operations from the inputs) →",
        13.0,
        Align::Center,
        Color::Soft,
    );
    let points = |edge: (usize, usize)| {
        let span = layers[edge.1].saturating_sub(layers[edge.0]);
        bow(places[edge.0], places[edge.1], span)
    };
    for life in lifetimes.iter().filter(|life| life.comes == 0) {
        drawing.line(points(life.edge), Color::Soft, 1.2);
    }
    let mut gone = vec![None; graph.vertices.len()];
    for (index, vertex) in order.iter().enumerate() {
        gone[*vertex] = Some(index + 1);
    }
    let crowded = (field / tallest).min(step);
    let radius = (crowded * 0.32).clamp(3.0, 9.0);
    for (vertex, place) in places.iter().enumerate() {
        let color = gone[vertex].map_or(Color::Ink, |at| share(at, order.len()));
        drawing.marks.push(Mark::Circle {
            center: *place,
            radius,
            color,
            is_filled: true,
        });
    }
    if graph.vertices.len() <= MOST_NAMED {
        for (vertex, (x, y)) in graph.vertices.iter().zip(&places) {
            let fits = text_width(&vertex.name, 11.0) + 4.0 < step;
            if fits {
                drawing.text(
                    (*x, y - radius - 9.0),
                    vertex.name.as_str(),
                    11.0,
                    Align::Center,
                );
            }
        }
    }
    draw_legend(&mut drawing, (16.0, top + field + 34.0), &legend);
    let text = |edge| {
        let points: Vec<String> = points(edge)
            .iter()
            .map(|(x, y)| format!("{x:.0},{y:.0}"))
            .collect();
        points.join(" ")
    };
    let line = |life: &Lifetime| SteppedLine {
        points: text(life.edge),
        comes: life.comes,
        goes: life.goes,
    };
    let steps = Steps {
        captions: captions(graph, order, &costs),
        circles: gone,
        lines: lifetimes.iter().map(line).collect(),
    };
    let row = |(index, vertex): (usize, &usize)| {
        let name = graph.vertices[*vertex].name.clone();
        vec![(index + 1).to_string(), name, costs[index].to_string()]
    };
    Figure {
        id: format!("graph-{problem}"),
        title,
        caption: format!(
            "A vertex is an operation, an edge its partial derivative. Eliminating a vertex multiplies every edge into it with every \
             edge out of it; when all coloured vertices are gone, the edges from inputs to outputs are the Jacobian. This order takes \
             {total} multiplications. In the page, the slider walks through the steps."
        ),
        drawing,
        csv: csv(
            &["step", "vertex", "multiplications"],
            order.iter().enumerate().map(row),
        ),
        steps: Some(steps),
    }
}

/// The colour of a step.
fn share(step: usize, steps: usize) -> Color {
    let share = step.saturating_sub(1) * 255 / steps.saturating_sub(1).max(1);
    Color::Scale(u8::try_from(share).unwrap_or(u8::MAX))
}

fn captions(graph: &Graph, order: &[usize], costs: &[u64]) -> Vec<String> {
    let mut captions = vec![format!(
        "Start: {} vertices, {} edges",
        graph.vertices.len(),
        graph.edges.len()
    )];
    let mut sum: u64 = 0;
    for (index, (vertex, cost)) in order.iter().zip(costs).enumerate() {
        sum = sum.saturating_add(*cost);
        let name = &graph.vertices[*vertex].name;
        captions.push(format!(
            "Step {}: {name} is eliminated by {cost} multiplications, {sum} so far",
            index + 1
        ));
    }
    captions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    fn graph(edges: &[(usize, usize)], roles: &[Role]) -> Graph {
        let vertex = |(index, role): (usize, &Role)| Vertex {
            name: format!("v{index}"),
            role: *role,
        };
        Graph {
            vertices: roles.iter().enumerate().map(vertex).collect(),
            edges: edges.to_vec(),
        }
    }

    /// Two inputs, a chain of two inner vertices, two outputs: 2 + 2 by either end, 2 + 4 or 4 + ... by hand.
    #[test]
    fn elimination_counts_by_hand() {
        use Role::{Inner, Input, Output};
        let g = graph(
            &[(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)],
            &[Input, Input, Inner, Inner, Output, Output],
        );
        // Vertex 2 first: 2 x 1, then 3: 2 x 2. Vertex 3 first: 1 x 2, then 2: 2 x 2.
        assert_eq!(
            (multiplications(&g, &[2, 3]), multiplications(&g, &[3, 2])),
            (6, 6)
        );
        let (lifetimes, costs) = eliminate(&g, &[2, 3]);
        assert_eq!(costs, [2, 4]);
        let jacobian: Vec<_> = lifetimes
            .iter()
            .filter(|life| life.goes.is_none())
            .map(|life| life.edge)
            .collect();
        assert_eq!(jacobian, [(0, 4), (0, 5), (1, 4), (1, 5)]);
        assert_eq!(
            lifetimes[0],
            Lifetime {
                edge: (0, 2),
                comes: 0,
                goes: Some(1)
            }
        );
        assert!(lifetimes.contains(&Lifetime {
            edge: (0, 3),
            comes: 1,
            goes: Some(2)
        }));
        let drawn = figure("hand", "forward", &g, &[2, 3]);
        assert_readable(&drawn.drawing);
        let steps = drawn.steps.as_ref().unwrap();
        assert_eq!(
            steps.captions[2],
            "Step 2: v3 is eliminated by 4 multiplications, 6 so far"
        );
        assert_eq!(steps.circles, [None, None, Some(1), Some(2), None, None]);
        let svg = drawn.svg().unwrap();
        assert_eq!(
            (
                svg.matches("<circle").count(),
                svg.matches("<polyline").count()
            ),
            (6, 5)
        );
        assert_eq!(drawn.csv, "step,vertex,multiplications\n1,v2,2\n2,v3,4\n");
    }

    #[test]
    fn large_graphs_stay_inside() {
        use Role::{Inner, Input, Output};
        let n = MOST_VERTICES;
        let role = |v: usize| {
            if v < 3 {
                Input
            } else if v + 2 < n {
                Inner
            } else {
                Output
            }
        };
        let edges: Vec<_> = (3..n)
            .flat_map(|v| [(v - 1 - v % 3, v), (v / 2, v)])
            .filter(|(a, b)| a < b)
            .collect();
        let g = graph(&edges, &(0..n).map(role).collect::<Vec<_>>());
        let order: Vec<usize> = (3..n - 2).collect();
        assert_readable(&figure("large", "forward", &g, &order).drawing);
    }
}
