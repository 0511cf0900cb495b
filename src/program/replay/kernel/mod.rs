//! The interpreters of register code.
//!
//! The only unsafe code of the replay: operands are not checked against the length of their file again, because lowering made
//! them, and threads that help share what the caller has on its stack (`helpers`). The safe twin is the naive evaluation of
//! programs, with which the tests compare every opcode.
#![allow(unsafe_code)]

mod blocks;
mod files;
mod helpers;
mod scalar;
mod vector;

pub(super) use blocks::{Frames, Points};
pub(super) use scalar::run as run_scalar;

use super::super::node::NodeId;
use super::code::{Instruction, Unit};
use crate::error::Error;

/// What the guards of a replay found.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Decisions that changed, with their lane or iteration: the first one, or the first one of every lane.
    pub(super) found: Vec<(usize, Error)>,
    /// Whether every lane is kept.
    pub(super) is_per_lane: bool,
    /// The number of decisions that changed.
    pub(super) changed: usize,
    /// The number of comparisons that were ties.
    pub(super) ties: usize,
}

impl Report {
    /// Checks a guard at two values.
    #[inline]
    fn check(&mut self, unit: &Unit, at: usize, i: &Instruction, values: [f64; 2]) {
        let guard = &unit.guards[i.a as usize];
        let first = guard.question.nodes().next();
        // Both operands may be the same node.
        let value = |node: NodeId| values[usize::from(Some(node) != first)];
        let found = guard.question.answer(value);
        self.ties += usize::from(guard.question.is_tie(value));
        if !guard.recorded.is_same(found) {
            self.changed += 1;
            self.keep(at, || guard.changed(found));
        }
    }

    fn keep(&mut self, at: usize, error: impl FnOnce() -> Error) {
        if self.is_per_lane {
            if self.found.iter().all(|(other, _)| *other != at) {
                self.found.push((at, error()));
            }
        } else if self.found.first().is_none_or(|(first, _)| at < *first) {
            self.found.clear();
            self.found.push((at, error()));
        }
    }

    /// Adds what another part of the same replay found.
    fn merge(&mut self, other: Self) {
        self.changed += other.changed;
        self.ties += other.ties;
        for (at, error) in other.found {
            self.keep(at, || error);
        }
    }
}
