//! The sparse Jacobian of bundle adjustment: one block of 2 x 15 per observation, never a dense matrix.
//!
//! Invariant: the entries are exactly those of the problem's pattern, row by row; numeric zeros stay (EDGE_CASES e82).
//! Source: Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective BA.

use std::time::Duration;

use wengert::forward::Lanes;
use wengert::reverse::{Pullback, Var};
use wengert::{Error, Function, Mode, Scalar, jacobian};
use wengert_problems::ProblemError;
use wengert_problems::bundle_adjustment::{
    BundleAdjustment, CAMERA, OBSERVATION, POINT, residual, weight_residual,
};
use wengert_problems::registry::{SEED, Source, find};

use crate::error::CliError;
use crate::measure::{Derivative, Measured};
use crate::timing::median;

/// Whether the problem has a Jacobian that is computed here.
pub(crate) fn applies(problem: &str) -> bool {
    problem == "ba"
}

/// The instance that the registry would make, as its own type.
pub(crate) fn instance(source: &Source) -> Result<BundleAdjustment, CliError> {
    let sizes = match source {
        Source::Data(path) => return Ok(BundleAdjustment::from_path(path)?),
        Source::Sizes(sizes) => sizes.as_slice(),
        Source::Default => find("ba")?.default_sizes,
    };
    match sizes {
        &[cameras, points, observations] => Ok(BundleAdjustment::generate(
            cameras,
            points,
            observations,
            SEED,
        )?),
        _ => Err(ProblemError::Size {
            problem: "ba",
            expected: "three sizes",
            found: sizes.into(),
        }
        .into()),
    }
}

/// One observation: its camera, point and weight to its two residuals and that of the weight.
struct Observation {
    feature: [f64; 2],
}

impl Function for Observation {
    fn inputs(&self) -> Option<usize> {
        Some(OBSERVATION)
    }
    fn outputs(&self, _: usize) -> usize {
        3
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let (camera, rest) = x.split_at(CAMERA);
        let (point, weight) = rest.split_at(POINT);
        [y[0], y[1]] = residual(camera, point, weight[0], &self.feature);
        y[2] = weight_residual(weight[0]);
    }
}

/// The derivatives of one observation: two full rows and the only entry of the third.
type Block = ([[f64; OBSERVATION]; 2], f64);

/// All blocks, and the peak memory of tape and adjoints.
fn blocks(
    f: &BundleAdjustment,
    x: &[f64],
    mode: Mode,
    out: &mut Vec<Block>,
) -> Result<(usize, usize), Error> {
    let mut peak = (0, 0);
    out.clear();
    for (i, feature) in f.features().iter().enumerate() {
        let observation = Observation { feature: *feature };
        let at = f.columns(i).map(|column| x[column]);
        let block = if mode == Mode::Reverse {
            let (block, bytes) = reverse(&observation, &at)?;
            peak = (peak.0.max(bytes.0), peak.1.max(bytes.1));
            block
        } else {
            forward(&observation, &at)?
        };
        out.push(block);
    }
    Ok(peak)
}

/// One pass with a lane per input; the lane that is left over stays zero.
fn forward(observation: &Observation, at: &[f64; OBSERVATION]) -> Result<Block, Error> {
    let x: [Lanes<f64, { OBSERVATION + 1 }>; OBSERVATION] =
        std::array::from_fn(|i| Lanes::variable(at[i], i));
    let mut y = [Lanes::constant(0.0); 3];
    observation.eval(&x, &mut y);
    let row = |row: usize| std::array::from_fn(|column| y[row].tangents[column]);
    let block = ([row(0), row(1)], y[2].tangents[OBSERVATION - 1]);
    if y.iter().all(Scalar::is_all_finite) {
        Ok(block)
    } else {
        strict(observation, at)
    }
}

/// Repeats an observation whose derivatives are not finite with strict zeros (EDGE_CASES R3).
#[cold]
fn strict(observation: &Observation, at: &[f64; OBSERVATION]) -> Result<Block, Error> {
    let matrix = jacobian(observation, at, Mode::Forward)?;
    let row = |row: usize| std::array::from_fn(|column| matrix[(row, column)]);
    Ok(([row(0), row(1)], matrix[(2, OBSERVATION - 1)]))
}

/// One recording and a sweep of three rows.
fn reverse(
    observation: &Observation,
    at: &[f64; OBSERVATION],
) -> Result<(Block, (usize, usize)), Error> {
    let evaluate = |x: &[Var<f64>]| {
        let mut y = [Var::constant(0.0); 3];
        observation.eval(x, &mut y);
        y
    };
    let pullback = Pullback::record(evaluate, at)?;
    let matrix = pullback.jacobian()?;
    let row = |row: usize| std::array::from_fn(|column| matrix[(row, column)]);
    let block = ([row(0), row(1)], matrix[(2, OBSERVATION - 1)]);
    // The library sweeps eight rows at once, used or not.
    Ok((block, (pullback.tape_bytes(), 8 * pullback.adjoint_bytes())))
}

/// The sparse Jacobian with its costs.
pub(crate) fn measure(
    f: &BundleAdjustment,
    x: &[f64],
    mode: Mode,
    budget: Duration,
) -> Result<Measured, CliError> {
    let mut all = Vec::with_capacity(f.observations());
    let ((tape_bytes, adjoint_bytes), seconds) = median(budget, || blocks(f, x, mode, &mut all))?;
    let mut entries = Vec::with_capacity((2 * OBSERVATION + 1) * all.len());
    for (i, (rows, _)) in all.iter().enumerate() {
        let columns = f.columns(i);
        for (r, row) in rows.iter().enumerate() {
            entries.extend(
                columns
                    .iter()
                    .zip(row)
                    .map(|(column, v)| (2 * i + r, *column, *v)),
            );
        }
    }
    for (i, (_, weight)) in all.iter().enumerate() {
        entries.push((2 * all.len() + i, f.weight_column(i), *weight));
    }
    let derivative = Derivative::Jacobian(entries);
    Ok(Measured {
        derivative,
        seconds,
        tape_bytes,
        adjoint_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_the_nonzeros_of_the_dense_jacobian() {
        let f = BundleAdjustment::generate(2, 3, 5, 7).unwrap();
        let x = f.x0();
        let dense = jacobian(&f, &x, Mode::Forward).unwrap();
        let (starts, columns) = f.jacobian_pattern();
        for mode in Mode::ALL {
            let measured = measure(&f, &x, mode, Duration::ZERO).unwrap();
            let Derivative::Jacobian(entries) = measured.derivative else {
                panic!("many outputs")
            };
            assert_eq!(entries.len(), columns.len());
            let mut rest = dense.clone();
            for (at, (row, column, value)) in entries.iter().enumerate() {
                assert_eq!(*column, columns[at]);
                assert!((starts[*row]..starts[row + 1]).contains(&at));
                let expected = dense[(*row, *column)];
                assert!(
                    (value - expected).abs() <= 1e-12 * expected.abs(),
                    "{mode} {row} {column}"
                );
                rest[(*row, *column)] = 0.0;
            }
            assert!(rest.iter().all(|entry| *entry == 0.0));
        }
    }

    #[test]
    fn an_observation_without_depth_is_as_strict_as_the_library() {
        let observation = Observation {
            feature: [1.0, 2.0],
        };
        let mut at = [0.0; OBSERVATION];
        at[6] = 10.0;
        at[OBSERVATION - 1] = 0.5;
        let (rows, weight) = forward(&observation, &at).unwrap();
        assert_eq!(weight, -1.0);
        assert!(rows[0].iter().any(|entry| !entry.is_finite()));
    }
}
