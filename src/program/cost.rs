//! [`Counts`] and [`Cost`]: what a program does and what it weighs, exactly.
//!
//! Operations are counted as they are executed: those in the body of a region as often as it iterates. Nodes and bytes are
//! counted as they are stored: a body once.
//!
//! Invariant: counts are exact below 2^64 and stay at `u64::MAX` above.
//! Source: Griewank & Walther 2008, §4.5 (operations as the measure of cost).

use std::collections::BTreeMap;
use std::fmt;

use super::guard::Guard;
use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use crate::elementary::Op;

impl Program {
    /// The exact number of operations of every kind that one evaluation executes.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1] * x[0].sin()], &[3.0, 2.0])?;
    /// let counts = program.counts();
    /// assert_eq!((counts.of("mul"), counts.of("sin"), counts.total()), (2, 1, 3));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// A region of `k` iterations counts its body `k` times, and `k - 1` additions for every output that is summed.
    ///
    /// **Cost**: one pass.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        counts.add_program(self, 1);
        counts
    }

    /// What the program does and what it weighs.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1] * 2.0], &[3.0, 2.0])?;
    /// let cost = program.cost();
    /// assert_eq!((cost.nodes, cost.constants, cost.operations.flops()), (4, 0, 2));
    /// assert!(cost.to_string().starts_with("4 nodes"));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: one pass.
    /// **Source**: Griewank & Walther 2008, §4.5.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut cost = Cost {
            operations: self.counts(),
            ..Cost::default()
        };
        cost.add_stored(self);
        cost
    }

    /// The number of scalar operations that one evaluation of a node executes.
    ///
    /// **Shape**: a node of this program; a sum of `k` terms is `k - 1` additions, a region all its iterations.
    /// **Cost**: O(1), for a region one pass over its body.
    #[must_use]
    pub fn flops(&self, node: NodeId) -> u64 {
        let mut counts = Counts::default();
        counts.add_node(self, node, 1);
        counts.flops
    }
}

/// The elementary arithmetic in a node: a sum of `k` terms is `k - 1` additions, a scalar product of `k` pairs `2 k - 1`.
fn flops(kind: NodeKind, arguments: usize) -> u64 {
    let arguments = arguments as u64;
    match kind {
        NodeKind::Elementary(Op::Sum | Op::Prod | Op::Dot | Op::MaxOf | Op::MinOf) => {
            arguments.saturating_sub(1)
        }
        NodeKind::Elementary(Op::SquaredNorm) => (2 * arguments).saturating_sub(1),
        NodeKind::Elementary(Op::Norm2) => 2 * arguments,
        NodeKind::Elementary(Op::LogSumExp) => 3 * arguments + 1,
        NodeKind::Elementary(Op::MulAdd) => 2,
        // They only pass a number on; their own lines in the counts tell how often.
        NodeKind::Domain | NodeKind::Detach => 0,
        _ => 1,
    }
}

/// Exact numbers of operations by kind.
///
/// Under `domain` stand the checks that keep domain errors loud (EDGE_CASES R4), under `detach` the places that no
/// derivative passes; neither is arithmetic, so [`total`](Self::total) has them and [`flops`](Self::flops) has not.
///
/// **Cost**: one entry per kind that occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_kind: BTreeMap<&'static str, u64>,
    flops: u64,
}

impl Counts {
    /// Adds `times` operations of one kind.
    fn add(&mut self, kind: &'static str, flops: u64, times: u64) {
        if times == 0 {
            return;
        }
        let count = self.by_kind.entry(kind).or_insert(0);
        *count = count.saturating_add(times);
        self.flops = self.flops.saturating_add(flops.saturating_mul(times));
    }

    /// Adds what a node executes if the program runs `times` times.
    fn add_node(&mut self, program: &Program, node: NodeId, times: u64) {
        let kind = program.kind(node);
        if let NodeKind::Region(region) = kind {
            if let Some(region) = program.regions().get(region as usize) {
                self.add_region(region, times);
            }
        } else if kind.is_operation() {
            self.add(
                kind.name(),
                flops(kind, program.arguments(node).len()),
                times,
            );
        }
    }

    fn add_program(&mut self, program: &Program, times: u64) {
        for node in program.nodes() {
            self.add_node(program, node, times);
        }
    }

    fn add_region(&mut self, region: &Region, times: u64) {
        let iterations = region.iterations as u64;
        self.add_program(&region.body, times.saturating_mul(iterations));
        let sums = region
            .sinks
            .iter()
            .filter(|sink| **sink == Sink::Sum)
            .count() as u64;
        let additions = iterations.saturating_sub(1).saturating_mul(sums);
        self.add(Op::Add.name(), 1, additions.saturating_mul(times));
    }

    /// The number of operations of one kind, by the name it has in the printed program.
    #[must_use]
    pub fn of(&self, kind: &str) -> u64 {
        self.by_kind.get(kind).copied().unwrap_or(0)
    }

    /// The number of operations of all kinds; an n-ary operation counts once.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_kind
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The number of scalar operations, n-ary ones taken apart: a sum of `k` terms is `k - 1` additions.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.flops
    }

    /// All kinds that occur with their numbers, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.by_kind.iter().map(|(kind, count)| (*kind, *count))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, count)) in self.iter().enumerate() {
            write!(f, "{}{count} {kind}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What a program does and what it weighs; see [`Program::cost`].
///
/// **Shape**: operations as executed; nodes, constants, guards, regions and bytes as stored, bodies included.
/// **Cost**: one entry per kind of operation that occurs.
/// **Source**: Griewank & Walther 2008, §4.5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// The operations that one evaluation executes.
    pub operations: Counts,
    /// All nodes, inputs and constants included.
    pub nodes: usize,
    /// The nodes that are constants.
    pub constants: usize,
    /// The guards.
    pub guards: usize,
    /// The regions.
    pub regions: usize,
    /// The memory of the program, in bytes: its arrays without what they hold in reserve.
    pub program_bytes: usize,
    /// The memory of a replay, in bytes; `None` for a program that was not prepared.
    pub replay_bytes: Option<usize>,
}

impl Cost {
    /// Adds what a program stores.
    fn add_stored(&mut self, program: &Program) {
        self.nodes += program.len();
        self.constants += program
            .kinds
            .iter()
            .filter(|kind| matches!(kind, NodeKind::Constant(_)))
            .count();
        self.guards += program.guards.len();
        self.regions += program.regions.len();
        self.program_bytes += size_of::<Program>()
            + size_of_val(&*program.kinds)
            + size_of_val(&*program.ends)
            + size_of_val(&*program.arguments)
            + size_of_val(&*program.outputs)
            + size_of::<Guard>() * program.guards.len()
            + size_of_val(&*program.regions)
            + size_of_val(&*program.rules)
            + size_of_val(&*program.places)
            + size_of_val(&*program.locations)
            + size_of_val(&*program.point);
        for region in &program.regions {
            self.program_bytes += size_of_val(&*region.sources) + size_of_val(&*region.sinks);
            for source in &region.sources {
                if let Source::Data(data) = source {
                    self.program_bytes += size_of_val(&**data);
                }
            }
            self.add_stored(&region.body);
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} nodes, {} constants, {} guards, {} regions",
            self.nodes, self.constants, self.guards, self.regions
        )?;
        writeln!(
            f,
            "{} operations: {}",
            self.operations.total(),
            self.operations
        )?;
        writeln!(f, "{} flops", self.operations.flops())?;
        write!(f, "{} bytes", self.program_bytes)?;
        if let Some(bytes) = self.replay_bytes {
            write!(f, ", {bytes} bytes to replay")?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Program {
        text.parse().unwrap()
    }

    /// Four products and three additions inside, three times; an addition after each; two between them.
    #[test]
    fn operations_in_regions_count_as_often_as_they_run() {
        let program = parse(
            "v0 = input 0
             v1 = region(0) 3 iterations
               v0 = uniform v0
               v1 = region(0) 4 iterations
                 v0 = uniform v0
                 v1 = data 1 2 3 4
                 v2 = mul v0 v1
                 sum v2
               end
               v2 = result(0) v1
               v3 = add v0 v2
               sum v3
             end
             v2 = result(0) v1
             v3 = domain v0 v2
             output v3",
        );
        let cost = program.cost();
        let counts = &cost.operations;
        assert_eq!((counts.of("mul"), counts.of("add")), (12, 9 + 3 + 2));
        assert_eq!(
            (counts.of("domain"), counts.total(), counts.flops()),
            (1, 27, 26)
        );
        assert_eq!((cost.nodes, cost.regions, cost.guards), (4 + 4 + 3, 2, 0));
        // Three programs, two regions, four data, two sources and a sink each, and what the arrays hold.
        let least = 3 * size_of::<Program>() + 2 * size_of::<Region>() + 4 * 8 + 11 * 16;
        assert!((least..2 * least).contains(&cost.program_bytes), "{cost}");
        assert_eq!(program.flops(NodeId::from_raw(1)), 26);
        // Within: one product, three additions, one more; then two additions, and the check at the end.
        assert_eq!(program.depth(), 1 + 3 + 1 + 2 + 1);
    }

    #[test]
    fn iterations_that_carry_wait_for_each_other() {
        let scan = "v0 = input 0\nv1 = region(0) 5 iterations\nv0 = carried 0 v0\nv1 = mul v0 v0\nlast v1\nend\n";
        assert_eq!(parse(scan).depth(), 5);
        let apart = scan.replace("carried 0", "uniform");
        assert_eq!(parse(&apart).depth(), 1);
    }

    /// An operation on many numbers is one operation, but several flops.
    #[test]
    fn long_operations_are_taken_apart() {
        let inputs: String = (0..6).map(|i| format!("v{i} = input {i}\n")).collect();
        for (operation, flops) in [
            ("sum v0..=v5", 5),
            ("dot v0..=v5", 5),
            ("squared_norm v0..=v5", 11),
            ("norm2 v0..=v5", 12),
            ("log_sum_exp v0..=v5", 19),
            ("mul_add v0 v1 v2", 2),
            ("sum", 0),
            ("detach v0", 0),
            ("hypot v0 v1", 1),
        ] {
            let counts = parse(&format!("{inputs}v6 = {operation}\n")).counts();
            assert_eq!((counts.total(), counts.flops()), (1, flops), "{operation}");
        }
    }

    #[test]
    fn counts_that_nobody_can_execute_stay_at_the_end() {
        let levels = 3;
        let open = "v1 = region(0) 4294967295 iterations\nv0 = uniform v0\n".repeat(levels);
        let close = "end\nv2 = result(0) v1\nsum v2\n".repeat(levels - 1);
        let text = format!("v0 = input 0\n{open}v1 = mul v0 v0\nsum v1\n{close}end\n");
        let program = parse(&text);
        let counts = program.counts();
        assert_eq!((counts.of("mul"), counts.flops()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn the_display_names_every_number() {
        let mut cost = parse("v0 = input 0\nv1 = constant 2\nv2 = mul v0 v1\noutput v2").cost();
        cost.program_bytes = 400;
        cost.replay_bytes = Some(64);
        let text = "3 nodes, 1 constants, 0 guards, 0 regions\n1 operations: 1 mul\n1 flops\n400 bytes, 64 bytes to replay\n";
        assert_eq!(cost.to_string(), text);
    }
}
