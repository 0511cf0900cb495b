//! Jacobian chains of a report: the best brackets as a tree, the schedule of workers as a chart.
//!
//! Invariant: every plan shown was recounted from its chain.
//! Source: Naumann 2004; Maertens & Naumann, ACDA 2025 (matrix-free chains, workers).

use serde::Serialize;
use wengert::Error;
use wengert::crosscountry::chain::{Chain, ChainOptions, ChainPlan, Element, Task, TaskKind};

use super::figures::Figure;
use super::figures::chain::{self, Node, Step};
use super::figures::schedule;
use crate::chain::{Costs, result};
use crate::error::CliError;
use crate::output::Table;

/// The states that a search looks at: well under a second.
const EVALUATIONS: u64 = 200_000;

/// Inputs, outputs and edges of functions of unequal sizes, such that tangents, adjoints and products all pay somewhere.
const FUNCTIONS: [[u64; 3]; 6] = [
    [268, 173, 15_162],
    [173, 190, 76_665],
    [190, 416, 77_374],
    [416, 108, 27_642],
    [108, 264, 94_710],
    [264, 318, 95_965],
];

/// A planned chain.
#[derive(Serialize)]
pub(super) struct PlannedChain {
    name: String,
    workers: usize,
    #[serde(flatten)]
    costs: Costs,
    #[serde(skip)]
    pub(super) figures: Vec<Figure>,
}

/// The hour-glass of matrices, and a chain of functions for several workers.
pub(super) fn planned() -> Result<Vec<PlannedChain>, CliError> {
    let hourglass = Chain::dense(&[50, 50, 1, 50, 50]);
    let functions = Chain::new(FUNCTIONS.map(Element::from).to_vec())?;
    Ok(vec![
        PlannedChain::of("hour-glass", &hourglass, 2)?,
        PlannedChain::of("six-functions", &functions, 3)?,
    ])
}

impl PlannedChain {
    fn of(name: &str, chain: &Chain, workers: usize) -> Result<Self, Error> {
        let options = ChainOptions {
            workers,
            evaluations: Some(EVALUATIONS),
            ..ChainOptions::default()
        };
        let plan = chain.plan(&options)?;
        plan.verify(chain, &options)?;
        let mut figures = Vec::new();
        if let Some(root) = plan.bracketing.tasks().last() {
            figures.push(chain::figure(name, &node(chain, &plan, root)));
        }
        figures.push(gantt(name, &plan));
        Ok(Self {
            name: name.into(),
            workers,
            costs: Costs::of(&plan),
            figures,
        })
    }
}

/// The chains as a table.
pub(super) fn table(chains: &[PlannedChain]) -> Table {
    let header = [
        "chain",
        "workers",
        "best",
        "lower bound",
        "forward",
        "reverse",
        "bracketing",
    ];
    let mut table = Table::new(&header, 1);
    for chain in chains {
        let mut row = vec![chain.name.clone(), chain.workers.to_string()];
        row.extend(chain.costs.cells());
        table.push(row);
    }
    table
}

/// The subtree of a task, with the shapes of its results. A chain has few elements, so the recursion is shallow.
fn node(chain: &Chain, plan: &ChainPlan, task: &Task) -> Node {
    let elements = chain.elements();
    let (rows, columns) = (elements[task.last].outputs, elements[task.first].inputs);
    let operands = task.operands.iter();
    let parts = operands.map(|operand| node(chain, plan, &plan.bracketing.tasks()[*operand]));
    Node {
        label: format!("{}: {rows}x{columns}", result(task)),
        step: match task.kind {
            TaskKind::Given | TaskKind::Accumulate => Step::Factor,
            TaskKind::Tangent => Step::Tangent,
            TaskKind::Adjoint => Step::Adjoint,
            _ => Step::Product,
        },
        cost: task.cost,
        parts: parts.collect(),
    }
}

/// Who does what when; matrices that are given take no time and are left out.
fn gantt(name: &str, plan: &ChainPlan) -> Figure {
    let tasks = plan.bracketing.tasks();
    let worked = plan
        .schedule
        .slots
        .iter()
        .filter(|slot| slot.end > slot.start);
    // Times that are drawn are far below 2^53.
    let bars = worked.map(|slot| schedule::Task {
        name: result(&tasks[slot.task]),
        worker: slot.worker,
        start: slot.start as f64,
        end: slot.end as f64,
    });
    let bars: Vec<schedule::Task> = bars.collect();
    schedule::figure(
        name,
        "multiplications",
        &bars,
        Some(plan.lower_bound as f64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: both halves of the hour-glass take 50 * 1 * 50 each at the same time, then their product again.
    #[test]
    fn the_hour_glass_is_planned_for_two() {
        let chains = planned().unwrap();
        assert_eq!(
            (chains[0].costs.best, chains[0].costs.forward),
            (5000, Some(130_000))
        );
        assert_eq!(chains[0].costs.bracketing, "((J0*J1)*(J2*J3))");
        assert!(chains[0].costs.proven_optimal);
        // The optimum for three workers that the library documents.
        assert_eq!(chains[1].costs.best, 29_797_092);
        for chain in &chains {
            let ids: Vec<&str> = chain.figures.iter().map(|f| f.id.as_str()).collect();
            let expected = ["chain-", "schedule-"].map(|kind| format!("{kind}{}", chain.name));
            assert_eq!(ids, expected);
            assert!(chain.costs.lower_bound <= chain.costs.best);
        }
        // The header, seven tasks of the tree; three products have a time.
        assert_eq!(chains[0].figures[0].csv.lines().count(), 8);
        assert_eq!(chains[0].figures[1].csv.lines().count(), 4);
        assert_eq!(table(&chains).rows().len(), 3);
    }
}
