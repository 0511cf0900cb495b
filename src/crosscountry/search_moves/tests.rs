//! Bit sets against lists, and searches against what is known.
//!
//! Invariant: costs are recounted by the eliminations that the searches do not use.
//! Source: none.

use super::super::moves_tests::{naive_edges, random_graph};
use super::super::{EdgeClass, Elimination, Order};
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
                    0 => Move::Vertex(v),
                    1..4 => Move::Front(u, v),
                    _ => Move::Back(v, u),
                };
                let (entering, leaving) = lists.degrees(v);
                let is_possible = match step {
                    Move::Vertex(_) => entering + leaving > 0,
                    _ => lists.take(step).is_ok(),
                };
                if matches!(step, Move::Vertex(_)) && is_possible {
                    lists.take(step).unwrap();
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
fn edge_e96_found_moves_are_recounted_and_never_worse_than_the_start() {
    let budget = Budget::default().with_evaluations(2000);
    let mut gained = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let graph = random_graph(&mut random, 12);
        let start: Vec<VertexId> = graph.intermediates().collect();
        for model in CostModel::ALL {
            let search =
                || search_moves(&graph, model, Moves::Edge, &start, seed, &budget).unwrap();
            let found = search();
            let forward = Order::Forward.of(&graph).unwrap();
            let before = super::super::cost_of(&graph, &forward).unwrap().of(model);
            assert!(found.cost <= before, "seed {seed}");
            gained += u64::from(found.cost < before);
            let recounted = cost_of_moves(&graph, &found.moves).unwrap();
            assert_eq!(found.cost, recounted.of(model));
            let multiplications = naive_edges(&graph, &found.moves);
            assert_eq!(recounted.multiplications, multiplications, "seed {seed}");
            assert_eq!(found, search(), "seed {seed}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
            assert_eq!(found, pool.unwrap().install(search), "seed {seed}");
        }
    }
    assert!(gained > 30, "{gained}");
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
            by_vertices.take(Move::Vertex(*v)).unwrap();
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
    let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
    let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges).unwrap();
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
    let start: Vec<Move> = graph.intermediates().map(Move::Vertex).collect();
    let (pinned, rest) = pin_chains(&mut state, &start).unwrap();
    assert_eq!((pinned.len(), rest.len(), state.cost()), (3, 0, 0));
}
