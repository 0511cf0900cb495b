//! Planning a Jacobian: record a function, find an order of elimination between forward and reverse, replay its program.
//!
//!     cargo run --release --example plan_jacobian
//!
//! Invariant: every cost printed is an exact count; the program asserts what it says.
//! Source: Griewank & Walther 2008, §9 and §10.1.

use std::io::Write;

use nalgebra::DMatrix;
use wengert::PreparedJacobian;
use wengert::crosscountry::{Linearized, PlanOptions, plan};
use wengert::prelude::*;
use wengert::program::Program;

/// Six springs pull at one point, which moves six levers: everything passes through two numbers.
fn levers<S: Scalar>(x: &[S], y: &mut [S]) {
    let (mut east, mut north) = (S::from(0.0), S::from(0.0));
    for (i, x) in (0_u8..).zip(x) {
        let angle = f64::from(i);
        east += *x * angle.cos();
        north += *x * *x * angle.sin();
    }
    for (i, y) in (0_u8..).zip(y) {
        *y = (east * f64::from(i) + north).sin() * north.exp();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let (f, x) = (function!(levers => 6), [0.1, 0.2, -0.1, 0.3, 0.0, -0.2]);

    // The Wengert list, and its graph of partials.
    let record = |x: &[_]| {
        let mut y = [wengert::program::Traced::from(0.0); 6];
        f.eval(x, &mut y);
        y
    };
    let program = Program::record(record, &x)?.simplify()?;
    let linearized = Linearized::of(&program)?;

    // Every edge of the graph is a partial; an order of elimination multiplies them into the Jacobian.
    let found = plan(linearized.graph(), &PlanOptions::default(), &|_| ())?;
    found.verify(linearized.graph())?;
    let (forward, reverse) = (found.forward.multiplications, found.reverse.multiplications);
    writeln!(
        out,
        "multiplications: forward {forward}, reverse {reverse}, planned {}{}",
        found.best(),
        if found.is_optimal() {
            ", and none can do with fewer"
        } else {
            ""
        }
    )?;
    assert!(found.best() < forward.min(reverse) && found.is_optimal());

    // The plan as a program, which is replayed at any point.
    let (jacobian, places) = found.to_program(&linearized)?;
    let mut replay = jacobian.simplify()?.prepare()?;
    let mut matrix = DMatrix::zeros(6, 6);
    for ((row, column), entry) in places.iter().zip(replay.run(&x)?) {
        matrix[(usize::try_from(*row)?, usize::try_from(*column)?)] = *entry;
    }
    let expected = wengert::jacobian(&f, &x, Mode::Forward)?;
    assert!((&matrix - &expected).norm() <= 1e-14 * expected.norm());

    // All of this in one call, which also compares the simplified programs of several orders.
    let mut prepared = PreparedJacobian::new(&f, &x)?;
    let operations = prepared.planned().flops();
    writeln!(
        out,
        "operations of the program: planned {operations}, forward {:?}, reverse {:?}",
        prepared.planned().forward_flops(),
        prepared.planned().reverse_flops()
    )?;
    let elsewhere = x.map(|x| x + 0.5);
    let difference =
        prepared.jacobian(&elsewhere)? - wengert::jacobian(&f, &elsewhere, Mode::Reverse)?;
    assert!(difference.norm() < 1e-12);
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
