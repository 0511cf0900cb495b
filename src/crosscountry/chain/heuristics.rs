//! Good bracketings for few workers, at once: dynamic programming in which parts divide the workers among them.
//!
//! Invariant: a value is the makespan of a schedule that exists, so it is an upper bound.
//! Source: Maertens & Naumann, ACDA 2025 (workers divided between operands, or operands one after the other).

use super::bracketing::Bracketing;
use super::matrix_free::{Chain, Part, Step};

/// More workers are divided as if they were so many; the time is cubic in the chain and quadratic in this.
const MOST_DIVIDED: usize = 16;

/// What is best for a part and a number of workers: time, step, workers of the left operand (0: one after the other).
type Cell = Option<(u64, Step, usize)>;

/// For each number of workers up to `workers`, the times of all parts.
#[derive(Debug)]
pub(super) struct Divided {
    length: usize,
    /// By workers less one, then by part.
    cells: Vec<Vec<Cell>>,
}

impl Divided {
    /// Fills the table.
    pub(super) fn new(chain: &Chain, memory: Option<u64>, workers: usize) -> Self {
        let q = chain.elements().len();
        let workers = workers.clamp(1, MOST_DIVIDED);
        let mut cells: Vec<Vec<Cell>> = vec![vec![None; q * q]; workers];
        for length in 0..q {
            for i in 0..q - length {
                let part = (i, i + length);
                for step in chain.steps(part, memory) {
                    for all in 1..=workers {
                        // Divisions: none, or the left operand has some and the right one the others.
                        let divisions = match step.parts {
                            [Some(_), Some(_)] => all,
                            _ => 1,
                        };
                        for left in 0..divisions {
                            let time = Self::time(&cells, q, &step, all, left);
                            let Some(time) = time.and_then(|t| t.checked_add(step.cost)) else {
                                continue;
                            };
                            let cell = &mut cells[all - 1][i * q + i + length];
                            if cell.is_none_or(|(old, ..)| time < old) {
                                *cell = Some((time, step, left));
                            }
                        }
                    }
                }
            }
        }
        Self { length: q, cells }
    }

    /// The time of a step's operands.
    fn time(cells: &[Vec<Cell>], q: usize, step: &Step, all: usize, left: usize) -> Option<u64> {
        let of = |part: Option<Part>, workers: usize| match part {
            Some((i, j)) => cells[workers - 1][i * q + j].map(|cell| cell.0),
            None => Some(0),
        };
        let [a, b] = step.parts;
        if left == 0 {
            of(a, all)?.checked_add(of(b, all)?)
        } else {
            Some(of(a, left)?.max(of(b, all - left)?))
        }
    }

    /// The time of a part with all workers.
    pub(super) fn makespan(&self, (i, j): Part) -> Option<u64> {
        self.cells.last()?[i * self.length + j].map(|cell| cell.0)
    }

    /// The bracketings of the whole chain for one worker, two, and so on.
    pub(super) fn bracketings(&self) -> Vec<Bracketing> {
        let mut found: Vec<Bracketing> = Vec::new();
        let root = (0, self.length - 1);
        for all in 1..=self.cells.len() {
            let mut shares = vec![all; self.length * self.length];
            let mut is_whole = true;
            let bracketing = Bracketing::build(root, |(i, j)| {
                let share = shares[i * self.length + j];
                let cell = self.cells[share - 1][i * self.length + j];
                let Some((_, step, left)) = cell else {
                    is_whole = false;
                    return Step {
                        kind: super::TaskKind::Given,
                        cost: 0,
                        parts: [None; 2],
                    };
                };
                let divided = if left == 0 {
                    [share; 2]
                } else {
                    [left, share - left]
                };
                for (part, share) in step.parts.iter().zip(divided) {
                    if let Some((i, j)) = part {
                        shares[i * self.length + j] = share;
                    }
                }
                step
            });
            if is_whole && !found.contains(&bracketing) {
                found.push(bracketing);
            }
        }
        found
    }
}
