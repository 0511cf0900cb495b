//! A rule of one's own: the root of an equation, differentiated by the implicit function theorem instead of through the iteration.
//!
//! Run it with `cargo run --release --example custom_rule`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use wengert::prelude::*;

/// Kepler's equation: the eccentric anomaly `E` with `E - e sin E = M`, as a function of `(M, e)`.
#[derive(Clone)]
struct Kepler;

impl CustomRule for Kepler {
    fn value(&self, x: &[f64]) -> f64 {
        let (mean, eccentricity) = (x[0], x[1]);
        let mut anomaly = mean;
        for _ in 0..50 {
            let step = (anomaly - eccentricity * anomaly.sin() - mean)
                / (1.0 - eccentricity * anomaly.cos());
            anomaly -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        anomaly
    }
    /// From `E - e sin E - M = 0`: `dE/dM = 1 / (1 - e cos E)` and `dE/de = sin E / (1 - e cos E)`. Written with the value `y`
    /// over any scalar, the rule holds at every order.
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        let slope = (-(x[1] * y.cos()) + 1.0).recip();
        out[0] = Some(slope);
        out[1] = Some(y.sin() * slope);
    }
}

/// The distance from the focus, in units of the semi-major axis.
fn distance<S: Scalar>(x: &[S]) -> S {
    let anomaly = S::custom(&Kepler, x);
    -(x[1] * anomaly.cos()) + 1.0
}

fn main() -> Result<(), Error> {
    let x = [0.8, 0.3];
    let (value, gradient) = value_and_gradient(distance, &x)?;
    let hessian = hessian(&function!(distance), &x)?;
    println!("r = {value:.12}, gradient {gradient:.9?}, Hessian {hessian:.6}");
    // Closed forms: dr/dM = e sin E / (1 - e cos E), dr/de = -cos v with the true anomaly v.
    let e = Kepler.value(&x);
    let true_anomaly = (e.cos() - x[1]) / (1.0 - x[1] * e.cos());
    assert!((gradient[0] - x[1] * e.sin() / value).abs() < 1e-14);
    assert!((gradient[1] + true_anomaly).abs() < 1e-14);
    // The checks compare the rule with differences, and the modes with each other.
    let report = wengert::check::check_gradient(&function!(distance), &x)?;
    println!("{report}");
    assert!((hessian[(0, 1)] - hessian[(1, 0)]).abs() < 1e-15);
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Error> {
    main()
}
