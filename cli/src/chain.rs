//! `wengert chain`: the best brackets of a Jacobian chain, who computes what when, and what is proven about it.
//!
//! Invariant: whatever ends a search, time, work, proof or Ctrl-C, the best plan so far is printed.

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wengert::crosscountry::chain::{
    Bracketing, Chain, ChainOptions, ChainPlan, Element, Schedule, Task, TaskKind,
};
use wengert::crosscountry::{Status, StoppedBy};

use crate::arguments::ChainArguments;
use crate::error::CliError;
use crate::interrupt::interrupt_flag;
use crate::output::{Table, print, print_json, ratio, seconds};
use crate::progress::{bar, spinner};

/// A chain as files write it; further keys are ignored.
#[derive(Deserialize)]
struct Record {
    name: Option<String>,
    /// A triplet of inputs, outputs and edges per element.
    chain: Option<Vec<Element>>,
    /// Instead, the dimensions of matrices.
    dims: Option<Vec<u64>>,
}

/// A chain to plan, and where it comes from.
struct Instance {
    name: Option<String>,
    /// Begins error messages.
    origin: String,
    chain: Chain,
}

/// A planned chain in JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(flatten)]
    costs: Costs,
    seconds: f64,
    workers: usize,
    memory: Option<u64>,
    stopped_by: StoppedBy,
    evaluations: u64,
    tasks: &'a Bracketing,
    schedule: &'a Schedule,
}

/// Plans and prints.
pub(crate) fn run(arguments: &ChainArguments) -> Result<(), CliError> {
    let valid = arguments.seconds >= 0.0;
    if !valid {
        let text = format!("--seconds {} is no time", arguments.seconds);
        return Err(CliError::Usage(text));
    }
    let options = ChainOptions {
        workers: arguments.workers,
        memory: arguments.memory,
        seconds: Some(arguments.seconds),
        evaluations: arguments.evaluations,
        interrupt: Some(interrupt_flag()?),
    };
    match (&arguments.chain, &arguments.file) {
        (Some(text), _) => one(&parse(text)?, &options, arguments.json),
        (None, Some(path)) => all(&read(path)?, &options, arguments.json),
        (None, None) => Err(CliError::Usage("a chain or --file is missing".into())),
    }
}

/// Plans one chain and measures the time.
fn plan(instance: &Instance, options: &ChainOptions) -> Result<(ChainPlan, f64), CliError> {
    let start = Instant::now();
    let plan = instance.chain.plan(options).and_then(|plan| {
        plan.verify(&instance.chain, options)?;
        Ok(plan)
    });
    let plan = plan.map_err(|error| CliError::Failure(format!("{}{error}", instance.origin)))?;
    Ok((plan, start.elapsed().as_secs_f64()))
}

fn print_line(
    instance: &Instance,
    options: &ChainOptions,
    plan: &ChainPlan,
    seconds: f64,
) -> Result<(), CliError> {
    print_json(&Line {
        name: instance.name.as_deref(),
        costs: Costs::of(plan),
        seconds,
        workers: options.workers,
        memory: options.memory,
        stopped_by: plan.stopped_by,
        evaluations: plan.evaluations,
        tasks: &plan.bracketing,
        schedule: &plan.schedule,
    })
}

/// Plans the chain of the command line and explains it.
fn one(instance: &Instance, options: &ChainOptions, json: bool) -> Result<(), CliError> {
    let progress = spinner("planning");
    let planned = plan(instance, options);
    progress.finish_and_clear();
    let (plan, time) = planned?;
    if json {
        print_line(instance, options, &plan, time)
    } else {
        print(&explain(&instance.chain, options, &plan, time))
    }
}

/// Plans the chains of a file: a line of JSON each as soon as it is there, or one table.
fn all(instances: &[Instance], options: &ChainOptions, json: bool) -> Result<(), CliError> {
    let progress = bar(instances.len());
    let header = [
        "chain", "best", "bound", "forward", "reverse", "time", "gap",
    ];
    let mut table = Table::new(&[&header[..], &["bracketing"]].concat(), 1);
    let (mut proven, mut total) = (0_usize, 0.0);
    for (number, instance) in instances.iter().enumerate() {
        let (plan, time) = plan(instance, options)?;
        progress.set_message(format!("best {}, bound {}", plan.best, plan.lower_bound));
        progress.inc(1);
        proven += usize::from(plan.is_optimal());
        total += time;
        if json {
            progress.suspend(|| print_line(instance, options, &plan, time))?;
            continue;
        }
        let name = instance.name.clone();
        let mut row = vec![name.unwrap_or_else(|| (number + 1).to_string())];
        row.extend(Costs::of(&plan).cells());
        let bracketing = row.pop();
        row.extend([seconds(time), quality(&plan)]);
        row.extend(bracketing);
        table.push(row);
    }
    progress.finish_and_clear();
    if json {
        return Ok(());
    }
    let mut text = String::new();
    table.render(&mut text);
    let count = instances.len();
    let time = seconds(total);
    text.push_str(&format!(
        "{proven} of {count} chains proven optimal in {time}\n"
    ));
    print(&text)
}

/// What a plan of a chain costs, and how it does it.
#[derive(Serialize)]
pub(crate) struct Costs {
    pub(crate) best: u64,
    pub(crate) lower_bound: u64,
    pub(crate) proven_optimal: bool,
    pub(crate) forward: Option<u64>,
    pub(crate) reverse: Option<u64>,
    pub(crate) bracketing: String,
}

impl Costs {
    pub(crate) fn of(plan: &ChainPlan) -> Self {
        Self {
            best: plan.best,
            lower_bound: plan.lower_bound,
            proven_optimal: plan.is_optimal(),
            forward: plan.forward,
            reverse: plan.reverse,
            bracketing: plan.bracketing.to_string(),
        }
    }

    /// Best, bound, forward, reverse and bracketing for people.
    pub(crate) fn cells(&self) -> [String; 5] {
        [
            self.best.to_string(),
            self.lower_bound.to_string(),
            cost(self.forward),
            cost(self.reverse),
            self.bracketing.clone(),
        ]
    }
}

/// The elements of a result: `J2`, or `J0..J2`.
pub(crate) fn result(task: &Task) -> String {
    if task.first == task.last {
        format!("J{}", task.first)
    } else {
        format!("J{}..J{}", task.first, task.last)
    }
}

/// A cost that may be absent.
fn cost(cost: Option<u64>) -> String {
    cost.map_or("-".into(), |cost| cost.to_string())
}

fn quality(plan: &ChainPlan) -> String {
    match plan.status() {
        // At most so much of the plan's cost could be saved.
        Status::Feasible { gap } => format!("{:.2} %", gap as f64 / plan.best as f64 * 100.0),
        _ => "optimal".into(),
    }
}

/// The plan for people.
fn explain(chain: &Chain, options: &ChainOptions, plan: &ChainPlan, time: f64) -> String {
    let kind = if chain.is_dense() {
        "matrices"
    } else {
        "functions"
    };
    let workers = match options.workers {
        0 => "any number of workers".into(),
        1 => "1 worker".into(),
        workers => format!("{workers} workers"),
    };
    let mut text = format!("{} {kind}, {workers}\n", chain.elements().len());
    let against = |other: Option<u64>| match other {
        Some(other) if plan.best > 0 => {
            format!("{other} ({} x)", ratio(other as f64 / plan.best as f64))
        }
        other => cost(other),
    };
    let stop = match plan.stopped_by {
        StoppedBy::Time => ", stopped by the time limit",
        StoppedBy::Work => ", stopped by the limit on work",
        StoppedBy::Interrupt => ", interrupted",
        StoppedBy::Proof => "",
    };
    let rows = [
        ("best", format!("{} ({}{stop})", plan.best, quality(plan))),
        ("lower bound", plan.lower_bound.to_string()),
        ("forward", against(plan.forward)),
        ("reverse", against(plan.reverse)),
        ("all work", plan.bracketing.cost().to_string()),
        ("critical path", plan.bracketing.critical_path().to_string()),
        ("bracketing", plan.bracketing.to_string()),
        ("time", seconds(time)),
    ];
    for (name, value) in rows {
        text.push_str(&format!("{name:<14}{value}\n"));
    }
    let mut table = Table::new(&["task", "result", "worker", "start", "end"], 2);
    for slot in &plan.schedule.slots {
        let task = &plan.bracketing.tasks()[slot.task];
        let name = match task.kind {
            TaskKind::Given => continue,
            TaskKind::Accumulate => format!("accumulate F{}", task.first),
            TaskKind::Tangent => format!("tangents of F{}", task.last),
            TaskKind::Adjoint => format!("adjoints of F{}", task.first),
            _ => "product".into(),
        };
        let times = [
            slot.worker.to_string(),
            slot.start.to_string(),
            slot.end.to_string(),
        ];
        table.push([vec![name, result(task)], times.to_vec()].concat());
    }
    text.push('\n');
    table.render(&mut text);
    text
}

/// The chain on the command line: `1000x100x50`, or as in a file.
fn parse(text: &str) -> Result<Instance, CliError> {
    if text.trim_start().starts_with('{') {
        let mut found = records(text, "").map_err(CliError::Usage)?;
        if let (Some(instance), true) = (found.pop(), found.is_empty()) {
            return Ok(instance);
        }
    }
    let dims = text.split(['x', 'X']).map(|n| n.trim().parse());
    let dims: Vec<u64> = dims.collect::<Result<_, _>>().map_err(|_| {
        CliError::Usage(format!(
            "`{text}` is no chain; write the dimensions of matrices, such as 1000x100x50x10x1"
        ))
    })?;
    Ok(Instance {
        name: None,
        origin: String::new(),
        chain: Chain::dense(&dims),
    })
}

/// The chains of a file.
fn read(path: &Path) -> Result<Vec<Instance>, CliError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::Failure(format!("cannot read {shown}: {error}")))?;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            let origin = format!("{shown}, line {}: ", number + 1);
            found.extend(records(line, &origin).map_err(CliError::Failure)?);
        }
    }
    Ok(found)
}

/// The chains of one line: an object, or an array of objects.
fn records(line: &str, origin: &str) -> Result<Vec<Instance>, String> {
    let records: Vec<Record> = if line.trim_start().starts_with('[') {
        serde_json::from_str(line)
    } else {
        serde_json::from_str(line).map(|record| vec![record])
    }
    .map_err(|error| format!("{origin}{error}"))?;
    let instance = |record: Record| {
        let chain = match (record.chain, record.dims) {
            (Some(elements), None) => {
                Chain::new(elements).map_err(|error| format!("{origin}{error}"))?
            }
            (None, Some(dims)) => Chain::dense(&dims),
            _ => {
                let expected =
                    "expected \"chain\": [[inputs, outputs, edges], ..] or \"dims\": [..]";
                return Err(format!("{origin}{expected}"));
            }
        };
        Ok(Instance {
            name: record.name,
            origin: origin.into(),
            chain,
        })
    };
    records.into_iter().map(instance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_dimensions_or_json() {
        let parsed = |text: &str| parse(text).ok().map(|i| i.chain);
        assert_eq!(parsed("3x2X1"), Some(Chain::dense(&[3, 2, 1])));
        assert_eq!(parsed("{\"dims\": [3, 2, 1]}"), parsed("3x2x1"));
        let free = parsed("{\"chain\": [[3, 2, 9], [2, 1, 7]], \"published\": {}}");
        assert!(!free.unwrap().is_dense());
        for wrong in [
            "",
            "x",
            "3x",
            "3x-2",
            "3xtwo",
            "{}",
            "[]",
            "{\"dims\": [1.5]}",
            "{\"chain\": [[1, 2]]}",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
