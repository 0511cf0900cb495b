//! Sensitivities of the solution of an ODE: the integrator is ordinary code, so it differentiates.
//!
//! Run it with `cargo run --release --example ode_sensitivities`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use wengert::prelude::*;

/// Hares and lynxes: growth, predation, death, reproduction are the four parameters.
fn right_side<S: Scalar>(state: [S; 2], p: &[S]) -> [S; 2] {
    let meetings = state[0] * state[1];
    [
        p[0] * state[0] - p[1] * meetings,
        p[3] * meetings - p[2] * state[1],
    ]
}

/// The populations at `time` by the classical Runge-Kutta method.
fn solve<S: Scalar>(p: &[S], time: f64, steps: u32) -> [S; 2] {
    let h = time / f64::from(steps);
    let along = |y: [S; 2], k: [S; 2], h: f64| [y[0] + k[0] * h, y[1] + k[1] * h];
    let mut y = [S::from(10.0), S::from(5.0)];
    for _ in 0..steps {
        let k1 = right_side(y, p);
        let k2 = right_side(along(y, k1, h / 2.0), p);
        let k3 = right_side(along(y, k2, h / 2.0), p);
        let k4 = right_side(along(y, k3, h), p);
        for (i, y) in y.iter_mut().enumerate() {
            *y += (k1[i] + k2[i] * 2.0 + k3[i] * 2.0 + k4[i]) * (h / 6.0);
        }
    }
    y
}

fn main() -> Result<(), Error> {
    let p = [1.1, 0.4, 0.4, 0.1];
    // Four parameters, two populations: forward mode carries all four tangents through the integrator at once.
    let sensitivities = jacobian_forward(|p| solve(p, 10.0, 1000), &p)?;
    println!("d(hares, lynxes) / d(growth, predation, death, reproduction) ={sensitivities:.6}");
    // Reverse mode records every step and agrees.
    let reverse = jacobian_reverse(|p| solve(p, 10.0, 1000), &p)?;
    assert!((&sensitivities - &reverse).norm() < 1e-10 * reverse.norm());
    // What is conserved along a solution is not changed by integrating: its total derivative agrees with differences.
    let h = 1e-5;
    for k in 0..4 {
        let moved = |h: f64| {
            let mut p = p;
            p[k] += h;
            solve(&p, 10.0, 1000)
        };
        let (up, down) = (moved(h), moved(-h));
        for row in 0..2 {
            let difference = (up[row] - down[row]) / (2.0 * h);
            let scale = 1.0 + sensitivities[(row, k)].abs();
            assert!((difference - sensitivities[(row, k)]).abs() < 1e-6 * scale);
        }
    }
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Error> {
    main()
}
