//! Instruction selection: one node, one instruction.
//!
//! Operations with a constant parameter read it from a slot; what has no instruction of its own is computed by the rule table.

use super::super::list::Program;
use super::super::node::NodeKind;
use super::code::{Instruction, Opcode};
use super::lower::{Builder, number_of};
use crate::elementary::Op;
use crate::error::Error;

impl Builder {
    /// The instruction of an operation.
    pub(super) fn select(
        &mut self,
        program: &Program,
        kind: NodeKind,
        dst: u32,
        args: &[u32],
    ) -> Result<Instruction, Error> {
        let fixed = |op: Opcode| Instruction {
            op,
            dst,
            a: args.first().copied().unwrap_or(0),
            b: args.get(1).copied().unwrap_or(0),
            c: args.get(2).copied().unwrap_or(0),
        };
        let with_constant = |op: Opcode, b: u32| Instruction { b, ..fixed(op) };
        Ok(match kind {
            NodeKind::Select => fixed(Opcode::Select),
            NodeKind::Gate => fixed(Opcode::Gate),
            NodeKind::Domain => fixed(Opcode::Domain),
            NodeKind::Detach => fixed(Opcode::Copy),
            NodeKind::Less => fixed(Opcode::Less),
            NodeKind::LessEqual => fixed(Opcode::LessEqual),
            NodeKind::Equal => fixed(Opcode::Equal),
            NodeKind::And => fixed(Opcode::And),
            NodeKind::Or => fixed(Opcode::Or),
            NodeKind::Not => fixed(Opcode::Not),
            NodeKind::Elementary(op) => match op {
                Op::AddConst(c) => with_constant(Opcode::Add, self.constant(c)?),
                Op::MulConst(c) => with_constant(Opcode::Mul, self.constant(c)?),
                Op::DivConst(c) => with_constant(Opcode::Div, self.constant(c)?),
                Op::Powf(c) => with_constant(Opcode::Pow, self.constant(c)?),
                Op::Powi(2) => fixed(Opcode::Square),
                Op::Powi(n) => with_constant(Opcode::Powi, n.cast_unsigned()),
                Op::Sum | Op::Dot | Op::SquaredNorm | Op::LogSumExp | Op::MaxOf
                    if !args.is_empty() =>
                {
                    let (a, b) = self.pool(args)?;
                    let op = match op {
                        Op::Sum => Opcode::Sum,
                        Op::Dot => Opcode::Dot,
                        Op::SquaredNorm => Opcode::SquaredNorm,
                        Op::LogSumExp => Opcode::LogSumExp,
                        _ => Opcode::MaxOf,
                    };
                    Instruction {
                        op,
                        dst,
                        a,
                        b,
                        c: 0,
                    }
                }
                _ => match direct(op) {
                    Some(op) => fixed(op),
                    None => {
                        let c = number_of(self.unit.operations.len())?;
                        self.unit.operations.push(op);
                        let (a, b) = self.pool(args)?;
                        Instruction {
                            op: Opcode::General,
                            dst,
                            a,
                            b,
                            c,
                        }
                    }
                },
            },
            NodeKind::Custom(rule) => {
                let c = number_of(self.unit.rules.len())?;
                self.unit.rules.push(program.rules[rule as usize].clone());
                let (a, b) = self.pool(args)?;
                Instruction {
                    op: Opcode::Custom,
                    dst,
                    a,
                    b,
                    c,
                }
            }
            NodeKind::Input(_)
            | NodeKind::Constant(_)
            | NodeKind::Region(_)
            | NodeKind::Result(_) => fixed(Opcode::Copy),
        })
    }
}

/// A sum or difference whose argument number `at` is a product of these factors, in one instruction.
pub(super) fn with_product(
    kind: NodeKind,
    dst: u32,
    at: usize,
    (a, b): (u32, u32),
    c: u32,
) -> Instruction {
    let op = match (kind, at) {
        (NodeKind::Elementary(Op::Sub), 0) => Opcode::MulMinus,
        (NodeKind::Elementary(Op::Sub), _) => Opcode::MinusMul,
        _ => Opcode::MulPlus,
    };
    Instruction { op, dst, a, b, c }
}

/// The opcode of an operation on one or two operands without parameters.
const fn direct(op: Op) -> Option<Opcode> {
    Some(match op {
        Op::Neg => Opcode::Neg,
        Op::Recip => Opcode::Recip,
        Op::Sqrt => Opcode::Sqrt,
        Op::Abs => Opcode::Abs,
        Op::Exp => Opcode::Exp,
        Op::Exp2 => Opcode::Exp2,
        Op::Log2 => Opcode::Log2,
        Op::Log10 => Opcode::Log10,
        Op::Cbrt => Opcode::Cbrt,
        Op::Atanh => Opcode::Atanh,
        Op::Softplus => Opcode::Softplus,
        Op::Hypot => Opcode::Hypot,
        Op::Asinh => Opcode::Asinh,
        Op::Acosh => Opcode::Acosh,
        Op::ExpM1 => Opcode::ExpM1,
        Op::Ln => Opcode::Ln,
        Op::Ln1p => Opcode::Ln1p,
        Op::Sin => Opcode::Sin,
        Op::Cos => Opcode::Cos,
        Op::Tan => Opcode::Tan,
        Op::Asin => Opcode::Asin,
        Op::Acos => Opcode::Acos,
        Op::Atan => Opcode::Atan,
        Op::Sinh => Opcode::Sinh,
        Op::Cosh => Opcode::Cosh,
        Op::Tanh => Opcode::Tanh,
        Op::SechSquared => Opcode::SechSquared,
        Op::Logistic => Opcode::Logistic,
        Op::Add => Opcode::Add,
        Op::Sub => Opcode::Sub,
        Op::Mul => Opcode::Mul,
        Op::Div => Opcode::Div,
        Op::Pow => Opcode::Pow,
        Op::Atan2 => Opcode::Atan2,
        Op::MulAdd => Opcode::MulAdd,
        _ => return None,
    })
}
