//! `wengert gradient`: value and first derivative of a problem, and what they cost.
//!
//! Invariant: a Jacobian that has a sparse structure is never made dense.

use std::time::Duration;

use serde::{Serialize, Serializer};
use wengert::{Function, Mode, ScalarFunction};
use wengert_cli::visit;
use wengert_problems::registry::{ProblemInfo, Source, Visitor};

use crate::arguments::GradientArguments;
use crate::error::CliError;
use crate::measure::{
    Derivative, Measured, Way, dense, gradient, primal, program_gradient, program_jacobian, record,
};
use crate::output::{Number, Numbers, bytes, number, print, print_json, ratio, seconds};
use crate::{blocks, progress};

/// The time spent on measuring each of the two times, where one evaluation is shorter.
const BUDGET: Duration = Duration::from_millis(200);
/// Entries that people see at either end of a long list.
const SHOWN: usize = 5;

/// Computes and prints.
pub(crate) fn run(arguments: &GradientArguments) -> Result<(), CliError> {
    let (name, source) = (&arguments.instance.problem, arguments.instance.source());
    let progress = progress::spinner(name);
    let result = visit(
        name,
        &source,
        GradientVisitor {
            mode: arguments.mode,
            source: &source,
        },
    )??;
    progress.finish_and_clear();
    if arguments.json {
        print_json(&result.to_json())
    } else {
        print(&result.to_text())
    }
}

struct GradientVisitor<'a> {
    mode: Option<Way>,
    source: &'a Source,
}

impl Visitor for GradientVisitor<'_> {
    type Output = Result<Outcome, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        let outputs = f.outputs(x.len());
        let (value, primal_seconds) = primal(f, x, BUDGET)?;
        let structured = blocks::applies(info.problem.name);
        // A block of bundle adjustment has 15 inputs and 3 outputs, but 16 lanes beat its tape.
        let cheaper = if structured || x.len() <= outputs {
            Mode::Forward
        } else {
            Mode::Reverse
        };
        let mode = self.mode.unwrap_or(Way::Mode(cheaper));
        let measured = match mode {
            Way::Program => program_jacobian(&record(f, x)?, x, BUDGET)?.1,
            Way::Mode(mode) if structured => {
                blocks::measure(&blocks::instance(self.source)?, x, mode, BUDGET)?
            }
            Way::Mode(mode) => dense(f, x, mode, BUDGET)?,
        };
        Ok(Outcome {
            info: info.clone(),
            mode,
            inputs: x.len(),
            value,
            primal_seconds,
            measured,
        })
    }

    fn visit_scalar<F: ScalarFunction + Sync>(
        self,
        f: &F,
        x: &[f64],
        info: &ProblemInfo,
    ) -> Self::Output {
        let (value, primal_seconds) = primal(f, x, BUDGET)?;
        let mode = self.mode.unwrap_or(Way::Mode(Mode::Reverse));
        let measured = match mode {
            Way::Program => program_gradient(&record(f, x)?, x, BUDGET)?.1,
            Way::Mode(mode) => gradient(f, x, mode, BUDGET)?,
        };
        Ok(Outcome {
            info: info.clone(),
            mode,
            inputs: x.len(),
            value,
            primal_seconds,
            measured,
        })
    }
}

/// What was computed.
struct Outcome {
    info: ProblemInfo,
    mode: Way,
    inputs: usize,
    value: Vec<f64>,
    primal_seconds: f64,
    measured: Measured,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Json<'a> {
    problem: &'static str,
    mode: String,
    inputs: usize,
    outputs: usize,
    value: Value<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient: Option<Numbers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jacobian: Option<Jacobian<'a>>,
    seconds: Number,
    primal_seconds: Number,
    tape_bytes: usize,
    adjoint_bytes: usize,
}

/// A number for one output, an array for several.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    One(Number),
    Many(Numbers<'a>),
}

#[derive(Serialize)]
struct Jacobian<'a> {
    rows: usize,
    cols: usize,
    #[serde(serialize_with = "triplets")]
    entries: &'a [(usize, usize, f64)],
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature is serde's.
fn triplets<S: Serializer>(
    entries: &&[(usize, usize, f64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        entries
            .iter()
            .map(|(row, column, v)| (row, column, Number(*v))),
    )
}

impl Outcome {
    fn to_json(&self) -> Json<'_> {
        let outputs = self.value.len();
        let (gradient, jacobian) = match &self.measured.derivative {
            Derivative::Gradient(entries) => (Some(Numbers(entries)), None),
            Derivative::Jacobian(entries) => (
                None,
                Some(Jacobian {
                    rows: outputs,
                    cols: self.inputs,
                    entries,
                }),
            ),
        };
        let value = match (&self.measured.derivative, self.value.as_slice()) {
            (Derivative::Gradient(_), [value]) => Value::One(Number(*value)),
            (_, values) => Value::Many(Numbers(values)),
        };
        Json {
            problem: self.info.problem.name,
            mode: self.mode.to_string(),
            inputs: self.inputs,
            outputs,
            value,
            gradient,
            jacobian,
            seconds: Number(self.measured.seconds),
            primal_seconds: Number(self.primal_seconds),
            tape_bytes: self.measured.tape_bytes,
            adjoint_bytes: self.measured.adjoint_bytes,
        }
    }

    fn to_text(&self) -> String {
        let measured = &self.measured;
        let mut text = format!("problem   {}", self.info.problem.name);
        if !self.info.instance.is_empty() {
            text.push_str(&format!(" ({})", self.info.instance));
        }
        text.push_str(&format!(
            "\nmode      {}\ninputs    {}\noutputs   {}\n",
            self.mode,
            self.inputs,
            self.value.len()
        ));
        let value = |i: usize| {
            let name = if self.value.len() == 1 {
                "value".into()
            } else {
                format!("y{i}")
            };
            format!("{name:<9} {}\n", number(self.value[i]))
        };
        ends(self.value.len(), &mut text, value);
        let norm = wengert::Scalar::norm2_of(measured.derivative.values());
        let what = match measured.derivative {
            Derivative::Gradient(_) => "gradient",
            Derivative::Jacobian(_) => "jacobian",
        };
        let entries = measured.derivative.values().len();
        let norm: f64 = norm;
        text.push_str(&format!(
            "{what}  norm {}, {entries} entries\n",
            number(norm)
        ));
        let entry = |i: usize| match &measured.derivative {
            Derivative::Gradient(gradient) => {
                format!("  {:<7} {}\n", format!("x{i}"), number(gradient[i]))
            }
            Derivative::Jacobian(entries) => {
                let (row, column, value) = entries[i];
                format!("  {:<7} {}\n", format!("y{row} x{column}"), number(value))
            }
        };
        ends(entries, &mut text, entry);
        text.push_str(&format!(
            "time      {}, {} x the plain function ({})\n",
            seconds(measured.seconds),
            ratio(measured.seconds / self.primal_seconds),
            seconds(self.primal_seconds)
        ));
        text.push_str(&format!(
            "tape      {}, adjoints {}\n",
            bytes(measured.tape_bytes),
            bytes(measured.adjoint_bytes)
        ));
        text
    }
}

/// The first and the last lines of a long list.
fn ends(len: usize, text: &mut String, line: impl Fn(usize) -> String) {
    for i in 0..len {
        if len <= 2 * SHOWN + 1 || i < SHOWN || i >= len - SHOWN {
            text.push_str(&line(i));
        } else if i == SHOWN {
            text.push_str("  ...\n");
        }
    }
}
