//! Newton's method on a system of equations: the Jacobian by one call, the step by nalgebra.
//!
//! Run it with `cargo run --release --example newton`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use nalgebra::{DVector, Vector2};
use wengert::prelude::*;

/// A circle of radius 2 and the curve `y = exp(x) - 1`.
fn curves<S: Scalar>(x: &[S], y: &mut [S]) {
    y[0] = x[0] * x[0] + x[1] * x[1] - 4.0;
    y[1] = x[0].exp() - 1.0 - x[1];
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let f = function!(curves => 2);
    let mut x = vec![1.0, 1.0];
    for iteration in 0..20 {
        let mut residual = [0.0; 2];
        f.eval(&x, &mut residual);
        let jacobian = jacobian(&f, &x, Mode::Forward)?;
        let step = jacobian
            .lu()
            .solve(&DVector::from_row_slice(&residual))
            .ok_or("the Jacobian is singular")?;
        for (x, step) in x.iter_mut().zip(&step) {
            *x -= step;
        }
        println!(
            "{iteration}: x = {x:.15?}, |f| = {:.1e}",
            Vector2::from(residual).norm()
        );
        if step.norm() < 1e-14 {
            break;
        }
    }
    let mut residual = [0.0; 2];
    f.eval(&x, &mut residual);
    assert!(Vector2::from(residual).norm() < 1e-14, "{residual:?}");
    // The quadratic convergence needs exact derivatives.
    assert!((x[0] - 1.004_168_738_474_659).abs() < 1e-12, "{x:?}");
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
