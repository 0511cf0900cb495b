//! The checks of order one: values, determinism, both modes against each other and against differences.
//!
//! Invariant: the Jacobian is built only where it is small enough to compare entry by entry; else only products with random
//! vectors are computed.

use nalgebra::DMatrix;

use super::compare::{AGREEMENT, Comparison, ROUNDING};
use super::differences::{Direction, Estimate, differences, signed_unit};
use super::options::Options;
use super::report::Check;
use crate::error::Error;
use crate::forward::{Lanes, SWEEP, jvp, seed_lanes};
use crate::jacobian::{Mode, evaluate, jacobian, repeat_strictly};
use crate::reverse::{Pullback, vjp};
use crate::scalar::{Function, Scalar};

/// Entries up to which differences form the full Jacobian (EDGE_CASES t3).
pub(super) const FULL: usize = 400;

/// Entries up to which two derivatives are compared entry by entry: 65536 / 8 forward passes at most.
pub(super) const DENSE: usize = 1 << 16;

/// All checks of a Jacobian.
pub(super) fn checks<F: Function + Sync>(
    options: &Options,
    f: &F,
    x: &[f64],
) -> Result<Vec<Check>, Error> {
    let (n, m) = (x.len(), f.outputs(x.len()));
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut checks = vec![values(f, x)?];
    let small = n.saturating_mul(m) <= FULL;
    if n.saturating_mul(m) <= DENSE {
        let forward = jacobian(f, x, Mode::Forward)?;
        let reverse = jacobian(f, x, Mode::Reverse)?;
        checks.push(repeated(f, x, [&forward, &reverse])?);
        let y = evaluate(f, x);
        let floor = |row: usize, column: usize| y[row].abs() / x[column].abs().max(1.0);
        let name = "forward = reverse";
        checks.push(alike(options, name, (&reverse, &forward), floor));
        checks.push(dot_products(options, f, x, &mut random)?);
        if small {
            let columns = columns(|x| Ok(evaluate(f, x)), x)?;
            for (mode, found) in [("forward", &forward), ("reverse", &reverse)] {
                let name = format!("{mode} = differences");
                checks.push(against_columns(options, name, &columns, found));
            }
        }
    } else {
        checks.push(repeated_products(f, x, &mut random)?);
        checks.push(dot_products(options, f, x, &mut random)?);
    }
    if !small {
        checks.extend(projections(options, f, x, &mut random)?);
    }
    Ok(checks)
}

/// The values through every carrier against those of plain `f64`.
fn values<F: Function>(f: &F, x: &[f64]) -> Result<Check, Error> {
    let plain = evaluate(f, x);
    let mut check = Comparison::new("value");
    let (dual, _) = jvp(|x| evaluate(f, x), x, &vec![1.0; x.len()])?;
    let lanes = evaluate(f, &seed_lanes::<f64, SWEEP>(x, 0));
    let lanes = lanes.iter().map(|y: &Lanes<f64, SWEEP>| y.value).collect();
    let recorded = Pullback::record(|x| evaluate(f, x), x)?;
    for carrier in [dual, lanes, recorded.values().to_vec()] {
        for (row, (plain, found)) in plain.iter().zip(carrier).enumerate() {
            check.bits((row, 0), *plain, found);
        }
    }
    Ok(check.finish())
}

/// A second evaluation and a second derivative in each mode against the first ones.
fn repeated<F: Function + Sync>(
    f: &F,
    x: &[f64],
    [forward, reverse]: [&DMatrix<f64>; 2],
) -> Result<Check, Error> {
    let mut check = Comparison::new("repeated");
    for (row, (y, again)) in evaluate(f, x).into_iter().zip(evaluate(f, x)).enumerate() {
        check.bits((row, 0), y, again);
    }
    same_bits(&mut check, forward, &jacobian(f, x, Mode::Forward)?);
    same_bits(&mut check, reverse, &jacobian(f, x, Mode::Reverse)?);
    Ok(check.finish())
}

/// The same with products where the Jacobian is too large.
fn repeated_products<F: Function>(
    f: &F,
    x: &[f64],
    random: &mut fastrand::Rng,
) -> Result<Check, Error> {
    let mut check = Comparison::new("repeated").projected(true);
    let plain = [evaluate(f, x), evaluate(f, x)];
    let v = Direction::random(x, random);
    let w = cotangent(plain[0].len(), random);
    let tangents = [push(f, x, v.entries())?, push(f, x, v.entries())?];
    let cotangents = [pull(f, x, &w)?, pull(f, x, &w)?];
    for [first, again] in [plain, tangents, cotangents] {
        for (row, (first, again)) in first.into_iter().zip(again).enumerate() {
            check.bits((row, 0), first, again);
        }
    }
    Ok(check.finish())
}

pub(super) fn same_bits(check: &mut Comparison, first: &DMatrix<f64>, again: &DMatrix<f64>) {
    for column in 0..first.ncols() {
        for row in 0..first.nrows() {
            let place = (row, column);
            check.bits(place, first[place], again[place]);
        }
    }
}

/// Two derivatives by different routes, entry by entry, up to the rounding errors of either.
///
/// `floor` is the size that terms may have had which cancelled: the value's, over the scale of the input.
pub(super) fn alike(
    options: &Options,
    name: impl Into<String>,
    (expected, found): (&DMatrix<f64>, &DMatrix<f64>),
    floor: impl Fn(usize, usize) -> f64,
) -> Check {
    let mut check = Comparison::new(name);
    for (row, entries) in expected.row_iter().enumerate() {
        let largest = entries.iter().fold(0.0, |m: f64, entry| m.max(entry.abs()));
        for (column, expected) in entries.iter().enumerate() {
            let rounding = ROUNDING * (largest + floor(row, column));
            let tolerance = options.factor * (AGREEMENT * expected.abs() + rounding);
            check.entry((row, column), *expected, found[(row, column)], tolerance);
        }
    }
    check.finish()
}

/// `<w, J v>` by forward mode against `<Jᵀ w, v>` by reverse mode.
fn dot_products<F: Function>(
    options: &Options,
    f: &F,
    x: &[f64],
    random: &mut fastrand::Rng,
) -> Result<Check, Error> {
    let mut check = Comparison::new("dot product").projected(true);
    let y = evaluate(f, x);
    if x.is_empty() || y.is_empty() {
        return Ok(check.finish());
    }
    for direction in 0..options.directions {
        let v = Direction::random(x, random);
        let w = cotangent(y.len(), random);
        let forward = products(&w, &push(f, x, v.entries())?);
        let reverse = products(v.entries(), &pull(f, x, &w)?);
        let floor: f64 = products(&w, &y).iter().map(|term| term.abs()).sum();
        dot_product(&mut check, options, direction, (&forward, &reverse, floor));
    }
    Ok(check.finish())
}

/// Compares two sums up to their rounding errors.
pub(super) fn dot_product(
    check: &mut Comparison,
    options: &Options,
    direction: usize,
    (expected, found, floor): (&[f64], &[f64], f64),
) {
    let size = expected
        .iter()
        .chain(found)
        .fold(floor, |sum, term| sum + term.abs());
    let terms: f64 = expected.iter().chain(found).map(|_| f64::EPSILON).sum();
    let tolerance = options.factor * (ROUNDING + terms) * size;
    check.entry(
        (0, direction),
        expected.iter().sum(),
        found.iter().sum(),
        tolerance,
    );
}

pub(super) fn products(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

fn cotangent(outputs: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    (0..outputs).map(|_| signed_unit(random)).collect()
}

/// The difference estimates of a full Jacobian, column by column.
pub(super) fn columns(
    f: impl Fn(&[f64]) -> Result<Vec<f64>, Error>,
    x: &[f64],
) -> Result<Vec<Vec<Estimate>>, Error> {
    (0..x.len())
        .map(|axis| differences(&f, x, &Direction::axis(x, axis)))
        .collect()
}

/// A derivative against differences, entry by entry.
pub(super) fn against_columns(
    options: &Options,
    name: impl Into<String>,
    columns: &[Vec<Estimate>],
    found: &DMatrix<f64>,
) -> Check {
    let mut check = Comparison::new(name);
    for (column, estimates) in columns.iter().enumerate() {
        for (row, estimate) in estimates.iter().enumerate() {
            let place = (row, column);
            against_estimate(&mut check, options, place, estimate, found[place]);
        }
    }
    check.finish()
}

pub(super) fn against_estimate(
    check: &mut Comparison,
    options: &Options,
    place: (usize, usize),
    estimate: &Estimate,
    found: f64,
) {
    if let Some(within) = estimate.kink {
        check.kink(place, within);
    }
    let tolerance = options.factor * (estimate.error + AGREEMENT * estimate.value.abs());
    check.entry(place, estimate.value, found, tolerance);
}

/// Differences along random directions against `J v` and, weighted at random, against `<Jᵀ w, v>`.
fn projections<F: Function>(
    options: &Options,
    f: &F,
    x: &[f64],
    random: &mut fastrand::Rng,
) -> Result<[Check; 2], Error> {
    let mut forward = Comparison::new("forward = differences").projected(true);
    let mut reverse = Comparison::new("reverse = differences").projected(true);
    for direction in 0..options.directions {
        let v = Direction::random(x, random);
        let estimates = differences(&|x: &[f64]| Ok(evaluate(f, x)), x, &v)?;
        let tangents = push(f, x, v.entries())?;
        for (row, (estimate, found)) in estimates.iter().zip(tangents).enumerate() {
            against_estimate(&mut forward, options, (row, direction), estimate, found);
        }
        let w = cotangent(estimates.len(), random);
        let terms = products(v.entries(), &pull(f, x, &w)?);
        let size: f64 = terms.iter().map(|term| term.abs()).sum();
        let errors = w.iter().zip(&estimates).map(|(w, e)| w.abs() * e.error);
        let kinks = estimates.iter().enumerate();
        if let Some((row, within)) = kinks.filter_map(|(row, e)| Some((row, e.kink?))).next() {
            reverse.kink((row, direction), within);
        }
        let expected: f64 = w.iter().zip(&estimates).map(|(w, e)| w * e.value).sum();
        let tolerance =
            options.factor * (errors.sum::<f64>() + AGREEMENT * expected.abs() + ROUNDING * size);
        reverse.entry((0, direction), expected, terms.iter().sum(), tolerance);
    }
    Ok([forward.finish(), reverse.finish()])
}

/// `J v` by forward mode, strictly where needed.
fn push<F: Function>(f: &F, x: &[f64], v: &[f64]) -> Result<Vec<f64>, Error> {
    let tangents = repeat_strictly(x, |x| push_with(f, x, v), |x| push_with(f, x, v))?;
    Ok(tangents.iter().copied().collect())
}

fn push_with<F: Function, T: Scalar>(f: &F, x: &[T], v: &[f64]) -> Result<DMatrix<T>, Error> {
    let (_, tangents) = jvp(|x| evaluate(f, x), x, &lift(v))?;
    Ok(DMatrix::from_vec(tangents.len(), 1, tangents))
}

/// `Jᵀ w` by reverse mode, strictly where needed.
fn pull<F: Function>(f: &F, x: &[f64], w: &[f64]) -> Result<Vec<f64>, Error> {
    let adjoints = repeat_strictly(x, |x| pull_with(f, x, w), |x| pull_with(f, x, w))?;
    Ok(adjoints.iter().copied().collect())
}

fn pull_with<F: Function, T: Scalar>(f: &F, x: &[T], w: &[f64]) -> Result<DMatrix<T>, Error> {
    let (_, adjoints) = vjp(|x| evaluate(f, x), x, &lift(w))?;
    Ok(DMatrix::from_vec(adjoints.len(), 1, adjoints))
}

pub(super) fn lift<T: Scalar>(values: &[f64]) -> Vec<T> {
    values.iter().map(|value| T::from(*value)).collect()
}
