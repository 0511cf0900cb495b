//! `wengert check`: differences, duality, both modes and repetition, compared by the library.
//!
//! Invariant: the exit code is 0 only if everything that was compared passed.

use serde::Serialize;
use wengert::check::{Check, Report, Verdict, check_hessian, check_jacobian};
use wengert::{Function, ScalarFunction};
use wengert_cli::visit;
use wengert_problems::registry::{ProblemInfo, Visitor};

use crate::arguments::CheckArguments;
use crate::error::CliError;
use crate::output::{Number, print, print_json};
use crate::progress;

/// Checks and prints.
pub(crate) fn run(arguments: &CheckArguments) -> Result<(), CliError> {
    let instance = &arguments.instance;
    let progress = progress::spinner(&instance.problem);
    let visitor = CheckVisitor {
        order: arguments.order,
    };
    let (info, report) = visit(&instance.problem, &instance.source(), visitor)??;
    progress.finish_and_clear();
    if arguments.json {
        print_json(&Json::new(&info, arguments.order, &report))?;
    } else {
        print(&format!("{report}\n"))?;
    }
    if report.is_passed() {
        return Ok(());
    }
    let problem = info.problem.name;
    Err(CliError::Failure(match report.verdict() {
        Verdict::Kink { .. } => {
            format!("{problem} has a kink at its start point, nothing is certified there")
        }
        Verdict::NotFinite { .. } => {
            format!("a number of {problem} is not finite, nothing is certified")
        }
        _ => {
            format!("the derivatives of {problem} failed a check; the table names the worst entry")
        }
    }))
}

struct CheckVisitor {
    order: u8,
}

impl Visitor for CheckVisitor {
    type Output = Result<(ProblemInfo, Report), CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        if self.order == 2 {
            return Err(CliError::Usage(format!(
                "only one output has a Hessian, {} has {}; leave --order 2 out",
                info.problem.name,
                f.outputs(x.len())
            )));
        }
        Ok((info.clone(), check_jacobian(f, x)?))
    }

    fn visit_scalar<F: ScalarFunction + Sync>(
        self,
        f: &F,
        x: &[f64],
        info: &ProblemInfo,
    ) -> Self::Output {
        let report = if self.order == 2 {
            check_hessian(f, x)
        } else {
            check_jacobian(f, x)
        };
        Ok((info.clone(), report?))
    }
}

/// The report in JSON.
#[derive(Serialize)]
struct Json<'a> {
    problem: &'static str,
    instance: &'a str,
    order: u8,
    inputs: usize,
    outputs: usize,
    seed: u64,
    passed: bool,
    verdict: &'static str,
    checks: Vec<Line<'a>>,
}

/// One comparison.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    compared: usize,
    projected: bool,
    verdict: &'static str,
    worst: Option<Worst>,
}

/// The worst entry of a comparison.
#[derive(Serialize)]
struct Worst {
    row: usize,
    column: usize,
    expected: Number,
    found: Number,
    error: Number,
    tolerance: Number,
}

impl<'a> Json<'a> {
    fn new(info: &'a ProblemInfo, order: u8, report: &'a Report) -> Self {
        Self {
            problem: info.problem.name,
            instance: &info.instance,
            order,
            inputs: report.inputs,
            outputs: report.outputs,
            seed: report.seed,
            passed: report.is_passed(),
            verdict: report.verdict().word(),
            checks: report.checks.iter().map(Line::from).collect(),
        }
    }
}

impl<'a> From<&'a Check> for Line<'a> {
    fn from(check: &'a Check) -> Self {
        let worst = check.worst.map(|worst| Worst {
            row: worst.row,
            column: worst.column,
            expected: Number(worst.expected),
            found: Number(worst.found),
            error: Number(worst.error),
            tolerance: Number(worst.tolerance),
        });
        Self {
            name: &check.name,
            compared: check.compared,
            projected: check.projected,
            verdict: check.verdict.word(),
            worst,
        }
    }
}
