//! The linearized graph in layers, its vertices coloured by the step that eliminates them.
//!
//! A layer is the longest way from an input; within a layer vertices stand near those that they depend on.
//!
//! Invariant: eliminating a vertex joins each predecessor with each successor, one multiplication each, as in the definition.
//! Source: Griewank & Walther 2008, §10.1 (vertex elimination); Sugiyama, Tagawa & Toda 1981 (layered drawings).

use std::collections::BTreeMap;

use wengert::crosscountry::{Elimination, LinearizedGraph, VertexId};

use super::canvas::{Align, Color, Drawing, Mark, Place, text_width};
use super::chart::{Key, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, SteppedLine, Steps, csv};

/// The most vertices that a picture shows.
pub(in super::super) const MOST_VERTICES: usize = 300;
/// Up to so many vertices, names are written.
const MOST_NAMED: usize = 40;

/// A linearized graph whose edges lead from smaller to larger numbers, as those of programs do, and names for its vertices.
#[derive(Clone, Debug)]
pub(in super::super) struct Graph<'a> {
    pub(in super::super) linearized: &'a LinearizedGraph,
    pub(in super::super) names: Vec<String>,
}

impl Graph<'_> {
    fn len(&self) -> usize {
        self.linearized.len()
    }

    fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        let edges = self.linearized.edges().iter();
        edges.map(|edge| (edge.source.index(), edge.target.index()))
    }
}

/// An edge, the step that makes it (0 for the start), and the step that removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    edge: (usize, usize),
    comes: usize,
    goes: Option<usize>,
}

/// Eliminates the vertices in order: the edges with their lifetimes, and the multiplications of every step.
fn eliminate(
    graph: &LinearizedGraph,
    order: &[VertexId],
) -> Result<(Vec<Lifetime>, Vec<u64>), wengert::Error> {
    let mut elimination = Elimination::counting(graph);
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
    for edge in graph.edges() {
        add(&mut alive, (edge.source.index(), edge.target.index()), 0);
    }
    let mut costs = Vec::with_capacity(order.len());
    let mut ends = Vec::new();
    for (index, vertex) in order.iter().enumerate() {
        let step = index + 1;
        let before = elimination.predecessors(*vertex);
        let after = elimination.successors(*vertex);
        let cost = elimination.cost().multiplications;
        elimination.eliminate_vertex(*vertex)?;
        costs.push(elimination.cost().multiplications - cost);
        for from in &before {
            for to in &after {
                add(&mut alive, (from.index(), to.index()), step);
            }
        }
        let old = before.iter().map(|from| (from.index(), vertex.index()));
        let old = old.chain(after.iter().map(|to| (vertex.index(), to.index())));
        ends.extend(old.filter_map(|edge| Some((alive.remove(&edge)?, step))));
    }
    for (line, step) in ends {
        lifetimes[line].goes = Some(step);
    }
    Ok((lifetimes, costs))
}

/// The longest way from an input, per vertex.
fn layers(graph: &Graph<'_>) -> Vec<usize> {
    let mut layers = vec![0; graph.len()];
    let mut edges: Vec<(usize, usize)> = graph.edges().collect();
    edges.sort_unstable_by_key(|edge| edge.1);
    for (from, to) in edges {
        layers[to] = layers[to].max(layers[from] + 1);
    }
    // Outputs stand at the end.
    let last = layers.iter().copied().max().unwrap_or(0);
    for output in graph.linearized.outputs() {
        layers[output.index()] = last;
    }
    layers
}

/// The vertices of every layer from top to bottom, few crossings by the mean place of their neighbours.
fn rows(graph: &Graph<'_>, layers: &[usize]) -> Vec<Vec<usize>> {
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
                let neighbours = graph.edges().filter_map(|(from, to)| match forth {
                    true if to == vertex => Some(heights[from]),
                    false if from == vertex => Some(heights[to]),
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
    graph: &Graph<'_>,
    order: &[VertexId],
) -> Result<Figure, wengert::Error> {
    let (lifetimes, costs) = eliminate(graph.linearized, order)?;
    let layers = layers(graph);
    let rows = rows(graph, &layers);
    let tallest = rows.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let width = (rows.len() as f64 * 30.0 + 60.0).max(WIDTH);
    let (left, right, top) = (34.0, width - 34.0, 96.0);
    let field = (tallest * 34.0).clamp(170.0, 640.0);
    let total = costs
        .iter()
        .fold(0_u64, |sum, cost| sum.saturating_add(*cost));
    let multiplications = if total == 1 {
        "multiplication"
    } else {
        "multiplications"
    };
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
    let mut places = vec![(0.0, 0.0); graph.len()];
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
    let mut gone = vec![None; graph.len()];
    for (index, vertex) in order.iter().enumerate() {
        gone[vertex.index()] = Some(index + 1);
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
    if graph.len() <= MOST_NAMED {
        for (name, (x, y)) in graph.names.iter().zip(&places) {
            let fits = text_width(name, 11.0) + 4.0 < step;
            if fits {
                drawing.text((*x, y - radius - 9.0), name.as_str(), 11.0, Align::Center);
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
    let row = |(index, vertex): (usize, &VertexId)| {
        let name = graph.names[vertex.index()].clone();
        vec![(index + 1).to_string(), name, costs[index].to_string()]
    };
    Ok(Figure {
        id: format!("graph-{problem}"),
        title,
        caption: format!(
            "A vertex is an operation, an edge its partial derivative. Eliminating a vertex multiplies every edge into it with every \
             edge out of it; when all coloured vertices are gone, the edges from inputs to outputs are the Jacobian. This order takes \
             {total} {multiplications}. In the page, the slider walks through the steps; orange edges are those that steps have made."
        ),
        drawing,
        csv: csv(
            &["step", "vertex", "multiplications"],
            order.iter().enumerate().map(row),
        ),
        steps: Some(steps),
    })
}

/// The colour of a step.
fn share(step: usize, steps: usize) -> Color {
    let share = step.saturating_sub(1) * 255 / steps.saturating_sub(1).max(1);
    Color::Scale(u8::try_from(share).unwrap_or(u8::MAX))
}

fn captions(graph: &Graph<'_>, order: &[VertexId], costs: &[u64]) -> Vec<String> {
    let mut captions = vec![format!(
        "Start: {} vertices, {} edges",
        graph.len(),
        graph.linearized.edges().len()
    )];
    let mut sum: u64 = 0;
    for (index, (vertex, cost)) in order.iter().zip(costs).enumerate() {
        sum = sum.saturating_add(*cost);
        let name = &graph.names[vertex.index()];
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
    use wengert::crosscountry::EdgeClass;

    use crate::report::figures::canvas::tests::assert_readable;

    fn graph(
        inputs: usize,
        vertices: usize,
        outputs: &[usize],
        edges: &[(usize, usize)],
    ) -> LinearizedGraph {
        let edges: Vec<_> = edges
            .iter()
            .map(|(from, to)| (*from, *to, EdgeClass::Variable))
            .collect();
        LinearizedGraph::new("sample", inputs, vertices, outputs, &edges).unwrap()
    }

    fn named(linearized: &LinearizedGraph) -> Graph<'_> {
        Graph {
            linearized,
            names: (0..linearized.len()).map(|v| format!("v{v}")).collect(),
        }
    }

    /// Two inputs, a chain of two inner vertices, two outputs: vertex 2 first 2 x 1, then vertex 3 2 x 2.
    #[test]
    fn elimination_counts_by_hand() {
        let g = graph(2, 6, &[4, 5], &[(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)]);
        let order: Vec<VertexId> = g.intermediates().collect();
        let (lifetimes, costs) = eliminate(&g, &order).unwrap();
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
        let drawn = figure("hand", "forward", &named(&g), &order).unwrap();
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
        let n = MOST_VERTICES;
        let edges: Vec<_> = (3..n)
            .flat_map(|v| [(v - 1 - v % 3, v), (v / 2, v)])
            .filter(|(a, b)| a < b && *a < n - 2)
            .collect();
        let g = graph(3, n, &[n - 2, n - 1], &edges);
        let order: Vec<VertexId> = g.intermediates().collect();
        assert_readable(
            &figure("large", "forward", &named(&g), &order)
                .unwrap()
                .drawing,
        );
    }
}
