//! Any text as a program: whatever is read is valid, prints back the same, and has the same values on all paths.
//!
//! Invariant: reading ends in a program or in an error, never in a panic; one lane has the bits of the naive evaluation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::program::{Decision, Program, ReplayOptions, Width};

/// Programs that run longer are of no interest: a few bytes can ask for nested loops of millions of iterations.
const MOST_OPERATIONS: u64 = 20_000;

/// Arguments at which operations differ.
const POINTS: [[f64; 4]; 4] = [
    [0.5, 2.0, -1.25, 3.0],
    [0.0, -0.0, 1.0, -1.0],
    [1e300, 5e-324, -1e-310, 4.0],
    [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.0],
];

/// The outputs of the naive evaluation.
fn naive(program: &Program, x: &[f64]) -> Vec<f64> {
    let values = program.values(x).expect("as many as inputs");
    let outputs = program.outputs().iter();
    outputs.map(|node| values[node.index()]).collect()
}

/// All NaN are one: their signs are left open by IEEE 754.
fn is_same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Whether an operation looks at the sign of a number, which for a NaN is left open.
fn sees_signs(program: &Program) -> bool {
    let sees = |node| matches!(program.kind(node).name(), "copysign" | "sign_bit");
    program.nodes().any(sees)
        || program
            .regions()
            .iter()
            .any(|region| sees_signs(region.body()))
}

/// The same of the bits of a number.
fn sees_bits(program: &Program) -> bool {
    let guards = program.guards().iter();
    let mut bits = guards.filter(|guard| matches!(guard.recorded, Decision::Value(_)));
    bits.next().is_some()
        || program
            .regions()
            .iter()
            .any(|region| sees_bits(region.body()))
}

fn check(program: &Program) {
    assert_eq!(program.validate(), Ok(()));
    let text = program.to_string();
    let again: Program = text.parse().expect("what is printed can be read");
    assert_eq!(again.to_string(), text);
    if program.counts().total() > MOST_OPERATIONS || program.len() > 10_000 {
        return;
    }
    let simple = program.simplify().expect("it has few nodes");
    assert_eq!(simple.validate(), Ok(()));
    for point in POINTS {
        let x: Vec<f64> = point
            .iter()
            .copied()
            .cycle()
            .take(program.inputs())
            .collect();
        let expected = naive(program, &x);
        for (program, width) in [
            (program, Width::One),
            (&simple, Width::One),
            (&simple, Width::Four),
            (&simple, Width::Eight),
        ] {
            let options = ReplayOptions { width, threads: 1 };
            let mut replay = program
                .prepare_with(&options)
                .expect("it needs few registers");
            let unchecked = replay.run_unchecked(&x).expect("as many as inputs");
            let (found, changed) = (unchecked.outputs.to_vec(), unchecked.changed);
            if width == Width::One && !sees_signs(program) {
                for (a, b) in found.iter().zip(&expected) {
                    assert!(is_same(*a, *b), "{a:e}, not {b:e}, at {x:?}:\n{text}");
                }
            }
            // The number of decisions that changed, and the outcome of a checked run, go together.
            if !sees_bits(program) {
                assert_eq!(replay.run(&x).is_ok(), changed == 0, "at {x:?}:\n{text}");
            }
        }
    }
}

fuzz_target!(|text: &str| {
    if let Ok(program) = text.parse::<Program>() {
        check(&program);
    }
});
