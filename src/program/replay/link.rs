//! Linking: an instruction takes the result of the preceding one from a register instead of its slot.
//!
//! A slot that is read right after it was written makes the read wait until the store is done, which in a chain of additions
//! and multiplications is as long as the operation itself. The result is stored all the same: later instructions may want it.
//!
//! Invariant: only scalar code is linked, and only to an instruction of the same list with nothing but guards between.
//! Source: Ertl 1995 (stack caching), with one cached value.

use super::code::{Instruction, Opcode};

/// Links the instructions of scalar code.
pub(super) fn link(code: &mut [Instruction]) {
    let mut last = None;
    for i in code {
        if let Some(slot) = last {
            *i = linked(*i, slot);
        }
        last = match i.op {
            Opcode::Guard => last,
            Opcode::Loop => None,
            _ => Some(i.dst),
        };
    }
}

/// The instruction with the operand in `slot` taken from the preceding instruction, if there is an opcode for it.
fn linked(mut i: Instruction, slot: u32) -> Instruction {
    let (is_a, is_b, is_c) = (i.a == slot, i.b == slot, i.c == slot);
    // The linked opcodes have their other factor or term in `b`.
    let other = if is_a { i.b } else { i.a };
    let (op, b) = match i.op {
        Opcode::Add if is_a || is_b => (Opcode::LastAdd, other),
        Opcode::Mul if is_a || is_b => (Opcode::LastMul, other),
        Opcode::Sub if is_a => (Opcode::LastSub, i.b),
        Opcode::Sub if is_b => (Opcode::SubLast, i.b),
        Opcode::MulPlus if is_a || is_b => (Opcode::LastMulPlus, other),
        Opcode::MulPlus if is_c => (Opcode::MulPlusLast, i.b),
        Opcode::MulMinus if is_a || is_b => (Opcode::LastMulMinus, other),
        Opcode::MulMinus if is_c => (Opcode::MulMinusLast, i.b),
        Opcode::MinusMul if is_a || is_b => (Opcode::MinusLastMul, other),
        Opcode::MinusMul if is_c => (Opcode::LastMinusMul, i.b),
        op => (op, i.b),
    };
    i.op = op;
    i.b = b;
    i
}
