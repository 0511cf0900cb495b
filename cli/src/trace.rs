//! `wengert trace`: the Wengert list with values, tangents and adjoints, as on the slides.
//!
//! Invariant: one line per node; a decision that the function took at this point is listed as a guard.
//! Source: Griewank & Walther 2008, tables 1.2, 2.2 and 2.4.

use std::cmp::Ordering;

use serde::Serialize;
use wengert::program::{Decision, NodeId, NodeKind, Program, Question};
use wengert::{Function, ScalarFunction};
use wengert_cli::visit;
use wengert_problems::registry::{ProblemInfo, Visitor};

use crate::arguments::TraceArguments;
use crate::error::CliError;
use crate::output::{Number, Table, number, print, print_json};

/// A list that is longer than this many inputs is not read by people; use `gradient`.
const MOST_INPUTS: usize = 10_000;

/// Prints the list.
pub(crate) fn run(arguments: &TraceArguments) -> Result<(), CliError> {
    let instance = &arguments.instance;
    let trace = visit(
        &instance.problem,
        &instance.source(),
        TraceVisitor { arguments },
    )??;
    if arguments.json {
        return print_json(&trace);
    }
    print(&trace.to_text())
}

struct TraceVisitor<'a> {
    arguments: &'a TraceArguments,
}

impl Visitor for TraceVisitor<'_> {
    type Output = Result<Trace, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        Err(CliError::Usage(format!(
            "trace needs one output, {} has {}; `wengert gradient {0}` prints its Jacobian",
            info.problem.name,
            f.outputs(x.len())
        )))
    }

    fn visit_scalar<F: ScalarFunction + Sync>(
        self,
        f: &F,
        x: &[f64],
        info: &ProblemInfo,
    ) -> Self::Output {
        if x.len() > MOST_INPUTS {
            return Err(CliError::Usage(format!(
                "trace lists at most {MOST_INPUTS} inputs, {} has {}; give a smaller --size",
                info.problem.name,
                x.len()
            )));
        }
        let inputs = input_names(info, x.len());
        let point = moved(x, &inputs, &self.arguments.at)?;
        let mut tangent = vec![0.0; x.len()];
        let wrt = match (&self.arguments.wrt, inputs.first()) {
            (Some(name), _) => name.clone(),
            (None, Some(first)) => first.clone(),
            (None, None) => String::new(),
        };
        if !inputs.is_empty() {
            tangent[position(&inputs, &wrt)?] = 1.0;
        }
        let program = Program::record(|x| [f.call(x)], &point)?;
        Trace::new(info, inputs, wrt, &program, &point, &tangent)
    }
}

/// The point with some of its entries replaced by those of `--at`.
pub(crate) fn moved(
    x: &[f64],
    inputs: &[String],
    at: &[(String, f64)],
) -> Result<Vec<f64>, CliError> {
    let mut point = x.to_vec();
    let mut assigned = vec![false; x.len()];
    for (name, value) in at {
        let input = position(inputs, name)?;
        if std::mem::replace(&mut assigned[input], true) {
            return Err(CliError::Usage(format!("--at gives `{name}` twice")));
        }
        point[input] = *value;
    }
    Ok(point)
}

/// The names of the inputs: the problem's own, or x0, x1, ...
pub(crate) fn input_names(info: &ProblemInfo, len: usize) -> Vec<String> {
    let own = info.problem.inputs;
    if own.len() == len {
        own.iter().map(|name| (*name).to_string()).collect()
    } else {
        (0..len).map(|i| format!("x{i}")).collect()
    }
}

/// The number of the input of this name.
fn position(inputs: &[String], name: &str) -> Result<usize, CliError> {
    inputs
        .iter()
        .position(|input| input == name)
        .ok_or_else(|| {
            let known = match inputs {
                [first, .., last] if inputs.len() > 8 => format!("{first} to {last}"),
                few => few.join(", "),
            };
            CliError::Usage(format!(
                "no input is named `{name}`; the inputs are {known}"
            ))
        })
}

/// The table in JSON.
#[derive(Serialize)]
struct Trace {
    problem: &'static str,
    instance: String,
    inputs: Vec<String>,
    wrt: String,
    nodes: Vec<Line>,
    output: String,
    value: Number,
    guards: Vec<GuardLine>,
}

/// One node.
#[derive(Serialize)]
struct Line {
    name: String,
    operation: String,
    arguments: Vec<String>,
    value: Number,
    tangent: Number,
    adjoint: Number,
}

/// One decision.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum GuardLine {
    /// A comparison came out like this.
    Comparison {
        lhs: String,
        outcome: &'static str,
        rhs: String,
    },
    /// A value was read.
    Value { node: String, value: Number },
    /// Something that this version does not know.
    Other { description: String },
}

/// How a comparison came out.
fn symbol(question: Question, recorded: Decision) -> &'static str {
    match (question, recorded) {
        (_, Decision::Ordering(Some(Ordering::Less))) => "<",
        (_, Decision::Ordering(Some(Ordering::Equal))) => "==",
        (_, Decision::Ordering(Some(Ordering::Greater))) => ">",
        (Question::Less { .. }, Decision::Holds(true)) => "<",
        (Question::Less { .. }, Decision::Holds(false)) => "not <",
        (Question::LessEqual { .. }, Decision::Holds(true)) => "<=",
        (Question::LessEqual { .. }, Decision::Holds(false)) => "not <=",
        (Question::Equal { .. }, Decision::Holds(true)) => "==",
        (Question::Equal { .. }, Decision::Holds(false)) => "!=",
        _ => "unordered with",
    }
}

impl Trace {
    fn new(
        info: &ProblemInfo,
        inputs: Vec<String>,
        wrt: String,
        program: &Program,
        point: &[f64],
        tangent: &[f64],
    ) -> Result<Self, CliError> {
        let table = program.sensitivities(point, tangent, &[1.0])?;
        let name = |node: NodeId| {
            inputs
                .get(node.index())
                .cloned()
                .unwrap_or_else(|| node.to_string())
        };
        // A constant is shown as itself where it decides something.
        let operand = |node: NodeId| match program.kind(node) {
            NodeKind::Constant(value) => number(value),
            _ => name(node),
        };
        let nodes = program.nodes().map(|node| {
            let (operation, arguments) = match program.kind(node) {
                NodeKind::Input(_) => ("input".into(), Vec::new()),
                NodeKind::Constant(value) => (format!("constant {}", number(value)), Vec::new()),
                kind => {
                    let arguments = program.arguments(node).iter().map(|a| name(*a));
                    (kind.to_string(), arguments.collect())
                }
            };
            Line {
                name: name(node),
                operation,
                arguments,
                value: Number(table.values[node.index()]),
                tangent: Number(table.tangents[node.index()]),
                adjoint: Number(table.adjoints[node.index()]),
            }
        });
        let nodes = nodes.collect();
        let guards = program
            .guards()
            .iter()
            .map(|guard| match (guard.question, guard.recorded) {
                (Question::Value { node }, Decision::Value(value)) => GuardLine::Value {
                    node: name(node),
                    value: Number(value),
                },
                (
                    question @ (Question::Less { lhs, rhs }
                    | Question::LessEqual { lhs, rhs }
                    | Question::Equal { lhs, rhs }
                    | Question::Ordering { lhs, rhs }),
                    recorded,
                ) => GuardLine::Comparison {
                    lhs: operand(lhs),
                    outcome: symbol(question, recorded),
                    rhs: operand(rhs),
                },
                _ => GuardLine::Other {
                    description: format!("{guard:?}"),
                },
            });
        let guards = guards.collect();
        let (output, value) = match program.outputs() {
            [output] => (name(*output), Number(table.values[output.index()])),
            outputs => {
                let outputs = outputs.len();
                return Err(wengert::Error::NotScalar { outputs }.into());
            }
        };
        Ok(Self {
            problem: info.problem.name,
            instance: info.instance.clone(),
            inputs,
            wrt,
            nodes,
            output,
            value,
            guards,
        })
    }

    fn to_text(&self) -> String {
        let tangent = format!("d/d{}", self.wrt);
        let mut table = Table::new(&["node", "operation", "value", &tangent, "adjoint"], 2);
        for line in &self.nodes {
            let mut operation = line.operation.clone();
            for argument in &line.arguments {
                operation.push(' ');
                operation.push_str(argument);
            }
            table.push(vec![
                line.name.clone(),
                operation,
                number(line.value.0),
                number(line.tangent.0),
                number(line.adjoint.0),
            ]);
        }
        let mut text = String::new();
        table.render(&mut text);
        text.push_str(&format!(
            "output {} = {}\n",
            self.output,
            number(self.value.0)
        ));
        for guard in &self.guards {
            text.push_str(&match guard {
                GuardLine::Comparison { lhs, outcome, rhs } => {
                    format!("guard {lhs} {outcome} {rhs}\n")
                }
                GuardLine::Value { node, value } => {
                    format!("guard {node} was read as {}\n", number(value.0))
                }
                GuardLine::Other { description } => format!("guard {description}\n"),
            });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_inputs_are_named_with_the_known_ones() {
        let names: Vec<String> = (0..20).map(|i| format!("x{i}")).collect();
        assert_eq!(position(&names, "x3").unwrap(), 3);
        let wrong = position(&names, "y").unwrap_err().to_string();
        assert_eq!(wrong, "no input is named `y`; the inputs are x0 to x19");
        let wrong = position(&names[..2], "y").unwrap_err().to_string();
        assert!(wrong.ends_with("x0, x1"), "{wrong}");
    }
}
