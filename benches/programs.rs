//! Claim: recording takes about 25 ns per node, a one-lane replay about a nanosecond per operation, and a region less than a
//! tenth of that per row.
//!
//! `cargo bench --bench programs`; the counts of operations are asserted, the times are reported.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wengert::prelude::*;
use wengert::program::{Program, ReplayOptions, Traced, Width};
use wengert_problems::gmm::Gmm;

/// Steps of two operations on a ring of numbers, so that neighbouring operations do not wait for each other.
fn ring<S: Scalar>(x: &[S], steps: usize) -> S {
    let mut y = x.to_vec();
    let n = y.len();
    for i in 0..steps {
        y[(i * 5) % n] = y[i % n] * y[(i * 7 + 1) % n] + y[(i * 3 + 2) % n];
    }
    S::sum_of(y)
}

fn flat(criterion: &mut Criterion) {
    let steps = 50_000;
    let x: Vec<f64> = (0..64_u32).map(|i| f64::from(i).sin() * 0.5).collect();
    let record = |x: &[f64]| Program::record(|x: &[Traced]| [ring(x, steps)], x);
    let program = record(&x).expect("it fits");
    let operations = 2 * steps as u64 + 1;
    assert_eq!(program.counts().total(), operations);

    let mut group = criterion.benchmark_group("flat program");
    group.throughput(Throughput::Elements(operations));
    group.bench_function("plain", |b| b.iter(|| ring(black_box(&x), steps)));
    group.bench_function("record", |b| b.iter(|| record(black_box(&x))));
    group.bench_function("simplify", |b| b.iter(|| program.simplify()));
    group.bench_function("prepare", |b| b.iter(|| program.prepare()));
    let mut replay = program.prepare().expect("it fits");
    group.bench_function("replay", |b| {
        b.iter(|| {
            let y = replay.run(black_box(&x)).expect("there are no branches");
            black_box(y[0])
        });
    });
    group.finish();
}

fn mixture(criterion: &mut Criterion) {
    let gmm = Gmm::generate(10, 25, 1000, 1).expect("the sizes are admissible");
    let x = gmm.x0();
    let gradient = || -> Result<Program, Error> {
        let program = Program::record(|x: &[Traced]| [gmm.call(x)], &x)?;
        program.gradient()?.simplify()
    };
    let program = gradient().expect("it is scalar");
    // The points are one region, whatever their number.
    assert_eq!(program.regions().len(), 1);

    let mut group = criterion.benchmark_group("gmm d=10 k=25 n=1000");
    group.bench_function("plain", |b| b.iter(|| gmm.call(black_box(&x))));
    group.bench_function("record, differentiate, simplify", |b| b.iter(gradient));
    for width in [Width::One, Width::Four, Width::Eight] {
        let options = ReplayOptions { width, threads: 1 };
        let mut replay = program.prepare_with(&options).expect("it fits");
        group.bench_function(format!("gradient, {} lanes", width.lanes()), |b| {
            b.iter(|| {
                let y = replay.run(black_box(&x)).expect("there are no branches");
                black_box(y[0])
            });
        });
    }
    group.finish();
}

criterion_group!(benches, flat, mixture);
criterion_main!(benches);
