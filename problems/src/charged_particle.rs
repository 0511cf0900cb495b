//! A charged particle steered by one number: a derivative inside a simulation inside Newton's method.
//!
//! A particle flies in the plane, repelled by two charges; one of them is moved along the second axis by the control
//! `w`. The force is the derivative of a potential, and Newton's method needs two more derivatives through it.
//!
//! Invariant: nothing is differentiated by hand; every derivative is a nesting of carriers.
//! Source: Siskind & Pearlmutter 2008, "Nesting forward-mode AD in a functional framework" (examples `particle`).

use wengert::prelude::*;
use wengert::{Scalar, ScalarFunction};

/// The length of a step of Euler's method.
const TIME_STEP: f64 = 0.1;
/// A flight that has not crossed the axis after so many steps never will.
const MOST_STEPS: usize = 10_000;
/// Newton's method ends when the error is below this.
const SMALLEST_ERROR: f64 = 1e-5;
/// Newton's method ends after so many points.
const MOST_POINTS: usize = 50;

/// The potential at a place, for the control `w`.
///
/// ```
/// use wengert_problems::charged_particle::potential;
/// assert_eq!(potential(0.0, [10.0, 5.0]), 0.4);
/// ```
/// **Shape**: a place in the plane. **Cost**: two norms. **Source**: as the module.
pub fn potential<S: Scalar>(w: S, place: [S; 2]) -> S {
    let across = place[0] - 10.0;
    let moved = across.hypot(place[1] + w - 10.0);
    let fixed = across.hypot(place[1]);
    moved.recip() + fixed.recip()
}

/// The square of where the particle crosses the first axis; the control is to make it 0.
///
/// The flight starts at (0, 8) with velocity (0.75, 0), takes steps of 0.1 until the second coordinate is no longer
/// positive, and goes back to the crossing on the tangent there. NaN if the particle never comes down.
///
/// **Shape**: a number. **Cost**: some hundred steps of two potentials with one tangent.
/// **Source**: as the module.
pub fn miss<S: Scalar>(w: S) -> S {
    let mut place = [S::from(0.0), S::from(8.0)];
    let mut velocity = [S::from(0.75), S::from(0.0)];
    for _ in 0..MOST_STEPS {
        let field = [0, 1].map(|axis| {
            let mut seeded = place.map(Dual::constant);
            seeded[axis] = Dual::new(place[axis], S::from(1.0));
            -potential(Dual::constant(w), seeded).tangent
        });
        place = [0, 1].map(|axis| place[axis] + velocity[axis] * TIME_STEP);
        velocity = [0, 1].map(|axis| velocity[axis] + field[axis] * TIME_STEP);
        if place[1] <= S::from(0.0) {
            let crossing = place[0] - place[1] / velocity[1] * velocity[0];
            return crossing * crossing;
        }
    }
    w * f64::NAN
}

/// One point of Newton's method: the control, the error there and its derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewtonPoint {
    /// The control.
    pub w: f64,
    /// [`miss`] there.
    pub error: f64,
    /// Its derivative.
    pub slope: f64,
}

/// Newton's method for a minimum of [`miss`] from the control `start`.
///
/// ```
/// use wengert_problems::charged_particle::steer;
/// let path = steer(0.0);
/// assert_eq!(path.len(), 4);
/// assert!((path[3].w + 0.2665336865495778).abs() < 1e-12);
/// ```
/// **Shape**: all points that were visited, the last one accepted. **Cost**: per point one flight to third order.
/// **Source**: as the module.
pub fn steer(start: f64) -> Vec<NewtonPoint> {
    let mut path = Vec::new();
    let mut w = start;
    loop {
        let seeded = Dual::new(Dual::new(w, 1.0), Dual::constant(1.0));
        let error = miss(seeded);
        path.push(NewtonPoint {
            w,
            error: error.value.value,
            slope: error.value.tangent,
        });
        if error.value.value < SMALLEST_ERROR || path.len() == MOST_POINTS {
            return path;
        }
        w -= error.value.tangent / error.tangent.tangent;
    }
}

/// [`miss`] as a function object of one input.
#[derive(Clone, Copy, Debug)]
pub struct ChargedParticle;

impl ScalarFunction for ChargedParticle {
    fn inputs(&self) -> Option<usize> {
        Some(1)
    }
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        miss(x[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_that_never_ends_is_nan() {
        assert!(miss(f64::NAN).is_nan());
        let lost = miss(Dual::new(f64::NAN, 1.0));
        assert!(lost.value.is_nan() && lost.tangent.is_nan());
    }
}
