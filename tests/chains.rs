//! Jacobian chains against published numbers.
//!
//! Invariant: the published optima are met exactly, the published heuristic values never exceeded; every plan is recounted.
//! Source: the data set of Maertens & Naumann, ACDA 2025, regenerated from its seed, where its folder is present; the slides'
//! chain costs; Cormen, Leiserson, Rivest & Stein 2009, §15.2.

use std::path::PathBuf;

use serde_json::Value;
use wengert::crosscountry::chain::{Chain, ChainOptions, ChainPlan, Element, dense};

/// A file of the reference data, if it is there.
fn oracle(name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/chains");
    std::fs::read_to_string(folder.join(name)).ok()
}

fn chain(value: &Value) -> Chain {
    let elements: Vec<Element> = serde_json::from_value(value.clone()).unwrap();
    Chain::new(elements).unwrap()
}

fn plan(chain: &Chain, workers: usize) -> ChainPlan {
    let options = ChainOptions {
        workers,
        ..ChainOptions::default()
    };
    let plan = chain.plan(&options).unwrap();
    plan.verify(chain, &options).unwrap();
    plan
}

#[test]
fn an_hour_glass_is_far_cheaper_in_mixed_order() {
    let glass = dense(&[50, 50, 1, 50, 50]).unwrap();
    assert_eq!(
        (glass.best, glass.forward, glass.reverse),
        (7500, 130_000, 130_000)
    );
    assert_eq!(glass.bracketing.to_string(), "((J0*J1)*(J2*J3))");
}

/// The slides' chains, hour-glasses, a barrel, and the textbook's example: costs and brackets.
#[test]
fn dense_chains_of_the_literature() {
    let numbers = |dims: &[u64]| {
        let plan = dense(dims).unwrap();
        let text = plan.bracketing.to_string();
        ([plan.forward, plan.reverse, plan.best], text)
    };
    assert_eq!(
        numbers(&[30, 35, 15, 5, 10, 20, 25]),
        (
            [40_500, 47_500, 15_125],
            "((J0*(J1*J2))*((J3*J4)*J5))".into()
        )
    );
    assert_eq!(
        numbers(&[39_760, 50, 50, 10, 1]),
        (
            [119_677_600, 1_991_000, 1_991_000],
            "(J0*(J1*(J2*J3)))".into()
        )
    );
    let Some(text) = oracle("dense.json") else {
        return;
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    let all = all.as_object().unwrap();
    assert_eq!(all.len(), 8);
    for (name, expected) in all {
        let dims: Vec<u64> = serde_json::from_value(expected["dims"].clone()).unwrap();
        let (costs, order) = numbers(&dims);
        let keys = ["left_to_right", "right_to_left", "optimal"];
        assert_eq!(
            costs.map(Value::from),
            keys.map(|key| expected[key].clone()),
            "{name}"
        );
        assert_eq!(expected["order"], order, "{name}");
    }
}

/// Three chains with their published values; the last one was not proven by its authors, and is beaten.
#[test]
fn examples_with_workers() {
    let Some(text) = oracle("examples.json") else {
        return;
    };
    let examples: Value = serde_json::from_str(&text).unwrap();
    let bests: Vec<u64> = [3, 2, 4]
        .iter()
        .zip(examples.as_array().unwrap())
        .map(|(workers, example)| {
            let chain = chain(&example["chain"]);
            let plan = plan(&chain, *workers);
            assert_eq!(plan.forward, example["tangent"].as_u64());
            assert_eq!(plan.reverse, example["adjoint"].as_u64());
            let published = example["opt"][format!("t{workers}")].as_u64().unwrap();
            assert!(plan.is_optimal() && plan.best <= published);
            let serial = chain.plan(&ChainOptions::default()).unwrap();
            assert_eq!(Some(serial.best), example["serial_opt"].as_u64());
            plan.best
        })
        .collect();
    assert_eq!(bests, [29_797_092, 3_453_200, 4_301_740]);
}

/// Plans all pairs of a file with that stride over the chains, and compares; gives the numbers of pairs, and of those that the
/// authors had not proven.
fn compare(name: &str, stride: usize) -> Option<(usize, usize)> {
    let text = oracle(name)?;
    let (mut pairs, mut unproven) = (0, 0);
    for line in text.lines().step_by(stride) {
        let record: Value = serde_json::from_str(line).unwrap();
        let chain = chain(&record["chain"]);
        for (workers, published) in record["published"].as_object().unwrap() {
            let plan = plan(&chain, workers.parse().unwrap());
            let best = published["best"].as_u64().unwrap();
            assert!(plan.is_optimal(), "{line} at {workers}");
            if published["proved"] == true {
                assert_eq!(plan.best, best, "{line} at {workers}");
            } else {
                assert!(plan.best <= best, "{line} at {workers}");
                unproven += 1;
            }
            pairs += 1;
        }
    }
    Some((pairs, unproven))
}

#[test]
fn published_chains_are_reproduced() {
    if let Some(counts) = compare("published.jsonl", 1) {
        assert_eq!(counts, (3600, 118));
    }
}

/// A tenth of the chains that were left open; `cargo bench --bench chains` does all.
#[test]
fn open_chains_are_proven() {
    if let Some((pairs, unproven)) = compare("open.jsonl", 10) {
        assert!(pairs > 300 && unproven >= 50, "{pairs} {unproven}");
    }
}
