//! The command line: commands, flags, help texts.
//!
//! Invariant: what clap accepts here is well formed; whether it suits the problem is decided by the registry.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use wengert::crosscountry::{CostModel, Method, Moves};
use wengert_problems::registry::Source;

use crate::measure::Way;

/// Automatic differentiation: derivatives, checks and exact costs of the example problems.
#[derive(Debug, Parser)]
#[command(name = "wengert", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Wengert {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  wengert problems
  wengert trace slide --at a=3,b=2,c=1
  wengert gradient rosenbrock --size 4 --mode forward
  wengert program slide --show text
  wengert check gmm --size 2 3 20
  wengert chain 1000x100x50x10x1
  wengert plan roe-flux
  wengert report --out report

`wengert COMMAND --help` has the examples and the JSON of a command. Results go to stdout, errors (one line) and
progress (on terminals only) to stderr. Nothing is coloured but the progress bar, which obeys NO_COLOR.
Exit code: 0 on success, 1 for a failure, 2 for wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the Wengert list of a problem: value, tangent and adjoint of every node.
    Trace(TraceArguments),
    /// Record a problem as a program and print it: text, drawing, JSON, or what it costs.
    Program(ProgramArguments),
    /// Compute the gradient or the Jacobian of a problem, and its time and memory.
    Gradient(GradientArguments),
    /// Check the derivatives of a problem against differences and against each other.
    Check(CheckArguments),
    /// Report operations, times and agreement of every problem in every mode.
    Report(ReportArguments),
    /// Find the best brackets of a chain of matrices or functions, for any number of workers.
    Chain(ChainArguments),
    /// Plan in which order to eliminate the vertices of a linearized graph.
    Plan(PlanArguments),
    /// List the problems.
    Problems(ProblemsArguments),
    /// Print a script that completes commands and flags in a shell.
    Completions(CompletionsArguments),
}

/// Which instance of which problem.
#[derive(Args, Clone, Debug)]
pub(crate) struct Instance {
    /// The problem; `wengert problems` lists them.
    pub(crate) problem: String,
    /// Read the instance from this file.
    #[arg(long, value_name = "FILE", conflicts_with = "size")]
    data: Option<PathBuf>,
    /// Generate an instance of these sizes; `wengert problems` says what they mean.
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',')]
    size: Option<Vec<usize>>,
}

impl Instance {
    /// Where the registry shall take the instance from.
    pub(crate) fn source(&self) -> Source {
        match (&self.data, &self.size) {
            (Some(path), _) => Source::Data(path.clone()),
            (None, Some(sizes)) => Source::Sizes(sizes.clone()),
            (None, None) => Source::Default,
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert trace slide --at a=3,b=2,c=1
  wengert trace slide --at a=3,b=2,c=1 --wrt b
  wengert trace rosenbrock --at x0=-1.2,x1=1 --json

Inputs that --at leaves out keep the values of the problem's start point.
JSON: problem, instance, inputs (names), wrt, nodes (name, operation, arguments, value, tangent, adjoint),
output (a name), value, guards (kind comparison with lhs, outcome, rhs, or kind value with node, value).
NaN and infinities are the strings \"NaN\", \"inf\" and \"-inf\".")]
pub(crate) struct TraceArguments {
    #[command(flatten)]
    pub(crate) instance: Instance,
    /// The point, such as a=3,b=2,c=1; inputs without a name of their own are x0, x1, ...
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = assignment)]
    pub(crate) at: Vec<(String, f64)>,
    /// The input that tangents are taken with respect to [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) wrt: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert program slide --show text
  wengert program slide --at b=0.5 --show text --raw --locations
  wengert program rosenbrock --size 4 --show dot | dot -Tsvg > rosenbrock.svg
  wengert program gmm --size 2 5 100 --show json > gmm.json
  wengert program lstm --derivative gradient --show cost

The text and the JSON read back; the documentation of the library describes them. A drawing shows
values, adjoints and costs at the problem's start point, or at --at.")]
pub(crate) struct ProgramArguments {
    #[command(flatten)]
    pub(crate) instance: Instance,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Show::Text)]
    pub(crate) show: Show,
    /// Differentiate the program; jvp and vjp have the direction as further inputs.
    #[arg(long, value_enum, default_value_t = Derivative::None)]
    pub(crate) derivative: Derivative,
    /// Where to record, such as a=3,b=2,c=1; inputs without a name of their own are x0, x1, ...
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = assignment)]
    pub(crate) at: Vec<(String, f64)>,
    /// The program as it was recorded and differentiated, not simplified; costs are shown of both.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Print the place in the source after every line of the text.
    #[arg(long)]
    pub(crate) locations: bool,
}

/// What is made of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Derivative {
    /// The value.
    None,
    /// The value and its derivative along a direction.
    Jvp,
    /// The value and the derivative of weighted outputs.
    Vjp,
    /// The gradient of one output.
    Gradient,
    /// All first partials, by rows.
    Jacobian,
    /// All second partials of one output, by rows.
    Hessian,
}

/// The forms of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// One line per node, which reads back.
    Text,
    /// A drawing for Graphviz.
    Dot,
    /// For other tools, which reads back.
    Json,
    /// Operations, nodes and memory.
    Cost,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert gradient gmm --size 2 5 100
  wengert gradient gmm --data gmm_d10_K25.txt --mode reverse --json
  wengert gradient ba --size 2 10 10 --mode forward
  wengert gradient lstm --mode program

JSON: problem, mode, inputs, outputs, value (a number, or an array if there are several outputs),
gradient (one output) or jacobian (rows, cols, entries), seconds, primal_seconds, tape_bytes,
adjoint_bytes. Entries are triplets [row, col, value], row by row: all of a dense Jacobian; of ba only
those that its structure has, as always in program mode. There the function is recorded, and a replay of its simplified
derivative program is timed; tape_bytes is the size of the program, adjoint_bytes that of the replay's
registers. NaN and infinities are the strings \"NaN\", \"inf\" and \"-inf\".")]
pub(crate) struct GradientArguments {
    #[command(flatten)]
    pub(crate) instance: Instance,
    /// forward, reverse or program [default: reverse if there are fewer outputs than inputs, but forward for ba]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(crate) mode: Option<Way>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert check rosenbrock
  wengert check rosenbrock --order 2
  wengert check hand --size 5 --json

JSON: problem, instance, order, inputs, outputs, seed, passed, verdict, checks (name, compared, projected, verdict,
worst: null, or the entry with row, column, expected, found, error, tolerance).
The exit code is 1 if a check fails.")]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) instance: Instance,
    /// 1 for first derivatives, 2 for the Hessian of a problem with one output.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) order: u8,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert report
  wengert report gmm lstm --out report --json
  wengert report --problems rosen,helmholtz --full
  wengert report --program my_function.txt
  cargo run --release -p wengert-peers -- all --out crates.json; wengert report --peers crates.json
  python3 peers/python/compare.py --out python.json; bash peers/cpp/compare.sh cpp.json
  wengert report --peers crates.json python.json cpp.json

Writes index.html (one page with everything in it), report.md, report.json, and every figure as SVG, PNG and CSV;
the summary goes to stdout. The exit code is 1 if modes disagree.

--peers reads what wengert-peers and its scripts for Python and C++ write, or any
{\"cases\": [{\"name\", \"plain_seconds\", \"peers\": {tool: seconds}, \"functions\": {tool: seconds}, \"deviations\": {tool: number}}],
\"points\": [{\"tool\", \"problem\", \"inputs\", \"seconds\", \"ratio\", \"deviation\"}], \"failed\": {tool: reason}}; tools whose
results deviate by more than 1e-8 are listed, not drawn.

JSON, as in report.json: version, tolerance, entries (an instance of a problem each: problem, instance, inputs, outputs,
value_norm, rows; a row is a mode: mode, order, operations (nodes, flops, fused, kinds), operations_ratio, seconds,
seconds_ratio, tape_bytes, adjoint_bytes, bytes (all of it), difference, note), sweeps (problem, entries), plans (elimination orders:
problem, inputs, outputs, intermediates, edges, orders (name, multiplications, arithmetic, proven_optimal, operations,
seconds, difference), lower_bound, bound_kind, proven_optimal, method, stopped_by, seed, seconds), chains (name,
workers, best, lower_bound, proven_optimal, forward, reverse, bracketing), peers (cases (workload, tool, seconds,
ratio), points, failed). What was not
measured is null. With --program: version, program, cost (inputs, outputs, modes (mode, operations (nodes, flops,
fused, kinds), ratio, bytes)), plan (as in plans, or null).")]
pub(crate) struct ReportArguments {
    /// Only these problems [default: all]
    #[arg(value_name = "PROBLEM")]
    pub(crate) problems: Vec<String>,
    /// The same, separated by commas.
    #[arg(long = "problems", value_name = "PROBLEM", value_delimiter = ',')]
    pub(crate) more_problems: Vec<String>,
    /// The folder to write to; it is made if necessary.
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub(crate) out: PathBuf,
    /// A few sizes per problem, in less than a minute [default]
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// More and larger sizes, in some minutes.
    #[arg(long)]
    pub(crate) full: bool,
    /// Report on a recorded program, in text or JSON, instead of the problems.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["problems", "more_problems", "full", "peers"])]
    pub(crate) program: Option<PathBuf>,
    /// Draw in what other tools took.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) peers: Vec<PathBuf>,
    /// Print the report as JSON instead of the summary.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert chain 1000x100x50x10x1
  wengert chain '{\"chain\": [[117, 45, 39041], [45, 29, 85994], [29, 213, 33574]]}' --workers 2
  wengert chain --file chains.jsonl --workers 4 --json

A file has an object per line, {\"chain\": [[inputs, outputs, edges], ..]} for functions or {\"dims\": [..]} for
matrices; a \"name\" is repeated in the output, other keys are ignored. In bracketings, J2 is an accumulated
Jacobian, (A*B) a product in chain order, (A>F3) a tangent step through function 3, (F1<A) an adjoint step.
JSON, one line per chain: name (if it has one), best (the time until the last task ends, in multiplications),
lower_bound, proven_optimal, forward, reverse (null beyond 2^64, or over the memory), bracketing, seconds,
workers, memory, stopped_by (work, time, proof, interrupt), evaluations, tasks (kind, first, last, cost,
operands; the last is the root), schedule (workers, makespan, slots with task, worker, start, end).")]
pub(crate) struct ChainArguments {
    /// The dimensions of a chain of matrices, such as 1000x100x50, or an object as in a file.
    #[arg(value_name = "CHAIN", required_unless_present = "file")]
    pub(crate) chain: Option<String>,
    /// Plan every chain of this file.
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "chain")]
    pub(crate) file: Option<PathBuf>,
    /// The number of workers; 0 for as many as are of use.
    #[arg(long, value_name = "T", default_value_t = 1)]
    pub(crate) workers: usize,
    /// The edges that the recording of an adjoint step may have [default: any number]
    #[arg(long, value_name = "M")]
    pub(crate) memory: Option<u64>,
    /// The search ends after this time per chain.
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// The search ends after this many states per chain, on every machine alike [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) evaluations: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert plan roe-flux
  wengert plan RobotArm_6DOF.json --seconds 5 --json
  wengert plan roe-flux --moves edge --seed 3 --out plan.json

A graph file is {\"name\", \"inputs\", \"vertices\", \"outputs\": [..], \"edges\": [[source, target, class], ..]}; vertices
are numbered from 0, the inputs first; the class var, const, unit or copy may be left out.
JSON: name, inputs, outputs, intermediates, edges, moves, cost, forward, reverse, markowitz, best, lower_bound
(or null), bound_kind, proven_optimal, method, stopped_by (work, time, proof, interrupt), seed, seconds, order.
The same seed and number of evaluations give the same plan unless the time limit or Ctrl-C ends the search.")]
pub(crate) struct PlanArguments {
    /// A graph file, or a problem that is recorded and linearized.
    #[command(flatten)]
    pub(crate) instance: Instance,
    /// What a step may eliminate: vertex, edge or face (the search for faces tries edges only).
    #[arg(long, default_value_t = Moves::Vertex)]
    pub(crate) moves: Moves,
    /// What to make small: multiplications, arithmetic or memory.
    #[arg(long, default_value_t = CostModel::Multiplications)]
    pub(crate) cost: CostModel,
    /// auto, forward, reverse, markowitz, search, exact or ilp.
    #[arg(long, default_value_t = Method::Auto)]
    pub(crate) method: Method,
    /// The search ends after this time at the latest.
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// The search ends after the work of this many complete evaluations of an order.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) evaluations: u64,
    /// The seed of the search.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the plan as JSON to this file.
    #[arg(long, value_name = "PLAN.json")]
    pub(crate) out: Option<PathBuf>,
    /// Print the plan as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wengert problems
  wengert problems --json

JSON: an array of objects with name, description, sizes (their names), default_sizes, reads_data.")]
pub(crate) struct ProblemsArguments {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  source <(wengert completions bash)
  wengert completions zsh > ~/.zfunc/_wengert
  wengert completions fish > ~/.config/fish/completions/wengert.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Parses `name=value`.
fn assignment(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected NAME=VALUE, such as a=3")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("expected a name before `=`".into());
    }
    let value = value.trim();
    let number = value
        .parse()
        .map_err(|_| format!("`{value}` is not a number"))?;
    Ok((name.into(), number))
}

/// Parses a mode; a name for clap, which needs a function that borrows its argument.
fn mode(text: &str) -> Result<Way, String> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Wengert::command().debug_assert();
    }

    #[test]
    fn assignments_are_names_and_numbers() {
        assert_eq!(assignment("a=3"), Ok(("a".into(), 3.0)));
        assert_eq!(assignment(" x0 = -1e-3"), Ok(("x0".into(), -1e-3)));
        for wrong in ["a", "=3", "a=", "a=b", "a==3", ""] {
            assert!(assignment(wrong).is_err(), "{wrong}");
        }
    }
}
