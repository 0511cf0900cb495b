//! First derivatives with what they cost: time, time of the plain function, memory of the tape.
//!
//! Invariant: the numbers that are printed are those that were timed; nothing is estimated.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use wengert::crosscountry::{Budget, PlannedJacobian};
use wengert::program::{Program, Traced};
use wengert::reverse::{PreparedGradient, Recorder, Var};
use wengert::{Function, Mode, Scalar, ScalarFunction, jacobian, value_and_gradient_by};

use crate::error::CliError;
use crate::memory;
use crate::timing::median;

/// How a first derivative is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By carriers.
    Mode(Mode),
    /// By replaying a derivative program.
    Program,
}

impl FromStr for Way {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "program" {
            return Ok(Self::Program);
        }
        let mode: Result<Mode, String> = text.parse();
        mode.map(Self::Mode)
            .map_err(|_| format!("`{text}` is no mode; expected forward, reverse or program"))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => mode.fmt(f),
            Self::Program => f.write_str("program"),
        }
    }
}

/// A first derivative.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Derivative {
    /// Of one output: a number per input.
    Gradient(Vec<f64>),
    /// Of several outputs: triplets, row by row.
    Jacobian(Vec<(usize, usize, f64)>),
}

impl Derivative {
    /// The entries in order, without their places.
    pub(crate) fn values(&self) -> Vec<f64> {
        match self {
            Self::Gradient(entries) => entries.clone(),
            Self::Jacobian(entries) => entries.iter().map(|(_, _, value)| *value).collect(),
        }
    }
}

/// A derivative and its costs.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// The derivative.
    pub(crate) derivative: Derivative,
    /// The median time of one evaluation.
    pub(crate) seconds: f64,
    /// The size of the tape, 0 in forward mode.
    pub(crate) tape_bytes: usize,
    /// The size of the adjoints of one sweep, 0 in forward mode.
    pub(crate) adjoint_bytes: usize,
}

/// Rows of a Jacobian that the library sweeps at once.
const ROWS: usize = 8;

/// The values, and the median time of the plain function.
pub(crate) fn primal<F: Function>(
    f: &F,
    x: &[f64],
    budget: Duration,
) -> Result<(Vec<f64>, f64), CliError> {
    let mut y = vec![0.0; f.outputs(x.len())];
    let (_, seconds) = median(budget, || {
        f.eval(x, &mut y);
        Ok::<_, CliError>(())
    })?;
    Ok((y, seconds))
}

/// The gradient of a function with one output.
pub(crate) fn gradient<F: ScalarFunction + Sync>(
    f: &F,
    x: &[f64],
    mode: Mode,
    budget: Duration,
) -> Result<Measured, CliError> {
    if mode != Mode::Reverse {
        let ((_, gradient), seconds) = median(budget, || value_and_gradient_by(f, x, mode))?;
        let derivative = Derivative::Gradient(gradient);
        return Ok(Measured {
            derivative,
            seconds,
            tape_bytes: 0,
            adjoint_bytes: 0,
        });
    }
    let recorder = Recorder::new().with_limits(memory::limits());
    let (tape_bytes, adjoint_bytes) = {
        let pullback = recorder.record(|x: &[Var<f64>]| [f.call(x)], x)?;
        (pullback.tape_bytes(), pullback.adjoint_bytes())
    };
    let mut prepared = PreparedGradient::new(|x: &[Var<f64>]| f.call(x), x.len());
    let mut gradient = vec![0.0; x.len()];
    let (_, seconds) = median(budget, || prepared.gradient_into(x, &mut gradient))?;
    let derivative = Derivative::Gradient(gradient);
    Ok(Measured {
        derivative,
        seconds,
        tape_bytes,
        adjoint_bytes,
    })
}

/// The dense Jacobian.
pub(crate) fn dense<F: Function + Sync>(
    f: &F,
    x: &[f64],
    mode: Mode,
    budget: Duration,
) -> Result<Measured, CliError> {
    memory::check_dense(f.outputs(x.len()), x.len())?;
    let (tape_bytes, adjoint_bytes) = match mode {
        Mode::Reverse => {
            let recorder = Recorder::new().with_limits(memory::limits());
            let pullback = recorder.record(|x| evaluate(f, x), x)?;
            (pullback.tape_bytes(), pullback.adjoint_bytes() * ROWS)
        }
        _ => (0, 0),
    };
    let (matrix, seconds) = median(budget, || jacobian(f, x, mode))?;
    let (rows, columns) = matrix.shape();
    let mut entries = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        entries.extend((0..columns).map(|column| (row, column, matrix[(row, column)])));
    }
    let derivative = Derivative::Jacobian(entries);
    Ok(Measured {
        derivative,
        seconds,
        tape_bytes,
        adjoint_bytes,
    })
}

/// A function as a simplified program.
pub(crate) fn record<F: Function>(f: &F, x: &[f64]) -> Result<Program, CliError> {
    Ok(Program::record(|x: &[Traced]| evaluate(f, x), x)?.simplify()?)
}

/// A derivative program at a point: its results, the median time of a replay, the memory of the program and of the replay.
pub(crate) fn replay(
    program: &Program,
    x: &[f64],
    budget: Duration,
    derivative: impl FnOnce(Vec<f64>) -> Derivative,
) -> Result<Measured, CliError> {
    let mut replay = program.prepare()?;
    let values = replay.run(x)?.to_vec();
    let (_, seconds) = median(budget, || replay.run(x).map(|_| ()))?;
    Ok(Measured {
        derivative: derivative(values),
        seconds,
        tape_bytes: program.cost().program_bytes,
        adjoint_bytes: replay.memory(),
    })
}

/// The gradient of a function with one output, by a program.
pub(crate) fn program_gradient(
    program: &Program,
    x: &[f64],
    budget: Duration,
) -> Result<(Program, Measured), CliError> {
    let gradient = program.gradient()?.simplify()?;
    let measured = replay(&gradient, x, budget, Derivative::Gradient)?;
    Ok((gradient, measured))
}

/// The structural nonzeros of a Jacobian, by a program.
pub(crate) fn program_jacobian(
    program: &Program,
    x: &[f64],
    budget: Duration,
) -> Result<(Program, Measured), CliError> {
    let (jacobian, pattern) = program.sparse_jacobian()?;
    let jacobian = jacobian.simplify()?;
    let measured = sparse(&jacobian, &pattern, x, budget)?;
    Ok((jacobian, measured))
}

/// The same by the elimination order whose program has the fewest operations.
pub(crate) fn planned_jacobian(
    program: &Program,
    x: &[f64],
    budget: Duration,
) -> Result<(Program, Measured), CliError> {
    let planned = PlannedJacobian::of(program, &Budget::default())?;
    let measured = sparse(planned.program(), planned.places(), x, budget)?;
    Ok((planned.program().clone(), measured))
}

/// A program of the nonzeros of a Jacobian at a point.
pub(crate) fn sparse(
    jacobian: &Program,
    places: &[(u32, u32)],
    x: &[f64],
    budget: Duration,
) -> Result<Measured, CliError> {
    replay(jacobian, x, budget, |values| {
        let entry =
            |((row, column), value): (&(u32, u32), f64)| (*row as usize, *column as usize, value);
        let mut entries: Vec<_> = places.iter().zip(values).map(entry).collect();
        entries.sort_unstable_by_key(|(row, column, _)| (*row, *column));
        Derivative::Jacobian(entries)
    })
}

/// The results of a function in a new buffer.
pub(crate) fn evaluate<F: Function, S: Scalar>(f: &F, x: &[S]) -> Vec<S> {
    let mut y = vec![S::from(0.0); f.outputs(x.len())];
    f.eval(x, &mut y);
    y
}
