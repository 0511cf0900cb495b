//! One instance in every mode: operations, times, memory, agreement.
//!
//! Invariant: the first row is the value; within an order the first measured mode is what the others are compared with.

use std::cmp::Ordering;
use std::time::Duration;

use serde::Serialize;
use wengert::hessian::{HessianMode, hessian_by, hvp};
use wengert::program::Program;
use wengert::report::{Operations, Pass, operations};
use wengert::{Function, Mode, ScalarFunction};
use wengert_problems::registry::{ProblemInfo, Source, Visitor};

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

/// The mode that is one product with the Hessian.
pub(super) const PRODUCT: &str = "Hessian times v";
/// The most inputs of a Hessian program, whose zeros are outputs as well.
const MOST_HESSIAN: usize = 300;
/// The most outputs of a Jacobian program: about a microsecond each to differentiate.
const MOST_OUTPUTS: usize = 100_000;
/// The longest program whose Jacobian is planned: a second at most.
const MOST_PLANNED: usize = 2_000;

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
    /// What the mode keeps at once beside the function's own data: tape and adjoints, program and registers, or the inputs and
    /// outputs of a forward pass with their tangents.
    pub(super) bytes: Option<usize>,
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
                let mut row = progress.first_order(mode, &measured, n);
                row.mode = format!("{mode}, by blocks");
                row.note = Some("operations are counted on the small instance");
                progress.rows.push(row);
                continue;
            }
            let fits = memory::check_dense(m, n).is_ok() && progress.allows_work(work);
            let mut row = if fits {
                let measured = measure::dense(f, x, mode, BUDGET)?;
                progress.first_order(mode, &measured, n)
            } else {
                progress.too_large(mode.to_string(), 1)
            };
            progress.count(&mut row, pass, f, x, Pass::Jacobian(mode))?;
            progress.rows.push(row);
        }
        let row = if m <= MOST_OUTPUTS {
            let program = measure::record(f, x)?;
            let (jacobian, measured) = measure::program_jacobian(&program, x, BUDGET)?;
            let row = progress.program("program", 1, &jacobian, &measured);
            if program.len() <= MOST_PLANNED {
                progress.rows.push(row);
                let (jacobian, measured) = measure::planned_jacobian(&program, x, BUDGET)?;
                progress.program("planned", 1, &jacobian, &measured)
            } else {
                row
            }
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
                progress.first_order(mode, &measured, n)
            } else {
                progress.too_large(mode.to_string(), 1)
            };
            let counted = match mode {
                Mode::Reverse => Pass::Gradient,
                _ => Pass::Jacobian(mode),
            };
            progress.count(&mut row, pass, f, x, counted)?;
            progress.rows.push(row);
        }
        let program = measure::record(f, x)?;
        let (gradient, measured) = measure::program_gradient(&program, x, BUDGET)?;
        let row = progress.program("program", 1, &gradient, &measured);
        progress.rows.push(row);
        for mode in HessianMode::ALL {
            let (pass, work) = hessian_work(mode, n);
            let mut row = if memory::check_dense(n, n).is_ok() && progress.allows_work(work) {
                let (matrix, seconds) = median(BUDGET, || hessian_by(f, x, mode))?;
                let mut row = progress.second_order(mode, seconds, matrix.as_slice());
                row.bytes = measure::hessian_bytes(f, x, mode)?;
                row
            } else {
                progress.too_large(mode.to_string(), 2)
            };
            progress.count(&mut row, pass, f, x, Pass::Hessian(mode))?;
            progress.rows.push(row);
        }
        let row = progress.product(f, x)?;
        progress.rows.push(row);
        let row = if n <= MOST_HESSIAN {
            let hessian = program.hessian()?.simplify()?;
            let measured = measure::replay(&hessian, x, BUDGET, Derivative::Gradient)?;
            progress.program("program", 2, &hessian, &measured)
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

/// The passes that `n` directions need.
fn passes(n: usize) -> u64 {
    u64::try_from(n.div_ceil(measure::LANES)).unwrap_or(u64::MAX)
}

/// The rows so far, and what later ones are compared with.
struct Progress {
    value: Vec<f64>,
    flops: u64,
    primal_seconds: f64,
    rows: Vec<Row>,
    /// The derivatives of the first mode of each order.
    references: [Option<Derivative>; 3],
}

impl Progress {
    /// Measures the value and one tangent.
    fn start<F: Function>(f: &F, x: &[f64]) -> Result<Self, CliError> {
        let (value, primal_seconds) = measure::primal(f, x, BUDGET)?;
        let operations = operations(f, x, Pass::Value)?;
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
        progress.count(&mut tangent, 4, f, x, Pass::Jvp)?;
        progress.rows.push(tangent);
        Ok(progress)
    }

    /// Whether so many operations per operation of the value are few enough to be timed.
    fn allows_work(&self, work: u64) -> bool {
        self.flops.max(1).saturating_mul(work) <= MOST_WORK
    }

    /// Counts by recording, if the program is short enough: so many operations per operation of the value.
    fn count<F: Function>(
        &self,
        row: &mut Row,
        size: u64,
        f: &F,
        x: &[f64],
        pass: Pass,
    ) -> Result<(), CliError> {
        if self.flops.max(1).saturating_mul(size) > MOST_NODES {
            row.note = row.note.or(Some("too large to count"));
            return Ok(());
        }
        row.operations = Some(operations(f, x, pass)?);
        let flops = row.operations.as_ref().map(|operations| operations.flops);
        row.operations_ratio = flops.filter(|_| self.flops > 0).map(|flops| {
            // Counts stay far below 2^53.
            Number(flops as f64 / self.flops as f64)
        });
        Ok(())
    }

    fn first_order(&mut self, mode: Mode, measured: &Measured, inputs: usize) -> Row {
        let bytes = match mode {
            Mode::Forward => measure::forward_bytes(inputs, self.value.len()),
            _ => measured.tape_bytes + measured.adjoint_bytes,
        };
        Row {
            bytes: Some(bytes),
            mode: mode.to_string(),
            order: 1,
            seconds: Some(Number(measured.seconds)),
            seconds_ratio: Some(Number(measured.seconds / self.primal_seconds)),
            tape_bytes: Some(measured.tape_bytes),
            adjoint_bytes: Some(measured.adjoint_bytes),
            difference: self.difference(1, measured.derivative.clone()),
            ..Row::default()
        }
    }

    fn second_order(&mut self, mode: HessianMode, seconds: f64, entries: &[f64]) -> Row {
        Row {
            mode: mode.to_string(),
            order: 2,
            seconds: Some(Number(seconds)),
            seconds_ratio: Some(Number(seconds / self.primal_seconds)),
            difference: self.difference(2, Derivative::Gradient(entries.to_vec())),
            ..Row::default()
        }
    }

    /// One product of the Hessian with a vector, compared with the Hessian if that was computed.
    fn product<F: ScalarFunction>(&mut self, f: &F, x: &[f64]) -> Result<Row, CliError> {
        if !self.allows_work(16) {
            return Ok(self.too_large(PRODUCT.into(), 2));
        }
        // No two entries alike.
        let v: Vec<f64> = (0..x.len())
            .map(|i| 1.0 + (i as f64 * 0.7).sin() / 2.0)
            .collect();
        let ((_, _, product), seconds) =
            median(BUDGET, || hvp(|x| f.call(x), x, &v).map_err(CliError::from))?;
        let expected = match &self.references[2] {
            // Symmetric, so rows are columns.
            Some(Derivative::Gradient(entries)) => {
                let row = |row: &[f64]| row.iter().zip(&v).map(|(entry, v)| entry * v).sum();
                Some(entries.chunks_exact(x.len()).map(row).collect())
            }
            _ => None,
        };
        let mut row = Row {
            mode: PRODUCT.into(),
            order: 2,
            seconds: Some(Number(seconds)),
            seconds_ratio: Some(Number(seconds / self.primal_seconds)),
            bytes: Some(measure::product_bytes(f, x, &v)?),
            difference: expected.map(|expected| {
                let found = Derivative::Gradient(product);
                Number(difference(&Derivative::Gradient(expected), &found))
            }),
            ..Row::default()
        };
        self.count(&mut row, 16, f, x, Pass::Hvp)?;
        Ok(row)
    }

    /// A derivative program: what a replay of it executes and takes.
    fn program(&mut self, mode: &str, order: u8, program: &Program, measured: &Measured) -> Row {
        let operations = Operations::of(program);
        let flops = operations.flops;
        let reference = usize::from(order);
        // A program alone has nothing to be compared with.
        let is_known = self.references[reference].is_some();
        let difference = if is_known {
            self.difference(reference, measured.derivative.clone())
        } else {
            None
        };
        Row {
            mode: mode.into(),
            order,
            operations: Some(operations),
            // Counts stay far below 2^53.
            operations_ratio: (self.flops > 0).then(|| Number(flops as f64 / self.flops as f64)),
            seconds: Some(Number(measured.seconds)),
            seconds_ratio: Some(Number(measured.seconds / self.primal_seconds)),
            tape_bytes: Some(measured.tape_bytes),
            adjoint_bytes: Some(measured.adjoint_bytes),
            bytes: Some(measured.tape_bytes + measured.adjoint_bytes),
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
    fn difference(&mut self, order: usize, found: Derivative) -> Option<Number> {
        match &self.references[order] {
            Some(reference) => Some(Number(difference(reference, &found))),
            None => {
                self.references[order] = Some(found);
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
///
/// Jacobians are compared by place, and an entry that is structurally zero is not stored: what one of them leaves out is
/// zero there.
pub(super) fn difference(reference: &Derivative, found: &Derivative) -> f64 {
    let Some(pairs) = pairs(reference, found) else {
        return f64::INFINITY;
    };
    let finite = pairs.iter().map(|(r, _)| r.abs()).filter(|r| r.is_finite());
    let scale = finite.fold(0.0, f64::max);
    let mut largest: f64 = 0.0;
    for (reference, entry) in pairs {
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

/// The entries of two derivatives side by side; `None` if they are not of the same kind and length.
fn pairs(reference: &Derivative, found: &Derivative) -> Option<Vec<(f64, f64)>> {
    match (reference, found) {
        (Derivative::Gradient(a), Derivative::Gradient(b)) => {
            let pairs = a.iter().copied().zip(b.iter().copied());
            (a.len() == b.len()).then(|| pairs.collect())
        }
        (Derivative::Jacobian(a), Derivative::Jacobian(b)) => Some(by_place(a, b)),
        _ => None,
    }
}

/// A merge of two lists of triplets, each row by row.
fn by_place(a: &[(usize, usize, f64)], b: &[(usize, usize, f64)]) -> Vec<(f64, f64)> {
    let place = |entry: &(usize, usize, f64)| (entry.0, entry.1);
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => place(a).cmp(&place(b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return pairs,
        };
        let left = if order.is_le() { a.next() } else { None };
        let right = if order.is_ge() { b.next() } else { None };
        let value = |entry: Option<&(usize, usize, f64)>| entry.map_or(0.0, |entry| entry.2);
        pairs.push((value(left), value(right)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_and_see_what_is_not_finite() {
        let of = |a: &[f64], b: &[f64]| {
            difference(
                &Derivative::Gradient(a.to_vec()),
                &Derivative::Gradient(b.to_vec()),
            )
        };
        assert_eq!(of(&[4.0, 1.0], &[4.0, 2.0]), 0.25);
        assert_eq!(of(&[0.0], &[0.5]), 0.5);
        assert_eq!(of(&[f64::NAN, 2.0], &[f64::INFINITY, 2.0]), 0.0);
        assert_eq!(of(&[f64::NAN], &[1.0]), f64::INFINITY);
        assert_eq!(of(&[1.0], &[f64::NAN]), f64::INFINITY);
        assert_eq!(of(&[1.0], &[1.0, 2.0]), f64::INFINITY);
    }

    #[test]
    fn sparse_jacobians_are_compared_by_place() {
        let of = |a: &[(usize, usize, f64)], b: &[(usize, usize, f64)]| {
            difference(
                &Derivative::Jacobian(a.to_vec()),
                &Derivative::Jacobian(b.to_vec()),
            )
        };
        let block = [(0, 0, 4.0), (0, 2, 0.0), (1, 1, 2.0)];
        assert_eq!(of(&block, &[(0, 0, 4.0), (1, 1, 2.0)]), 0.0);
        assert_eq!(of(&[(0, 0, 4.0), (1, 1, 2.0)], &block), 0.0);
        // The same numbers at other places.
        assert_eq!(of(&block, &[(0, 0, 4.0), (1, 0, 2.0)]), 0.5);
        assert_eq!(of(&block, &[(0, 0, 4.0)]), 0.5);
        assert_eq!(of(&[(0, 0, f64::NAN)], &[]), f64::INFINITY);
    }
}
