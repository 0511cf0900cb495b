//! [`Operations`]: what a recording executes, with multiply-adds recognised.
//!
//! Invariant: `fused` is `flops` less the additions that can take in a product of their own, each product at most once; the
//! terms of a sum may be taken in any order.
//! Source: Griewank & Walther 2008, §4.5.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::elementary::Op;
use crate::program::{NodeKind, Program};

/// Exact numbers of operations.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// use wengert::report::Operations;
/// let program = Program::record(|x| [x[0] * x[1] + x[2]], &[1.0, 2.0, 3.0])?;
/// let operations = Operations::of(&program);
/// assert_eq!((operations.flops, operations.fused, operations.kind("mul")), (2, 1, 1));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: counts stay at `u64::MAX` where they do not fit.
/// **Cost**: one entry per kind that occurs.
/// **Source**: Griewank & Walther 2008, §4.5.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Operations {
    /// Nodes: an operation on many numbers counts once.
    pub nodes: u64,
    /// Scalar operations: a sum of `k` terms is `k - 1` additions.
    pub flops: u64,
    /// Scalar operations if a product and the addition it belongs to count as one; additions of two.
    pub fused: u64,
    /// Nodes by kind, under the names that they have in the text of a program.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl Operations {
    /// What a program executes, loops with all their iterations.
    ///
    /// ```
    /// use wengert::program::Program;
    /// use wengert::report::Operations;
    /// let program: Program = "v0 = input 0\nv1 = mul v0 v0\nv2 = add v1 v1\noutput v2\n".parse()?;
    /// // The product is used twice, so it stays an operation of its own.
    /// assert_eq!(Operations::of(&program).fused, 2);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Cost**: two passes.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let counts = program.counts();
        Self {
            nodes: counts.total(),
            flops: counts.flops(),
            fused: counts.flops() - multiply_adds(program, 1),
            kinds: counts.iter().collect(),
        }
    }

    /// The number of operations of one kind.
    ///
    /// ```
    /// use wengert::report::Operations;
    /// assert_eq!(Operations::default().kind("sin"), 0);
    /// ```
    ///
    /// **Cost**: a look-up.
    #[must_use]
    pub fn kind(&self, name: &str) -> u64 {
        self.kinds.get(name).copied().unwrap_or(0)
    }

    /// Those of equal passes.
    pub(super) fn times(mut self, passes: u64) -> Self {
        let counts = [&mut self.nodes, &mut self.flops, &mut self.fused];
        for count in counts.into_iter().chain(self.kinds.values_mut()) {
            *count = count.saturating_mul(passes);
        }
        self
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, count)) in self.kinds.iter().enumerate() {
            write!(f, "{}{count} {kind}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The additions and subtractions that take in a product which nothing else uses; a sum is taken in any order.
fn multiply_adds(program: &Program, times: u64) -> u64 {
    let mut uses = vec![0_u8; program.len()];
    let arguments = program.nodes().flat_map(|node| program.arguments(node));
    for node in arguments.chain(program.outputs()) {
        let uses = &mut uses[node.index()];
        *uses = uses.saturating_add(1);
    }
    let mut fused: u64 = 0;
    // Per node, the products that an addition of it can still take in: a product itself, and what a sum has left over.
    let mut products = vec![0_usize; program.len()];
    for node in program.nodes() {
        let arguments = program.arguments(node);
        // A sum of so many terms with so many products among them.
        let (terms, found) = match program.kind(node) {
            NodeKind::Elementary(Op::Mul | Op::MulConst(_)) => (1, 1),
            NodeKind::Elementary(Op::Dot) => (arguments.len() / 2, arguments.len() / 2),
            NodeKind::Elementary(Op::SquaredNorm) => (arguments.len(), arguments.len()),
            NodeKind::Elementary(
                op @ (Op::Add | Op::Sub | Op::AddConst(_) | Op::Sum | Op::MulAdd),
            ) => {
                // A constant is a term, too; the third argument of a multiply-add is added to the product of the others.
                let (own, terms, free) = match op {
                    Op::AddConst(_) => (0, 2, arguments),
                    Op::MulAdd => (1, 2, &arguments[2.min(arguments.len())..]),
                    _ => (0, arguments.len(), arguments),
                };
                let free = free.iter().filter(|argument| uses[argument.index()] == 1);
                let found = free.map(|argument| products[argument.index()]);
                (terms, found.fold(own, usize::saturating_add))
            }
            NodeKind::Region(region) => {
                let region = usize::try_from(region).ok();
                if let Some(region) = region.and_then(|region| program.regions().get(region)) {
                    let iterations = u64::try_from(region.iterations()).unwrap_or(u64::MAX);
                    let inner = multiply_adds(region.body(), times.saturating_mul(iterations));
                    fused = fused.saturating_add(inner);
                }
                (0, 0)
            }
            _ => (0, 0),
        };
        let taken = found.min(terms.saturating_sub(1));
        products[node.index()] = found - taken;
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        fused = fused.saturating_add(taken.saturating_mul(times));
    }
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fused(text: &str) -> (u64, u64) {
        let operations = Operations::of(&text.parse().unwrap());
        (operations.flops, operations.fused)
    }

    #[test]
    fn products_are_taken_in_once() {
        let inputs = "v0 = input 0\nv1 = input 1\n";
        // Two products in two sums, in either order.
        let two = format!(
            "{inputs}v2 = mul v0 v1\nv3 = mul v1 v1\nv4 = add v2 v3\nv5 = add v0 v4\noutput v5\n"
        );
        assert_eq!(fused(&two), (4, 2));
        // A sum of two products has one addition.
        let one = format!("{inputs}v2 = mul v0 v1\nv3 = mul v1 v1\nv4 = sub v2 v3\noutput v4\n");
        assert_eq!(fused(&one), (3, 2));
        // An output is a use.
        let kept = format!("{inputs}v2 = mul v0 v1\nv3 = add v2 v0\noutput v2\noutput v3\n");
        assert_eq!(fused(&kept), (2, 2));
        for (operation, counts) in [
            ("dot v0..=v5", (5, 3)),
            ("squared_norm v0..=v5", (11, 6)),
            ("mul_add v0 v1 v2", (2, 1)),
            ("sum v0..=v5", (5, 5)),
        ] {
            let inputs: String = (0..6).map(|i| format!("v{i} = input {i}\n")).collect();
            let text = format!("{inputs}v6 = {operation}\noutput v6\n");
            assert_eq!(fused(&text), counts, "{operation}");
        }
        let region = "v0 = input 0
            v1 = region(0) 3 iterations
              v0 = uniform v0
              v1 = mul v0 v0
              v2 = add v0 v1
              sum v2
            end
            v2 = result(0) v1
            output v2";
        assert_eq!(fused(region), (8, 5));
    }

    #[test]
    fn passes_multiply_every_count() {
        let program: Program = "v0 = input 0\nv1 = mul v0 v0\nv2 = add v0 v1\noutput v2\n"
            .parse()
            .unwrap();
        let twice = Operations::of(&program).times(2);
        assert_eq!(
            (twice.nodes, twice.flops, twice.fused, twice.kind("mul")),
            (4, 4, 2, 2)
        );
        assert_eq!(Operations::of(&program).times(u64::MAX).flops, u64::MAX);
    }
}
