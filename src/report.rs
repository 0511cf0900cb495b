//! Exact cost reports of a function: operations of every kind, multiply-adds, memory, and how they grow with the size.
//!
//! A mode is counted by running it on numbers that record what is done to them. Seeds are inputs of that recording, so no
//! multiplication by a seed is folded away, and nothing is simplified: the counts are those of the mode as it runs.
//!
//! - [`cost`]: a function object in every mode; [`operations()`]: in one of them;
//! - [`program_cost`]: a recorded program and its derivative programs;
//! - [`growth()`]: the exponents with which costs grow;
//! - [`RULE_COSTS`]: what one operation of every kind costs in every mode.
//!
//! Invariant: a count is the number of operations that run, never an estimate; it is the same on every machine.
//!
//! **Source**: Griewank & Walther 2008, §3 and §4.5 (operations as the measure of cost, bounds of the modes).

mod count;
mod growth;
mod modes;
mod rules;

use std::fmt;

use serde::{Serialize, Serializer};

pub use count::Operations;
pub use growth::{Growth, ModeGrowth, growth};
pub use modes::{Pass, operations};
pub use rules::{RULE_COSTS, RuleCost};

use crate::crosscountry::{Budget, PlannedJacobian};
use crate::error::Error;
use crate::forward::{Dual, Lanes, SWEEP};
use crate::jacobian::{Mode, check_inputs, evaluate};
use crate::program::Program;
use crate::reverse::{Pullback, Var};
use crate::scalar::Function;

/// The most entries of a Jacobian or Hessian that [`program_cost`] differentiates for.
const MOST_ENTRIES: usize = 4_000_000;

/// The costs of a function in every mode; made by [`cost`] and [`program_cost`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::cost;
/// fn product<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let report = cost(&function!(product), &[3.0, 4.0])?;
/// // The value, its derivative in one direction, all its first partials: 1, 4 and 3 operations.
/// let flops = |mode| report.mode(mode).map(|row| row.operations.flops);
/// assert_eq!((flops("value"), flops("jvp"), flops("gradient")), (Some(1), Some(4), Some(3)));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: the first row is the value. In JSON a number that is not finite is the string `"NaN"`, `"inf"` or `"-inf"`
/// (EDGE_CASES e75).
/// **Cost**: one entry per mode and kind of operation.
/// **Source**: Griewank & Walther 2008, §4.5.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CostReport {
    /// The number of inputs.
    pub inputs: usize,
    /// The number of outputs.
    pub outputs: usize,
    /// One row per mode, the value first.
    pub modes: Vec<ModeCost>,
}

/// What one mode costs.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::cost;
/// fn square<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[0]
/// }
/// let report = cost(&function!(square), &[3.0])?;
/// let gradient = report.mode("gradient").expect("there is one output");
/// assert_eq!((gradient.operations.kind("mul"), gradient.operations.kind("add")), (3, 1));
/// assert_eq!(gradient.ratio, 4.0);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: operations include those of the value.
/// **Cost**: one entry per kind of operation.
/// **Source**: Griewank & Walther 2008, §4.5.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModeCost {
    /// The name: `value`, `jvp`, `gradient`, `vjp`, `jacobian, forward`, `jacobian, reverse`, `hvp`, or one of the caller's.
    pub mode: String,
    /// The operations of all passes, the value included.
    pub operations: Operations,
    /// Operations relative to those of the value; NaN if the value has none.
    #[serde(serialize_with = "number")]
    pub ratio: f64,
    /// The memory that the mode keeps beside the function's own, in bytes: seeds and results of forward passes, the tape and
    /// the adjoints of reverse ones, the program and the registers of its replay.
    pub bytes: usize,
}

impl CostReport {
    fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            modes: Vec::new(),
        }
    }

    /// The row of a mode.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::report::cost;
    /// fn f<S: Scalar>(x: &[S]) -> S {
    ///     x[0].sin()
    /// }
    /// let report = cost(&function!(f), &[1.0])?;
    /// assert_eq!(report.mode("value").map(|row| row.operations.kind("sin")), Some(1));
    /// assert!(report.mode("planned").is_none());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: a look at every row.
    #[must_use]
    pub fn mode(&self, name: &str) -> Option<&ModeCost> {
        self.modes.iter().find(|row| row.mode == name)
    }

    /// Adds a row of counted operations and the memory that they need; this is how other ways to differentiate, such as a
    /// planned elimination order, enter a report.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// use wengert::report::{Operations, cost};
    /// fn product<S: Scalar>(x: &[S]) -> S {
    ///     x[0] * x[1]
    /// }
    /// let x = [3.0, 4.0];
    /// let derived = Program::record(|x| [product(x)], &x)?.gradient()?.simplify()?;
    /// let mut report = cost(&function!(product), &x)?;
    /// report.push("planned", Operations::of(&derived), derived.cost().program_bytes);
    /// // The partials of a product are its factors.
    /// assert_eq!(report.mode("planned").map(|row| row.operations.flops), Some(0));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: names may repeat; [`mode`](Self::mode) finds the first.
    /// **Cost**: one row.
    pub fn push(&mut self, mode: impl Into<String>, operations: Operations, bytes: usize) {
        let value = self
            .modes
            .first()
            .map_or(operations.flops, |row| row.operations.flops);
        let ratio = ratio(operations.flops, value);
        self.modes.push(ModeCost {
            mode: mode.into(),
            operations,
            ratio,
            bytes,
        });
    }
}

impl CostReport {
    /// Adds the row `jacobian, planned`: the Jacobian by the elimination order whose program has the fewest operations.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// use wengert::report::cost;
    /// // Everything passes through one number.
    /// fn waist<S: Scalar>(x: &[S], y: &mut [S]) {
    ///     let waist = (x[0] * x[1] * x[2]).sin();
    ///     (y[0], y[1], y[2]) = (waist.exp(), waist.tanh(), waist.atan());
    /// }
    /// let (f, x) = (function!(waist => 3), [0.5, 1.5, 2.5]);
    /// let mut report = cost(&f, &x)?;
    /// report.push_planned(&Program::record(|x| { let mut y = [x[0]; 3]; f.eval(x, &mut y); y }, &x)?)?;
    /// let flops = |mode| report.mode(mode).map(|row| row.operations.flops);
    /// assert!(flops("jacobian, planned") < flops("jacobian, forward").min(flops("jacobian, reverse")));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `program` is the recording of the function that the report is about.
    /// **Cost**: that of [`PlannedJacobian::of`] with the default budget.
    ///
    /// # Errors
    /// As [`PlannedJacobian::of`].
    ///
    /// **Source**: Griewank & Walther 2008, §9 and §10.
    pub fn push_planned(&mut self, program: &Program) -> Result<(), Error> {
        let planned = PlannedJacobian::of(&program.simplify()?, &Budget::default())?;
        let jacobian = planned.program();
        let bytes = memory(jacobian)?;
        self.push("jacobian, planned", Operations::of(jacobian), bytes);
        Ok(())
    }
}

/// A quotient of counts, which stay far below 2^53; NaN for `0 / 0`.
fn ratio(count: u64, value: u64) -> f64 {
    count as f64 / value as f64
}

/// Writes a number, or a string if it is not finite (EDGE_CASES e75).
fn number<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() {
        serializer.serialize_f64(*x)
    } else {
        serializer.collect_str(x)
    }
}

/// The exact costs of a function object in every mode: value, `jvp`, `gradient` (one output) or `vjp`, the Jacobian by both
/// modes (several outputs), and `hvp` (one output).
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::cost;
/// fn polar<S: Scalar>(x: &[S], y: &mut [S]) {
///     y[0] = x[0] * x[1].cos();
///     y[1] = x[0] * x[1].sin();
/// }
/// let report = cost(&function!(polar => 2), &[2.0, 0.5])?;
/// let names: Vec<&str> = report.modes.iter().map(|row| row.mode.as_str()).collect();
/// assert_eq!(names, ["value", "jvp", "vjp", "jacobian, forward", "jacobian, reverse"]);
/// assert_eq!(report.modes[0].operations.flops, 4);
/// assert!(report.to_string().starts_with("2 inputs, 2 outputs"));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries.
/// **Cost**: every mode runs once on recording numbers, about 50 ns and 40 bytes per operation counted; equal forward passes are
/// recorded once.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; [`Error::TapeFull`] above 2^32 operations of a mode; else as
/// [`gradient`](crate::reverse::gradient).
///
/// **Source**: Griewank & Walther 2008, §3 and §5.1.
pub fn cost<F: Function>(f: &F, x: &[f64]) -> Result<CostReport, Error> {
    check_inputs(f, x)?;
    let (n, m) = (x.len(), f.outputs(x.len()));
    let of = |pass| operations(f, x, pass);
    let mut report = CostReport::new(n, m);
    report.push("value", of(Pass::Value)?, 0);
    let pair = size_of::<Dual<f64>>();
    report.push("jvp", of(Pass::Jvp)?, (n + m).saturating_mul(pair));
    let plain = Pullback::record(|x| evaluate(f, x), x)?;
    let (tape, adjoints) = (plain.tape_bytes(), plain.adjoint_bytes());
    drop(plain);
    if m == 1 {
        report.push("gradient", of(Pass::Gradient)?, tape + adjoints);
    } else {
        report.push("vjp", of(Pass::Vjp)?, tape + adjoints);
    }
    let forward = of(Pass::Jacobian(Mode::Forward))?;
    let lanes = size_of::<Lanes<f64, SWEEP>>();
    report.push("jacobian, forward", forward, (n + m).saturating_mul(lanes));
    if m == 1 {
        let duals: Vec<Dual<f64>> = x.iter().map(|x| Dual::new(*x, 1.0)).collect();
        let tape = Pullback::record(|x: &[Var<Dual<f64>>]| evaluate(f, x), &duals)?;
        let bytes = tape.tape_bytes() + tape.adjoint_bytes();
        drop(tape);
        report.push("hvp", of(Pass::Hvp)?, bytes);
    } else {
        let bytes = tape.saturating_add(adjoints.saturating_mul(m.min(SWEEP)));
        report.push(
            "jacobian, reverse",
            of(Pass::Jacobian(Mode::Reverse))?,
            bytes,
        );
    }
    Ok(report)
}

/// The exact costs of a recorded program and of its derivative programs, as they come out of differentiation and simplified.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// use wengert::report::program_cost;
/// let program: Program = "v0 = input 0\nv1 = sin v0\nv2 = mul v0 v1\noutput v2\n".parse()?;
/// let report = program_cost(&program)?;
/// let names: Vec<&str> = report.modes.iter().map(|row| row.mode.as_str()).collect();
/// assert_eq!(names[..4], ["value", "jvp", "gradient", "hvp"]);
/// // The sine and the product of the value, the cosine, its product, and the sum.
/// assert_eq!(report.mode("gradient, simplified").map(|row| row.operations.flops), Some(5));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: rows `value`, `jvp`, `gradient` and `hvp` (one output) or `vjp` and `jacobian`, then the same with `, simplified`.
/// The Jacobian has the entries that can differ from zero; it is left out above four million.
/// **Cost**: every transformation once.
///
/// # Errors
/// As the transformations: [`Error::TapeFull`] above 2^32 nodes.
///
/// **Source**: Griewank & Walther 2008, §3 and §4.5.
pub fn program_cost(program: &Program) -> Result<CostReport, Error> {
    let (n, m) = (program.inputs(), program.outputs().len());
    let mut derived = vec![("value", program.clone()), ("jvp", program.jvp()?)];
    if m == 1 {
        derived.push(("gradient", program.value_and_gradient()?));
        derived.push(("hvp", program.hvp()?));
    } else {
        derived.push(("vjp", program.vjp()?));
        if n.saturating_mul(m) <= MOST_ENTRIES {
            derived.push(("jacobian", program.sparse_jacobian()?.0));
        }
    }
    let mut report = CostReport::new(n, m);
    for (mode, program) in &derived {
        report.push(*mode, Operations::of(program), memory(program)?);
    }
    for (mode, program) in &derived {
        let simplified = program.simplify()?;
        let operations = Operations::of(&simplified);
        report.push(
            format!("{mode}, simplified"),
            operations,
            memory(&simplified)?,
        );
    }
    Ok(report)
}

/// The bytes of a program and of its replay.
fn memory(program: &Program) -> Result<usize, Error> {
    Ok(program.cost().program_bytes + program.prepare()?.memory())
}

impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} inputs, {} outputs", self.inputs, self.outputs)?;
        let header = ["mode", "operations", "fused", "ratio", "bytes", "kinds"];
        let cells = self.modes.iter().map(|row| {
            [
                row.mode.clone(),
                row.operations.flops.to_string(),
                row.operations.fused.to_string(),
                format!("{:.2}", row.ratio),
                row.bytes.to_string(),
                row.operations.to_string(),
            ]
        });
        let rows: Vec<[String; 6]> = std::iter::once(header.map(String::from))
            .chain(cells)
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for [mode, numbers @ .., kinds] in &rows {
            write!(f, "{mode:<0$}", widths[0])?;
            for (cell, width) in numbers.iter().zip(&widths[1..]) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f, "  {kinds}")?;
        }
        Ok(())
    }
}
