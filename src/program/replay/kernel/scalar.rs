//! The interpreter of scalar code: every value is that of plain `f64`, bit for bit (EDGE_CASES R1).

use super::super::code::{Entry, Exit, Instruction, Opcode, Sequential, Unit, VECTOR};
use super::{Frames, Report};
use crate::elementary::{self as rules, Binary, Unary};
use crate::scalar::Short;

/// The value in a slot.
#[inline(always)]
fn at(u: &[f64], slot: u32) -> f64 {
    debug_assert!((slot as usize) < u.len());
    // SAFETY: lowering numbered the slots of this file and the file has as many.
    unsafe { *u.get_unchecked(slot as usize) }
}

/// Writes a slot.
#[inline(always)]
fn set(u: &mut [f64], slot: u32, value: f64) {
    debug_assert!((slot as usize) < u.len());
    // SAFETY: lowering numbered the slots of this file and the file has as many.
    unsafe { *u.get_unchecked_mut(slot as usize) = value }
}

/// Runs the code of a unit on its scalar file.
pub(in super::super) fn run(
    unit: &Unit,
    code: &[Instruction],
    u: &mut [f64],
    frames: &mut Frames,
    report: &mut Report,
) {
    // The result of the preceding instruction. A chain of operations that took it from its slot would wait for the store.
    let mut last = 0.0;
    for i in code {
        match i.op {
            Opcode::Loop if i.dst & VECTOR == 0 => {
                run_loop(unit, &unit.sequential[i.a as usize], u, frames, report);
            }
            Opcode::Loop => frames.run_blocks(unit, i.a as usize, u, report),
            Opcode::Guard => {
                let values = [at(u, i.b), at(u, i.c)];
                report.check(unit, 0, i, values);
            }
            _ => last = step(unit, i, u, last),
        }
    }
}

/// Runs a loop iteration after iteration.
fn run_loop(
    unit: &Unit,
    this: &Sequential,
    u: &mut [f64],
    frames: &mut Frames,
    report: &mut Report,
) {
    for step in 0..this.iterations {
        let i = if this.is_reversed {
            this.iterations - 1 - step
        } else {
            step
        };
        for entry in &this.entries {
            match entry {
                Entry::Lane { from, to } => u[*to as usize] = u[from.at(i)],
                Entry::Data { from, to } => u[*to as usize] = from[i],
                Entry::Carried { initial, next, to } => {
                    let from = if step == 0 { *initial } else { *next };
                    u[*to as usize] = u[from as usize];
                }
            }
        }
        run(unit, &this.code, u, frames, report);
        for exit in &this.exits {
            match exit {
                Exit::Sum { from, to } if step > 0 => {
                    u[*to as usize] += u[*from as usize];
                }
                Exit::Sum { from, to } | Exit::Last { from, to } => {
                    u[*to as usize] = u[*from as usize];
                }
                Exit::Each { from, to } => u[to.at(i)] = u[*from as usize],
                // Only loops inside blocks have accumulators.
                Exit::Accumulate { .. } | Exit::AccumulateProduct { .. } => {}
            }
        }
    }
}

/// Runs one instruction that is neither a loop nor a guard; its result, given that of the preceding one.
#[inline(always)]
pub(super) fn step(unit: &Unit, i: &Instruction, u: &mut [f64], last: f64) -> f64 {
    let mask = |holds: bool| f64::from(u8::from(holds));
    let operands = || &unit.pool[i.a as usize..(i.a + i.b) as usize];
    let a = || at(u, i.a);
    let b = || at(u, i.b);
    let c = || at(u, i.c);
    let value = match i.op {
        Opcode::Copy => a(),
        Opcode::Neg => -a(),
        Opcode::Recip => rules::Recip.value(a()),
        Opcode::Sqrt => a().sqrt(),
        Opcode::Abs => a().abs(),
        Opcode::Square => a() * a(),
        Opcode::Not => mask(a() == 0.0),
        Opcode::Exp => rules::Exp.value(a()),
        Opcode::Exp2 => rules::Exp2.value(a()),
        Opcode::Log2 => rules::Log2.value(a()),
        Opcode::Log10 => rules::Log10.value(a()),
        Opcode::Cbrt => rules::Cbrt.value(a()),
        Opcode::Atanh => rules::Atanh.value(a()),
        Opcode::Softplus => rules::Softplus.value(a()),
        Opcode::Asinh => rules::Asinh.value(a()),
        Opcode::Acosh => rules::Acosh.value(a()),
        Opcode::ExpM1 => rules::ExpM1.value(a()),
        Opcode::Ln => rules::Ln.value(a()),
        Opcode::Ln1p => rules::Ln1p.value(a()),
        Opcode::Sin => rules::Sin.value(a()),
        Opcode::Cos => rules::Cos.value(a()),
        Opcode::Tan => rules::Tan.value(a()),
        Opcode::Asin => rules::Asin.value(a()),
        Opcode::Acos => rules::Acos.value(a()),
        Opcode::Atan => rules::Atan.value(a()),
        Opcode::Sinh => rules::Sinh.value(a()),
        Opcode::Cosh => rules::Cosh.value(a()),
        Opcode::Tanh => rules::Tanh.value(a()),
        Opcode::SechSquared => rules::SechSquared.value(a()),
        Opcode::Logistic => rules::Logistic.value(a()),
        Opcode::Powi => rules::Powi(i.b.cast_signed()).value(a()),
        Opcode::Add => a() + b(),
        Opcode::Sub => a() - b(),
        Opcode::Mul => a() * b(),
        Opcode::Div => a() / b(),
        Opcode::Pow => a().powf(b()),
        Opcode::Atan2 => a().atan2(b()),
        Opcode::Hypot => rules::Hypot.value(a(), b()),
        Opcode::Domain => {
            if a().is_nan() {
                f64::NAN
            } else {
                b()
            }
        }
        Opcode::Less => mask(a() < b()),
        Opcode::LessEqual => mask(a() <= b()),
        Opcode::Equal => mask(a() == b()),
        Opcode::And => mask(a() != 0.0 && b() != 0.0),
        Opcode::Or => mask(a() != 0.0 || b() != 0.0),
        Opcode::MulAdd => a().mul_add(b(), c()),
        Opcode::MulPlus => a() * b() + c(),
        Opcode::MulMinus => a() * b() - c(),
        Opcode::MinusMul => c() - a() * b(),
        Opcode::LastAdd => last + b(),
        Opcode::LastSub => last - b(),
        Opcode::SubLast => a() - last,
        Opcode::LastMul => last * b(),
        Opcode::LastMulPlus => last * b() + c(),
        Opcode::MulPlusLast => a() * b() + last,
        Opcode::LastMulMinus => last * b() - c(),
        Opcode::MulMinusLast => a() * b() - last,
        Opcode::MinusLastMul => c() - last * b(),
        Opcode::LastMinusMul => last - a() * b(),
        Opcode::Select => {
            if c() != 0.0 {
                a()
            } else {
                b()
            }
        }
        Opcode::Gate => {
            if c() == 0.0 {
                0.0
            } else {
                a() * b()
            }
        }
        Opcode::Sum => operands().iter().map(|o| at(u, *o)).sum(),
        Opcode::Dot => operands()
            .chunks_exact(2)
            .map(|pair| at(u, pair[0]) * at(u, pair[1]))
            .sum(),
        Opcode::SquaredNorm => operands().iter().map(|o| at(u, *o) * at(u, *o)).sum(),
        Opcode::LogSumExp
        | Opcode::MaxOf
        | Opcode::General
        | Opcode::Custom
        | Opcode::Loop
        | Opcode::Guard => {
            let args: Short<f64> = operands().iter().map(|o| at(u, *o)).collect();
            value_of(unit, i, &args)
        }
    };
    set(u, i.dst, value);
    value
}

/// The value of an operation that has no code of its own.
#[inline(never)]
pub(super) fn value_of(unit: &Unit, i: &Instruction, args: &[f64]) -> f64 {
    match i.op {
        Opcode::LogSumExp => rules::value(rules::Op::LogSumExp, args),
        Opcode::MaxOf => rules::value(rules::Op::MaxOf, args),
        Opcode::Custom => unit.rules[i.c as usize].value(args),
        _ => rules::value(unit.operations[i.c as usize], args),
    }
}
