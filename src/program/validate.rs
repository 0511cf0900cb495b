//! [`Program::validate`]: whether the flat arrays of a program mean something.
//!
//! Programs that are recorded are valid by construction; programs that were read from a file, or transformed, are checked
//! here, by code that shares nothing with what builds them.
//!
//! Invariant: a program that passes is evaluated, transformed and printed without a panic.
//! Source: none; the rules are those of the tour of [`program`](super).

use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use crate::elementary::Op;
use crate::error::Error;

/// How many arguments an operation takes.
#[derive(Clone, Copy)]
enum Arity {
    Exactly(usize),
    Even,
    Any,
}

impl Arity {
    fn admits(self, arguments: usize) -> bool {
        match self {
            Self::Exactly(arity) => arguments == arity,
            Self::Even => arguments.is_multiple_of(2),
            Self::Any => true,
        }
    }
}

/// The arity of a row of the rule table; `None` for what is a kind of node instead.
fn arity(op: Op) -> Option<Arity> {
    match op {
        Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Rem
        | Op::Pow
        | Op::Atan2
        | Op::Hypot
        | Op::Copysign
        | Op::Xlogy
        | Op::LogAddExp
        | Op::Max
        | Op::Min => Some(Arity::Exactly(2)),
        Op::MulAdd => Some(Arity::Exactly(3)),
        Op::Dot => Some(Arity::Even),
        Op::Sum
        | Op::Prod
        | Op::Norm2
        | Op::SquaredNorm
        | Op::LogSumExp
        | Op::MaxOf
        | Op::MinOf => Some(Arity::Any),
        Op::Select | Op::Custom => None,
        _ => Some(Arity::Exactly(1)),
    }
}

fn invalid(index: usize, what: &'static str) -> Error {
    Error::InvalidProgram { index, what }
}

/// An error unless the condition holds.
fn ensure(holds: bool, index: usize, what: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(invalid(index, what))
    }
}

impl Program {
    /// Finds damage of every kind: wrong numbers, order, arities, and shapes of regions, in bodies as well.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
    /// assert_eq!(program.validate(), Ok(()));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: none.
    /// **Cost**: one pass over the nodes and arguments of the program and of all bodies.
    ///
    /// # Errors
    /// [`Error::InvalidProgram`] with the first damage found; within a body the number is that of the body's node.
    ///
    /// **Source**: none.
    pub fn validate(&self) -> Result<(), Error> {
        self.check_arrays()?;
        let mut is_used = vec![false; self.regions.len()];
        for node in self.nodes() {
            self.check_node(node, &mut is_used)?;
        }
        for (k, output) in self.outputs.iter().enumerate() {
            ensure(
                output.index() < self.len(),
                k,
                "an output is not a node of the program",
            )?;
            ensure(
                self.has_value(*output),
                k,
                "an output is a region, which has no value of its own",
            )?;
        }
        for (k, guard) in self.guards.iter().enumerate() {
            for node in guard.question.nodes() {
                ensure(
                    node.index() < self.len(),
                    k,
                    "a guard asks about a node that does not exist",
                )?;
                ensure(
                    self.has_value(node),
                    k,
                    "a guard asks about a region, which has no value of its own",
                )?;
            }
        }
        for (number, region) in self.regions.iter().enumerate() {
            region.check(number)?;
        }
        Ok(())
    }

    /// Checks what has to hold before any node can be looked at.
    fn check_arrays(&self) -> Result<(), Error> {
        let len = self.len();
        ensure(
            u32::try_from(len).is_ok(),
            len,
            "more nodes than 32 bits can number",
        )?;
        ensure(
            self.ends.len() == len,
            self.ends.len(),
            "nodes and ends of argument lists differ in number",
        )?;
        let mut before = 0;
        for (index, end) in self.ends.iter().enumerate() {
            ensure(
                before <= *end,
                index,
                "the ends of argument lists do not ascend",
            )?;
            before = *end;
        }
        ensure(
            before as usize == self.arguments.len(),
            self.arguments.len(),
            "the last argument list does not end with the arguments",
        )?;
        ensure(self.inputs <= len, self.inputs, "more inputs than nodes")?;
        ensure(
            self.point.is_empty() || self.point.len() == self.inputs,
            self.point.len(),
            "the point of the recording has another length than the inputs",
        )?;
        ensure(
            self.places.is_empty() || self.places.len() == len,
            self.places.len(),
            "nodes and their places differ in number",
        )?;
        for (index, place) in self.places.iter().enumerate() {
            ensure(
                *place as usize <= self.locations.len(),
                index,
                "a node lies at a location that does not exist",
            )?;
        }
        Ok(())
    }

    /// Whether a node is not a region's own.
    fn has_value(&self, node: NodeId) -> bool {
        !matches!(self.kind(node), NodeKind::Region(_))
    }

    fn check_node(&self, node: NodeId, is_used: &mut [bool]) -> Result<(), Error> {
        let (index, kind, arguments) = (node.index(), self.kind(node), self.arguments(node));
        for argument in arguments {
            ensure(
                *argument < node,
                index,
                "an argument is not before its node",
            )?;
        }
        let given = usize::try_from(match kind {
            NodeKind::Input(k) => k,
            _ => u32::MAX,
        });
        ensure(
            (index < self.inputs) == matches!(kind, NodeKind::Input(_)),
            index,
            "the inputs are not exactly the first nodes",
        )?;
        ensure(
            index >= self.inputs || given == Ok(index),
            index,
            "an input has another number than its node",
        )?;
        let arity = match kind {
            NodeKind::Input(_) | NodeKind::Constant(_) => Arity::Exactly(0),
            NodeKind::Elementary(op) => {
                arity(op).ok_or(invalid(index, "not an operation of the rule table"))?
            }
            NodeKind::Custom(rule) => {
                ensure(
                    (rule as usize) < self.rules.len(),
                    index,
                    "a custom rule that does not exist",
                )?;
                Arity::Any
            }
            NodeKind::Select | NodeKind::Gate => Arity::Exactly(3),
            NodeKind::Domain
            | NodeKind::Less
            | NodeKind::LessEqual
            | NodeKind::Equal
            | NodeKind::And
            | NodeKind::Or => Arity::Exactly(2),
            NodeKind::Detach | NodeKind::Not | NodeKind::Result(_) => Arity::Exactly(1),
            NodeKind::Region(region) => {
                let is_used = is_used
                    .get_mut(region as usize)
                    .ok_or(invalid(index, "a region that does not exist"))?;
                ensure(!*is_used, index, "a region that another node is as well")?;
                *is_used = true;
                // Iterations may be any number in a file, so the sums are checked.
                let region = &self.regions[region as usize];
                ensure(region.iterations > 0, index, "a region without iterations")?;
                let expected = region
                    .sources
                    .iter()
                    .try_fold(0_usize, |sum, source| sum.checked_add(region.width(source)))
                    .ok_or(invalid(index, "a region with too many arguments"))?;
                region
                    .sinks
                    .iter()
                    .try_fold(0_usize, |sum, sink| sum.checked_add(region.height(*sink)))
                    .ok_or(invalid(index, "a region with too many results"))?;
                Arity::Exactly(expected)
            }
        };
        ensure(
            arity.admits(arguments.len()),
            index,
            "a wrong number of arguments",
        )?;
        self.check_uses(index, kind, arguments)
    }

    /// Checks that masks stand where masks are asked for, results behind regions, and numbers elsewhere.
    fn check_uses(&self, index: usize, kind: NodeKind, arguments: &[NodeId]) -> Result<(), Error> {
        if let NodeKind::Result(result) = kind {
            let NodeKind::Region(region) = self.kind(arguments[0]) else {
                return Err(invalid(index, "a result of a node that is no region"));
            };
            let results = self.regions[region as usize].results_len();
            return ensure(
                (result as usize) < results,
                index,
                "a result that the region does not have",
            );
        }
        for (k, argument) in arguments.iter().enumerate() {
            ensure(
                self.has_value(*argument),
                index,
                "an argument is a region, which has no value of its own",
            )?;
            let takes_mask = match kind {
                NodeKind::And | NodeKind::Or | NodeKind::Not => true,
                NodeKind::Select | NodeKind::Gate => k == 2,
                // A region passes on whatever its body can use. Derivatives compare numbers of masks with 0, and the number
                // over a single iteration is the mask itself, once its region is dissolved.
                NodeKind::Region(_) | NodeKind::Equal => continue,
                _ => false,
            };
            if takes_mask {
                ensure(
                    self.may_be_mask(*argument),
                    index,
                    "a number is used as a mask",
                )?;
            } else {
                ensure(
                    !self.kind(*argument).is_mask(),
                    index,
                    "a mask is used as a number",
                )?;
            }
        }
        Ok(())
    }

    /// Whether the value can be 1 or 0 only, as far as the node tells: inputs of bodies and results may carry masks.
    fn may_be_mask(&self, node: NodeId) -> bool {
        match self.kind(node) {
            NodeKind::Constant(c) => c == 0.0 || c == 1.0,
            NodeKind::Input(_) | NodeKind::Result(_) => true,
            kind => kind.is_mask(),
        }
    }
}

impl Region {
    /// Checks the shape and the body of the region of this number.
    fn check(&self, number: usize) -> Result<(), Error> {
        ensure(self.iterations > 0, number, "a region without iterations")?;
        ensure(
            self.sources.len() == self.body.inputs(),
            number,
            "a region has another number of sources than its body of inputs",
        )?;
        ensure(
            self.sinks.len() == self.body.outputs().len(),
            number,
            "a region has another number of sinks than its body of outputs",
        )?;
        for source in &self.sources {
            match source {
                Source::Data(data) => ensure(
                    data.len() == self.iterations,
                    number,
                    "data of a region have another length than its iterations",
                )?,
                Source::Carried { output } => {
                    let sink = self.sinks.get(*output as usize);
                    ensure(
                        sink.is_some(),
                        number,
                        "a region carries an output that does not exist",
                    )?;
                    ensure(
                        sink == Some(&Sink::Last),
                        number,
                        "a region carries an output that is not kept to the last",
                    )?;
                }
                Source::Uniform | Source::Lane => {}
            }
        }
        self.body.validate()
    }
}

#[cfg(test)]
mod tests;
