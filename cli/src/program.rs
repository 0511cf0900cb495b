//! `wengert program`: a problem as a program, in any of its forms.
//!
//! Invariant: text and JSON are printed completely, however long, because they read back; a drawing has a limit.

use wengert::Function;
use wengert::program::{Cost, DotOptions, Program};
use wengert_cli::visit;
use wengert_problems::registry::{ProblemInfo, Visitor};

use crate::arguments::{Derivative, ProgramArguments, Show};
use crate::error::CliError;
use crate::measure::evaluate;
use crate::output::{Table, print, print_json};
use crate::trace::{input_names, moved};

/// Graphviz takes minutes above, and nobody sees anything.
const MOST_DRAWN: usize = 2000;

/// A dense matrix with more entries is no use as a program; it would take gigabytes.
const MOST_ENTRIES: usize = 10_000_000;

/// Records and prints.
pub(crate) fn run(arguments: &ProgramArguments) -> Result<(), CliError> {
    let instance = &arguments.instance;
    let visitor = ProgramVisitor { arguments };
    let form = visit(&instance.problem, &instance.source(), visitor)??;
    match form {
        Form::Text(text) => print(&text),
        Form::Json(program) => print_json(&program),
    }
}

/// What is printed.
enum Form {
    Text(String),
    Json(Box<Program>),
}

struct ProgramVisitor<'a> {
    arguments: &'a ProgramArguments,
}

impl Visitor for ProgramVisitor<'_> {
    type Output = Result<Form, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        let arguments = self.arguments;
        let point = moved(x, &input_names(info, x.len()), &arguments.at)?;
        let recorded = Program::record(|x| evaluate(f, x), &point)?;
        let derive = |program: &Program| differentiate(program, arguments.derivative, info);
        if arguments.show == Show::Cost {
            let simplified = derive(&recorded.simplify()?)?.simplify()?;
            let raw = derive(&recorded)?;
            return costs(&[("recorded", &raw), ("simplified", &simplified)]).map(Form::Text);
        }
        let program = if arguments.raw {
            derive(&recorded)?
        } else {
            derive(&recorded.simplify()?)?.simplify()?
        };
        // A direction has no default.
        let at = (program.inputs() == point.len()).then_some(&*point);
        Ok(match arguments.show {
            Show::Text if arguments.locations => {
                Form::Text(program.display_with_locations().to_string())
            }
            Show::Text => Form::Text(program.to_string()),
            Show::Json => Form::Json(Box::new(program)),
            Show::Dot | Show::Cost => Form::Text(drawing(&program, at, info)?),
        })
    }
}

/// The derivative as a program.
fn differentiate(
    program: &Program,
    derivative: Derivative,
    info: &ProblemInfo,
) -> Result<Program, CliError> {
    let (n, m) = (program.inputs(), program.outputs().len());
    let name = info.problem.name;
    let rows = match derivative {
        Derivative::Gradient | Derivative::Hessian if m != 1 => {
            return Err(CliError::Usage(format!(
                "this derivative needs one output, {name} has {m}; use --derivative jacobian"
            )));
        }
        Derivative::Jacobian => m,
        Derivative::Hessian => n,
        _ => 1,
    };
    if rows.saturating_mul(n) > MOST_ENTRIES {
        return Err(CliError::Usage(format!(
            "a dense matrix has at most {MOST_ENTRIES} entries, that of {name} is {rows} x {n}; give a smaller --size"
        )));
    }
    Ok(match derivative {
        Derivative::None => program.clone(),
        Derivative::Jvp => program.jvp()?,
        Derivative::Vjp => program.vjp()?,
        Derivative::Gradient => program.gradient()?,
        Derivative::Jacobian => program.jacobian()?,
        Derivative::Hessian => program.hessian()?,
    })
}

/// The drawing, if it is small enough; with values and adjoints at a point.
fn drawing(program: &Program, at: Option<&[f64]>, info: &ProblemInfo) -> Result<String, CliError> {
    let nodes = program.cost().nodes;
    if nodes > MOST_DRAWN {
        return Err(CliError::Usage(format!(
            "a drawing has at most {MOST_DRAWN} nodes, {} has {nodes}; give a smaller --size, or --show text",
            info.problem.name
        )));
    }
    let options = DotOptions {
        at,
        has_costs: true,
        ..DotOptions::default()
    };
    Ok(program.to_dot(&options)?)
}

/// A table with a column per program.
fn costs(programs: &[(&str, &Program)]) -> Result<String, CliError> {
    let cost = |(_, program): &(&str, &Program)| -> Result<Cost, CliError> {
        let mut cost = program.cost();
        cost.replay_bytes = Some(program.prepare()?.memory());
        Ok(cost)
    };
    let all: Vec<Cost> = programs.iter().map(cost).collect::<Result<_, _>>()?;
    let mut header = vec![""];
    header.extend(programs.iter().map(|(name, _)| *name));
    let mut table = Table::new(&header, 1);
    let mut row = |name: &str, number: &dyn Fn(usize) -> String| {
        let mut cells = vec![name.to_string()];
        cells.extend((0..all.len()).map(number));
        table.push(cells);
    };
    let mut kinds: Vec<&str> = all
        .iter()
        .flat_map(|cost| cost.operations.iter().map(|(kind, _)| kind))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        row(kind, &|k| all[k].operations.of(kind).to_string());
    }
    row("operations", &|k| all[k].operations.total().to_string());
    row("flops", &|k| all[k].operations.flops().to_string());
    row("critical path", &|k| programs[k].1.depth().to_string());
    row("inputs", &|k| programs[k].1.inputs().to_string());
    row("outputs", &|k| programs[k].1.outputs().len().to_string());
    row("nodes", &|k| all[k].nodes.to_string());
    row("constants", &|k| all[k].constants.to_string());
    row("guards", &|k| all[k].guards.to_string());
    row("regions", &|k| all[k].regions.to_string());
    row("bytes", &|k| all[k].program_bytes.to_string());
    row("bytes to replay", &|k| {
        let bytes = all[k].replay_bytes;
        bytes.map_or_else(|| "-".into(), |bytes| bytes.to_string())
    });
    let mut text = String::new();
    table.render(&mut text);
    Ok(text)
}
