//! Register code: what a program is lowered to before it is replayed.
//!
//! A [`Unit`] owns two register files. Scalar slots hold one number each, vector slots one number per lane. An operand is the
//! number of a slot; its top bit says which file. At the top of a program everything is scalar; inside a region that runs over
//! several iterations at a time, only what differs between the iterations is a vector.
//!
//! Invariant: a vector instruction never writes to a slot that it reads, and every operand lies inside its file.

use std::sync::Arc;

use super::super::guard::Guard;
use super::super::rule::ProgramRule;
use crate::elementary::Op;

/// The bit of an operand that says that it is a vector.
pub(super) const VECTOR: u32 = 1 << 31;

/// What an instruction does. `a`, `b`, `c` are operands unless said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Opcode {
    Copy,
    Neg,
    Recip,
    Sqrt,
    Abs,
    Square,
    Not,
    Exp,
    Exp2,
    ExpM1,
    Ln,
    Ln1p,
    Log2,
    Log10,
    Cbrt,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Atanh,
    Acosh,
    Asinh,
    SechSquared,
    Logistic,
    Softplus,
    /// `b` is the exponent.
    Powi,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Atan2,
    Hypot,
    Domain,
    Less,
    LessEqual,
    Equal,
    And,
    Or,
    /// `a * b + c`, rounded once.
    MulAdd,
    /// `a * b + c`, rounded twice, or once where products are fused.
    MulPlus,
    /// `a * b - c`, rounded likewise.
    MulMinus,
    /// `c - a * b`, rounded likewise.
    MinusMul,
    /// `last + b`, where `last` is the result of the preceding instruction; in scalar code only, as
    /// all that follow up to [`LastMinusMul`](Self::LastMinusMul).
    LastAdd,
    /// `last - b`.
    LastSub,
    /// `a - last`.
    SubLast,
    /// `last * b`.
    LastMul,
    /// `last * b + c`, rounded twice.
    LastMulPlus,
    /// `a * b + last`, rounded twice.
    MulPlusLast,
    /// `last * b - c`, rounded twice.
    LastMulMinus,
    /// `a * b - last`, rounded twice.
    MulMinusLast,
    /// `c - last * b`, rounded twice.
    MinusLastMul,
    /// `last - a * b`, rounded twice.
    LastMinusMul,
    /// `a` where `c` holds, else `b`.
    Select,
    /// `a * b` where `c` holds, else +0.
    Gate,
    /// `b` operands from `a` in the pool.
    Sum,
    /// `b` operands in pairs from `a` in the pool.
    Dot,
    /// `b` operands from `a` in the pool.
    SquaredNorm,
    /// `b` operands from `a` in the pool.
    LogSumExp,
    /// `b` operands from `a` in the pool.
    MaxOf,
    /// The operation `c` of the unit on `b` operands from `a` in the pool.
    General,
    /// The rule `c` of the unit on `b` operands from `a` in the pool.
    Custom,
    /// The loop `a` of the unit; `dst` says in the same way whether it is one of lanes.
    Loop,
    /// The guard `a` of the unit, on the operands `b` and `c`.
    Guard,
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) op: Opcode,
    pub(super) dst: u32,
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) c: u32,
}

/// Slots in arithmetic progression, or any.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// `base + i stride`.
    Affine {
        /// The first slot.
        base: u32,
        /// The distance.
        stride: u32,
    },
    /// One by one.
    Listed(Box<[u32]>),
}

impl Slots {
    pub(super) fn new(slots: Vec<u32>) -> Self {
        let base = slots.first().copied().unwrap_or(0);
        let stride = slots.get(1).map_or(1, |next| next.wrapping_sub(base));
        let is_affine = stride < VECTOR
            && slots
                .windows(2)
                .all(|pair| pair[1].wrapping_sub(pair[0]) == stride);
        if is_affine {
            Self::Affine { base, stride }
        } else {
            Self::Listed(slots.into())
        }
    }

    /// The slot of iteration `i` as an operand.
    #[inline(always)]
    pub(super) fn operand(&self, i: usize) -> u32 {
        match self {
            Self::Affine { base, stride } => {
                base.wrapping_add(stride.wrapping_mul(u32::try_from(i).unwrap_or(u32::MAX)))
            }
            Self::Listed(slots) => slots[i],
        }
    }

    /// The slot of iteration `i` as an index into the scalar file.
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> usize {
        match self {
            Self::Affine { base, stride } => *base as usize + i * *stride as usize,
            Self::Listed(slots) => slots[i] as usize,
        }
    }
}

/// What is done with a value of the body of a sequential loop at the end of an iteration.
#[derive(Clone, Debug)]
pub(super) enum Exit {
    /// Added to the destination.
    Sum { from: u32, to: u32 },
    /// Stored, per iteration.
    Each { from: u32, to: Slots },
    /// Stored.
    Last { from: u32, to: u32 },
    /// Added over the lanes to the accumulators of the enclosing blocks, per iteration.
    Accumulate { from: u32, to: Slots },
    /// The product of two operands, which exists nowhere else, so added.
    AccumulateProduct { from: (u32, u32), to: Slots },
}

/// What an input of the body of a sequential loop is set to at the start of an iteration.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A scalar or vector per iteration, by operand.
    Lane { from: Slots, to: u32 },
    /// A constant per iteration.
    Data { from: Arc<[f64]>, to: u32 },
    /// The initial value, later the value of the preceding iteration.
    Carried { initial: u32, next: u32, to: u32 },
}

/// A loop that runs iteration after iteration in the files of its unit.
#[derive(Clone, Debug)]
pub(super) struct Sequential {
    pub(super) iterations: usize,
    pub(super) is_reversed: bool,
    pub(super) entries: Vec<Entry>,
    pub(super) code: Vec<Instruction>,
    pub(super) exits: Vec<Exit>,
}

/// A loop that runs many iterations at a time, in files of its own.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    pub(super) iterations: usize,
    pub(super) unit: Unit,
    /// Scalar slots of the enclosing unit and of this one.
    pub(super) uniforms: Vec<(u32, u32)>,
    /// Scalar slots of the enclosing unit, per iteration, and the vector slot here.
    pub(super) lanes: Vec<(Slots, u32)>,
    pub(super) data: Vec<(Arc<[f64]>, u32)>,
    /// The operand here, and where each iteration goes in the enclosing unit.
    pub(super) each: Vec<(u32, Slots)>,
    /// The operand here that accumulator `k` sums, if no inner loop does it; and the slot of the sum in the enclosing unit.
    pub(super) sums: Vec<(Option<u32>, u32)>,
}

/// Code with its register files.
#[derive(Clone, Default)]
pub(super) struct Unit {
    pub(super) code: Vec<Instruction>,
    pub(super) pool: Vec<u32>,
    /// The number of scalar slots.
    pub(super) scalars: usize,
    /// The number of vector slots.
    pub(super) vectors: usize,
    pub(super) constants: Vec<(u32, f64)>,
    pub(super) guards: Vec<Guard>,
    pub(super) operations: Vec<Op>,
    pub(super) rules: Vec<Arc<dyn ProgramRule>>,
    /// Whether products may be fused with sums: in derivatives only (EDGE_CASES R1).
    pub(super) fuses: bool,
    pub(super) sequential: Vec<Sequential>,
    pub(super) blocks: Vec<Blocks>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("instructions", &self.code.len())
            .field("scalars", &self.scalars)
            .field("vectors", &self.vectors)
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// The scalar file with its constants.
    pub(super) fn scalar_file(&self) -> Vec<f64> {
        let mut file = vec![0.0; self.scalars];
        for (slot, value) in &self.constants {
            file[*slot as usize] = *value;
        }
        file
    }
}
