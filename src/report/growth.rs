//! [`growth()`]: the exponents with which costs grow.
//!
//! Invariant: an exponent is fitted to exact counts, so it is the same on every machine.
//! Source: least squares on logarithms; Griewank & Walther 2008, §4.5.

use std::fmt;

use serde::Serialize;

use super::{CostReport, number};
use crate::error::Error;

/// How costs grow with a size; made by [`growth()`].
///
/// **Shape**: one row per mode that every size has.
/// **Cost**: one number per mode and size.
/// **Source**: Griewank & Walther 2008, §4.5.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Growth {
    /// The sizes.
    pub sizes: Vec<usize>,
    /// The modes.
    pub modes: Vec<ModeGrowth>,
}

/// How one mode grows.
///
/// **Shape**: one count per size.
/// **Cost**: as [`Growth`].
/// **Source**: as [`Growth`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModeGrowth {
    /// The name of the mode.
    pub mode: String,
    /// The scalar operations at every size.
    pub flops: Vec<u64>,
    /// The slope of log operations over log size; NaN if there are not two different sizes with operations.
    #[serde(serialize_with = "number")]
    pub exponent: f64,
    /// The slope of log bytes over log size.
    #[serde(serialize_with = "number")]
    pub memory_exponent: f64,
}

/// The exponents with which the costs of a family of functions grow.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::{cost, growth};
/// fn products<S: Scalar>(x: &[S]) -> S {
///     x.iter().fold(S::from(1.0), |product, x| product * *x)
/// }
/// let growth = growth(&[8, 16, 32], |n| cost(&function!(products), &vec![1.5; n]))?;
/// let exponent = |mode: &str| growth.modes.iter().find(|row| row.mode == mode).map(|row| row.exponent.round());
/// // The gradient costs a few values, the Jacobian in forward mode a few values per eight inputs.
/// assert_eq!((exponent("gradient"), exponent("jacobian, forward")), (Some(1.0), Some(2.0)));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `sizes` in any order; `at` makes the report of a size.
/// **Cost**: one report per size.
///
/// # Errors
/// Those of `at`.
///
/// **Source**: least squares on logarithms.
pub fn growth(
    sizes: &[usize],
    at: impl FnMut(usize) -> Result<CostReport, Error>,
) -> Result<Growth, Error> {
    let reports: Vec<CostReport> = sizes.iter().copied().map(at).collect::<Result<_, _>>()?;
    let names = reports.first().map_or(&[][..], |report| &report.modes);
    let row = |name: &str| {
        let rows: Option<Vec<_>> = reports.iter().map(|report| report.mode(name)).collect();
        let rows = rows?;
        // Logarithms do not show what is lost above 2^53.
        let points = |cost: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
            let pairs = sizes.iter().enumerate().map(|(i, n)| (*n as f64, cost(i)));
            pairs.collect()
        };
        Some(ModeGrowth {
            mode: name.into(),
            flops: rows.iter().map(|row| row.operations.flops).collect(),
            exponent: exponent(&points(&|i| rows[i].operations.flops as f64)),
            memory_exponent: exponent(&points(&|i| rows[i].bytes as f64)),
        })
    };
    Ok(Growth {
        sizes: sizes.to_vec(),
        modes: names.iter().filter_map(|mode| row(&mode.mode)).collect(),
    })
}

/// The slope of log `y` over log `x` by least squares, over the points where both are positive.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let positive = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0);
    let logs: Vec<(f64, f64)> = positive.map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let (over, under) = logs.iter().fold((0.0, 0.0), |(over, under), (x, y)| {
        let dx = x - mean_x;
        (over + dx * (y - mean_y), under + dx * dx)
    });
    if under > 0.0 { over / under } else { f64::NAN }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mode in &self.modes {
            writeln!(
                f,
                "{:<20} operations ~ n^{:.2}, bytes ~ n^{:.2}",
                mode.mode, mode.exponent, mode.memory_exponent
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_of_powers_are_exact_to_rounding() {
        let cubes: Vec<(f64, f64)> = [1.0, 2.0, 5.0].map(|x: f64| (x, 7.0 * x.powi(3))).into();
        assert!((exponent(&cubes) - 3.0).abs() < 1e-14);
        assert!(exponent(&[(2.0, 1.0), (2.0, 3.0)]).is_nan());
        assert!(exponent(&[(0.0, 1.0), (2.0, 0.0), (4.0, 4.0)]).is_nan());
        assert!(exponent(&[]).is_nan());
    }
}
