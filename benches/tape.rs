//! Claim: recording and sweeping a binary operation takes a few nanoseconds, and sums of products less per factor.
//!
//! `cargo bench --bench tape`; the counts of statements are asserted, the times are reported.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wengert::prelude::*;
use wengert_problems::gmm::Gmm;

/// Two operations of two variables per step; bounded, and no step contracts.
fn leapfrog<S: Scalar>(x: &[S], steps: u32) -> S {
    let (mut u, mut v) = (x[0], x[1]);
    for _ in 0..steps {
        v += u * x[1];
        u += v * x[0];
    }
    u
}

fn loops(criterion: &mut Criterion) {
    let (steps, x) = (25_000, [0.3, -0.2]);
    let pullback = Pullback::record(|x| [leapfrog(x, steps)], &x).expect("it fits");
    let operations = 4 * u64::from(steps);
    assert_eq!(pullback.statements() as u64, operations + 2);

    let mut group = criterion.benchmark_group("loop");
    group.throughput(Throughput::Elements(operations));
    group.bench_function("plain", |b| b.iter(|| leapfrog(black_box(&x), steps)));
    let mut prepared = PreparedGradient::new(|x: &[Var<f64>]| leapfrog(x, steps), 2);
    let mut gradient = [0.0; 2];
    group.bench_function("gradient", |b| {
        b.iter(|| prepared.value_and_gradient_into(black_box(&x), &mut gradient));
    });
    group.finish();
}

fn mixture(criterion: &mut Criterion) {
    let gmm = Gmm::generate(10, 25, 100, 1).expect("the sizes are admissible");
    let x = gmm.x0();
    let mut group = criterion.benchmark_group("gmm d=10 k=25 n=100");
    group.bench_function("plain", |b| b.iter(|| gmm.call(black_box(&x))));
    let mut prepared = PreparedGradient::new(|x: &[Var<f64>]| gmm.call(x), x.len());
    let mut gradient = vec![0.0; x.len()];
    group.bench_function("gradient", |b| {
        b.iter(|| prepared.value_and_gradient_into(black_box(&x), &mut gradient));
    });
    group.finish();
}

criterion_group!(benches, loops, mixture);
criterion_main!(benches);
