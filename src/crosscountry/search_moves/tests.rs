//! Bit sets against lists, and searches against what is known.
//!
//! Invariant: costs are recounted by the eliminations that the searches do not use.
//! Source: none.

use super::super::moves_tests::{naive_edges, naive_faces, random_graph};
use super::super::samples::{bat, lion};
use super::super::{EdgeClass, Elimination, FaceElimination, Order};
use super::windows::Windows;
use super::*;

#[test]
fn bit_sets_cost_what_lists_cost() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 9);
        for model in CostModel::ALL {
            let mut state = State::<1>::new(&graph, model);
            let mut lists = Elimination::counting(&graph);
            for _ in 0..40 {
                let all: Vec<VertexId> = graph.intermediates().collect();
                let Some(v) = random.choice(&all).copied() else {
                    break;
                };
                let u = VertexId::new(random.usize(0..graph.len())).unwrap();
                let step = match random.u8(0..8) {
                    0 => Step::Vertex(v),
                    1..4 => Step::Front(u, v),
                    _ => Step::Back(v, u),
                };
                let (entering, leaving) = lists.degrees(v);
                let is_vertex = matches!(step, Step::Vertex(_));
                let is_possible = if is_vertex {
                    entering + leaving > 0
                } else {
                    lists.take(step.to_move().unwrap()).is_ok()
                };
                if is_vertex && is_possible {
                    lists.take(step.to_move().unwrap()).unwrap();
                }
                assert_eq!(state.take(step).unwrap(), is_possible, "seed {seed}");
                assert_eq!(state.cost(), lists.cost().of(model), "seed {seed}");
                let (entering, leaving) = lists.degrees(v);
                let (found_in, found_out) = state.degrees(v);
                let found = (u64::from(found_in), u64::from(found_out));
                assert_eq!(found, (entering, leaving), "seed {seed}");
            }
        }
    }
}

#[test]
fn line_graphs_in_bit_sets_cost_what_those_in_lists_cost() {
    let mut of_faces = 0;
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 9);
        let all: Vec<VertexId> = graph.intermediates().collect();
        for model in CostModel::ALL {
            let start = Line::<2>::new(&graph, model).unwrap().unwrap();
            let mut line = start.clone();
            let mut steps = Vec::new();
            for _ in 0..40 {
                let Some(v) = random.choice(&all).copied() else {
                    break;
                };
                let [u, w] = [(); 2].map(|()| VertexId::new(random.usize(0..graph.len())).unwrap());
                let step = match random.u8(0..8) {
                    0 => Step::Vertex(v),
                    1 => Step::Front(u, v),
                    2 => Step::Back(v, w),
                    _ => Step::Face(u, v, w),
                };
                let before = line.cost();
                if line.take(step).unwrap() {
                    steps.push(step);
                } else {
                    assert_eq!(line.cost(), before, "seed {seed}");
                }
                assert_eq!(line.hash, line.hash_anew(), "seed {seed}");
            }
            let mut lists = FaceElimination::counting(&graph).unwrap();
            for step in start.faces_of(&steps).unwrap() {
                lists.take(step).unwrap();
                of_faces += 1;
            }
            assert_eq!(line.cost(), lists.cost().of(model), "seed {seed} {model}");
            for v in &all {
                let named = |end: fn(&(VertexId, VertexId)) -> VertexId| {
                    let duals = lists.duals().filter_map(|(number, _)| lists.ends(number));
                    u32::try_from(duals.filter(|ends| end(ends) == *v).count()).unwrap()
                };
                let degrees = (named(|ends| ends.1), named(|ends| ends.0));
                assert_eq!(line.degrees(*v), degrees, "seed {seed}");
            }
        }
    }
    assert!(of_faces > 3000, "{of_faces}");
}

#[test]
fn line_graphs_know_each_other_whatever_the_order() {
    let mut unlike = 0;
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 9);
        let mut all: Vec<VertexId> = graph.intermediates().collect();
        let start = Line::<2>::new(&graph, CostModel::Multiplications)
            .unwrap()
            .unwrap();
        let gone = random.usize(0..=all.len());
        let after = |order: &[VertexId]| {
            let mut line = start.clone();
            for v in order {
                line.take(Step::Vertex(*v)).unwrap();
            }
            line
        };
        let one = after(&all[..gone]);
        all[..gone].reverse();
        assert!(one.has_same_graph(&after(&all[..gone])), "seed {seed}");
        // What differs by a vertex that had faces differs.
        if let Some(v) = all[gone..].iter().find(|v| one.degrees(**v) != (0, 0)) {
            let mut other = one.clone();
            other.take(Step::Vertex(*v)).unwrap();
            assert!(!one.has_same_graph(&other), "seed {seed}");
            unlike += 1;
        }
    }
    assert!(unlike > 100, "{unlike}");
}

#[test]
fn edge_e96_found_moves_are_recounted_and_never_worse_than_the_start() {
    let budget = Budget::default().with_evaluations(2000);
    let mut gained = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 12);
        let start: Vec<VertexId> = graph.intermediates().collect();
        let kinds = [Moves::Edge, Moves::Face].into_iter();
        for (moves, model) in kinds.flat_map(|moves| CostModel::ALL.map(|model| (moves, model))) {
            let search = || search_moves(&graph, model, moves, &start, seed, &budget).unwrap();
            let found = search();
            let forward = Order::Forward.of(&graph).unwrap();
            let before = super::super::cost_of(&graph, &forward).unwrap().of(model);
            assert!(found.cost <= before, "seed {seed}");
            gained += u64::from(found.cost < before);
            let recounted = cost_of_moves(&graph, &found.moves).unwrap();
            assert_eq!(found.cost, recounted.of(model));
            let has_faces = found.moves.iter().any(|m| matches!(m, Move::Face(..)));
            let multiplications = if has_faces {
                naive_faces(&graph, &found.moves)
            } else {
                naive_edges(&graph, &found.moves)
            };
            assert_eq!(recounted.multiplications, multiplications, "seed {seed}");
            assert_eq!(found, search(), "seed {seed}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
            assert_eq!(found, pool.unwrap().install(search), "seed {seed}");
        }
    }
    assert!(gained > 60, "{gained}");
}

#[test]
fn a_search_without_time_returns_the_start() {
    let graph = random_graph(&mut fastrand::Rng::with_seed(3), 9);
    let start: Vec<VertexId> = graph.intermediates().collect();
    let budget = Budget::default().with_time(std::time::Duration::ZERO);
    let model = CostModel::Multiplications;
    let found = search_moves(&graph, model, Moves::Edge, &start, 1, &budget).unwrap();
    let cost = super::super::cost_of(&graph, &start).unwrap().of(model);
    assert_eq!((found.cost, found.evaluations), (cost, 0));
    assert_eq!(found.stopped_by, StoppedBy::Time);
}

#[test]
fn windows_cost_what_all_sequences_of_edges_cost_at_least() {
    let model = CostModel::Multiplications;
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 3);
        let edges = graph.edges().iter();
        let edges: Vec<_> = edges
            .map(|e| (e.source.index(), e.target.index(), EdgeClass::Variable))
            .collect();
        let outputs: Vec<usize> = graph.outputs().iter().map(|v| v.index()).collect();
        let (n, len) = (graph.inputs(), graph.len());
        let graph = LinearizedGraph::new("variables", n, len, &outputs, &edges).unwrap();
        let all: Vec<VertexId> = graph.intermediates().collect();
        let state = State::<1>::new(&graph, model);
        let mut windows = Windows::default();
        let (moves, _) = windows.moves(&state, &all).unwrap();
        let mut after = state.clone();
        for step in &moves {
            after.take(*step).unwrap();
        }
        let mut by_vertices = state;
        for v in &all {
            by_vertices.take(Step::Vertex(*v)).unwrap();
        }
        assert!(after.has_same_graph(&by_vertices), "seed {seed}");
        let start: Vec<Move> = all.iter().map(|v| Move::Vertex(*v)).collect();
        let optimum = |moves| {
            let budget = Budget::default();
            let found = super::super::optimal_moves(&graph, model, moves, &start, &budget);
            found.unwrap().cost
        };
        assert_eq!(after.cost(), optimum(Moves::Edge), "seed {seed}");
        // What is remembered is the same.
        assert_eq!(windows.moves(&after, &[]).unwrap().0, []);
        let again = windows
            .moves(&State::<1>::new(&graph, model), &all)
            .unwrap();
        assert_eq!(again, (moves, 0), "seed {seed}");
    }
}

#[test]
fn a_window_finds_the_edges_of_the_lion() {
    // No order of the two vertices costs less than 12.
    let graph = lion();
    let all: Vec<VertexId> = graph.intermediates().collect();
    let mut state = State::<1>::new(&graph, CostModel::Multiplications);
    let (moves, states) = Windows::default().moves(&state, &all).unwrap();
    for step in moves {
        state.take(step).unwrap();
    }
    assert_eq!(state.cost(), 11);
    assert!(states > 0);
}

#[test]
fn chains_that_end_nowhere_are_free() {
    // The chain 1, 2 leads to vertex 3, which leads to nothing: in reverse order it costs nothing.
    let edges = [(0, 1), (1, 2), (2, 3), (0, 4)].map(|(s, t)| (s, t, EdgeClass::Variable));
    let graph = LinearizedGraph::new("dead end", 1, 5, &[4], &edges).unwrap();
    let mut state = State::<1>::new(&graph, CostModel::Multiplications);
    let start: Vec<Step> = graph.intermediates().map(Step::Vertex).collect();
    let (pinned, rest) = pin_chains(&mut state, &start).unwrap();
    assert_eq!((pinned.len(), rest.len(), state.cost()), (3, 0, 0));
}

#[test]
fn faces_of_the_bat_cost_less_than_its_edges() {
    let graph = bat();
    let start: Vec<VertexId> = graph.intermediates().collect();
    let model = CostModel::Multiplications;
    let budget = Budget::default().with_evaluations(20_000);
    let cost = |moves| {
        search_moves(&graph, model, moves, &start, 1, &budget)
            .unwrap()
            .cost
    };
    assert_eq!((cost(Moves::Edge), cost(Moves::Face)), (23, 22));
    // One state is proven to be enough by another search.
    let all: Vec<Move> = start.iter().map(|v| Move::Vertex(*v)).collect();
    let found = super::super::optimal_moves(&graph, model, Moves::Face, &all, &budget).unwrap();
    assert_eq!((found.cost, found.lower_bound), (22, 22));
    assert_eq!(naive_faces(&graph, &found.moves), 22);
}
