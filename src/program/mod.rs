//! The recorded program: the Wengert list as a value.
//!
//! [`Program::record`] runs a function on [`Traced`] numbers and keeps every operation. The list is immutable after that; it
//! prints, counts its operations, and evaluates values, tangents and adjoints of every node. Recording through other
//! carriers (`Dual<Traced>`, `Var<Traced>`) gives derivative programs, whose counts are the exact costs of the modes.
//!
//! Semantics: node `v_i` is computed from nodes with smaller numbers by one operation of the rule table. A comparison, or a
//! conversion to `f64`, of an active value while recording is kept as a [`Guard`]: the program is that of the branch taken.
//! A loop written with `sum_over` and its kin is kept as a [`Region`] whose body is a program of its own.
//!
//! Invariant: arguments precede their node; the identifiers of inputs are `v0..v(n-1)`.
//! Source: Wengert 1964; Griewank & Walther 2008, §2.2.

mod cache;
mod cost;
mod differentiate;
mod dot;
mod evaluate;
mod guard;
mod json;
mod list;
mod node;
mod parts;
#[cfg(test)]
pub(crate) mod random;
mod record;
mod region;
mod replay;
mod rule;
mod simplify;
mod text;
mod validate;
mod view;
mod words;

pub use crate::error::{Decision, Location};
pub use cache::ProgramCache;
pub use cost::{Cost, Counts};
pub(crate) use differentiate::{
    Accumulation, Basic, Local, LocalEdge, Partial, PlannedBody, Scaling, Sparse, Weight, dense,
    either, is_small,
};
pub use differentiate::{Linearization, Storage};
pub use dot::DotOptions;
pub use evaluate::Sensitivities;
pub use guard::{Guard, Question};
pub use list::Program;
pub use node::{NodeId, NodeKind};
pub use record::{Traced, TracedMask};
pub use region::{Region, Sink, Source};
pub use replay::{BatchReplay, Replay, ReplayOptions, Unchecked, Width};
pub use simplify::Passes;
pub use view::Graph;
