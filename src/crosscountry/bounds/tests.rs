//! Bounds against exact optima.

use super::*;
use crate::crosscountry::exact::optimum;
use crate::crosscountry::graph::VertexId;
use crate::crosscountry::samples::{random_graph, reference, small_graphs};
use crate::crosscountry::sets::SetGraph;
use crate::crosscountry::{Budget, Order, cost_of};

fn load(name: &str) -> LinearizedGraph {
    LinearizedGraph::from_json(&reference(&format!("{name}.json"))).unwrap()
}

fn group_value(graph: &LinearizedGraph, model: CostModel, limits: &GroupLimits) -> u64 {
    let clock = Budget::default().start();
    let bound = group_bound(graph, Moves::Vertex, model, limits, &clock);
    bound.unwrap().value
}

fn separator_value(graph: &LinearizedGraph, model: CostModel) -> u64 {
    let clock = Budget::default().start();
    let bound = separator_bound(graph, Moves::Vertex, model, &clock);
    bound.unwrap().value
}

#[test]
fn no_bound_is_above_the_optimum() {
    let mut proven = 0;
    for seed in 0..10_000 {
        let graph = random_graph(seed, 9);
        for model in CostModel::ALL {
            let optimum = optimum(&graph, model).unwrap();
            let clock = Budget::default().start();
            // Different limits make different groups, all of which must hold.
            let members = 2 + usize::try_from(seed % 8).unwrap();
            let limits = GroupLimits {
                members,
                last_members: members + 3,
                subsets: 1 + seed * 7,
                target: None,
            };
            let bounds = [
                separator_bound(&graph, Moves::Vertex, model, &clock),
                group_bound(&graph, Moves::Vertex, model, &limits, &clock),
                storage_bound(&graph, Moves::Vertex, model),
                lower_bound(
                    &graph,
                    Moves::Vertex,
                    model,
                    &GroupLimits::default(),
                    &clock,
                ),
            ];
            for bound in bounds.iter().flatten() {
                assert!(
                    bound.value <= optimum,
                    "{}: {bound:?} is above {optimum}",
                    graph.to_json()
                );
            }
            if let [Some(separator), Some(groups), ..] = bounds {
                assert!(separator.value <= groups.value, "seed {seed}");
            }
            proven += usize::from(bounds[3].is_some_and(|bound| bound.value == optimum));
        }
    }
    // The bound would hold if it were zero; it is as good as this.
    assert!(proven > 15_000, "only {proven} of 30000");
}

#[test]
fn bounds_are_those_that_were_published_or_better() {
    use CostModel::Multiplications;
    for (name, bound) in [
        ("RoeFlux_1d", 223),
        ("RobotArm_6DOF", 221),
        ("HumanHeartDipole", 148),
    ] {
        assert_eq!(
            separator_value(&load(name), Multiplications),
            bound,
            "{name}"
        );
    }
    let limits = GroupLimits {
        subsets: 200_000,
        ..GroupLimits::default()
    };
    assert!(group_value(&load("RoeFlux_1d"), Multiplications, &limits) >= 285);
    assert!(group_value(&load("BlackScholes"), Multiplications, &limits) >= 250);
}

#[test]
fn two_orders_are_proven_optimal() {
    for (name, cost) in [("RobotArm_6DOF", 221), ("HumanHeartDipole", 148)] {
        let graph = load(name);
        let order = Order::LateMarkowitz.of(&graph).unwrap();
        assert_eq!(cost_of(&graph, &order).unwrap().multiplications, cost);
        assert_eq!(separator_value(&graph, CostModel::Multiplications), cost);
    }
}

#[test]
fn groups_prove_all_small_graphs() {
    for (graph, known) in small_graphs() {
        let found = group_value(&graph, CostModel::Multiplications, &GroupLimits::default());
        assert_eq!(found, known, "{}", graph.name());
    }
}

#[test]
fn trees_prove_that_nothing_is_cheaper() {
    let clock = Budget::default().start();
    let bound = |graph: &LinearizedGraph, target| {
        let limits = TreeLimits::towards(target);
        let model = CostModel::Multiplications;
        let bound = tree_bound(graph, Moves::Face, model, &limits, &clock);
        bound.unwrap().value
    };
    for (name, cost) in [
        ("RobotArm_6DOF", 221),
        ("HumanHeartDipole", 148),
        // The best order of vertices: edges and faces gain nothing.
        ("RoeFlux_1d", 295),
    ] {
        assert_eq!(bound(&load(name), cost), cost, "{name}");
    }
    for (graph, by_vertices) in small_graphs() {
        // The only ones where finer moves are cheaper.
        let cost = match graph.name() {
            "lion" => 11,
            "bat" => 22,
            "rand3" => 34,
            _ => by_vertices,
        };
        assert_eq!(bound(&graph, cost), cost, "{}", graph.name());
        assert!(bound(&graph, cost + 3) <= cost, "{}", graph.name());
    }
}

#[test]
fn trees_count_no_product_that_may_be_free() {
    // 0 and 1 meet in 2, which 3 copies; 3 feeds 4 and 5. Over 2 and 3 together four products are left.
    let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)];
    let bound = |class, model| {
        let edges = edges.map(|(s, t)| {
            let is_special = (s, t) == (2, 3);
            (
                s,
                t,
                if is_special {
                    class
                } else {
                    EdgeClass::Variable
                },
            )
        });
        let graph = LinearizedGraph::new("copy", 2, 6, &[4, 5], &edges).unwrap();
        let clock = Budget::default().start();
        let limits = TreeLimits::towards(6);
        tree_bound(&graph, Moves::Edge, model, &limits, &clock).map(|bound| bound.value)
    };
    use CostModel::{Arithmetic, Memory, Multiplications};
    assert_eq!(bound(EdgeClass::Variable, Multiplications), Some(6));
    assert_eq!(bound(EdgeClass::Copy, Multiplications), Some(4));
    assert_eq!(bound(EdgeClass::Unit, Multiplications), Some(6));
    assert_eq!(bound(EdgeClass::Unit, Arithmetic), Some(4));
    assert_eq!(bound(EdgeClass::Variable, Memory), None);
}

#[test]
fn too_many_paths_leave_no_bound() {
    // Each of twenty layers doubles the number of paths.
    let mut edges = vec![(0, 1, EdgeClass::Variable), (0, 2, EdgeClass::Variable)];
    for layer in 0..20 {
        for (s, t) in [(1, 3), (1, 4), (2, 3), (2, 4)] {
            edges.push((2 * layer + s, 2 * layer + t, EdgeClass::Variable));
        }
    }
    let graph = LinearizedGraph::new("layers", 1, 43, &[41, 42], &edges).unwrap();
    let clock = Budget::default().start();
    let limits = TreeLimits::towards(1000);
    let model = CostModel::Multiplications;
    assert_eq!(
        tree_bound(&graph, Moves::Face, model, &limits, &clock),
        None
    );
}

#[test]
fn bounds_are_absent_where_nothing_is_proven() {
    let graph = load("HumanHeartDipole");
    let (limits, clock) = (GroupLimits::default(), Budget::default().start());
    for moves in [Moves::Edge, Moves::Face] {
        let model = CostModel::Multiplications;
        assert_eq!(group_bound(&graph, moves, model, &limits, &clock), None);
        // The cuts hold for all moves.
        let bound = lower_bound(&graph, moves, model, &limits, &clock).unwrap();
        assert_eq!((bound.value, bound.kind), (148, BoundKind::Separator));
    }
    assert_eq!(storage_bound(&graph, Moves::Face, CostModel::Memory), None);
    let bound = lower_bound(&graph, Moves::Face, CostModel::Memory, &limits, &clock);
    assert_eq!(bound, None);
}

#[test]
fn no_time_leaves_a_bound() {
    let graph = load("RoeFlux_1d");
    let clock = Budget::default()
        .with_time(std::time::Duration::ZERO)
        .start();
    let bound = lower_bound(
        &graph,
        Moves::Vertex,
        CostModel::Multiplications,
        &GroupLimits::default(),
        &clock,
    );
    assert_eq!(bound.unwrap().value, 0);
}

/// The naive twin of conditional cuts: the least degree over all sets that may be eliminated as well.
#[test]
fn cuts_are_least_degrees() {
    for seed in 0..300 {
        let graph = random_graph(seed, 8);
        let all: Vec<VertexId> = graph.intermediates().collect();
        // Copies are not looked at here: every edge counts.
        let neighbours = Neighbours::new(&graph, |_| false);
        for v in &all {
            for direction in [Direction::Sources, Direction::Targets] {
                let mut side = Side::new(&neighbours, *v, direction);
                let group: Vec<VertexId> = all.iter().copied().filter(|u| u != v).collect();
                let here = side.relevant(&group);
                // Every second one is decided, the others are free.
                let chosen: Vec<VertexId> = here.iter().step_by(2).map(|i| group[*i]).collect();
                let table = side.table(&chosen);
                let free: Vec<VertexId> = group
                    .iter()
                    .copied()
                    .filter(|u| !chosen.contains(u))
                    .collect();
                for (set, cut) in table.iter().enumerate() {
                    let mut least = u64::MAX;
                    for others in 0..1_usize << free.len() {
                        let mut now = SetGraph::new(&graph);
                        let gone = |u: &(usize, &VertexId), set: usize| set >> u.0 & 1 == 1;
                        let chosen = chosen.iter().enumerate().filter(|u| gone(u, set));
                        let free = free.iter().enumerate().filter(|u| gone(u, others));
                        chosen.chain(free).for_each(|(_, u)| now.eliminate(*u));
                        let (entering, leaving) = now.degrees(*v);
                        let degree = match direction {
                            Direction::Sources => entering,
                            Direction::Targets => leaving,
                        };
                        least = least.min(degree);
                    }
                    assert_eq!(
                        u64::from(*cut),
                        least,
                        "seed {seed}, {v}, {direction:?}, {set:b}"
                    );
                }
            }
        }
    }
}

#[test]
fn conflicts_prove_the_roe_flux() {
    let graph = load("RoeFlux_1d");
    let incumbent = Order::Reverse.of(&graph).unwrap();
    let clock = Budget::default().start();
    let limits = GroupLimits {
        subsets: 2_000_000,
        ..GroupLimits::default()
    };
    let model = CostModel::Multiplications;
    let best = crate::crosscountry::branch_and_bound(&graph, model, &incumbent, &limits, 0, &clock);
    let best = best.unwrap();
    assert_eq!((best.cost, best.lower_bound), (295, 295));
    assert_eq!(cost_of(&graph, &best.order).unwrap().multiplications, 295);
}
