//! The text of a program: one line per node, as on paper, which reads back to the same program.
//!
//! The grammar is described at [`Program::from_str`](super::Program::from_str), which reads it.
//!
//! Invariant: what is printed reads back the same, except custom rules, which have no text.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::{decision, question};
#[cfg(test)]
pub(super) use tests::EVERYTHING;
pub(super) use write::{Run, question_name, runs};
