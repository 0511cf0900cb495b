//! First derivatives with what they cost: time, time of the plain function, memory of the tape.
//!
//! Invariant: the numbers that are printed are those that were timed; nothing is estimated.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use wengert::crosscountry::{Budget, PlannedJacobian};
use wengert::forward::{Dual, Lanes};
use wengert::hessian::HessianMode;
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
    /// The size of the tape, or of the program; 0 in forward mode.
    pub(crate) tape_bytes: usize,
    /// The size of the adjoints of one sweep, or of the registers of a replay; 0 in forward mode.
    pub(crate) adjoint_bytes: usize,
}

/// Directions that the library carries at once in forward mode.
pub(crate) const LANES: usize = 8;
/// Rows of a Jacobian that the library sweeps at once.
const ROWS: usize = 8;

/// The memory of one forward pass: its inputs and its outputs with their tangents.
pub(crate) fn forward_bytes(inputs: usize, outputs: usize) -> usize {
    (inputs + outputs).saturating_mul(size_of::<Lanes<f64, LANES>>())
}

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

/// The memory that a Hessian keeps at once: its tape and one sweep of adjoints, or the numbers of its passes.
///
/// Nothing for nestings that this version does not know.
pub(crate) fn hessian_bytes<F: ScalarFunction>(
    f: &F,
    x: &[f64],
    mode: HessianMode,
) -> Result<Option<usize>, CliError> {
    let recorder = Recorder::new().with_limits(memory::limits());
    let lanes = |x: &f64| Lanes::<f64, LANES>::new(*x, [1.0; LANES]);
    Ok(Some(match mode {
        HessianMode::ForwardOverReverse => {
            let x: Vec<Lanes<f64, LANES>> = x.iter().map(lanes).collect();
            let tape = recorder.record(|x| [f.call(x)], &x)?;
            tape.tape_bytes() + tape.adjoint_bytes()
        }
        HessianMode::ReverseOverReverse => {
            let mut inner = Ok(());
            let rows = |x: &[Var<f64>]| {
                wengert::reverse::gradient(|x| f.call(x), x).unwrap_or_else(|error| {
                    inner = Err(error);
                    Vec::new()
                })
            };
            let tape = recorder.record(rows, x)?;
            let bytes = tape.tape_bytes() + ROWS * tape.adjoint_bytes();
            inner?;
            bytes
        }
        HessianMode::ReverseOverForward => {
            let tangents = |x: &[Var<f64>]| {
                let one = [Var::constant(1.0); LANES];
                let x: Vec<Lanes<Var<f64>, LANES>> =
                    x.iter().map(|x| Lanes::new(*x, one)).collect();
                f.call(&x).tangents
            };
            let tape = recorder.record(tangents, x)?;
            tape.tape_bytes() + ROWS * tape.adjoint_bytes()
        }
        HessianMode::ForwardOverForward => {
            (x.len() + 1).saturating_mul(size_of::<Lanes<Dual<f64>, LANES>>())
        }
        _ => return Ok(None),
    }))
}

/// The memory of one product with the Hessian.
pub(crate) fn product_bytes<F: ScalarFunction>(
    f: &F,
    x: &[f64],
    v: &[f64],
) -> Result<usize, CliError> {
    let recorder = Recorder::new().with_limits(memory::limits());
    let x: Vec<Dual<f64>> = x.iter().zip(v).map(|(x, v)| Dual::new(*x, *v)).collect();
    let tape = recorder.record(|x| [f.call(x)], &x)?;
    Ok(tape.tape_bytes() + tape.adjoint_bytes())
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
