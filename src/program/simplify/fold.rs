//! Constant folding: operations on constants are constants, choices by constant masks are made.
//!
//! - An operation of the rule table, a custom rule, a mask, a selection, a gate, a domain or a detachment of constants is the
//!   constant that evaluation gives.
//! - `select(a, b, 1) = a`, `select(a, b, 0) = b`; `gate(p, a, 1) = p * a`, `gate(p, a, 0) = +0`.
//! - `domain(y, p) = p` for a constant number `y`, NaN for a constant NaN.
//! - `m & 0 = 0`, `m | 1 = 1`, and `m & 1 = m | 0 = m` where `m` is a mask, that is 1 or 0.
//!
//! Invariant: values have the bits of the evaluation, because they come from the same functions.
//! Source: none; older than any paper.

use super::rebuild::Rewrite;
use crate::elementary::{self, Op};
use crate::program::guard::Guard;
use crate::program::{NodeId, NodeKind, Program};
use crate::scalar::Short;

#[inline]
fn constant(program: &Program, node: NodeId) -> Option<f64> {
    match program.kind(node) {
        NodeKind::Constant(c) => Some(c),
        _ => None,
    }
}

/// The replacement of a node that need not be computed.
#[inline]
pub(super) fn rewrite(program: &Program, kind: NodeKind, arguments: &[NodeId]) -> Option<Rewrite> {
    let c = |k: usize| constant(program, arguments[k]);
    let holds = |k: usize| c(k).map(|c| c != 0.0);
    let mask = |holds: bool| Rewrite::constant(f64::from(u8::from(holds)));
    match kind {
        NodeKind::Elementary(op) => operation(program, op, arguments),
        NodeKind::Custom(rule) => {
            let values = all(program, arguments)?;
            let value = program.rules[rule as usize].value(&values);
            Some(Rewrite::constant(value))
        }
        NodeKind::Select => holds(2).map(|holds| Rewrite::Same(arguments[usize::from(!holds)])),
        NodeKind::Gate => holds(2).map(|holds| match holds {
            true => Rewrite::node(NodeKind::Elementary(Op::Mul), &arguments[..2]),
            false => Rewrite::constant(0.0),
        }),
        NodeKind::Domain => c(0).map(|y| match y.is_nan() {
            true => Rewrite::constant(f64::NAN),
            false => Rewrite::Same(arguments[1]),
        }),
        NodeKind::Detach => c(0).map(Rewrite::constant),
        NodeKind::Less => Some(mask(c(0)? < c(1)?)),
        NodeKind::LessEqual => Some(mask(c(0)? <= c(1)?)),
        NodeKind::Equal => Some(mask(c(0)? == c(1)?)),
        NodeKind::And | NodeKind::Or => {
            let decides = kind == NodeKind::Or;
            for (k, other) in [(0, 1), (1, 0)] {
                match holds(k) {
                    Some(holds) if holds == decides => return Some(mask(decides)),
                    Some(_) => match holds_of(program, arguments[other]) {
                        Some(holds) => return Some(mask(holds)),
                        None if program.kind(arguments[other]).is_mask() => {
                            return Some(Rewrite::Same(arguments[other]));
                        }
                        None => {}
                    },
                    None => {}
                }
            }
            None
        }
        NodeKind::Not => holds(0).map(|holds| mask(!holds)),
        NodeKind::Input(_) | NodeKind::Constant(_) | NodeKind::Region(_) | NodeKind::Result(_) => {
            None
        }
    }
}

/// Whether a constant mask holds.
fn holds_of(program: &Program, node: NodeId) -> Option<bool> {
    constant(program, node).map(|c| c != 0.0)
}

/// An operation of the rule table; those of one and two arguments need no list.
#[inline]
fn operation(program: &Program, op: Op, arguments: &[NodeId]) -> Option<Rewrite> {
    let value = match arguments {
        [x] => elementary::value(op, &[constant(program, *x)?]),
        [x, y] => {
            let y = constant(program, *y)?;
            elementary::value(op, &[constant(program, *x)?, y])
        }
        _ => elementary::value(op, &all(program, arguments)?),
    };
    Some(Rewrite::constant(value))
}

/// The values of the arguments if all are constants.
fn all(program: &Program, arguments: &[NodeId]) -> Option<Short<f64>> {
    arguments.iter().map(|a| constant(program, *a)).collect()
}

/// Whether a guard asks about constants only and is answered as recorded.
pub(super) fn is_answered(program: &Program, guard: &Guard) -> bool {
    let value = |node| constant(program, node).unwrap_or(f64::NAN);
    guard
        .question
        .nodes()
        .all(|node| constant(program, node).is_some())
        && guard.recorded.is_same(guard.question.answer(value))
}
