//! `Scalar` for num-dual's own types: agreement with our carriers, and what is exempt.
//!
//! Invariant: num-dual computes with its own rules wherever it has them; operation by operation the agreement is checked
//! in `tests/conformance.rs`, here for a composed function and for the parts of the interface that are no operations.

mod common;

use common::{Mode, Visitor, modes::DualOfDualOfDual};
use num_dual::{Dual2_64, Dual64, DualNum, DualSVec64, DualStruct};
use wengert::{Scalar, ScalarFunction};

/// Uses functions of num-dual and functions that it lacks.
#[derive(Clone, Copy)]
struct Mixed;

impl ScalarFunction for Mixed {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let angle = x[0].atan2(x[1]).tanh() + x[0].hypot(x[1]).ln_1p();
        let special = (x[0] * x[1]).erf_() * x[1].lgamma() + (x[0] - x[1]).logistic();
        let sums = S::log_sum_exp_of([x[0], x[1], angle]) * S::norm2_of([special, angle]);
        sums + Scalar::max(x[0], x[1]) * x[0].xlogy(x[1]) + S::prod_of([x[0], angle, special])
    }
}

struct Agreement {
    compared: usize,
}

impl Visitor for Agreement {
    fn visit<M: Mode>(&mut self) {
        for x in [[0.75, 1.5], [2.25, 0.5], [-0.625, 3.0]] {
            let ours = DualOfDualOfDual::partials(&Mixed, &x);
            for (key, found) in M::partials(&Mixed, &x) {
                let Some((_, expected)) = ours.iter().find(|(k, _)| *k == key) else {
                    continue;
                };
                let error = (found - expected).abs();
                assert!(
                    error <= 1e-13 * expected.abs().max(1.0),
                    "{} at {x:?}, derivative {key:?}: {found:e}, not {expected:e}",
                    M::NAME,
                );
                self.compared += 1;
            }
        }
    }
}

#[test]
fn composed_functions_agree() {
    let mut agreement = Agreement { compared: 0 };
    common::for_each_num_dual_mode(&mut agreement);
    assert!(agreement.compared > 150, "{}", agreement.compared);
}

#[test]
fn constants_have_no_derivative_part() {
    let x = DualSVec64::<2>::from_re(0.5);
    assert!(x.erf_().eps.0.is_none());
    assert!(x.hypot(x).eps.0.is_none());
}

#[test]
fn choosing_and_finiteness() {
    let x = Dual64::new(2.0, 1.0);
    let chosen = Dual64::select(x.lt_mask(Dual64::from(3.0)), x, x * f64::NAN);
    assert_eq!((chosen.re, chosen.eps), (2.0, 1.0));
    assert!(chosen.is_all_finite());
    assert!(!Dual64::new(1.0, f64::INFINITY).is_all_finite());
    assert!(!Dual2_64::new(1.0, 1.0, f64::NAN).is_all_finite());
    assert!(
        !DualSVec64::<2>::from_re(0.0)
            .derivative(1)
            .recip()
            .is_all_finite()
    );
    assert!(Dual64::sum_of([]).re.is_sign_negative());
}

/// num-dual's types are exempt from R1: where its formulas overflow, so do its values. If this fails, num-dual was mended.
#[test]
fn num_dual_is_exempt_from_primal_fidelity() {
    let tanh = Dual64::new(1000.0, 1.0).tanh();
    assert!(tanh.re.is_nan());
    assert_eq!(wengert::forward::Dual::new(1000.0, 1.0).tanh().re(), 1.0);
    assert!(Dual64::new(-2.0, 1.0).powd(Dual64::from(3.0)).re.is_nan());
}
