//! [`Program`], its nodes and guards, its printed form and its operation counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::elementary::{KeptRule, Op};
use crate::error::Error;

/// The number of a node, printed `v12`; 32 bits, checked on creation.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0] * x[1]], &[2.0, 3.0])?;
/// assert_eq!(program.outputs()[0].to_string(), "v2");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Checks that the number fits.
    pub(super) fn new(index: usize) -> Result<Self, Error> {
        u32::try_from(index).map(Self).map_err(|_| Error::TapeFull {
            limit: u32::MAX as usize,
        })
    }

    pub(super) const fn from_raw(index: u32) -> Self {
        Self(index)
    }

    pub(super) const fn raw(self) -> u32 {
        self.0
    }

    /// The number as an index into arrays with one entry per node.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NodeKind {
    /// The input of this number.
    Input(u32),
    /// A constant.
    Constant(f64),
    /// An elementary operation on the arguments.
    Elementary(Op),
    /// A custom rule, by its number in the program.
    Custom(u32),
    /// The first argument where the mask (the third argument) holds, else the second.
    Select,
    /// The argument, which no derivative passes.
    Detach,
    /// The mask `first < second`.
    Less,
    /// The mask `first <= second`.
    LessEqual,
    /// The mask `first == second`.
    Equal,
    /// Both masks.
    And,
    /// Either mask.
    Or,
    /// The opposite mask.
    Not,
}

impl NodeKind {
    /// The name of the operation without parameters, as counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Constant(_) => "constant",
            Self::Elementary(op) => op.name(),
            Self::Custom(_) => "custom",
            Self::Select => "select",
            Self::Detach => "detach",
            Self::Less => "lt",
            Self::LessEqual => "le",
            Self::Equal => "eq",
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
        }
    }

    /// Whether the node is computed, not given.
    #[must_use]
    pub const fn is_operation(self) -> bool {
        !matches!(self, Self::Input(_) | Self::Constant(_))
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(i) => write!(f, "input {i}"),
            Self::Constant(c) => write!(f, "constant {c}"),
            Self::Elementary(op) => write!(f, "{op}"),
            Self::Custom(rule) => write!(f, "custom({rule})"),
            _ => f.write_str(self.name()),
        }
    }
}

/// A decision on an active value that was made while recording.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Guard {
    /// A comparison of two nodes came out like this.
    Ordering {
        /// The left node.
        lhs: NodeId,
        /// The right node.
        rhs: NodeId,
        /// The outcome; `None` if a value was NaN.
        outcome: Option<std::cmp::Ordering>,
    },
    /// The exact value of a node was read.
    Value {
        /// The node.
        node: NodeId,
        /// The bits that were read.
        bits: u64,
    },
}

/// A recorded Wengert list.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
/// assert_eq!(program.to_string(), "v0 = input 0\nv1 = input 1\nv2 = sin v1\nv3 = mul v0 v2\noutput v3\n");
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, `m` outputs, any number of nodes up to 2^32.
/// **Cost**: about 40 bytes per binary operation.
/// **Source**: Wengert 1964.
#[derive(Clone, Default)]
pub struct Program {
    pub(super) kinds: Vec<NodeKind>,
    /// Per node, the number of arguments up to and including its own.
    pub(super) ends: Vec<u32>,
    pub(super) arguments: Vec<NodeId>,
    pub(super) values: Vec<f64>,
    pub(super) inputs: usize,
    pub(super) outputs: Vec<NodeId>,
    pub(super) guards: Vec<Guard>,
    pub(super) rules: Vec<Arc<dyn KeptRule>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("inputs", &self.inputs)
            .field("nodes", &self.kinds.len())
            .field("outputs", &self.outputs)
            .field("guards", &self.guards.len())
            .finish()
    }
}

impl Program {
    /// The number of inputs `n`.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The nodes of the `m` outputs.
    #[must_use]
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// The number of nodes, inputs and constants included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// All nodes in order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.kinds.len())
            .map(|i| NodeId::new(i).expect("every node was checked when it was made"))
    }

    /// What a node computes.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.kinds[node.index()]
    }

    /// The arguments of a node.
    #[must_use]
    pub fn arguments(&self, node: NodeId) -> &[NodeId] {
        let start = node
            .index()
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        &self.arguments[start..self.ends[node.index()] as usize]
    }

    /// The value of a node at the recording point; masks are 1 and 0.
    #[must_use]
    pub fn value(&self, node: NodeId) -> f64 {
        self.values[node.index()]
    }

    /// The decisions that were made while recording.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// The exact number of operations of every kind.
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
    /// **Cost**: one pass.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (index, kind) in self.kinds.iter().enumerate() {
            if kind.is_operation() {
                let node =
                    NodeId::from_raw(u32::try_from(index).expect("nodes are numbered by 32 bits"));
                counts.add(kind.name(), flops(*kind, self.arguments(node).len()));
            }
        }
        counts
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
        _ => 1,
    }
}

/// Exact numbers of operations by kind.
///
/// **Cost**: one entry per kind that occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_kind: BTreeMap<&'static str, u64>,
    flops: u64,
}

impl Counts {
    fn add(&mut self, kind: &'static str, flops: u64) {
        *self.by_kind.entry(kind).or_insert(0) += 1;
        self.flops += flops;
    }

    /// The number of operations of one kind, by the name it has in the printed program.
    #[must_use]
    pub fn of(&self, kind: &str) -> u64 {
        self.by_kind.get(kind).copied().unwrap_or(0)
    }

    /// The number of operations of all kinds; an n-ary operation counts once.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_kind.values().sum()
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

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in self.nodes() {
            write!(f, "{node} = {}", self.kind(node))?;
            for argument in self.arguments(node) {
                write!(f, " {argument}")?;
            }
            writeln!(f)?;
        }
        for output in &self.outputs {
            writeln!(f, "output {output}")?;
        }
        Ok(())
    }
}
