//! Taylor coefficients of exp(x) / sqrt(sin(x)^3 + cos(x)^3) at 1.5, to order 3 and 10.
//!
//! Invariant: all contestants deliver coefficients (derivative over factorial) from the order 0 on.

use std::hint::black_box;

use echidna::Taylor;
use num_dual::{Dual3_64, DualNum as _};

use crate::measure::{Comparison, Contestant, PLAIN, Workload, compare};

const AT: f64 = 1.5;

/// Evaluations in one timed call, so that the clock's own cost vanishes.
const EVALUATIONS: u16 = 2_000;

/// Coefficients 0 to 10, by series arithmetic and by numerical differentiation with 60 digits
/// (mpmath 1.3, November 2026; the two agree to 60 digits), rounded to f64.
const COEFFICIENTS: [f64; 11] = [
    4.497780053946162,
    4.053427893898621,
    4.731536840798301,
    5.361317418948157,
    4.064442996804963,
    5.231408288799437,
    4.980363928028795,
    4.879056773510575,
    6.291278383684428,
    5.7767350999487395,
    6.952405163058063,
];

/// Times one evaluation; order 10 is the object's own, `cases` holds both orders.
pub(crate) fn run(rounds: u32) -> Result<Comparison, String> {
    let low = compare(workload("taylor order 3", order_3(), 4), rounds)?;
    let high = compare(workload("taylor order 10", order_10(), 11), rounds)?;
    let mut comparison = high.clone();
    comparison.cases = vec![low, high];
    Ok(comparison)
}

fn workload<'a>(name: &str, contestants: Vec<Contestant<'a>>, results: usize) -> Workload<'a> {
    Workload {
        name: name.to_owned(),
        operation: "evaluation",
        operations: 1,
        evaluations: u32::from(EVALUATIONS),
        plain: Contestant::new(PLAIN, |out| {
            for _ in 0..EVALUATIONS {
                let x: f64 = black_box(AT);
                out[0] = black_box(x.exp() / (x.sin().powi(3) + x.cos().powi(3)).sqrt());
            }
        }),
        contestants,
        expected: vec![(0, COEFFICIENTS[..results].to_vec())],
        oracle: Some("mpmath, 60 digits".to_owned()),
        results,
        tolerance: 1e-11,
    }
}

fn order_3<'a>() -> Vec<Contestant<'a>> {
    let mut contestants = echidna::<4>();
    contestants.push(Contestant::new("num-dual Dual3", |out| {
        for _ in 0..EVALUATIONS {
            let x = black_box(Dual3_64::from_re(AT).derivative());
            let y = x.exp() / (x.sin().powi(3) + x.cos().powi(3)).sqrt();
            black_box(&y);
            out.copy_from_slice(&[y.re, y.v1, y.v2 / 2.0, y.v3 / 6.0]);
        }
    }));
    contestants
}

fn order_10<'a>() -> Vec<Contestant<'a>> {
    echidna::<11>()
}

/// With `powi` and, as that takes a general route, with products.
fn echidna<'a, const K: usize>() -> Vec<Contestant<'a>> {
    vec![
        Contestant::new("echidna powi", |out| {
            for _ in 0..EVALUATIONS {
                let x = black_box(Taylor::<f64, K>::variable(AT));
                let y = x.exp() / (x.sin().powi(3) + x.cos().powi(3)).sqrt();
                out.copy_from_slice(&black_box(y).coeffs);
            }
        }),
        Contestant::new("echidna products", |out| {
            for _ in 0..EVALUATIONS {
                let x = black_box(Taylor::<f64, K>::variable(AT));
                let (s, c) = x.sin_cos();
                let y = x.exp() / (s * s * s + c * c * c).sqrt();
                out.copy_from_slice(&black_box(y).coeffs);
            }
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_meet_the_table() {
        assert!(run(1).is_ok());
    }

    #[test]
    fn the_table_starts_with_the_plain_function() {
        let plain = AT.exp() / (AT.sin().powi(3) + AT.cos().powi(3)).sqrt();
        assert!((plain - COEFFICIENTS[0]).abs() < 1e-14);
    }
}
