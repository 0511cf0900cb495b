//! Eliminations of programs in any order against forward mode, and the shapes of graphs.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use num_dual::DualNum;
use proptest::prelude::*;

use super::*;
use crate::crosscountry::{Budget, Elimination, Order, PlannedJacobian};
use crate::program::random::{self, visit};
use crate::program::{NodeKind, Traced};
use crate::scalar::random::function_and_point;
use crate::scalar::{Function, Rows, Scalar};

/// Moves that eliminate all intermediates: vertices in random order, and some of their edges before.
fn random_moves(rng: &mut Rng, graph: &LinearizedGraph) -> Vec<Move> {
    let mut order: Vec<VertexId> = graph.intermediates().collect();
    rng.shuffle(&mut order);
    let mut elimination = Elimination::counting(graph);
    let mut moves = Vec::new();
    for vertex in order {
        while elimination.is_alive(vertex) {
            let (sources, targets) = (
                elimination.predecessors(vertex),
                elimination.successors(vertex),
            );
            match rng.u32(..4) {
                0 if !sources.is_empty() => {
                    let source = sources[rng.usize(..sources.len())];
                    elimination.eliminate_front(source, vertex).unwrap();
                    moves.push(Move::Front(source, vertex));
                }
                1 if !targets.is_empty() => {
                    let target = targets[rng.usize(..targets.len())];
                    elimination.eliminate_back(vertex, target).unwrap();
                    moves.push(Move::Back(vertex, target));
                }
                _ => {
                    elimination.eliminate_vertex(vertex).unwrap();
                    moves.push(Move::Vertex(vertex));
                }
            }
        }
    }
    moves
}

/// The entries of a matrix; structural zeros have none.
fn entries(program: &Program, places: &[(u32, u32)], x: &[f64]) -> BTreeMap<(u32, u32), f64> {
    program.validate().unwrap();
    let values = program.values(x).unwrap();
    let outputs = program.outputs().iter().map(|y| values[y.index()]);
    places.iter().copied().zip(outputs).collect()
}

/// The largest number that occurs, or none if rounding or overflow may decide what comes out.
fn scale(program: &Program, x: &[f64]) -> Option<f64> {
    let mut largest = Some(1.0_f64);
    visit(program, x, &mut |program, values| {
        for (node, value) in program.nodes().zip(values) {
            if value.is_finite() && !matches!(program.kind(node), NodeKind::Region(_)) {
                let is_moderate = *value == 0.0 || (1e-8..1e8).contains(&value.abs());
                largest = largest.filter(|_| is_moderate).map(|l| l.max(value.abs()));
            }
        }
    });
    largest
}

/// The number of pairs of an output and an input that a path connects.
fn structure(program: &Program, graph: &LinearizedGraph) -> usize {
    let mut reached: Vec<BTreeSet<VertexId>> = vec![BTreeSet::new(); graph.len()];
    for edge in graph.edges() {
        let mut from = reached[edge.source.index()].clone();
        if edge.source.index() < program.inputs() {
            from.insert(edge.source);
        }
        reached[edge.target.index()].extend(from);
    }
    let outputs = graph.outputs().iter();
    outputs.map(|y| reached[y.index()].len()).sum()
}

/// Random and greedy orders of one program give one matrix; not numbers stand where forward mode has them.
fn check(rng: &mut Rng, program: &Program, x: &[f64]) -> bool {
    let (first, _) = crate::program::either(program).unwrap();
    let (forward, places) = &first.1;
    let expected = entries(forward, places, x);
    let linearized = Linearized::of(program).unwrap();
    let graph = linearized.graph();
    assert!(!program.regions().is_empty() || places.len() == structure(program, graph));
    assert_eq!(graph.outputs().len(), program.outputs().len());
    let mut plans: Vec<Vec<Move>> = (0..2).map(|_| random_moves(rng, graph)).collect();
    let greedy = Order::Markowitz.of(graph).unwrap();
    plans.push(greedy.into_iter().map(Move::Vertex).collect());
    let has_regions = !program.regions().is_empty();
    let mut is_compared = false;
    for moves in plans {
        for scaling in Scaling::ALL {
            let (jacobian, places) = linearized.written_by(&moves, scaling).unwrap();
            let found_entries = entries(&jacobian, &places, x);
            let (Some(a), Some(b)) = (scale(forward, x), scale(&jacobian, x)) else {
                continue;
            };
            is_compared = true;
            // Forward mode may carry 0 along a region whose body does not look at it: what one side lacks is 0 on the other,
            // and this 0 may meet a partial that is no number.
            let all: BTreeSet<(u32, u32)> = found_entries
                .keys()
                .chain(expected.keys())
                .copied()
                .collect();
            for place in all {
                let [found, expected] = [&found_entries, &expected]
                    .map(|entries| entries.get(&place).copied().unwrap_or(0.0));
                let is_same = if has_regions && !expected.is_finite() {
                    true
                } else if expected.is_finite() {
                    (found - expected).abs() <= 1e-9 * a.max(b)
                } else {
                    !found.is_finite()
                };
                assert!(
                    is_same,
                    "{place:?}: found {found:e}, expected {expected:e}, at {x:?} by {moves:?}\n{program}\n{jacobian}\n{forward}"
                );
            }
        }
    }
    is_compared
}

#[test]
fn every_order_of_a_random_program_gives_the_jacobian() {
    let mut compared = 0;
    for seed in 0..4000 {
        let mut rng = Rng::with_seed(seed << 8 | 9);
        let size = rng.usize(1..25);
        let program = random::program(&mut rng, size);
        let x = random::point(&mut rng, &program);
        compared += u32::from(check(&mut rng, &program, &x));
    }
    assert!(compared > 400, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Functions with infinite partials in arms that are not selected, and behind structural zeros.
    #[test]
    fn every_order_of_a_random_function_gives_the_jacobian((f, x) in function_and_point(), seed in 0_u64..1000) {
        let program = record(&f, &x);
        check(&mut Rng::with_seed(seed), &program, &x);
    }
}

fn record<F: Function>(f: &F, x: &[f64]) -> Program {
    let record = |x: &[Traced]| {
        let mut y = vec![Traced::from(0.0); f.outputs(x.len())];
        f.eval(x, &mut y);
        y
    };
    Program::record(record, x).unwrap()
}

#[test]
fn edge_e74_e93_outputs_of_every_sort() {
    let x = [0.5, 2.0];
    let f = |x: &[Traced]| {
        let (u, v) = (x[0] * x[1], x[1].sin());
        // An output twice, one that is used further, one that is an input, constants, parallel edges.
        [
            u,
            u,
            u * v,
            x[1],
            Traced::from(3.0),
            x[0].floor(),
            u + u,
            u * u,
            -x[0],
        ]
    };
    let program = Program::record(f, &x).unwrap();
    let linearized = Linearized::of(&program).unwrap();
    let graph = linearized.graph();
    // The product u and the sine.
    assert_eq!(graph.intermediates().count(), 2);
    let copies = graph.edges().iter().filter(|e| e.class == EdgeClass::Copy);
    assert_eq!(copies.count(), 3);
    let class = |output: usize| {
        let vertex = graph.outputs()[output];
        let mut edges = graph.edges().iter().filter(|e| e.target == vertex);
        edges.next().map(|e| e.class)
    };
    assert_eq!(class(4), None);
    assert_eq!(class(5), None);
    assert_eq!(class(6), Some(EdgeClass::Constant));
    assert_eq!(class(7), Some(EdgeClass::Variable));
    assert_eq!(class(8), Some(EdgeClass::Unit));
    let mut rng = Rng::with_seed(1);
    assert!(check(&mut rng, &program, &x));
    // What is left over is named.
    let left = linearized.to_program(&[]);
    assert!(matches!(left, Err(Error::InvalidGraph { .. })));
    let face = linearized.to_program(&[Move::Face(0, 1)]);
    assert!(matches!(face, Err(Error::InvalidGraph { .. })));
    // Every edge names what computes it.
    for (number, edge) in graph.edges().iter().enumerate() {
        let is_named = !linearized.partial_nodes(number).is_empty();
        assert_eq!(is_named, edge.class == EdgeClass::Variable);
    }
    assert_eq!(
        linearized.node(graph.outputs()[3]),
        Ok(program.outputs()[3])
    );
}

#[test]
fn edge_e40_e41_arms_that_are_not_selected_poison_no_order() {
    type Case = fn(&[Traced]) -> Traced;
    let cases: [Case; 5] = [
        |x| Traced::select(x[0].lt_mask(Traced::from(0.0)), (-x[0]).sqrt(), x[0] * x[1]),
        |x| {
            let u = x[1] * x[1];
            let root = (u.sqrt().ln() * x[0]).exp();
            Traced::select(Traced::from(0.0).lt_mask(x[1]), root, u * x[0])
        },
        |x| Scalar::max(x[1].sqrt(), Traced::from(1.0)) * x[0] + x[1],
        |x| Scalar::min(x[0] - 2.0, x[1].sqrt()) * 3.0 + x[0],
        |x| Traced::max_of(&[x[0] * x[0], x[1].sqrt(), (-x[0]).sqrt()]) * x[1],
    ];
    for (number, case) in cases.into_iter().enumerate() {
        for x in [[1.0, 0.0], [1.5, 0.0], [2.0, 3.0]] {
            let program = Program::record(|x| [case(x)], &x).unwrap();
            let planned = PlannedJacobian::of(&program, &Budget::default()).unwrap();
            let found = entries(planned.program(), planned.places(), &x);
            assert!(
                found.values().all(|e| e.is_finite()),
                "case {number} at {x:?}: {found:?}"
            );
            let mut rng = Rng::with_seed(3);
            assert!(check(&mut rng, &program, &x));
        }
    }
}

#[test]
fn constant_factors_of_several_operations_become_one() {
    let program = Program::record(
        |x| {
            let (a, b) = (x[1] - x[0] * x[0], x[0] - 1.0);
            [a * a * 100.0 + b * b]
        },
        &[0.5, 2.0],
    );
    let program = program.unwrap().simplify().unwrap();
    let linearized = Linearized::of(&program).unwrap();
    let order = Order::Reverse.of(linearized.graph()).unwrap();
    let moves: Vec<Move> = order.into_iter().map(Move::Vertex).collect();
    let (jacobian, _) = linearized.to_program(&moves).unwrap();
    // -400 (x a) + 2 b and 200 a, with a = y - x x and b = x - 1.
    assert_eq!(jacobian.counts().flops(), 8, "{jacobian}");
}

/// Lanes before uniform numbers, both active: the planned body has its partials in the order of its directions.
#[test]
fn planned_bodies_give_the_jacobian_of_the_unrolled_program() {
    fn rows<S: Scalar>(x: &[S], y: &mut [S]) {
        let (lanes, uniform) = x.split_at(12);
        let (a, b) = (
            Rows::new(&lanes[..8], 2).unwrap(),
            Rows::column(&lanes[8..]),
        );
        let (u, v) = (uniform[0] * uniform[1], uniform[1]);
        S::map_rows(&[a, b], &[], y, |rows, _, y| {
            let t = (rows[0] * u).sin() * rows[2];
            y[0] = t * t * 100.0 + (rows[1] * v).exp() * 2.0 - t;
            y[1] = S::max(t, rows[1] * u) * v;
        });
    }
    let f = crate::function!(rows => 8);
    let x: Vec<f64> = (0..14).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let program = record(&f, &x);
    assert_eq!(program.regions().len(), 1);
    assert!(check(&mut Rng::with_seed(5), &program, &x));
    let planned = PlannedJacobian::of(&program, &Budget::default()).unwrap();
    let expected = crate::jacobian(&f, &x, crate::Mode::Reverse).unwrap();
    for ((row, column), found) in entries(planned.program(), planned.places(), &x) {
        let expected = expected[(row as usize, column as usize)];
        assert!(
            (found - expected).abs() <= 1e-12 * 300.0,
            "{found} {expected}"
        );
    }
}

/// The bat as a program: its Jacobian by faces costs less than by any order of vertices, and is the same.
#[test]
fn a_plan_of_faces_becomes_a_program() {
    let x = [1.5, 0.7, 0.3, 2.0];
    fn bat<S: Scalar>(x: &[S]) -> [S; 4] {
        let (u, v) = (x[0] * x[1], x[2] * x[3]);
        let w = u * v;
        [u * w, w.sin(), w.exp(), v * w]
    }
    let program = Program::record(bat, &x).unwrap();
    let linearized = Linearized::of(&program).unwrap();
    let graph = linearized.graph();
    let options = |moves| crate::crosscountry::PlanOptions {
        moves,
        budget: Budget::default().with_evaluations(40_000),
        ..Default::default()
    };
    let [vertex, edge, face] = crate::crosscountry::Moves::ALL
        .map(|moves| crate::crosscountry::plan(graph, &options(moves), &|_| ()).unwrap());
    assert_eq!((vertex.best(), edge.best(), face.best()), (24, 23, 22));
    assert!(vertex.is_optimal() && face.is_optimal());
    let is_face = |step: &Move| matches!(step, Move::Face(..));
    assert!(face.sequence.iter().any(is_face));
    face.verify(graph).unwrap();
    let read = crate::crosscountry::Plan::from_json(&face.to_json(graph), graph).unwrap();
    assert_eq!((read.best(), &read.sequence), (22, &face.sequence));
    let by = |plan: &crate::crosscountry::Plan| {
        let (jacobian, places) = plan.to_program(&linearized).unwrap();
        entries(&jacobian, &places, &x)
    };
    let (expected, found) = (by(&vertex), by(&read));
    assert_eq!(expected.len(), found.len());
    for (place, expected) in expected {
        let error = (found[&place] - expected).abs();
        assert!(error <= 1e-12 * expected.abs(), "{place:?}: {error}");
    }
}
