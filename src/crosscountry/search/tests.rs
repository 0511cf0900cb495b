//! The naive twins of the search: exhaustive optima on small random graphs, and plain recounts.

use std::time::Duration;

use super::anneal::{Schedule, WIDEST, anneal};
use super::patch::{Outline, Patch};
use super::windows::{Searcher, by_subtrees};
use super::{Task, Watch};
use crate::crosscountry::{
    Budget, CostModel, EdgeClass, Elimination, Found, LinearizedGraph, Order, SearchOptions,
    StoppedBy, VertexId, cost_of, reduce, search,
};

/// A random graph with edges of all classes, some of its vertices dead.
pub(super) fn random_graph(seed: u64, inputs: u64, inner: u64, outputs: u64) -> LinearizedGraph {
    let [inputs, inner, outputs] =
        [inputs, inner, outputs].map(|count| usize::try_from(count).unwrap());
    let mut rng = fastrand::Rng::with_seed(seed);
    let len = inputs + inner + outputs;
    let mut edges = Vec::new();
    for target in inputs..len {
        for _ in 0..rng.usize(1..=3) {
            let source = rng.usize(0..target.min(inputs + inner));
            let class = match rng.u8(0..8) {
                0 => EdgeClass::Constant,
                1 => EdgeClass::Unit,
                2 => EdgeClass::Copy,
                _ => EdgeClass::Variable,
            };
            edges.push((source, target, class));
        }
    }
    let outputs: Vec<usize> = (inputs + inner..len).collect();
    LinearizedGraph::new("random", inputs, len, &outputs, &edges).unwrap()
}

/// The optimum over all orders and one that attains it, by plain recursion over what goes next.
pub(super) fn optimum(graph: &LinearizedGraph, model: CostModel) -> (u64, Vec<VertexId>) {
    let vertices: Vec<VertexId> = graph.intermediates().collect();
    // The state after a set is the same for all its orders; so the cost of the cheapest order of each set suffices.
    let mut best: Vec<Option<(u64, Vec<VertexId>)>> = vec![None; 1 << vertices.len()];
    best[0] = Some((0, Vec::new()));
    for set in 0..best.len() {
        let (_, order) = best[set].clone().unwrap();
        for (k, vertex) in vertices.iter().enumerate() {
            if set >> k & 1 == 0 {
                let mut next = order.clone();
                next.push(*vertex);
                let cost = cost_of(graph, &next).unwrap().of(model);
                let entry = &mut best[set | 1 << k];
                if entry.as_ref().is_none_or(|(old, _)| cost < *old) {
                    *entry = Some((cost, next));
                }
            }
        }
    }
    let (_, order) = best.pop().unwrap().unwrap();
    (cost_of(graph, &order).unwrap().of(model), order)
}

/// That recursion over sets is as good as all orders, which e91 asks for: all orders of five vertices.
#[test]
fn sets_suffice() {
    for seed in 0..20 {
        let graph = random_graph(seed, 2, 5, 2);
        let vertices: Vec<VertexId> = graph.intermediates().collect();
        for model in CostModel::ALL {
            let mut best = u64::MAX;
            let mut orders = vec![vec![]];
            while let Some(order) = orders.pop() {
                let left: Vec<_> = vertices.iter().filter(|v| !order.contains(*v)).collect();
                if left.is_empty() {
                    best = best.min(cost_of(&graph, &order).unwrap().of(model));
                }
                orders.extend(left.iter().map(|v| [&order[..], &[**v]].concat()));
            }
            assert_eq!(best, optimum(&graph, model).0, "seed {seed}, {model}");
        }
    }
}

fn options(cost: CostModel, evaluations: u64) -> SearchOptions {
    SearchOptions {
        cost,
        seed: 7,
        budget: Budget::default().with_evaluations(evaluations),
        target: None,
    }
}

fn run(graph: &LinearizedGraph, options: &SearchOptions) -> Found {
    search(graph, options, &|_| ()).unwrap()
}

/// Everything that can be eliminated, and in an order of its own.
fn shuffled(graph: &LinearizedGraph, seed: u64) -> Vec<VertexId> {
    let mut order: Vec<VertexId> = graph.intermediates().collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    order
}

#[test]
fn patches_count_as_eliminations_do() {
    for seed in 0..100 {
        let graph = random_graph(seed, 3, 60, 4);
        let order = shuffled(&graph, seed);
        // A window in the middle, so that there are others before and around.
        let mut elimination = Elimination::counting(&graph);
        for vertex in &order[..20] {
            elimination.eliminate_vertex(*vertex).unwrap();
        }
        let window = &order[20..50];
        let outline = Outline::of(&mut elimination, window, true);
        for model in CostModel::ALL {
            let mut patch = Patch::<2, 4>::new(&outline, model);
            let mut twin = elimination.clone();
            let mut most = 0;
            for (k, vertex) in window.iter().enumerate() {
                let before = twin.cost().of(model);
                twin.eliminate_vertex(*vertex).unwrap();
                let cost = patch.eliminate(k);
                if model == CostModel::Memory {
                    most = most.max(cost);
                } else {
                    assert_eq!(cost, twin.cost().of(model) - before, "seed {seed}, {model}");
                }
                assert_eq!(patch.edges(), twin.edges(), "seed {seed}, {model}");
            }
            // Before the window it may have been fuller.
            let level = most.max(elimination.cost().memory);
            assert!(model != CostModel::Memory || level == twin.cost().memory);
        }
        if !outline.has_copies() {
            continue;
        }
        // Without classes: as if all edges were variable.
        let mut plain = outline.clone();
        for edge in &mut plain.edges {
            edge.class = EdgeClass::Variable;
        }
        let model = CostModel::Multiplications;
        let (mut one, mut four) = (
            Patch::<2, 1>::new(&plain, model),
            Patch::<2, 4>::new(&plain, model),
        );
        for vertex in 0..window.len() {
            assert_eq!(one.eliminate(vertex), four.eliminate(vertex), "seed {seed}");
        }
    }
}

#[test]
fn annealing_keeps_its_books() {
    for seed in 0..20 {
        let graph = random_graph(seed, 3, 30, 4);
        let order: Vec<VertexId> = graph.intermediates().collect();
        let outline = Outline::of(&mut Elimination::counting(&graph), &order, true);
        for model in CostModel::ALL {
            let start: Vec<usize> = (0..order.len()).collect();
            let mut annealing = anneal(&outline, model, &start).unwrap();
            let mut rng = fastrand::Rng::with_seed(seed);
            for _ in 0..20 {
                let schedule = Schedule {
                    hot: 2.0,
                    cold: 0.2,
                    work: 2_000,
                };
                annealing.run(&schedule, &mut rng, &mut |_, _| false);
                let best: Vec<VertexId> = annealing.best().iter().map(|k| order[*k]).collect();
                let recounted = cost_of(&graph, &best).unwrap().of(model);
                assert_eq!(annealing.best_cost(), recounted, "seed {seed}, {model}");
            }
        }
    }
}

#[test]
fn search_finds_the_optimum_of_small_graphs() {
    for seed in 0..150 {
        let graph = random_graph(seed, 2 + seed % 2, 3 + seed % 5, 2);
        for model in CostModel::ALL {
            let found = run(&graph, &options(model, 2_000));
            let (best, _) = optimum(&graph, model);
            assert_eq!(found.cost.of(model), best, "seed {seed}, {model}");
            assert_eq!(found.cost, cost_of(&graph, &found.order).unwrap());
            assert_eq!(found.history.last().unwrap().2, best);
        }
    }
}

#[test]
fn edge_e94_without_intermediates_the_order_is_empty() {
    let graph = LinearizedGraph::new("id", 1, 2, &[1], &[(0, 1, EdgeClass::Variable)]).unwrap();
    let found = run(&graph, &options(CostModel::Multiplications, 100));
    assert_eq!((found.order, found.cost.multiplications), (Vec::new(), 0));
    let empty = LinearizedGraph::new("nothing", 0, 0, &[], &[]).unwrap();
    assert_eq!(run(&empty, &options(CostModel::Memory, 100)).order, []);
}

#[test]
fn edge_e96_threads_make_no_difference() {
    let graph = random_graph(3, 4, 60, 4);
    let large = random_graph(4, 40, 1_500, 300);
    // Too large to be annealed as a whole, in any model.
    let left = reduce(&large, CostModel::Multiplications).unwrap().graph;
    assert!(left.intermediates().count() > WIDEST);
    let best = run(&graph, &options(CostModel::Arithmetic, 2_000))
        .cost
        .arithmetic;
    let with_target = SearchOptions {
        target: Some(best),
        ..options(CostModel::Arithmetic, 2_000)
    };
    let all = || {
        let mut orders = vec![run(&graph, &with_target)];
        assert_eq!(orders[0].stopped_by, StoppedBy::Proof);
        for model in CostModel::ALL {
            orders.push(run(&graph, &options(model, 300)));
            orders.push(run(&large, &options(model, 60)));
        }
        let orders = orders.into_iter();
        orders
            .map(|found| (found.order, found.cost))
            .collect::<Vec<_>>()
    };
    let pool = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(all)
    };
    assert_eq!(pool(1), pool(5));
}

#[test]
fn windows_improve_and_subtrees_cost_the_same() {
    for seed in 0..10 {
        let graph = random_graph(seed, 6, 150, 6);
        let start = shuffled(&graph, seed);
        for model in CostModel::ALL {
            let before = cost_of(&graph, &start).unwrap().of(model);
            let mut rng = fastrand::Rng::with_seed(seed);
            if model != CostModel::Memory {
                let subtrees = by_subtrees(&graph, &start, &mut rng);
                assert_eq!(cost_of(&graph, &subtrees).unwrap().of(model), before);
            }
            let options = options(model, 1_000);
            let task = Task {
                graph: &graph,
                spent: Default::default(),
                options: &options,
                watch: &Watch::new(&options, &|_| ()),
            };
            let mut searcher = Searcher {
                task: &task,
                rng,
                left: 1_000,
                is_over: &|| false,
            };
            let mut order = start.clone();
            let after = searcher.descend(&mut order).unwrap();
            assert_eq!(after, cost_of(&graph, &order).unwrap().of(model));
            // A shuffled order is bad; only what is stored at the start may be all there is to it.
            assert!(after < before, "seed {seed}, {model}: {before} -> {after}");
        }
    }
}

#[test]
fn edge_e95_time_and_interrupt_give_the_best_so_far() {
    let graph = random_graph(1, 4, 80, 4);
    let mut options = options(CostModel::Multiplications, u64::MAX);
    options.budget = options.budget.with_time(Duration::ZERO);
    let found = run(&graph, &options);
    assert_eq!(found.stopped_by, StoppedBy::Time);
    let first = cost_of(&graph, &Order::Forward.of(&graph).unwrap()).unwrap();
    assert!(found.cost.multiplications <= first.multiplications);
    options.budget = Budget::default().with_interrupt(std::sync::Arc::new(true.into()));
    assert_eq!(run(&graph, &options).stopped_by, StoppedBy::Interrupt);
}
