//! Vertices, edges and faces against counters and eliminations written another way.
//!
//! Invariant: the twins keep plain sets and search them; nothing is shared with the code under test.
//! Source: Naumann 2004, §2 and §3.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use EdgeClass::{Copy, Unit, Variable};

/// A random graph with at most `intermediates` intermediates, each of which has an entering and a leaving edge.
pub(super) fn random_graph(random: &mut fastrand::Rng, intermediates: usize) -> LinearizedGraph {
    let (inputs, outputs) = (random.usize(1..4), random.usize(1..4));
    let middle = random.usize(0..=intermediates);
    let vertices = inputs + middle + outputs;
    let mut edges = Vec::new();
    let class = |random: &mut fastrand::Rng| match random.u8(0..10) {
        0 => Copy,
        1 => Unit,
        2 => EdgeClass::Constant,
        _ => Variable,
    };
    for target in inputs..vertices {
        let sources = target.min(inputs + middle);
        edges.push((random.usize(0..sources), target, class(random)));
        for _ in 0..random.usize(0..3) {
            edges.push((random.usize(0..sources), target, class(random)));
        }
    }
    for source in inputs..inputs + middle {
        let target = random.usize(source + 1..vertices);
        edges.push((source, target, class(random)));
    }
    // Now and then an output that another output depends on.
    if outputs > 1 && random.u8(0..4) == 0 {
        edges.push((inputs + middle, vertices - 1, Variable));
    }
    let outputs: Vec<usize> = (inputs + middle..vertices).collect();
    LinearizedGraph::new("random", inputs, vertices, &outputs, &edges).unwrap()
}

fn partials(random: &mut fastrand::Rng, graph: &LinearizedGraph) -> Vec<f64> {
    let edges = graph.edges().iter();
    edges
        .map(|edge| match edge.class {
            Copy => 1.0,
            Unit => [1.0, -1.0][random.usize(0..2)],
            _ => random.f64() + 0.5,
        })
        .collect()
}

/// The Jacobian by adding up all paths.
fn by_paths(graph: &LinearizedGraph, partials: &[f64]) -> BTreeMap<(usize, usize), f64> {
    let is_intermediate = graph.is_intermediate();
    let mut jacobian = BTreeMap::new();
    for source in (0..graph.len()).filter(|v| !is_intermediate[*v]) {
        let mut paths = vec![(source, 1.0)];
        while let Some((vertex, product)) = paths.pop() {
            for (edge, partial) in graph.edges().iter().zip(partials) {
                if edge.source.index() == vertex {
                    let target = edge.target.index();
                    if is_intermediate[target] {
                        paths.push((target, product * partial));
                    } else {
                        *jacobian.entry((target, source)).or_insert(0.0) += product * partial;
                    }
                }
            }
        }
    }
    jacobian
}

/// A line graph in plain sets: source and target names, predecessors, successors, class. Anchors are numbers below 0.
struct Naive {
    duals: BTreeMap<i64, (BTreeSet<i64>, BTreeSet<i64>, EdgeClass)>,
    next: i64,
    multiplications: u64,
}

impl Naive {
    fn new(graph: &LinearizedGraph) -> Self {
        let is_intermediate = graph.is_intermediate();
        let mut naive = Self {
            duals: BTreeMap::new(),
            next: i64::try_from(graph.edges().len()).unwrap(),
            multiplications: 0,
        };
        for (number, edge) in (0..).zip(graph.edges()) {
            let at = |vertex: VertexId, by: fn(&Edge) -> VertexId| -> BTreeSet<i64> {
                let edges = (0..).zip(graph.edges());
                let anchor = -1 - i64::try_from(vertex.index()).unwrap();
                if is_intermediate[vertex.index()] {
                    let met = edges.filter(|(_, e)| by(e) == vertex);
                    met.map(|(n, _)| n).collect()
                } else {
                    BTreeSet::from([anchor])
                }
            };
            let before = at(edge.source, |e| e.target);
            let after = at(edge.target, |e| e.source);
            naive.duals.insert(number, (before, after, edge.class));
        }
        naive
    }

    fn faces(&self) -> Vec<(u32, u32)> {
        let mut faces = Vec::new();
        for (number, dual) in &self.duals {
            for next in dual.1.iter().filter(|next| **next >= 0) {
                faces.push((
                    u32::try_from(*number).unwrap(),
                    u32::try_from(*next).unwrap(),
                ));
            }
        }
        faces
    }

    fn remove(&mut self, number: i64) {
        self.duals.remove(&number);
        for (before, after, _) in self.duals.values_mut() {
            before.remove(&number);
            after.remove(&number);
        }
    }

    fn face(&mut self, a: i64, b: i64) {
        let (before, _, first) = self.duals[&a].clone();
        let (_, after, second) = self.duals[&b].clone();
        self.multiplications += u64::from(first != Copy && second != Copy);
        let class = first.times(second);
        let mut others = self.duals.values_mut();
        match others.find(|d| d.0 == before && d.1 == after) {
            Some(dual) => dual.2 = dual.2.plus(class),
            None => {
                let number = self.next;
                self.next += 1;
                for dual in &before {
                    if let Some(dual) = self.duals.get_mut(dual) {
                        dual.1.insert(number);
                    }
                }
                for dual in &after {
                    if let Some(dual) = self.duals.get_mut(dual) {
                        dual.0.insert(number);
                    }
                }
                self.duals.insert(number, (before, after, class));
            }
        }
        self.duals.get_mut(&a).unwrap().1.remove(&b);
        self.duals.get_mut(&b).unwrap().0.remove(&a);
        for number in [a, b] {
            let Some((before, after, _)) = self.duals.get(&number).cloned() else {
                continue;
            };
            if before.is_empty() || after.is_empty() {
                self.remove(number);
                continue;
            }
            let mut twins = self.duals.iter();
            let twin = twins.find(|(n, d)| **n != number && d.0 == before && d.1 == after);
            if let Some(twin) = twin.map(|(n, _)| *n) {
                let class = self.duals[&number].2.plus(self.duals[&twin].2);
                self.duals.get_mut(&number.min(twin)).unwrap().2 = class;
                self.remove(number.max(twin));
            }
        }
    }
}

/// Multiplications of faces.
pub(super) fn naive_faces(graph: &LinearizedGraph, moves: &[Move]) -> u64 {
    let mut naive = Naive::new(graph);
    for step in moves {
        match step {
            Move::Face(a, b) => naive.face(i64::from(*a), i64::from(*b)),
            _ => unreachable!(),
        }
    }
    assert_eq!(naive.faces(), []);
    naive.multiplications
}

/// Multiplications of vertex and edge eliminations, counted on a set of edges.
pub(super) fn naive_edges(graph: &LinearizedGraph, moves: &[Move]) -> u64 {
    let mut edges: BTreeMap<(VertexId, VertexId), EdgeClass> = BTreeMap::new();
    for edge in graph.edges() {
        edges.insert((edge.source, edge.target), edge.class);
    }
    let mut count = 0;
    for step in moves {
        let is_met = |first: (VertexId, VertexId), second: (VertexId, VertexId)| match *step {
            Move::Vertex(v) => first.1 == v && second.0 == v,
            Move::Front(s, t) => first == (s, t) && second.0 == t,
            Move::Back(s, t) => second == (s, t) && first.1 == s,
            Move::Face(..) => unreachable!(),
        };
        let old = edges.clone();
        for (first, a) in &old {
            for (second, b) in old.iter().filter(|(second, _)| is_met(*first, **second)) {
                count += u64::from(*a != Copy && *b != Copy);
                let class = a.times(*b);
                let place = edges.entry((first.0, second.1));
                place.and_modify(|c| *c = c.plus(class)).or_insert(class);
            }
        }
        let gone = |edges: &BTreeMap<(VertexId, VertexId), EdgeClass>, v: VertexId| {
            let entered = edges.keys().any(|e| e.1 == v);
            !entered || !edges.keys().any(|e| e.0 == v)
        };
        match *step {
            Move::Vertex(v) => edges.retain(|e, _| e.0 != v && e.1 != v),
            Move::Front(s, t) | Move::Back(s, t) => {
                edges.remove(&(s, t));
                let v = if matches!(step, Move::Front(..)) {
                    t
                } else {
                    s
                };
                if gone(&edges, v) {
                    edges.retain(|e, _| e.0 != v && e.1 != v);
                }
            }
            Move::Face(..) => unreachable!(),
        }
    }
    count
}

/// A random complete sequence of vertex and edge eliminations.
fn random_moves(random: &mut fastrand::Rng, graph: &LinearizedGraph) -> Vec<Move> {
    let mut state = Elimination::counting(graph);
    let mut moves = Vec::new();
    loop {
        let mut possible = Vec::new();
        for v in graph.intermediates() {
            if !state.is_alive(v) {
                continue;
            }
            possible.push(Move::Vertex(v));
            possible.extend(state.predecessors(v).into_iter().map(|u| Move::Front(u, v)));
            possible.extend(state.successors(v).into_iter().map(|w| Move::Back(v, w)));
        }
        if possible.is_empty() {
            return moves;
        }
        let step = possible[random.usize(0..possible.len())];
        state.take(step).unwrap();
        moves.push(step);
    }
}

fn assert_same(
    found: &[(VertexId, VertexId, f64)],
    expected: &BTreeMap<(usize, usize), f64>,
    what: &str,
) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (output, source, partial) in found {
        let expected = expected[&(output.index(), source.index())];
        let error = (partial - expected).abs();
        assert!(error <= 1e-12 * expected.abs().max(1.0), "{what}: {error}");
    }
}

#[test]
fn edge_e91_vertices_and_edges_give_the_jacobian_at_the_counted_cost() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 7);
        let partials = partials(&mut random, &graph);
        let jacobian = by_paths(&graph, &partials);
        let moves = random_moves(&mut random, &graph);
        let what = format!("seed {seed}");
        let found = jacobian_by_moves(&graph, &partials, &moves).unwrap();
        assert_same(&found, &jacobian, &what);
        let cost = cost_of_moves(&graph, &moves).unwrap();
        assert_eq!(cost.multiplications, naive_edges(&graph, &moves), "{what}");

        // The same by faces: no other products and sums, and not more memory.
        let mut faces = FaceElimination::counting(&graph).unwrap();
        let mut numbers = FaceElimination::accumulating(&graph, &partials).unwrap();
        for step in &moves {
            faces.take(*step).unwrap();
            numbers.take(*step).unwrap();
        }
        assert_same(&numbers.jacobian(), &jacobian, &what);
        assert!(faces.is_complete());
        assert_eq!(faces.cost().multiplications, cost.multiplications, "{what}");
        assert_eq!(faces.cost().arithmetic, cost.arithmetic, "{what}");
        assert!(faces.cost().memory <= cost.memory, "{what}");
    }
}

#[test]
fn edge_e91_faces_give_the_jacobian_at_the_counted_cost() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 7);
        let partials = partials(&mut random, &graph);
        let jacobian = by_paths(&graph, &partials);
        let what = format!("seed {seed}");
        let mut naive = Naive::new(&graph);
        let mut faces = FaceElimination::counting(&graph).unwrap();
        let mut moves = Vec::new();
        while !faces.is_complete() {
            let left = faces.faces();
            let (a, b) = left[random.usize(0..left.len())];
            faces.eliminate_face(a, b).unwrap();
            naive.face(i64::from(a), i64::from(b));
            moves.push(Move::Face(a, b));
            assert_eq!(
                faces.cost().multiplications,
                naive.multiplications,
                "{what}"
            );
            assert_eq!(faces.faces(), naive.faces(), "{what}");
            // Now and then the rest by vertices, which are sequences of faces at any time.
            if random.u8(0..20) == 0 {
                break;
            }
        }
        let rest: Vec<Move> = graph.intermediates().map(Move::Vertex).collect();
        moves.extend(&rest);
        let cost = cost_of_moves(&graph, &moves).unwrap();
        for step in rest {
            faces.take(step).unwrap();
        }
        assert_eq!(cost, faces.cost(), "{what}");
        let found = jacobian_by_moves(&graph, &partials, &moves).unwrap();
        assert_same(&found, &jacobian, &what);
    }
}

#[test]
fn moves_that_are_not_possible_are_errors() {
    let edges = [(0, 1), (1, 2), (1, 3)].map(|(s, t)| (s, t, Variable));
    let graph = LinearizedGraph::new("fork", 1, 4, &[2, 3], &edges).unwrap();
    let v = |index| VertexId::new(index).unwrap();
    let text = |moves: &[Move]| cost_of_moves(&graph, moves).unwrap_err().to_string();
    assert!(text(&[]).contains("is left"));
    assert!(text(&[Move::Back(v(1), v(2))]).contains("is left"));
    assert!(text(&[Move::Face(0, 1)]).contains("is left"));
    assert!(text(&[Move::Face(1, 2)]).contains("no such face"));
    assert!(text(&[Move::Face(0, 1), Move::Face(0, 1)]).contains("no such face"));
    assert!(text(&[Move::Vertex(v(0))]).contains("never eliminated"));
    assert!(text(&[Move::Vertex(v(1)), Move::Vertex(v(1))]).contains("already"));
    assert!(text(&[Move::Front(v(0), v(2))]).contains("never eliminated"));
    assert!(text(&[Move::Back(v(1), v(3)), Move::Back(v(1), v(3))]).contains("no such edge"));
    let all = [Move::Face(0, 1), Move::Back(v(1), v(3))];
    assert_eq!(cost_of_moves(&graph, &all).unwrap().multiplications, 2);
}

#[test]
fn edge_e94_nothing_to_eliminate_costs_nothing() {
    let graph = LinearizedGraph::new("empty", 0, 0, &[], &[]).unwrap();
    assert_eq!(cost_of_moves(&graph, &[]).unwrap(), Tally::default());
    let graph = LinearizedGraph::new("id", 1, 2, &[1], &[(0, 1, Copy)]).unwrap();
    assert_eq!(cost_of_moves(&graph, &[]).unwrap().multiplications, 0);
}
