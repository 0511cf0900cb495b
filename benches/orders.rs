//! Claim: the fewer operations an elimination order predicts, the less time its Jacobian takes: the planned program replays on 8 lanes
//! in at most the time of the better of forward and reverse mode.
//!
//! `cargo bench --bench orders`; operations are asserted, times are reported, and the names say what was predicted.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wengert::Function;
use wengert::crosscountry::{Budget, Linearized, Move, Order, PlannedJacobian};
use wengert::program::{Program, ReplayOptions, Traced, Width};
use wengert_problems::registry::{ProblemInfo, Source, Visitor, visit};

/// The points per batch.
const POINTS: usize = 1024;

/// The simplified program of a function.
fn record<F: Function>(f: &F, x: &[f64]) -> Program {
    let evaluate = |x: &[Traced]| {
        let mut y = vec![0.0.into(); f.outputs(x.len())];
        f.eval(x, &mut y);
        y
    };
    let program = Program::record(evaluate, x).and_then(|program| program.simplify());
    program.expect("it fits")
}

/// Records a problem, writes its Jacobian in several orders, and times all of them.
struct Orders<'a>(&'a mut Criterion);

impl Visitor for Orders<'_> {
    type Output = ();
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) {
        let program = record(f, x);
        let linearized = Linearized::of(&program).expect("it is small");
        let mut contestants = Vec::new();
        for order in [
            Order::Forward,
            Order::Reverse,
            Order::Markowitz,
            Order::LateMarkowitz,
        ] {
            let vertices = order.of(linearized.graph()).expect("costs are small");
            let moves: Vec<Move> = vertices.into_iter().map(Move::Vertex).collect();
            let (jacobian, _) = linearized
                .to_program(&moves)
                .expect("it is an order of the graph");
            contestants.push((format!("elimination, {order}"), jacobian));
        }
        let (basic, _) = program.sparse_jacobian().expect("it is small");
        let basic = basic.simplify().expect("it is small");
        let planned = PlannedJacobian::of(&program, &Budget::default()).expect("it is small");
        assert!(planned.flops() <= basic.counts().flops());
        contestants.push(("better of forward and reverse mode".into(), basic));
        contestants.push(("planned".into(), planned.program().clone()));

        let options = ReplayOptions {
            width: Width::Eight,
            threads: 1,
        };
        let points: Vec<f64> = x.iter().copied().cycle().take(POINTS * x.len()).collect();
        let mut group = self.0.benchmark_group(info.problem.name);
        group.throughput(Throughput::Elements(POINTS as u64));
        for (name, jacobian) in contestants {
            let mut batch = jacobian.prepare_batch(&options).expect("it fits");
            let mut found = vec![0.0; POINTS * jacobian.outputs().len()];
            let flops = jacobian.counts().flops();
            group.bench_function(format!("{name}, {flops} operations"), |b| {
                b.iter(|| {
                    batch
                        .run(black_box(&points), &mut found)
                        .expect("the branches are the same");
                    black_box(found[0])
                });
            });
        }
        group.finish();
    }
}

fn orders(criterion: &mut Criterion) {
    for name in [
        "roe-flux",
        "roe-flux-3d",
        "robot-arm",
        "heart-dipole",
        "propane",
        "black-scholes",
        "pollu",
    ] {
        visit(name, &Source::Default, Orders(criterion)).expect("the problem is registered");
    }
}

/// The operations of a planned Jacobian for each of its function.
struct Ratio;

impl Visitor for Ratio {
    type Output = f64;
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], _: &ProblemInfo) -> f64 {
        let program = record(f, x);
        let planned = PlannedJacobian::of(&program, &Budget::default()).expect("it fits");
        planned.flops() as f64 / program.counts().flops() as f64
    }
}

/// The largest size of FastDifferentiation.jl's matrix function, whose published ratio is 6.5.
fn matrix_function(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matrix-function 20");
    group.sample_size(10);
    group.bench_function("plan and write the Jacobian", |b| {
        b.iter(|| {
            let ratio = visit("matrix-function", &Source::Sizes(vec![20]), Ratio);
            assert!(ratio.expect("the problem is registered") <= 6.5);
        });
    });
    group.finish();
}

criterion_group!(benches, orders, matrix_function);
criterion_main!(benches);
