//! Claim: lanes of tangents and truncated series cost a small multiple of the function.
//!
//! `cargo bench --bench carriers`; results are asserted once, the times are reported.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wengert::prelude::*;
use wengert_problems::bundle_adjustment::residual;

/// A camera, a point and a weight, all independent.
const X: [f64; 15] = [
    -0.4, 0.3, 0.8, 1.0, 2.0, -3.0, 400.0, 5.0, -8.0, 0.1, 0.01, 0.5, -0.25, 4.0, 0.5,
];

fn observation<S: Scalar>(x: &[S]) -> [S; 2] {
    residual(&x[..11], &x[11..14], x[14], &[20.0, -10.0])
}

fn bundle_adjustment(criterion: &mut Criterion) {
    let block = || {
        let x: [Lanes<f64, 16>; 15] = std::array::from_fn(|k| Lanes::variable(black_box(X[k]), k));
        observation(&x)
    };
    let by_tape = jacobian_reverse(observation, &X).expect("it fits");
    assert!((block()[1].tangents[6] - by_tape[(1, 6)]).abs() <= 1e-12 * by_tape[(1, 6)].abs());
    let mut group = criterion.benchmark_group("one observation");
    group.bench_function("plain", |b| b.iter(|| observation(black_box(&X))));
    group.bench_function("16 lanes", |b| b.iter(block));
    group.finish();
}

fn series(criterion: &mut Criterion) {
    fn f<S: Scalar>(x: S) -> S {
        x.exp() / (x.sin().powi(3) + x.cos().powi(3)).sqrt()
    }
    let at = Taylor::<f64, 10>::variable(1.5);
    assert!((f(at).coefficients[9] - 6.952_405_163_058_063).abs() < 1e-12);
    let mut group = criterion.benchmark_group("series");
    group.bench_function("plain", |b| b.iter(|| f(black_box(1.5))));
    group.bench_function("order 3", |b| {
        b.iter(|| f(black_box(Taylor::<f64, 3>::variable(1.5))));
    });
    group.bench_function("order 10", |b| b.iter(|| f(black_box(at))));
    group.finish();
}

criterion_group!(benches, bundle_adjustment, series);
criterion_main!(benches);
