//! [`Bracketing`]: the tree of tasks that computes the Jacobian of a chain.
//!
//! Invariant: operands stand before the task that uses them, the last task is the root, every other task is used once.
//! Source: Naumann 2004 (bracketing of Jacobian chains).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::matrix_free::{Part, Step};

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TaskKind {
    /// Nothing: the matrix of a dense chain is there.
    Given,
    /// Accumulates the Jacobian of one element, by tangents or by adjoints, whichever are fewer.
    Accumulate,
    /// Multiplies two Jacobians.
    Product,
    /// Pushes the columns of a Jacobian through the next element.
    Tangent,
    /// Pulls the rows of a Jacobian through the element before it.
    Adjoint,
}

/// One task: the Jacobian of the elements `first..=last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What it does.
    pub kind: TaskKind,
    /// The first element of its result, from 0.
    pub first: usize,
    /// The last element of its result.
    pub last: usize,
    /// Its cost in multiplications.
    pub cost: u64,
    /// The tasks whose results it uses, in chain order: none, one, or two of a product.
    pub operands: Vec<usize>,
}

/// A tree of tasks.
///
/// As text, `J2` is an accumulated Jacobian, `(A*B)` a product in chain order (the part next to the inputs first), `(A>F3)` a
/// tangent step through element 3, `(F1<A)` an adjoint step through element 1.
///
/// ```
/// use wengert::crosscountry::chain;
/// let b = chain::dense(&[10, 20, 5, 30])?.bracketing;
/// assert_eq!(b.to_string(), "((J0*J1)*J2)");
/// assert_eq!((b.cost(), b.tasks().len()), (2500, 5));
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bracketing {
    tasks: Vec<Task>,
}

impl Bracketing {
    /// The tree whose task for every part is the step that `choose` gives.
    pub(super) fn build(root: Part, mut choose: impl FnMut(Part) -> Step) -> Self {
        // Preorder with the left operand last, so that its reverse has operands first, left before right.
        let mut open = vec![(root, None)];
        let mut found: Vec<(Part, Step, Option<usize>)> = Vec::new();
        while let Some((part, parent)) = open.pop() {
            let step = choose(part);
            let number = found.len();
            open.extend(step.parts.iter().flatten().map(|p| (*p, Some(number))));
            found.push((part, step, parent));
        }
        let place = |number: usize| found.len() - 1 - number;
        let mut tasks: Vec<Task> = found
            .iter()
            .rev()
            .map(|((first, last), step, _)| Task {
                kind: step.kind,
                first: *first,
                last: *last,
                cost: step.cost,
                operands: Vec::new(),
            })
            .collect();
        for (number, (_, _, parent)) in found.iter().enumerate().rev() {
            if let Some(parent) = parent {
                tasks[place(*parent)].operands.push(place(number));
            }
        }
        Self { tasks }
    }

    /// The tasks, operands before their use, the root last; none for an empty chain.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The total cost, which is the time of one worker; at most `u64::MAX`.
    ///
    /// **Cost**: one pass.
    #[must_use]
    pub fn cost(&self) -> u64 {
        let costs = self.tasks.iter().map(|task| task.cost);
        costs.fold(0, u64::saturating_add)
    }

    /// The cost of the dearest path from a leaf to the root, which is the time of unlimited workers.
    ///
    /// **Cost**: one pass.
    #[must_use]
    pub fn critical_path(&self) -> u64 {
        let mut ends: Vec<u64> = Vec::with_capacity(self.tasks.len());
        for task in &self.tasks {
            let start = task.operands.iter().map(|o| ends[*o]).max().unwrap_or(0);
            ends.push(start.saturating_add(task.cost));
        }
        ends.last().copied().unwrap_or(0)
    }

    /// The task that uses each task's result; `None` for the root.
    pub(super) fn parents(&self) -> Vec<Option<usize>> {
        let mut parents = vec![None; self.tasks.len()];
        for (number, task) in self.tasks.iter().enumerate() {
            for operand in &task.operands {
                parents[*operand] = Some(number);
            }
        }
        parents
    }
}

impl fmt::Display for Bracketing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::with_capacity(self.tasks.len());
        for task in &self.tasks {
            let mut operands = task.operands.iter().map(|o| std::mem::take(&mut texts[*o]));
            let mut next = || operands.next().unwrap_or_default();
            let text = match task.kind {
                TaskKind::Given | TaskKind::Accumulate => format!("J{}", task.first),
                TaskKind::Product => {
                    let left = next();
                    format!("({left}*{})", next())
                }
                TaskKind::Tangent => format!("({}>F{})", next(), task.last),
                TaskKind::Adjoint => format!("(F{}<{})", task.first, next()),
            };
            texts.push(text);
        }
        f.write_str(texts.last().map_or("", String::as_str))
    }
}
