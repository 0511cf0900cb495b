//! Claim: chains of the published length are planned and proven in milliseconds, for any number of workers; all single-worker
//! and unlimited-worker optima of the data set together in less than half a second.
//!
//! `cargo bench --bench chains`; costs are asserted, times are reported. The data set is read from `../shared/oracles/chains`;
//! without it, only the built-in chain is measured.
#![allow(clippy::print_stdout, reason = "a bench reports what it has proven")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::Value;
use wengert::crosscountry::chain::{Chain, ChainOptions, Element};

/// A chain of eleven elements, which its authors left open at four workers with 4 435 640.
const ELEVEN: [[u64; 3]; 11] = [
    [30, 425, 74719],
    [425, 324, 48659],
    [324, 25, 91134],
    [25, 493, 18574],
    [493, 72, 35556],
    [72, 121, 70369],
    [121, 205, 74294],
    [205, 20, 94575],
    [20, 427, 66493],
    [427, 326, 61911],
    [326, 206, 40038],
];

/// A chain and its published values: workers, best, whether that was proven.
type Published = (Chain, Vec<(usize, u64, bool)>);

fn read(name: &str) -> Vec<Published> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/chains");
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let parse = |line: &str| {
        let record: Value = serde_json::from_str(line).expect("the file is JSON");
        let elements: Vec<Element> =
            serde_json::from_value(record["chain"].clone()).expect("a chain is triplets");
        let published = record["published"].as_object().expect("values by workers");
        let values = published.iter().map(|(workers, value)| {
            let best = value["best"].as_u64().expect("a cost");
            let workers = workers.parse().expect("a number");
            (workers, best, value["proved"] == true)
        });
        let chain = Chain::new(elements).expect("elements fit");
        (chain, values.collect())
    };
    text.lines().map(parse).collect()
}

fn options(workers: usize) -> ChainOptions {
    ChainOptions {
        workers,
        seconds: Some(1.0),
        evaluations: None,
        ..ChainOptions::default()
    }
}

fn eleven(criterion: &mut Criterion) {
    let chain = Chain::new(ELEVEN.map(Element::from).to_vec()).expect("elements fit");
    let mut group = criterion.benchmark_group("eleven elements");
    for (workers, best) in [(1, 13_650_040), (4, 4_301_740)] {
        let plan = chain.plan(&options(workers)).expect("costs fit");
        assert_eq!((plan.best, plan.is_optimal()), (best, true));
        group.bench_function(format!("{workers} workers"), |b| {
            b.iter(|| black_box(&chain).plan(&options(workers)));
        });
    }
    group.finish();
}

/// One pass over a file; how many values are met, beaten and newly proven is printed with the time.
fn pass(name: &str, takes: impl Fn(usize, usize, bool) -> bool) {
    let (mut pairs, mut better, mut proven) = (0, 0, 0);
    let mut longest = Duration::ZERO;
    let mut total = Duration::ZERO;
    for (chain, values) in read(name) {
        for (workers, best, was_proven) in values {
            if !takes(chain.elements().len(), workers, was_proven) {
                continue;
            }
            let start = Instant::now();
            let plan = chain.plan(&options(workers)).expect("costs fit");
            let time = start.elapsed();
            plan.verify(&chain, &options(workers))
                .expect("the plan is right");
            assert!(plan.best <= best && (plan.best == best || !was_proven));
            pairs += 1;
            better += usize::from(plan.best < best);
            proven += usize::from(plan.is_optimal());
            longest = longest.max(time);
            total += time;
        }
    }
    println!(
        "{name}: {pairs} pairs, {proven} proven, {better} better, {total:.1?} in all, {longest:.1?} at most"
    );
}

fn published(_: &mut Criterion) {
    println!("one and unlimited workers:");
    pass("published.jsonl", |length, workers, _| {
        workers == 1 || workers >= length
    });
    println!("all pairs:");
    pass("published.jsonl", |_, _, _| true);
    println!("pairs that were not proven, a second each:");
    pass("open.jsonl", |_, _, was_proven| !was_proven);
}

criterion_group!(benches, eleven, published);
criterion_main!(benches);
