//! Replay against the naive evaluation of programs.

mod programs;

use std::sync::Arc;

use super::super::record::{Recording, Traced};
use super::super::region::{Region, Sink, Source};
use super::*;
use crate::program::{NodeId, NodeKind};
use crate::scalar::Scalar;
use num_dual::DualNum;

const WIDTHS: [Width; 3] = [Width::One, Width::Four, Width::Eight];

fn options(width: Width, threads: usize) -> ReplayOptions {
    ReplayOptions { width, threads }
}

/// Fails when the numbers differ by more than `tolerance` relative to the largest, or exactly one is NaN.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(1e-300_f64, |m, x| m.max(x.abs()));
    for (k, (a, b)) in found.iter().zip(expected).enumerate() {
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(
            same || (a - b).abs() <= tolerance * scale,
            "{what}: entry {k} is {a}, expected {b}"
        );
    }
}

fn outputs(program: &Program, x: &[f64]) -> Vec<f64> {
    let values = program.values(x).unwrap();
    program
        .outputs()
        .iter()
        .map(|output| values[output.index()])
        .collect()
}

/// One lane by the bits, more lanes to rounding, and as a batch.
fn check(program: &Program, x: &[f64], what: &str) {
    let expected = outputs(program, x);
    for width in WIDTHS {
        for threads in [1, 3] {
            let mut replay = program.prepare_with(&options(width, threads)).unwrap();
            let tolerance = if width == Width::One { 0.0 } else { 1e-12 };
            for _ in 0..2 {
                let found = replay.run_unchecked(x).unwrap().outputs.to_vec();
                assert_close(&found, &expected, tolerance, &format!("{what} {width:?}"));
            }
            let mut batch = program.prepare_batch(&options(width, threads)).unwrap();
            let points = 35;
            let mut y = vec![0.0; points * expected.len()];
            batch.run(&x.repeat(points), &mut y).unwrap();
            for row in y.chunks(expected.len().max(1)) {
                assert_close(
                    row,
                    &expected,
                    tolerance.max(1e-12),
                    &format!("{what} batch {width:?}"),
                );
            }
        }
    }
}

fn everything<S: Scalar>(x: &[S]) -> Vec<S> {
    let (a, b) = (x[0], x[1]);
    let positive = a.abs() + 0.25;
    let small = (a * 0.1).tanh();
    vec![
        a + b,
        a - b,
        a * b,
        a / b,
        a % b,
        -a,
        a.recip(),
        positive.sqrt(),
        positive.cbrt(),
        a.exp(),
        a.exp2(),
        a.exp_m1(),
        positive.ln(),
        positive.ln_1p(),
        positive.log2(),
        positive.log10(),
        positive.log(3.0),
        a.powi(2),
        a.powi(3),
        a.powi(-5),
        positive.powf(1.5),
        positive.powd(b),
        a.sin(),
        a.cos(),
        a.tan(),
        small.asin(),
        small.acos(),
        a.atan(),
        a.atan2(b),
        a.sinh(),
        a.cosh(),
        a.tanh(),
        a.asinh(),
        (positive + 1.0).acosh(),
        small.atanh(),
        Scalar::logistic(a),
        Scalar::softplus(a),
        a.erf_(),
        positive.lgamma(),
        Scalar::max(a, b),
        Scalar::min(a, b),
        Scalar::hypot(a, b),
        Scalar::copysign(a, b),
        Scalar::floor(a),
        a.mul_add(b, a),
        S::sum_of([a, b, a, positive]),
        S::dot_of([(a, b), (b, b), (small, a)]),
        S::squared_norm_of([a, b, small]),
        S::norm2_of([a, b]),
        S::prod_of([a, b, small]),
        S::log_sum_exp_of([a, b, small]),
        S::max_of(&[a, b, small]),
        S::min_of(&[a, b, small]),
        S::select(a.lt_mask(b) & !a.eq_mask(b), a * 2.0, b * 3.0),
        S::select(a.le_mask(b) | b.lt_mask(a), a, b),
        S::in_domain(a, b),
        a.detach(),
    ]
}

#[test]
fn every_operation_agrees_with_the_naive_evaluation() {
    let program = Program::record(everything, &[0.5, 2.0]).unwrap();
    for x in [
        [0.5, 2.0],
        [-1.5, 0.25],
        [3.0, 3.0],
        [0.0, 1.0],
        [-0.0, 0.0],
        [f64::NAN, 1.0],
        [f64::INFINITY, -2.0],
        [1e-310, 5.0],
    ] {
        check(&program, &x, &format!("{x:?}"));
    }
}

/// The node of an input.
fn input(k: u32) -> NodeId {
    NodeId::from_raw(k)
}

/// A program of a region with `n` lanes, one uniform and data: the lanes are the first inputs, the uniform the last.
fn with_region(
    n: usize,
    sinks: &[Sink],
    carried: bool,
    is_reversed: bool,
    body: impl FnOnce(&[Traced]) -> Vec<Traced>,
) -> Program {
    let body = Program::record(body, &[0.0; 4]).unwrap();
    let recording = Recording::open();
    let nodes: Vec<NodeId> = (0..=u32::try_from(n).unwrap())
        .map(|k| recording.node(recording.push(NodeKind::Input(k), &[])))
        .collect();
    let uniform = nodes[n];
    let data: Arc<[f64]> = (0..n).map(|i| 0.5 + i as f64 / 7.0).collect();
    let region = Region {
        iterations: n,
        is_reversed,
        body: Arc::new(body),
        sources: vec![
            Source::Lane,
            Source::Uniform,
            Source::Data(data),
            if carried {
                Source::Carried { output: 0 }
            } else {
                Source::Uniform
            },
        ],
        sinks: sinks.to_vec(),
    };
    let results = u32::try_from(region.results_len()).unwrap();
    recording.edit(|program| {
        program.inputs = n + 1;
        program.regions.push(region);
    });
    let mut args = nodes[..n].to_vec();
    args.extend([uniform, uniform]);
    let region = recording.node(recording.push(NodeKind::Region(0), &args));
    let outputs: Vec<NodeId> = (0..results)
        .map(|k| recording.node(recording.push(NodeKind::Result(k), &[region])))
        .collect();
    recording.edit(|program| program.outputs = outputs);
    recording.finish().unwrap()
}

#[test]
fn regions_agree_with_the_naive_evaluation() {
    for n in [1, 3, 7, 8, 9, 31, 32, 33, 100, 1000, 1100] {
        let x: Vec<f64> = (0..=n).map(|i| (i as f64).sin()).collect();
        let maps = with_region(n, &[Sink::Sum, Sink::Each, Sink::Each], false, false, |x| {
            let y = (x[0] * x[1]).exp() + x[2];
            vec![y * x[3], y.sin() * x[1], x[1] * 2.0]
        });
        check(&maps, &x, &format!("map {n}"));
        for is_reversed in [false, true] {
            let scan = with_region(n, &[Sink::Last, Sink::Each], true, is_reversed, |x| {
                let y = x[3] * x[1] * 0.5 + x[0].sin() * x[2];
                vec![y, x[3]]
            });
            check(&scan, &x, &format!("scan {n}"));
        }
    }
    assert_eq!(input(3).index(), 3);
}
