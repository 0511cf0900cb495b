//! The planner on published graphs: costs of known orders.

use std::path::Path;

use wengert::crosscountry::{LinearizedGraph, Order, cost_of};

fn graph(name: &str) -> LinearizedGraph {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/graphs");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    LinearizedGraph::from_json(&text).unwrap()
}

#[test]
fn forward_and_reverse_cost_what_is_published() {
    for (name, forward, reverse) in [
        ("RoeFlux_1d", 620, 364),
        ("RobotArm_6DOF", 397, 301),
        ("HumanHeartDipole", 240, 172),
        ("BlackScholes", 545, 572),
    ] {
        let graph = graph(name);
        let cost = |order: Order| {
            let order = order.of(&graph).unwrap();
            cost_of(&graph, &order).unwrap().multiplications
        };
        assert_eq!(
            (cost(Order::Forward), cost(Order::Reverse)),
            (forward, reverse),
            "{name}"
        );
    }
}
