//! The rows of EDGE_CASES.md on programs: resources, threads and panics (e60, e63, e65, e67), shapes (e70-e74).
//!
//! Invariant: wrong use is an error with both numbers before any work; empty shapes are shapes like others.

mod common;

use std::panic::catch_unwind;

use common::programs::{WIDTHS, assert_outputs, record, record_scalar};
use wengert::prelude::*;
use wengert::program::{BatchReplay, Program, Replay, ReplayOptions, Traced, Width};

const NAN: f64 = f64::NAN;

fn options(width: Width) -> ReplayOptions {
    ReplayOptions { width, threads: 2 }
}

/// `x^5000001` node after node, so the derivative at 1 is an exact number.
#[test]
fn edge_e60_five_million_nodes_on_a_small_stack() {
    let chain = || {
        let f = |x: &[Traced]| [(0..5_000_000).fold(x[0], |y, _| y * x[0])];
        let program = Program::record(f, &[1.0]).unwrap();
        let simple = program.simplify().unwrap();
        assert!(simple.len() >= 5_000_000 && simple.validate() == Ok(()));
        drop(program);
        let gradient = simple.gradient().unwrap();
        drop(simple);
        let mut replay = gradient.prepare().unwrap();
        drop(gradient);
        assert_eq!(replay.run(&[1.0]), Ok(&[5_000_001.0][..]));
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    thread.spawn(chain).unwrap().join().unwrap();
}

#[test]
fn edge_e63_panic_while_recording() {
    for _ in 0..3 {
        let outcome = catch_unwind(|| {
            Program::record(
                |x| {
                    let y = Traced::sum_over(&[Rows::column(x)], &[], |x, _| {
                        assert!(x.is_empty(), "the user's code gave up");
                        x[0]
                    });
                    [y]
                },
                &[1.0, 2.0],
            )
        });
        assert!(outcome.is_err());
        let program = Program::record(|x| [x[0] * x[1]], &[1.0, 2.0]).unwrap();
        assert_eq!(program.prepare().unwrap().run(&[3.0, 5.0]), Ok(&[15.0][..]));
    }
}

/// Finished programs may be shared and sent; checked by the compiler.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Program>();
    shared::<Replay>();
    shared::<BatchReplay>();
};

#[test]
fn edge_e65_threads_replay_one_program() {
    let f = generic!(|x| {
        let (p, lanes) = (x[0], &x[1..]);
        let sum = S::sum_over(&[Rows::column(lanes)], &[], |x, _| (x[0] * p).sin() * x[0]);
        sum * p.exp()
    });
    let x: Vec<f64> = (0..70).map(|i| f64::from(i) * 0.01 + 0.2).collect();
    let gradient = record_scalar(&f, &x)
        .gradient()
        .unwrap()
        .simplify()
        .unwrap();
    for width in WIDTHS {
        let options = ReplayOptions { width, threads: 1 };
        let mut replay = gradient.prepare_with(&options).unwrap();
        let expected = replay.run(&x).unwrap().to_vec();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let mut replay = replay.clone();
                let (x, expected, gradient) = (&x, &expected, &gradient);
                scope.spawn(move || {
                    for _ in 0..1000 {
                        assert_eq!(replay.run(x).unwrap(), expected);
                    }
                    let mut own = gradient.prepare_with(&options).unwrap();
                    assert_eq!(own.run(x).unwrap(), expected);
                });
            }
        });
    }
}

#[test]
fn edge_e67_diamond_ladder() {
    // 2^200 paths; a quarter and three quarters keep the slope at one.
    let ladder = |x: &[Traced]| [(0..200).fold(x[0], |y, _| y * 0.25 + y * 0.75)];
    let program = Program::record(ladder, &[3.0]).unwrap();
    let simple = program.simplify().unwrap();
    for program in [&program, &simple] {
        assert_eq!(program.len(), 601);
        let gradient = program.gradient().unwrap().simplify().unwrap();
        assert!(gradient.len() < 1500);
        assert_outputs(&gradient, &[3.0], &[1.0], 0.0, "gradient");
        assert_outputs(
            &program.jvp().unwrap(),
            &[3.0, 1.0],
            &[3.0, 1.0],
            0.0,
            "jvp",
        );
        assert_outputs(&program.hessian().unwrap(), &[3.0], &[0.0], 0.0, "Hessian");
    }
    // Equal rungs become one.
    let equal = |x: &[Traced]| [(0..200).fold(x[0], |y, _| y.sin() + y.sin())];
    let simple = Program::record(equal, &[3.0]).unwrap().simplify().unwrap();
    assert!(simple.len() <= 401, "{}", simple.len());
    assert!(simple.hessian().unwrap().simplify().unwrap().len() < 10_000);
}

fn mismatch<T>(what: &'static str, expected: usize, found: usize) -> Result<T, Error> {
    Err(Error::ShapeMismatch {
        what,
        expected,
        found,
    })
}

#[test]
fn edge_e70_wrong_lengths() {
    let program = Program::record(|x| [x[0] * x[1], x[0], x[1]], &[1.0, 2.0]).unwrap();
    assert_eq!(program.values(&[1.0]), mismatch("x", 2, 1));
    assert_eq!(program.linearize(&[1.0; 3]).map(drop), mismatch("x", 2, 3));
    let linear = program.linearize(&[1.0, 2.0]).unwrap();
    assert_eq!(linear.jvp(&[1.0; 3]), mismatch("tangent", 2, 3));
    assert_eq!(linear.vjp(&[1.0; 2]), mismatch("cotangent", 3, 2));
    for width in WIDTHS {
        let mut replay = program.prepare_with(&options(width)).unwrap();
        assert_eq!(replay.run(&[1.0]).map(drop), mismatch("x", 2, 1));
        assert_eq!(
            replay.run_unchecked(&[1.0; 3]).map(drop),
            mismatch("x", 2, 3)
        );
        let mut y = [NAN; 2];
        assert_eq!(replay.run_into(&[1.0, 2.0], &mut y), mismatch("y", 3, 2));
        assert!(y.iter().all(|y| y.is_nan()));
        let mut batch = program.prepare_batch(&options(width)).unwrap();
        let mut y = [NAN; 6];
        assert!(matches!(
            batch.run(&[1.0; 5], &mut y),
            Err(Error::ShapeMismatch { .. })
        ));
        assert!(matches!(
            batch.run(&[1.0; 6], &mut y),
            Err(Error::ShapeMismatch { .. })
        ));
        assert!(y.iter().all(|y| y.is_nan()));
        assert_eq!(batch.run(&[], &mut []), Ok(vec![]));
    }
}

#[test]
fn edge_e71_no_inputs() {
    let program = Program::record(|_| [Traced::from(3.0), Traced::from(4.0)], &[]).unwrap();
    for program in [&program, &program.simplify().unwrap()] {
        assert_outputs(program, &[], &[3.0, 4.0], 0.0, "value");
        assert_outputs(&program.jacobian().unwrap(), &[], &[], 0.0, "Jacobian");
        assert_outputs(
            &program.jvp().unwrap(),
            &[],
            &[3.0, 4.0, 0.0, 0.0],
            0.0,
            "jvp",
        );
        assert_outputs(
            &program.vjp().unwrap(),
            &[1.0, 2.0],
            &[3.0, 4.0],
            0.0,
            "vjp",
        );
        assert_eq!(program.linearize(&[]).unwrap().jvp(&[]), Ok(vec![0.0; 2]));
        assert_eq!(program.linearize(&[]).unwrap().vjp(&[1.0; 2]), Ok(vec![]));
    }
    let scalar = program.select_outputs(&[0]).unwrap();
    assert_outputs(&scalar.gradient().unwrap(), &[], &[], 0.0, "gradient");
    assert_outputs(&scalar.hessian().unwrap(), &[], &[], 0.0, "Hessian");
    assert_outputs(&scalar.hvp().unwrap(), &[], &[], 0.0, "hvp");
}

#[test]
fn edge_e72_no_outputs() {
    let program = Program::record(|x| [x[0]; 0], &[1.0, 2.0]).unwrap();
    let x = [1.0, 2.0];
    for program in [&program, &program.simplify().unwrap()] {
        assert_eq!(program.inputs(), 2);
        assert_outputs(program, &x, &[], 0.0, "values");
        assert_outputs(&program.vjp().unwrap(), &x, &[0.0, 0.0], 0.0, "vjp");
        assert_outputs(&program.jvp().unwrap(), &[1.0; 4], &[], 0.0, "jvp");
        let (jacobian, places) = program.sparse_jacobian().unwrap();
        assert!(places.is_empty());
        assert_outputs(&jacobian, &x, &[], 0.0, "Jacobian");
        assert_eq!(program.linearize(&x).unwrap().vjp(&[]), Ok(vec![0.0; 2]));
        assert_eq!(
            program.gradient().map(drop),
            Err(Error::NotScalar { outputs: 0 })
        );
    }
}

#[test]
fn edge_e73_gradient_of_several_outputs() {
    let program = Program::record(|x| [x[0], x[0] * x[0]], &[1.0]).unwrap();
    for outcome in [
        program.gradient(),
        program.value_and_gradient(),
        program.hessian(),
        program.hvp(),
    ] {
        assert_eq!(outcome.map(drop), Err(Error::NotScalar { outputs: 2 }));
    }
}

#[test]
fn edge_e74_inputs_without_influence() {
    struct Sparse;
    impl Function for Sparse {
        fn outputs(&self, _: usize) -> usize {
            3
        }
        fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
            y[0] = x[0] * x[2];
            y[1] = S::from(5.0);
            // Rounded, detached, compared: no derivative.
            y[2] = x[3].floor() + x[4].detach() + x[2] * 2.0;
        }
    }
    let x = [3.0, NAN, 4.0, 1.5, 2.0];
    let program = record(&Sparse, &x);
    for program in [&program, &program.simplify().unwrap()] {
        assert_outputs(program, &x, &[12.0, 5.0, 11.0], 0.0, "values");
        let (sparse, places) = program.sparse_jacobian().unwrap();
        assert_eq!(places, [(0, 0), (0, 2), (2, 2)]);
        assert_outputs(&sparse, &x, &[4.0, 3.0, 2.0], 0.0, "sparse");
        let mut dense = [0.0; 15];
        (dense[0], dense[2], dense[12]) = (4.0, 3.0, 2.0);
        assert_outputs(&program.jacobian().unwrap(), &x, &dense, 0.0, "dense");
        let at = [&x[..], &[1.0; 3]].concat();
        let expected = [12.0, 5.0, 11.0, 4.0, 0.0, 5.0, 0.0, 0.0];
        assert_outputs(&program.vjp().unwrap(), &at, &expected, 0.0, "vjp");
    }
}
