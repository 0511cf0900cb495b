//! The checks of order two: every nesting against differences of the gradient and against the others.
//!
//! Invariant: the gradient that is differenced is that of reverse mode on plain `f64`, whose correctness
//! [`check_gradient`](super::check_gradient) establishes.

use nalgebra::DMatrix;

use super::compare::{AGREEMENT, Comparison, ROUNDING};
use super::differences::{Direction, differences};
use super::first::{
    DENSE, FULL, against_columns, against_estimate, alike, columns, dot_product, lift, products,
    same_bits,
};
use super::options::Options;
use super::report::Check;
use crate::error::Error;
use crate::hessian::{HessianMode, hessian_by, hvp};
use crate::jacobian::{Mode, evaluate, jacobian, repeat_strictly};
use crate::scalar::{Scalar, ScalarFunction};

/// All checks of a Hessian.
pub(super) fn checks<F: ScalarFunction + Sync>(
    options: &Options,
    f: &F,
    x: &[f64],
) -> Result<Vec<Check>, Error> {
    let n = x.len();
    let mut random = fastrand::Rng::with_seed(options.seed);
    let directions: Vec<Direction> = (0..options.directions)
        .map(|_| Direction::random(x, &mut random))
        .collect();
    let mut checks = nested_values(options, f, x)?;
    if n.saturating_mul(n) > DENSE {
        checks.push(symmetric_products(options, f, x, &directions)?);
        let product = |v: &Direction| Ok(product(f, x, v.entries())?.product);
        let name = "hvp = differences of the gradient";
        checks.extend(against_directions(
            options,
            f,
            x,
            &directions,
            [(name.into(), product)],
        )?);
        return Ok(checks);
    }
    let nestings = HessianMode::ALL
        .iter()
        .map(|mode| Ok((*mode, hessian_by(f, x, *mode)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let (reference, first) = &nestings[0];

    let value = evaluate(f, x)[0].abs();
    let floor = |row: usize, column: usize| value / (scale(x[row]) * scale(x[column]));
    let mut repeated = Comparison::new("repeated");
    same_bits(&mut repeated, first, &hessian_by(f, x, *reference)?);
    checks.push(repeated.finish());
    for (mode, found) in &nestings[1..] {
        let name = format!("{mode} = {reference}");
        checks.push(alike(options, name, (first, found), floor));
    }
    for (mode, found) in &nestings {
        let name = format!("{mode} is symmetric");
        checks.push(alike(options, name, (&found.transpose(), found), floor));
    }
    checks.push(matrix_products(options, f, x, (&directions, first))?);

    let name = |mode: &HessianMode| format!("{mode} = differences of the gradient");
    if n * n <= FULL {
        let columns = columns(|x| gradient(f, x), x)?;
        for (mode, found) in &nestings {
            checks.push(against_columns(options, name(mode), &columns, found));
        }
    } else {
        let products = nestings.iter().map(|(mode, hessian)| {
            let product = move |v: &Direction| Ok(times(hessian, v.entries()));
            (name(mode), product)
        });
        checks.extend(against_directions(options, f, x, &directions, products)?);
    }
    Ok(checks)
}

/// The gradient that is differenced.
fn gradient<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Result<Vec<f64>, Error> {
    Ok(jacobian(f, x, Mode::Reverse)?.iter().copied().collect())
}

/// The value and the gradient that come with a product.
struct Product {
    value: f64,
    gradient: Vec<f64>,
    product: Vec<f64>,
}

/// The product of [`hvp`] with its value and gradient, strictly where needed.
fn product<F: ScalarFunction>(f: &F, x: &[f64], v: &[f64]) -> Result<Product, Error> {
    let all = repeat_strictly(x, |x| product_with(f, x, v), |x| product_with(f, x, v))?;
    let part = |column: usize| {
        all.column(column)
            .rows(0, x.len())
            .iter()
            .copied()
            .collect()
    };
    Ok(Product {
        value: all[(x.len(), 0)],
        gradient: part(0),
        product: part(1),
    })
}

/// The gradient and the product as columns, and a last row that starts with the value.
fn product_with<F: ScalarFunction, T: Scalar>(
    f: &F,
    x: &[T],
    v: &[f64],
) -> Result<DMatrix<T>, Error> {
    let (value, gradient, product) = hvp(|x| f.call(x), x, &lift(v))?;
    let mut all = DMatrix::from_element(x.len() + 1, 2, T::from(0.0));
    all[(x.len(), 0)] = value;
    for (row, (gradient, product)) in gradient.into_iter().zip(product).enumerate() {
        (all[(row, 0)], all[(row, 1)]) = (gradient, product);
    }
    Ok(all)
}

/// Value and gradient through nested carriers, against plain `f64` and plain reverse mode.
fn nested_values<F: ScalarFunction + Sync>(
    options: &Options,
    f: &F,
    x: &[f64],
) -> Result<Vec<Check>, Error> {
    let nested = product(f, x, &vec![1.0; x.len()])?;
    let mut value = Comparison::new("value");
    let plain_value = evaluate(f, x)[0];
    value.bits((0, 0), plain_value, nested.value);
    let plain = DMatrix::from_row_slice(1, x.len(), &gradient(f, x)?);
    let found = DMatrix::from_row_slice(1, x.len(), &nested.gradient);
    Ok(vec![
        value.finish(),
        alike(options, "gradient", (&plain, &found), |_, column| {
            plain_value.abs() / scale(x[column])
        }),
    ])
}

/// The scale of an input, to which steps and directions are relative.
fn scale(x: f64) -> f64 {
    x.abs().max(1.0)
}

fn times(matrix: &DMatrix<f64>, v: &[f64]) -> Vec<f64> {
    matrix
        .row_iter()
        .map(|row| row.iter().zip(v).map(|(entry, v)| entry * v).sum())
        .collect()
}

/// The product of [`hvp`] against the Hessian times the same vector.
fn matrix_products<F: ScalarFunction>(
    options: &Options,
    f: &F,
    x: &[f64],
    (directions, hessian): (&[Direction], &DMatrix<f64>),
) -> Result<Check, Error> {
    let mut check = Comparison::new("hvp = Hessian times v").projected(true);
    let value = evaluate(f, x)[0].abs();
    for (direction, v) in directions.iter().enumerate() {
        let found = product(f, x, v.entries())?.product;
        let expected = times(hessian, v.entries());
        for (row, (expected, found)) in expected.into_iter().zip(found).enumerate() {
            let entries = hessian.row(row).transpose();
            let terms = products(entries.as_slice(), v.entries());
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            let rounding = ROUNDING * (size + value / scale(x[row]));
            let tolerance = options.factor * (AGREEMENT * expected.abs() + rounding);
            check.entry((row, direction), expected, found, tolerance);
        }
    }
    Ok(check.finish())
}

/// `<u, H v> = <v, H u>` for successive directions.
fn symmetric_products<F: ScalarFunction>(
    options: &Options,
    f: &F,
    x: &[f64],
    directions: &[Direction],
) -> Result<Check, Error> {
    let mut check = Comparison::new("hvp is symmetric").projected(true);
    let value = evaluate(f, x)[0].abs();
    for (direction, pair) in directions.windows(2).enumerate() {
        let (u, v) = (pair[0].entries(), pair[1].entries());
        let expected = products(u, &product(f, x, v)?.product);
        let found = products(v, &product(f, x, u)?.product);
        dot_product(&mut check, options, direction, (&expected, &found, value));
    }
    Ok(check.finish())
}

/// Several ways to compute `H v` against differences of the gradient along `v`.
fn against_directions<F: ScalarFunction + Sync>(
    options: &Options,
    f: &F,
    x: &[f64],
    directions: &[Direction],
    products: impl IntoIterator<Item = (String, impl Fn(&Direction) -> Result<Vec<f64>, Error>)>,
) -> Result<Vec<Check>, Error> {
    let estimates = directions
        .iter()
        .map(|v| differences(&|x: &[f64]| gradient(f, x), x, v))
        .collect::<Result<Vec<_>, Error>>()?;
    let mut checks = Vec::new();
    for (name, product) in products {
        let mut check = Comparison::new(name).projected(true);
        for (direction, v) in directions.iter().enumerate() {
            let found = product(v)?;
            for (row, (estimate, found)) in estimates[direction].iter().zip(found).enumerate() {
                against_estimate(&mut check, options, (row, direction), estimate, found);
            }
        }
        checks.push(check.finish());
    }
    Ok(checks)
}
