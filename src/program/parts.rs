//! [`Builder`]: puts a program together from parts that were read from outside, and lets nothing wrong in.
//!
//! The text and the JSON form both end here, so both accept the same programs. What is refused is named by a static text, to which
//! the reader adds the place.
//!
//! Invariant: whatever the parts, no index of a finished program points outside its array.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::guard::Guard;
use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use crate::elementary::Op;

/// What is wrong, as "expected ...".
pub(super) type Expected = &'static str;

/// Regions in regions are read down to this depth, so that no text exhausts the stack.
pub(super) const MOST_NESTED: usize = 32;

/// The kinds without a parameter that are not rows of the rule table.
const UNITS: [NodeKind; 10] = [
    NodeKind::Select,
    NodeKind::Gate,
    NodeKind::Domain,
    NodeKind::Detach,
    NodeKind::Less,
    NodeKind::LessEqual,
    NodeKind::Equal,
    NodeKind::And,
    NodeKind::Or,
    NodeKind::Not,
];

/// The kind of this name with this parameter.
pub(super) fn kind(name: &str, parameter: Option<f64>) -> Result<NodeKind, Expected> {
    let number = || {
        parameter
            .and_then(|x| num_traits::cast::<f64, u32>(x).filter(|n| f64::from(*n) == x))
            .ok_or("expected a number from 0 to 4294967295 as the parameter")
    };
    match name {
        "input" => return number().map(NodeKind::Input),
        "region" => return number().map(NodeKind::Region),
        "result" => return number().map(NodeKind::Result),
        "constant" => {
            return parameter
                .map(NodeKind::Constant)
                .ok_or("expected the value of a constant");
        }
        "custom" => {
            return Err(
                "expected an operation of this crate, for a custom rule cannot be read back",
            );
        }
        _ => {}
    }
    let unit = UNITS
        .iter()
        .find(|unit| unit.name() == name && parameter.is_none());
    if let Some(unit) = unit {
        return Ok(*unit);
    }
    match Op::from_parts(name, parameter) {
        Some(op) => Ok(NodeKind::Elementary(op)),
        None => Err("expected an operation, with its parameter if it has one"),
    }
}

/// Whether a node of this kind can have so many arguments; regions are asked apart.
const fn takes(kind: NodeKind, arguments: usize) -> bool {
    match kind {
        NodeKind::Input(_) | NodeKind::Constant(_) => arguments == 0,
        NodeKind::Elementary(op) => op.takes(arguments),
        NodeKind::Select | NodeKind::Gate => arguments == 3,
        NodeKind::Domain
        | NodeKind::Less
        | NodeKind::LessEqual
        | NodeKind::Equal
        | NodeKind::And
        | NodeKind::Or => arguments == 2,
        NodeKind::Detach | NodeKind::Not | NodeKind::Result(_) => arguments == 1,
        NodeKind::Custom(_) | NodeKind::Region(_) => true,
    }
}

/// A region of these parts.
pub(super) fn region(
    iterations: usize,
    is_reversed: bool,
    body: Program,
    sources: Vec<Source>,
    sinks: Vec<Sink>,
) -> Result<Region, Expected> {
    // Node numbers have 32 bits, and so have the numbers of results.
    if iterations == 0 || u32::try_from(iterations).is_err() {
        return Err("expected 1 to 4294967295 iterations");
    }
    if sources.len() != body.inputs || sinks.len() != body.outputs.len() {
        return Err("expected a source per input of the body and a sink per output");
    }
    for source in &sources {
        match source {
            Source::Data(data) if data.len() != iterations => {
                return Err("expected as many data as iterations");
            }
            Source::Carried { output }
                if sinks.get(*output as usize).copied() != Some(Sink::Last) =>
            {
                return Err("expected the number of a last output for a carried input");
            }
            _ => {}
        }
    }
    Ok(Region {
        iterations,
        is_reversed,
        body: Arc::new(body),
        sources,
        sinks,
    })
}

/// A program being read.
#[derive(Default)]
pub(super) struct Builder {
    program: Program,
    regions: BTreeMap<u32, Region>,
}

impl Builder {
    /// The number of nodes so far: arguments are smaller.
    pub(super) fn len(&self) -> usize {
        self.program.kinds.len()
    }

    /// The node of this number, which must exist.
    pub(super) fn node(&self, number: u32) -> Result<NodeId, Expected> {
        let node = NodeId::from_raw(number);
        if node.index() < self.len() {
            Ok(node)
        } else {
            Err("expected the number of a node further up")
        }
    }

    /// Adds a region; its node comes later.
    pub(super) fn define(&mut self, number: u32, region: Region) -> Result<(), Expected> {
        match self.regions.insert(number, region) {
            None => Ok(()),
            Some(_) => Err("expected a region that is described once"),
        }
    }

    /// Appends a node.
    pub(super) fn push(&mut self, kind: NodeKind, arguments: &[NodeId]) -> Result<(), Expected> {
        if !arguments
            .iter()
            .all(|argument| argument.index() < self.len())
        {
            return Err("expected arguments further up");
        }
        if !takes(kind, arguments.len()) {
            return Err("expected as many arguments as the operation has");
        }
        match kind {
            NodeKind::Input(number) => {
                if number as usize != self.len() || self.program.inputs != self.len() {
                    return Err("expected the inputs first, in ascending order");
                }
                self.program.inputs += 1;
            }
            NodeKind::Region(number) => {
                let region = self
                    .regions
                    .get(&number)
                    .ok_or("expected a region that is described")?;
                if arguments.len() != region.arguments_len() {
                    return Err("expected as many arguments as the sources of the region ask for");
                }
            }
            NodeKind::Result(result) => {
                let NodeKind::Region(number) = self.program.kind(arguments[0]) else {
                    return Err("expected a region as the argument of a result");
                };
                let region = self
                    .regions
                    .get(&number)
                    .ok_or("expected a region that is described")?;
                if result as usize >= region.results_len() {
                    return Err("expected the number of a result of the region");
                }
            }
            _ => {}
        }
        NodeId::new(self.len()).map_err(|_| "expected at most 4294967296 nodes")?;
        self.program.arguments.extend_from_slice(arguments);
        let end = u32::try_from(self.program.arguments.len())
            .map_err(|_| "expected at most 4294967295 arguments in all")?;
        self.program.kinds.push(kind);
        self.program.ends.push(end);
        Ok(())
    }

    /// Appends a guard on nodes that [`node`](Self::node) has seen.
    pub(super) fn guard(&mut self, guard: Guard) {
        self.program.guards.push(guard);
    }

    /// Appends an output that [`node`](Self::node) has seen.
    pub(super) fn output(&mut self, node: NodeId) {
        self.program.outputs.push(node);
    }

    /// Says whether products may be fused with sums.
    pub(super) fn mark_derivative(&mut self, is_derivative: bool) {
        self.program.is_derivative = is_derivative;
    }

    /// The program, which [`validate`](Program::validate) has yet to see as a whole.
    pub(super) fn finish(mut self) -> Result<Program, Expected> {
        let is_dense = self
            .regions
            .keys()
            .zip(0..)
            .all(|(number, index)| *number == index);
        if !is_dense {
            return Err("expected regions numbered from 0 without a gap");
        }
        self.program.regions = self.regions.into_values().collect();
        Ok(self.program)
    }
}

impl Program {
    /// Whether both are the same program: nodes, guards, regions and outputs, numbers compared by their bits.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * 0.1], &[3.0])?;
    /// assert!(program.is_same(&program.to_string().parse()?));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// Where they were recorded does not count.
    ///
    /// **Cost**: one pass over both.
    /// **Source**: none.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (a, b) = (self, other);
        a.inputs == b.inputs
            && a.is_derivative == b.is_derivative
            && a.ends == b.ends
            && a.arguments == b.arguments
            && a.outputs == b.outputs
            && a.kinds.len() == b.kinds.len()
            && a.kinds.iter().zip(&b.kinds).all(|(a, b)| a.is_same(*b))
            && a.guards.len() == b.guards.len()
            && a.guards
                .iter()
                .zip(&b.guards)
                .all(|(a, b)| a.question == b.question && a.recorded.is_same(b.recorded))
            && a.rules.len() == b.rules.len()
            && a.rules.iter().zip(&b.rules).all(|(a, b)| Arc::ptr_eq(a, b))
            && a.regions.len() == b.regions.len()
            && a.regions.iter().zip(&b.regions).all(|(a, b)| a.is_same(b))
    }
}

impl Region {
    /// Whether both are the same loop, numbers compared by their bits.
    fn is_same(&self, other: &Self) -> bool {
        let is_same_source = |(a, b): (&Source, &Source)| match (a, b) {
            (Source::Data(a), Source::Data(b)) => {
                a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (a, b) => a == b,
        };
        self.iterations == other.iterations
            && self.is_reversed == other.is_reversed
            && self.sinks == other.sinks
            && self.sources.len() == other.sources.len()
            && self.sources.iter().zip(&other.sources).all(is_same_source)
            && self.body.is_same(&other.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for unit in UNITS {
            assert!(
                kind(unit.name(), None).is_ok_and(|found| found.is_same(unit)),
                "{unit}"
            );
            assert!(kind(unit.name(), Some(1.0)).is_err(), "{unit}");
        }
        for op in Op::all(2.0) {
            let unit = NodeKind::Elementary(op);
            let parameter = op.to_string().contains('(').then_some(2.0);
            // A selection is a kind of its own, a custom rule is not known by its name.
            match op {
                Op::Select => assert_eq!(kind("select", None), Ok(NodeKind::Select)),
                Op::Custom => assert!(kind("custom", None).is_err()),
                _ => assert!(
                    kind(op.name(), parameter).is_ok_and(|found| found.is_same(unit)),
                    "{op}"
                ),
            }
        }
    }

    #[test]
    fn parameters_are_whole_numbers_where_they_count() {
        for wrong in [
            None,
            Some(-1.0),
            Some(0.5),
            Some(f64::NAN),
            Some(4_294_967_296.0),
        ] {
            assert!(kind("input", wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            kind("result", Some(4_294_967_295.0)),
            Ok(NodeKind::Result(u32::MAX))
        );
    }
}
