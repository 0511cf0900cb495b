//! One instance in every mode: operations, times, memory, agreement.
//!
//! Invariant: the first row is the value; within an order the first measured mode is what the others are compared with.

use std::time::Duration;

use serde::Serialize;
use wengert::hessian::{HessianMode, hessian_by};
use wengert::program::Program;
use wengert::{Error, Function, Mode, ScalarFunction};
use wengert_problems::registry::{ProblemInfo, Source, Visitor};

use super::counts::{self, Operations, passes};
use crate::blocks;
use crate::error::CliError;
use crate::measure::{self, Derivative, Measured};
use crate::memory;
use crate::output::Number;
use crate::timing::median;

/// The time spent on one measurement, where one run is shorter.
const BUDGET: Duration = Duration::from_millis(8);
/// The longest program that is recorded for a count: about 40 bytes and 40 ns per node.
const MOST_NODES: u64 = 6_000_000;
/// The most operations that a timed mode may take: a second or two.
const MOST_WORK: u64 = 1_000_000_000;

/// The most inputs of a Hessian program, whose zeros are outputs as well.
const MOST_HESSIAN: usize = 300;
/// The most outputs of a Jacobian program: about a microsecond each to differentiate.
const MOST_OUTPUTS: usize = 100_000;

/// One instance.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) problem: &'static str,
    pub(super) instance: String,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// The norm of the values, so that two reports can be seen to be about the same numbers.
    value_norm: Number,
    pub(super) rows: Vec<Row>,
}

/// One mode.
#[derive(Debug, Default, Serialize)]
pub(super) struct Row {
    pub(super) mode: String,
    /// The order of the derivative: 0 for the value.
    pub(super) order: u8,
    pub(super) operations: Option<Operations>,
    /// Scalar operations relative to those of the value.
    pub(super) operations_ratio: Option<Number>,
    pub(super) seconds: Option<Number>,
    /// Time relative to the plain function's.
    pub(super) seconds_ratio: Option<Number>,
    pub(super) tape_bytes: Option<usize>,
    pub(super) adjoint_bytes: Option<usize>,
    /// The largest difference from the first mode of this order, relative to the largest entry.
    pub(super) difference: Option<Number>,
    /// Why something is missing.
    pub(super) note: Option<&'static str>,
}

/// Measures one instance.
pub(super) struct Measure<'a> {
    pub(super) source: &'a Source,
}

impl Visitor for Measure<'_> {
    type Output = Result<Entry, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        let mut progress = Progress::start(f, x)?;
        let (n, m) = (x.len(), f.outputs(x.len()));
        let structured = blocks::applies(info.problem.name) && *self.source == Source::Default;
        for mode in Mode::ALL {
            let rows = u64::try_from(m).unwrap_or(u64::MAX);
            let (pass, work) = match mode {
                // Each of m sweeps takes two operations per operation of the value.
                Mode::Reverse => {
                    let sweeps = rows.saturating_mul(2).saturating_add(3);
                    (sweeps, sweeps)
                }
                _ => (20, passes(n).saturating_mul(20)),
            };
            if structured {
                let ba = blocks::instance(self.source)?;
                let measured = blocks::measure(&ba, x, mode, BUDGET)?;
                let mut row = progress.first_order(mode, &measured);
                row.mode = format!("{mode}, by blocks");
                row.note = Some("operations are counted on the small instance");
                progress.rows.push(row);
                continue;
            }
            let fits = memory::check_dense(m, n).is_ok() && progress.allows_work(work);
            let mut row = if fits {
                let measured = measure::dense(f, x, mode, BUDGET)?;
                progress.first_order(mode, &measured)
            } else {
                progress.too_large(mode.to_string(), 1)
            };
            progress.count(&mut row, pass, || counts::jacobian(f, x, mode))?;
            progress.rows.push(row);
        }
        let row = if m <= MOST_OUTPUTS {
            let program = measure::record(f, x)?;
            let (program, measured) = measure::program_jacobian(&program, x, BUDGET)?;
            progress.program(1, &program, &measured, n)
        } else {
            progress.too_large("program".into(), 1)
        };
        progress.rows.push(row);
        Ok(progress.finish(info, x))
    }

    fn visit_scalar<F: ScalarFunction + Sync>(
        self,
        f: &F,
        x: &[f64],
        info: &ProblemInfo,
    ) -> Self::Output {
        let mut progress = Progress::start(f, x)?;
        let n = x.len();
        for mode in Mode::ALL {
            let (pass, work) = match mode {
                Mode::Reverse => (6, 6),
                _ => (20, passes(n).saturating_mul(20)),
            };
            let mut row = if progress.allows_work(work) {
                let measured = measure::gradient(f, x, mode, BUDGET)?;
                progress.first_order(mode, &measured)
            } else {
                progress.too_large(mode.to_string(), 1)
            };
            progress.count(&mut row, pass, || match mode {
                Mode::Reverse => counts::sweep(f, x).map(Some),
                _ => counts::jacobian(f, x, mode),
            })?;
            progress.rows.push(row);
        }
        let program = measure::record(f, x)?;
        let (gradient, measured) = measure::program_gradient(&program, x, BUDGET)?;
        let row = progress.program(1, &gradient, &measured, n);
        progress.rows.push(row);
        for mode in HessianMode::ALL {
            let (pass, work) = hessian_work(mode, n);
            let mut row = if memory::check_dense(n, n).is_ok() && progress.allows_work(work) {
                let (matrix, seconds) = median(BUDGET, || hessian_by(f, x, mode))?;
                progress.second_order(mode, seconds, matrix.as_slice())
            } else {
                progress.too_large(mode.to_string(), 2)
            };
            progress.count(&mut row, pass, || counts::hessian(f, x, mode))?;
            progress.rows.push(row);
        }
        let row = if n <= MOST_HESSIAN {
            let hessian = program.hessian()?.simplify()?;
            let measured = measure::replay(&hessian, x, BUDGET, Derivative::Gradient)?;
            progress.program(2, &hessian, &measured, n)
        } else {
            progress.too_large("program".into(), 2)
        };
        progress.rows.push(row);
        Ok(progress.finish(info, x))
    }
}

/// Operations of one recorded pass and of the whole Hessian, per operation of the value; generous bounds.
fn hessian_work(mode: HessianMode, n: usize) -> (u64, u64) {
    let inputs = u64::try_from(n).unwrap_or(u64::MAX);
    match mode {
        HessianMode::ForwardOverReverse => (60, passes(n).saturating_mul(60)),
        HessianMode::ReverseOverReverse => {
            let work = inputs.saturating_mul(60).saturating_add(30);
            (work, work)
        }
        HessianMode::ReverseOverForward => (380, passes(n).saturating_mul(380)),
        _ => (60, passes(n).saturating_mul(inputs).saturating_mul(60)),
    }
}

/// The rows so far, and what later ones are compared with.
struct Progress {
    value: Vec<f64>,
    flops: u64,
    primal_seconds: f64,
    rows: Vec<Row>,
    /// The entries of the first mode of each order.
    references: [Option<Vec<f64>>; 3],
}

impl Progress {
    /// Measures the value and one tangent.
    fn start<F: Function>(f: &F, x: &[f64]) -> Result<Self, CliError> {
        let (value, primal_seconds) = measure::primal(f, x, BUDGET)?;
        let operations = counts::value(f, x)?;
        let flops = operations.flops;
        let mut progress = Self {
            value,
            flops,
            primal_seconds,
            rows: Vec::new(),
            references: [None, None, None],
        };
        progress.rows.push(Row {
            mode: "value".into(),
            operations: Some(operations),
            operations_ratio: Some(Number(1.0)),
            seconds: Some(Number(primal_seconds)),
            seconds_ratio: Some(Number(1.0)),
            ..Row::default()
        });
        let mut tangent = Row {
            mode: "one tangent".into(),
            order: 1,
            ..Row::default()
        };
        progress.count(&mut tangent, 4, || counts::tangent(f, x).map(Some))?;
        progress.rows.push(tangent);
        Ok(progress)
    }

    /// Whether so many operations per operation of the value are few enough to be timed.
    fn allows_work(&self, work: u64) -> bool {
        self.flops.max(1).saturating_mul(work) <= MOST_WORK
    }

    /// Counts by recording, if the program is short enough.
    fn count(
        &self,
        row: &mut Row,
        pass: u64,
        count: impl FnOnce() -> Result<Option<Operations>, Error>,
    ) -> Result<(), CliError> {
        if self.flops.max(1).saturating_mul(pass) > MOST_NODES {
            row.note = row.note.or(Some("too large to count"));
            return Ok(());
        }
        row.operations = count()?;
        let flops = row.operations.as_ref().map(|operations| operations.flops);
        row.operations_ratio = flops.filter(|_| self.flops > 0).map(|flops| {
            // Counts stay far below 2^53.
            Number(flops as f64 / self.flops as f64)
        });
        Ok(())
    }

    fn first_order(&mut self, mode: Mode, measured: &Measured) -> Row {
        Row {
            mode: mode.to_string(),
            order: 1,
            seconds: Some(Number(measured.seconds)),
            seconds_ratio: Some(Number(measured.seconds / self.primal_seconds)),
            tape_bytes: Some(measured.tape_bytes),
            adjoint_bytes: Some(measured.adjoint_bytes),
            difference: self.difference(1, measured.derivative.values()),
            ..Row::default()
        }
    }

    fn second_order(&mut self, mode: HessianMode, seconds: f64, entries: &[f64]) -> Row {
        Row {
            mode: mode.to_string(),
            order: 2,
            seconds: Some(Number(seconds)),
            seconds_ratio: Some(Number(seconds / self.primal_seconds)),
            difference: self.difference(2, entries.to_vec()),
            ..Row::default()
        }
    }

    /// A derivative program: what a replay of it executes and takes.
    fn program(&mut self, order: u8, program: &Program, measured: &Measured, n: usize) -> Row {
        let operations = Operations::of(program);
        let flops = operations.flops;
        let reference = usize::from(order);
        let known = self.references[reference].as_ref().map(Vec::len);
        let entries = match &measured.derivative {
            Derivative::Gradient(entries) => entries.clone(),
            // What is structurally zero is not computed.
            Derivative::Jacobian(entries) if known == Some(n * self.value.len()) => {
                let mut dense = vec![0.0; n * self.value.len()];
                for (row, column, value) in entries {
                    dense[row * n + column] = *value;
                }
                dense
            }
            Derivative::Jacobian(_) => measured.derivative.values(),
        };
        let difference = known.and_then(|_| self.difference(reference, entries));
        Row {
            mode: "program".into(),
            order,
            operations: Some(operations),
            // Counts stay far below 2^53.
            operations_ratio: (self.flops > 0).then(|| Number(flops as f64 / self.flops as f64)),
            seconds: Some(Number(measured.seconds)),
            seconds_ratio: Some(Number(measured.seconds / self.primal_seconds)),
            tape_bytes: Some(measured.tape_bytes),
            adjoint_bytes: Some(measured.adjoint_bytes),
            difference,
            note: None,
        }
    }

    fn too_large(&self, mode: String, order: u8) -> Row {
        Row {
            mode,
            order,
            note: Some("too large to time"),
            ..Row::default()
        }
    }

    /// The difference from the first mode of the order; nothing for that mode itself.
    fn difference(&mut self, order: usize, entries: Vec<f64>) -> Option<Number> {
        match &self.references[order] {
            Some(reference) => Some(Number(largest_difference(reference, &entries))),
            None => {
                self.references[order] = Some(entries);
                None
            }
        }
    }

    fn finish(self, info: &ProblemInfo, x: &[f64]) -> Entry {
        Entry {
            problem: info.problem.name,
            instance: info.instance.clone(),
            inputs: x.len(),
            outputs: self.value.len(),
            value_norm: Number(wengert::Scalar::norm2_of(self.value)),
            rows: self.rows,
        }
    }
}

/// The largest difference relative to the largest finite entry; infinite where only one of two numbers is finite.
fn largest_difference(reference: &[f64], entries: &[f64]) -> f64 {
    if reference.len() != entries.len() {
        return f64::INFINITY;
    }
    let finite = reference.iter().filter(|r| r.is_finite());
    let scale = finite.fold(0.0, |scale: f64, r| scale.max(r.abs()));
    let mut largest: f64 = 0.0;
    for (reference, entry) in reference.iter().zip(entries) {
        match (reference.is_finite(), entry.is_finite()) {
            (true, true) => largest = largest.max((reference - entry).abs()),
            // Two modes may differ in the kind of what is not finite (EDGE_CASES R2).
            (false, false) => {}
            _ => return f64::INFINITY,
        }
    }
    if scale > 0.0 {
        largest / scale
    } else {
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_and_see_what_is_not_finite() {
        assert_eq!(largest_difference(&[4.0, 1.0], &[4.0, 2.0]), 0.25);
        assert_eq!(largest_difference(&[0.0], &[0.5]), 0.5);
        assert_eq!(
            largest_difference(&[f64::NAN, 2.0], &[f64::INFINITY, 2.0]),
            0.0
        );
        assert_eq!(largest_difference(&[f64::NAN], &[1.0]), f64::INFINITY);
        assert_eq!(largest_difference(&[1.0], &[f64::NAN]), f64::INFINITY);
        assert_eq!(largest_difference(&[1.0], &[1.0, 2.0]), f64::INFINITY);
    }
}
