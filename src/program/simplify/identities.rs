//! Algebraic identities that hold exactly in IEEE 754 arithmetic, for every argument: zeros of both signs, subnormal
//! numbers, infinities and NaN (whose sign and payload do not count).
//!
//! `c` and `d` are constants; everything else is any node. An identity stands here only with the reason why the bits agree.
//!
//! | is replaced | by | because |
//! |---|---|---|
//! | `x + c`, `c + x` | `add_const(c)` | commutative |
//! | `x - c` | `add_const(-c)` | subtraction is defined as addition of the negative |
//! | `-0 - x` | `-x` | `-0 + (-x)` is `-x`, also for zeros; `+0 - x` is not (`x = +0`) |
//! | `x * c`, `c * x` | `mul_const(c)` | commutative |
//! | `x / c` | `div_const(c)` | the same division |
//! | `1 / x` | `recip` | the rule is that division |
//! | `x % c` | `rem_const(c)` | the same remainder |
//! | `pow(x, c)` | `powf(c)` | the same call |
//! | `add_const(-0)` | `x` | `-0` is the neutral element; `+0` is not: `-0 + 0 = +0` |
//! | `add_const(+0)` of what is never `-0` | `x` | `add_const(c)` with `c` other than `-0`, `abs`, `exp`, a square |
//! | `mul_const(1)`, `div_const(1)` | `x` | exact |
//! | `mul_const(-1)`, `div_const(-1)` | `-x` | exact |
//! | `div_const(c)`, `c` a power of two | `mul_const(1/c)` | `1/c` is exact, so both round the same number once |
//! | `-(-x)` | `x` | signs are bits |
//! | `mul_const(c)`, `div_const(c)` of `-x` | `mul_const(-c)`, `div_const(-c)` of `x` | rounding is symmetric |
//! | `-(mul_const(c))`, `-(div_const(c))` | `mul_const(-c)`, `div_const(-c)` | rounding is symmetric |
//! | `a + (-b)`, `(-b) + a` | `a - b` | definition of subtraction |
//! | `a - (-b)` | `a + b` | definition of subtraction |
//! | `(-a) * (-b)`, `(-a) / (-b)` | `a * b`, `a / b` | the sign of a product is that of the factors |
//! | `abs(-x)`, `abs(abs(x))` | `abs(x)` | signs are bits |
//! | `floor`, `ceil`, `round`, `trunc` of one of these | the inner one | it is an integer, an infinity or NaN already |
//! | `powi(0)`, `powf(0)` | 1 | also for NaN (e09, e12) |
//! | `powi(1)` | `x` | no multiplication is made |
//! | `powi(2)` | `x * x` | one multiplication is made |
//! | `sum(a)`, `sum(a, b)` | `a`, `a + b` | sums start from the neutral `-0` |
//! | `prod(a)`, `prod(a, b)` | `a`, `a * b` | products start from 1 |
//! | `dot(a, b)` | `a * b` | the sum starts from `-0` |
//! | `dot(a, 1, b, 1, ...)` | `sum(a, b, ...)` | `a * 1` is `a` |
//! | `squared_norm(a)` | `a * a` | the sum starts from `-0` |
//! | `mul_add(x, y, -0)` | `x * y` | the exact product is rounded once; `-0` is neutral |
//! | `mul_add(x, 1, z)`, `mul_add(x, -1, z)` | `x + z`, `z - x` | the exact product is `x`, `-x` |
//! | `select(a, a, m)` | `a` | both arms are the same |
//! | `select(a, b, not m)` | `select(b, a, m)` | `not` is exact |
//! | `gate(1, a, m)`, `gate(a, 1, m)` | `select(a, +0, m)` | `1 * a` is `a`, and a closed gate is `+0` |
//! | `domain(y, y)` | `y` | NaN where `y` is |
//! | `domain(y, domain(y, p))` | `domain(y, p)` | asked once is enough |
//! | `detach(detach(x))` | `detach(x)` | no derivative passes either |
//! | `not(not m)`, `m & m`, `m or m` | `m` | for masks, which are 1 or 0 |
//! | `x < x` | 0 | also for NaN |
//!
//! Only on request ([`Passes::zero_products`](super::Passes)), because they are wrong for infinities, NaN and `-0`: a product,
//! gate or fused product with a constant zero is 0, pairs of a scalar product with one are dropped, and `x + 0` is `x`.
//!
//! Not here, because bits change: `x - x`, `x / x`, `x + x = 2 x` merged with other multiples, `(x + c) + d`, regrouped
//! sums and products, `sqrt(x)^2`, `ln(exp(x))`, `max(x, x)` (its derivative at NaN is NaN).
//!
//! Invariant: every row is proved over all special values by a test. Source: IEEE 754-2019, §5 and §6.

use super::rebuild::{Builder, Rewrite};
use crate::elementary::Op;
use crate::program::{NodeId, NodeKind, Program};
use crate::scalar::Short;

/// A node as identities look at it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    program: &'a Program,
    arguments: &'a [NodeId],
}

impl Seen<'_> {
    /// The kind of an argument.
    #[inline]
    fn kind(self, k: usize) -> NodeKind {
        self.program.kind(self.arguments[k])
    }

    /// The value of an argument that is constant.
    #[inline]
    fn constant(self, k: usize) -> Option<f64> {
        match self.kind(k) {
            NodeKind::Constant(c) => Some(c),
            _ => None,
        }
    }

    /// Whether an argument is this constant, bit for bit.
    fn is(self, k: usize, c: f64) -> bool {
        self.constant(k)
            .is_some_and(|found| found.to_bits() == c.to_bits())
    }

    /// The first argument of an argument.
    fn inner(self, k: usize) -> NodeId {
        self.program.arguments(self.arguments[k])[0]
    }

    /// What an argument is the negative of.
    #[inline]
    fn negated(self, k: usize) -> Option<NodeId> {
        matches!(self.kind(k), NodeKind::Elementary(Op::Neg)).then(|| self.inner(k))
    }

    /// Whether an argument cannot be -0: a sum is -0 only if both terms are.
    fn is_never_negative_zero(self, k: usize) -> bool {
        match self.kind(k) {
            NodeKind::Elementary(Op::AddConst(c)) => !is_bits(c, -0.0),
            NodeKind::Elementary(Op::Abs | Op::Exp) => true,
            NodeKind::Elementary(Op::Mul) => {
                let factors = self.program.arguments(self.arguments[k]);
                factors[0] == factors[1]
            }
            NodeKind::Constant(c) => !is_bits(c, -0.0),
            _ => false,
        }
    }
}

fn is_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

/// Whether `1 / c` is exact: the fraction of `c` is zero, and neither `c` nor its reciprocal is 0, subnormal or infinite.
fn is_power_of_two(c: f64) -> bool {
    const FRACTION: u64 = (1 << 52) - 1;
    c.to_bits() & FRACTION == 0 && c.is_normal() && c.recip().is_normal()
}

fn elementary(op: Op, arguments: &[NodeId]) -> Rewrite {
    Rewrite::node(NodeKind::Elementary(op), arguments)
}

/// What a node is exactly, but simpler.
#[inline]
pub(super) fn rewrite(
    builder: &mut Builder,
    kind: NodeKind,
    arguments: &[NodeId],
) -> Option<Rewrite> {
    let passes = builder.passes;
    let seen = Seen {
        program: &builder.program,
        arguments,
    };
    if passes.zero_products
        && let Some(rewrite) = zero_product(seen, kind)
    {
        return Some(rewrite);
    }
    if !passes.identities {
        return None;
    }
    match (kind, arguments) {
        (NodeKind::Elementary(op), [x]) => unary(seen, op, *x),
        (NodeKind::Elementary(op), [x, y]) => binary(seen, op, *x, *y),
        (NodeKind::Elementary(op), _) => nary(seen, op),
        (NodeKind::Gate, [_, _, mask]) => {
            let other = (0..2).find(|k| seen.is(*k, 1.0))?;
            let zero = builder.constant(0.0);
            let arguments = [arguments[1 - other], zero, *mask];
            Some(Rewrite::node(NodeKind::Select, &arguments))
        }
        _ => choice(seen, kind),
    }
}

#[inline]
fn unary(seen: Seen<'_>, op: Op, x: NodeId) -> Option<Rewrite> {
    let same = Some(Rewrite::Same(x));
    match op {
        Op::AddConst(c) if is_bits(c, -0.0) => same,
        Op::AddConst(c) if is_bits(c, 0.0) && seen.is_never_negative_zero(0) => same,
        Op::MulConst(1.0) | Op::DivConst(1.0) | Op::Powi(1) => same,
        Op::MulConst(-1.0) | Op::DivConst(-1.0) => Some(elementary(Op::Neg, &[x])),
        Op::DivConst(c) if is_power_of_two(c) => Some(elementary(Op::MulConst(c.recip()), &[x])),
        Op::MulConst(c) => seen.negated(0).map(|x| elementary(Op::MulConst(-c), &[x])),
        Op::DivConst(c) => seen.negated(0).map(|x| elementary(Op::DivConst(-c), &[x])),
        Op::Neg => match seen.kind(0) {
            NodeKind::Elementary(Op::Neg) => Some(Rewrite::Same(seen.inner(0))),
            NodeKind::Elementary(Op::MulConst(c)) => {
                Some(elementary(Op::MulConst(-c), &[seen.inner(0)]))
            }
            NodeKind::Elementary(Op::DivConst(c)) => {
                Some(elementary(Op::DivConst(-c), &[seen.inner(0)]))
            }
            _ => None,
        },
        Op::Abs => match seen.kind(0) {
            NodeKind::Elementary(Op::Abs) => same,
            NodeKind::Elementary(Op::Neg) => Some(elementary(Op::Abs, &[seen.inner(0)])),
            _ => None,
        },
        Op::Floor | Op::Ceil | Op::Round | Op::Trunc => match seen.kind(0) {
            NodeKind::Elementary(Op::Floor | Op::Ceil | Op::Round | Op::Trunc) => same,
            _ => None,
        },
        Op::Powi(0) | Op::Powf(0.0) => Some(Rewrite::constant(1.0)),
        Op::Powi(2) | Op::SquaredNorm => Some(elementary(Op::Mul, &[x, x])),
        Op::Sum | Op::Prod => same,
        _ => None,
    }
}

#[inline]
fn binary(seen: Seen<'_>, op: Op, x: NodeId, y: NodeId) -> Option<Rewrite> {
    let (c, d) = match op {
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Dot => (seen.constant(0), seen.constant(1)),
        Op::Sum => return Some(elementary(Op::Add, &[x, y])),
        Op::Prod => return Some(elementary(Op::Mul, &[x, y])),
        Op::Rem => return Some(elementary(Op::RemConst(seen.constant(1)?), &[x])),
        Op::Pow => return Some(elementary(Op::Powf(seen.constant(1)?), &[x])),
        _ => return None,
    };
    match (op, c, d) {
        (Op::Dot, ..) => Some(elementary(Op::Mul, &[x, y])),
        (Op::Add, _, Some(d)) => Some(elementary(Op::AddConst(d), &[x])),
        (Op::Add, Some(c), _) => Some(elementary(Op::AddConst(c), &[y])),
        (Op::Sub, _, Some(d)) => Some(elementary(Op::AddConst(-d), &[x])),
        (Op::Sub, Some(c), _) if is_bits(c, -0.0) => Some(elementary(Op::Neg, &[y])),
        (Op::Mul, _, Some(d)) => Some(elementary(Op::MulConst(d), &[x])),
        (Op::Mul, Some(c), _) => Some(elementary(Op::MulConst(c), &[y])),
        (Op::Div, _, Some(d)) => Some(elementary(Op::DivConst(d), &[x])),
        (Op::Div, Some(1.0), _) => Some(elementary(Op::Recip, &[y])),
        _ => signs(seen, op, x, y),
    }
}

/// Signs of the arguments of the four operations.
#[inline]
fn signs(seen: Seen<'_>, op: Op, x: NodeId, y: NodeId) -> Option<Rewrite> {
    match op {
        Op::Add => match seen.negated(1) {
            Some(y) => Some(elementary(Op::Sub, &[x, y])),
            None => seen.negated(0).map(|x| elementary(Op::Sub, &[y, x])),
        },
        Op::Sub => seen.negated(1).map(|y| elementary(Op::Add, &[x, y])),
        _ => {
            let (x, y) = (seen.negated(0)?, seen.negated(1)?);
            Some(elementary(op, &[x, y]))
        }
    }
}

fn nary(seen: Seen<'_>, op: Op) -> Option<Rewrite> {
    let x = seen.arguments;
    match op {
        Op::MulAdd => {
            if seen.is(2, -0.0) {
                return Some(elementary(Op::Mul, &x[..2]));
            }
            for (k, factor) in [(0, 1), (1, 0)] {
                if seen.is(k, 1.0) {
                    return Some(elementary(Op::Add, &[x[factor], x[2]]));
                }
                if seen.is(k, -1.0) {
                    return Some(elementary(Op::Sub, &[x[2], x[factor]]));
                }
            }
            None
        }
        Op::Dot => {
            let others = (0..x.len() / 2).map(|pair| {
                let (k, l) = (2 * pair, 2 * pair + 1);
                match (seen.is(k, 1.0), seen.is(l, 1.0)) {
                    (_, true) => Some(x[k]),
                    (true, false) => Some(x[l]),
                    (false, false) => None,
                }
            });
            let others: Short<NodeId> = others.collect::<Option<_>>()?;
            Some(elementary(Op::Sum, &others))
        }
        _ => None,
    }
}

/// Selections, masks and the other kinds that are no rows of the rule table.
fn choice(seen: Seen<'_>, kind: NodeKind) -> Option<Rewrite> {
    match (kind, seen.arguments) {
        (NodeKind::Select, [a, b, _]) if a == b => Some(Rewrite::Same(*a)),
        (NodeKind::Select, [a, b, _]) => (seen.kind(2) == NodeKind::Not)
            .then(|| Rewrite::node(NodeKind::Select, &[*b, *a, seen.inner(2)])),
        (NodeKind::Domain, [y, p]) if y == p => Some(Rewrite::Same(*p)),
        (NodeKind::Domain, [y, p]) => {
            (seen.kind(1) == NodeKind::Domain && seen.inner(1) == *y).then_some(Rewrite::Same(*p))
        }
        (NodeKind::Detach, [x]) => (seen.kind(0) == NodeKind::Detach).then_some(Rewrite::Same(*x)),
        (NodeKind::Not, [_]) => (seen.kind(0) == NodeKind::Not
            && seen.program.kind(seen.inner(0)).is_mask())
        .then(|| Rewrite::Same(seen.inner(0))),
        (NodeKind::And | NodeKind::Or, [m, n]) => {
            (m == n && seen.kind(0).is_mask()).then_some(Rewrite::Same(*m))
        }
        (NodeKind::Less, [x, y]) => (x == y).then(|| Rewrite::constant(0.0)),
        _ => None,
    }
}

/// What a product with a constant zero is if zero is to absorb everything.
fn zero_product(seen: Seen<'_>, kind: NodeKind) -> Option<Rewrite> {
    let x = seen.arguments;
    let is_zero = |k: usize| seen.constant(k) == Some(0.0);
    let NodeKind::Elementary(op) = kind else {
        return (kind == NodeKind::Gate && (is_zero(0) || is_zero(1)))
            .then(|| Rewrite::constant(0.0));
    };
    match op {
        Op::MulConst(0.0) => Some(Rewrite::constant(0.0)),
        Op::AddConst(0.0) => Some(Rewrite::Same(x[0])),
        Op::Mul | Op::Prod => (0..x.len()).any(is_zero).then(|| Rewrite::constant(0.0)),
        Op::Add => (0..2)
            .find(|k| is_zero(*k))
            .map(|k| Rewrite::Same(x[1 - k])),
        Op::Sub => is_zero(1).then(|| Rewrite::Same(x[0])),
        Op::MulAdd => (is_zero(0) || is_zero(1)).then(|| Rewrite::Same(x[2])),
        Op::Dot => {
            let kept = x
                .chunks_exact(2)
                .enumerate()
                .filter(|(pair, _)| !is_zero(2 * pair) && !is_zero(2 * pair + 1));
            let kept: Short<NodeId> = kept.flat_map(|(_, pair)| pair).copied().collect();
            (kept.len() < x.len()).then(|| match kept.is_empty() {
                true => Rewrite::constant(0.0),
                false => elementary(Op::Dot, &kept),
            })
        }
        _ => None,
    }
}
