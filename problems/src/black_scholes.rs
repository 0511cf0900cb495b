//! The price of a European call option and its greeks: a gradient whose Jacobian is wanted in turn.
//!
//! Invariant: spot, strike, volatility and time are positive.
//! Source: Black & Scholes 1973; by the forward price as in Black 1976, "The pricing of commodity contracts"; the Jacobian of
//! the gradient is a task of Lohoff & Neftci 2024.

use std::f64::consts::FRAC_1_SQRT_2;

use wengert::{Function, Scalar, function, grad};

/// The probability that a standard normal number is at most `z`.
fn normal<S: Scalar>(z: S) -> S {
    ((z * FRAC_1_SQRT_2).erf_() + 1.0) * 0.5
}

/// The price of a call, by spot price, strike price, interest rate, volatility and time to expiry.
///
/// ```
/// use wengert_problems::black_scholes::call;
/// // Hull's textbook rounds it to 4.76.
/// let price = call(&[42.0, 40.0, 0.1, 0.2, 0.5]);
/// assert!((price - 4.759422392871532).abs() < 1e-13);
/// ```
/// **Shape**: five numbers. **Cost**: 24 operations. **Source**: Hull 2018, example 15.6.
pub fn call<S: Scalar>(x: &[S]) -> S {
    let (spot, strike, rate, volatility, time) = (x[0], x[1], x[2], x[3], x[4]);
    let interest = rate * time;
    let forward = interest.exp() * spot;
    let deviation = volatility * time.sqrt();
    let d1 = ((forward / strike).ln() + volatility * volatility * time * 0.5) / deviation;
    let d2 = d1 - deviation;
    (-interest).exp() * (forward * normal(d1) - strike * normal(d2))
}

/// The derivatives of [`call`]: delta, the one by the strike, rho, vega and the one by the time (minus theta).
///
/// ```
/// use wengert::Function;
/// use wengert_problems::black_scholes::Greeks;
/// let mut greeks = [0.0; 5];
/// Greeks.eval(&Greeks::x0(), &mut greeks);
/// // The price is homogeneous in spot and strike.
/// assert!((42.0 * greeks[0] + 40.0 * greeks[1] - 4.759422392871532).abs() < 1e-13);
/// ```
/// **Shape**: 5 inputs, 5 outputs. **Cost**: one recording and one sweep of [`call`]. **Source**: as the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Greeks;

impl Greeks {
    /// Hull's example.
    #[must_use]
    pub const fn x0() -> [f64; 5] {
        [42.0, 40.0, 0.1, 0.2, 0.5]
    }
}

impl Function for Greeks {
    fn inputs(&self) -> Option<usize> {
        Some(5)
    }
    fn outputs(&self, _: usize) -> usize {
        5
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        grad(function!(call)).eval(x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;

    const POINTS: [[f64; 5]; 3] = [
        Greeks::x0(),
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [90.0, 100.0, 0.01, 0.35, 1.75],
    ];

    /// d1, d2 and the density at d1.
    fn parts([s, k, r, v, t]: [f64; 5]) -> (f64, f64, f64) {
        let d1 = ((s / k).ln() + (r + v * v / 2.0) * t) / (v * t.sqrt());
        let density = (-d1 * d1 / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        (d1, d1 - v * t.sqrt(), density)
    }

    fn assert_near(found: f64, expected: f64, what: &str) {
        let difference = (found - expected).abs();
        assert!(
            difference < 1e-12 * expected.abs().max(1.0),
            "{what}: {found} {expected}"
        );
    }

    #[test]
    fn greeks_are_those_of_the_textbook() {
        for x in POINTS {
            let [s, k, r, v, t] = x;
            let (d1, d2, density) = parts(x);
            let discounted = k * (-r * t).exp();
            let theta = -s * density * v / (2.0 * t.sqrt()) - r * discounted * normal(d2);
            let expected = [
                normal(d1),
                -discounted / k * normal(d2),
                discounted * t * normal(d2),
                s * density * t.sqrt(),
                -theta,
            ];
            let mut found = [0.0; 5];
            Greeks.eval(&x, &mut found);
            for (found, expected) in found.into_iter().zip(expected) {
                assert_near(found, expected, "greek");
            }
        }
    }

    /// Call minus put is spot minus discounted strike; the put pays where the call does not.
    #[test]
    fn calls_and_puts_are_in_parity() {
        for x in POINTS {
            let [s, k, r, _, t] = x;
            let (d1, d2, _) = parts(x);
            let discounted = k * (-r * t).exp();
            let put = discounted * normal(-d2) - s * normal(-d1);
            assert_near(call(&x) - put, s - discounted, "parity");
        }
    }

    #[test]
    fn the_jacobian_holds_the_greeks_of_second_order() {
        for x in POINTS {
            let [s, _, _, v, t] = x;
            let (d1, d2, density) = parts(x);
            let j = assert_modes_agree(&Greeks, &x);
            assert_near(j[(0, 0)], density / (s * v * t.sqrt()), "gamma");
            assert_near(j[(0, 3)], -density * d2 / v, "vanna");
            assert_near(j[(3, 3)], s * density * t.sqrt() * d1 * d2 / v, "volga");
            let asymmetry = &j - j.transpose();
            assert!(asymmetry.amax() < 1e-12 * j.amax(), "{asymmetry}");
        }
    }
}
