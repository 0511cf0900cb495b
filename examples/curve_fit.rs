//! A curve fit: the Levenberg-Marquardt crate asks for residuals and a Jacobian, wengert gives the Jacobian.
//!
//! Run it with `cargo run --release --example curve_fit`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
// That crate was built for another version of nalgebra than wengert; matrices pass as slices.
use nalgebra_for_levenberg::storage::Owned;
use nalgebra_for_levenberg::{DVector, Dyn, OMatrix, U3, Vector3};
use wengert::prelude::*;

/// A decay towards a background: `a exp(-b t) + c`.
fn model<S: Scalar>(x: &[S], t: f64) -> S {
    x[0] * (-x[1] * t).exp() + x[2]
}

/// Measurements and the parameters tried last.
struct Fit {
    times: Vec<f64>,
    heights: Vec<f64>,
    parameters: Vector3<f64>,
}

impl Fit {
    fn residuals_at<S: Scalar>(&self, x: &[S]) -> Vec<S> {
        let measured = self.times.iter().zip(&self.heights);
        measured.map(|(t, height)| model(x, *t) - *height).collect()
    }
}

impl LeastSquaresProblem<f64, Dyn, U3> for Fit {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, U3>;
    type ParameterStorage = Owned<f64, U3>;

    fn set_params(&mut self, x: &Vector3<f64>) {
        self.parameters = *x;
    }
    fn params(&self) -> Vector3<f64> {
        self.parameters
    }
    fn residuals(&self) -> Option<DVector<f64>> {
        Some(DVector::from_vec(
            self.residuals_at(self.parameters.as_slice()),
        ))
    }
    fn jacobian(&self) -> Option<OMatrix<f64, Dyn, U3>> {
        // Three inputs: forward mode with three tangents in one pass.
        let x = self.parameters.as_slice();
        let jacobian = jacobian_forward(|x| self.residuals_at(x), x).ok()?;
        Some(OMatrix::<f64, Dyn, U3>::from_column_slice(
            jacobian.as_slice(),
        ))
    }
}

fn main() {
    let truth = [2.5, 1.3, 0.5];
    let times: Vec<f64> = (0..50).map(|k| 0.1 * f64::from(k)).collect();
    let heights = times.iter().map(|t| model(&truth, *t)).collect();
    let fit = Fit {
        times,
        heights,
        parameters: Vector3::new(1.0, 1.0, 0.0),
    };
    let (fit, report) = LevenbergMarquardt::new().minimize(fit);
    println!(
        "{:?} after {} evaluations",
        report.termination, report.number_of_evaluations
    );
    println!("parameters {:.12?}", fit.parameters.as_slice());
    for (found, truth) in fit.parameters.iter().zip(truth) {
        assert!((found - truth).abs() < 1e-9, "{found} {truth}");
    }
}

#[test]
fn it_asserts_what_it_says() {
    main();
}
