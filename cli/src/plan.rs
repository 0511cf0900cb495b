//! `wengert plan`: a cheap elimination order for a graph file or a problem, and what is proven about it.
//!
//! Invariant: whatever ends the search, time, work, proof or Ctrl-C, the best plan so far is printed and written.

use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use wengert::Function;
use wengert::crosscountry::{
    Budget, LinearizedGraph, Order, Plan, PlanOptions, PlanProgress, cost_of, plan,
};
use wengert_cli::visit;
use wengert_problems::registry::{ProblemInfo, Visitor};

use crate::arguments::PlanArguments;
use crate::error::CliError;
use crate::interrupt::interrupt_flag;
use crate::measure::evaluate;
use crate::output::{Table, print};
use crate::progress::spinner;

/// Plans, prints, writes.
pub(crate) fn run(arguments: &PlanArguments) -> Result<(), CliError> {
    let graph = graph(arguments)?;
    let interrupt = interrupt_flag()?;
    let budget = Budget {
        evaluations: arguments.evaluations,
        time: Some(seconds(arguments.seconds)?),
        interrupt: Some(interrupt),
    };
    let options = PlanOptions {
        moves: arguments.moves,
        model: arguments.cost,
        method: arguments.method,
        seed: arguments.seed,
        budget,
    };
    let bar = spinner("planning");
    let found = plan(&graph, &options, &|progress| show(&bar, progress));
    bar.finish_and_clear();
    let found = found?;
    let json = found.to_json(&graph);
    if let Some(path) = &arguments.out {
        std::fs::write(path, format!("{json}\n")).map_err(|error| CliError::write(path, &error))?;
    }
    if arguments.json {
        print(&format!("{json}\n"))
    } else {
        print(&explain(&graph, &found)?)
    }
}

/// A time limit.
pub(crate) fn seconds(seconds: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| CliError::Usage(format!("--seconds {seconds} is no time")))
}

/// The graph in a file, or that of a problem.
fn graph(arguments: &PlanArguments) -> Result<LinearizedGraph, CliError> {
    let name = &arguments.instance.problem;
    let path = Path::new(name);
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"))
        || path.is_file()
    {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::Failure(format!("cannot read {name}: {error}")))?;
        return LinearizedGraph::from_json(&text)
            .map_err(|error| CliError::Failure(format!("{name}: {error}")));
    }
    visit(name, &arguments.instance.source(), GraphVisitor)?
}

/// Records a problem and linearizes it.
struct GraphVisitor;

impl Visitor for GraphVisitor {
    type Output = Result<LinearizedGraph, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        let program = wengert::program::Program::record(|x| evaluate(f, x), x)?.simplify()?;
        let graph = LinearizedGraph::from_program(&program)?;
        Ok(graph.with_name(info.problem.name))
    }
}

/// The best so far and the bound, on the spinner.
fn show(bar: &ProgressBar, progress: PlanProgress) {
    let bound = progress
        .bound
        .map_or_else(|| "none".into(), |bound| bound.to_string());
    bar.set_message(format!("best {}, bound {bound}", progress.best));
}

/// The plan in words and a table.
fn explain(graph: &LinearizedGraph, found: &Plan) -> Result<String, CliError> {
    let model = found.model;
    let mut text = format!(
        "{}: {} inputs, {} intermediates, {} outputs, {} edges\n\n",
        found.name,
        graph.inputs(),
        graph.intermediates().count(),
        graph.outputs().len(),
        graph.edges().len()
    );
    let mut table = Table::new(&["order", &model.to_string(), "of the better mode"], 1);
    // The better of the two modes is what a plan has to beat.
    let baseline = found.forward.of(model).min(found.reverse.of(model));
    let mut row = |name: &str, cost: u64| {
        table.push(vec![
            name.to_owned(),
            cost.to_string(),
            percent(cost, baseline),
        ]);
    };
    for order in Order::ALL {
        row(
            &order.to_string(),
            cost_of(graph, &order.of(graph)?)?.of(model),
        );
    }
    row(&format!("plan ({} moves)", found.moves), found.best());
    table.render(&mut text);
    text.push('\n');
    text.push_str(&match (&found.lower_bound, found.gap()) {
        (Some(bound), Some(0)) => format!("optimal: proven by {}\n", bound.kind),
        (Some(bound), Some(gap)) => format!(
            "lower bound {} ({}): the best is at most {gap} cheaper\n",
            bound.value, bound.kind
        ),
        _ => format!(
            "no lower bound is known for {} moves and {model}\n",
            found.moves
        ),
    });
    text.push_str(&format!(
        "found by {}, stopped by {}, {:.2} s, seed {}\n",
        found.method, found.stopped_by, found.seconds, found.seed
    ));
    Ok(text)
}

/// A cost relative to the cheaper of the two modes.
fn percent(cost: u64, baseline: u64) -> String {
    if baseline == 0 {
        return "-".into();
    }
    let hundredths = u128::from(cost) * 1000 / u128::from(baseline);
    format!("{}.{} %", hundredths / 10, hundredths % 10)
}
