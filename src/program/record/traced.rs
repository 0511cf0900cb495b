//! [`Traced`], the innermost number that records every operation, and [`TracedMask`], its undecided comparison.
//!
//! Invariant: an operation records one node, a decision one guard; constants alone are computed at once.
//! Rows: `EDGE_CASES.md` R3 (structural zeros), e42 to e46.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::panic::Location;

use super::super::guard::Question;
use super::super::node::{NodeId, NodeKind};
use super::super::rule::Erase;
use super::recorder::{CONSTANT, Caller, ZERO, decide, values, with_stack};
use super::{by_index, regions};
use crate::elementary::{Binary, Nary, Op, TiedMax, TiedMin, Unary};
use crate::error::Decision;
use crate::scalar::{Mask, Rows, Scalar, Short, field::field_traits, traits::scalar_traits};

/// A number whose operations become nodes of the [`Program`](super::super::Program) being recorded.
///
/// It is made by [`Program::record`](super::super::Program::record) only. Like a plain number it carries no derivative;
/// `Dual<Traced>` and `Var<Traced>` record derivative programs. Its value is computed when a decision asks for it.
///
/// **Shape**: 16 bytes: a constant, or the number of a node and of its recording.
/// **Cost**: one push per operation.
/// **Source**: Griewank & Walther 2008, §6.1.
#[derive(Clone, Copy)]
pub struct Traced {
    /// The value of a constant.
    pub(super) value: f64,
    /// The recording in the upper half and the node in the lower one: two fields are passed in registers. Three are passed
    /// in memory, where reading them at once has to wait for having written them one by one; measured, 10 ns per operation.
    pub(super) id: u64,
}

/// The outcome of a comparison of traced numbers: a node of the program, not a decision.
#[derive(Clone, Copy, Debug)]
pub struct TracedMask(Traced);

/// A mask as a number.
fn number(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

impl Traced {
    #[inline]
    pub(super) fn constant(value: f64) -> Self {
        Self {
            value,
            id: u64::from(CONSTANT) << 32,
        }
    }

    #[inline]
    pub(super) fn node(node: u32, recording: u32) -> Self {
        Self {
            value: 0.0,
            id: u64::from(recording) << 32 | u64::from(node),
        }
    }

    #[inline]
    pub(super) fn recording(self) -> u32 {
        u32::try_from(self.id >> 32).expect("the upper half has 32 bits")
    }

    #[inline]
    pub(super) fn number(self) -> u32 {
        u32::try_from(self.id & u64::from(u32::MAX)).expect("the lower half has 32 bits")
    }

    #[inline]
    pub(super) fn is_constant(&self) -> bool {
        self.recording() <= ZERO
    }

    /// The value, if it belongs to no recording.
    pub(in super::super) fn constant_value(self) -> Option<f64> {
        self.is_constant().then_some(self.value)
    }

    /// Whether derivatives never see the number (EDGE_CASES R3).
    #[inline]
    pub(in super::super) fn is_structural_zero(&self) -> bool {
        self.recording() == ZERO
    }

    /// Whether both are the same node or the same constant, by its bits.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.is_constant(), other.is_constant()) {
            (true, true) => self.value.to_bits() == other.value.to_bits(),
            (false, false) => self.id == other.id,
            _ => false,
        }
    }

    #[inline]
    fn from_inner(value: f64) -> Self {
        Self::constant(value)
    }

    /// Reads the value, which decides something: a guard on its bits (e46).
    #[track_caller]
    fn inner(&self) -> f64 {
        if self.is_constant() {
            return self.value;
        }
        match decide([*self], Location::caller(), |[node]| Question::Value {
            node,
        }) {
            Decision::Value(value) => value,
            _ => f64::NAN,
        }
    }

    #[track_caller]
    fn scale_by(self, factor: f64) -> Self {
        self * factor
    }

    /// Records an operation on a number that is no constant.
    #[inline(never)]
    #[track_caller]
    fn record1(self, kind: NodeKind) -> Self {
        let (caller, id) = (Location::caller(), self.id);
        match with_stack(|stack| stack.record1(&kind, id, caller)) {
            Some(node) => Self::node(node, self.recording()),
            None => Self::record(kind, &[self], caller),
        }
    }

    /// Records an operation on two numbers that are not both constants.
    #[inline(never)]
    #[track_caller]
    fn record2(kind: NodeKind, x: Self, y: Self) -> Self {
        // The closure sees the identifiers alone: whole numbers would go through memory.
        let (caller, x_id, y_id) = (Location::caller(), x.id, y.id);
        match with_stack(|stack| stack.record2(&kind, x_id, y_id, caller)) {
            Some(node) => Self::node(node, x.recording()),
            None => Self::record(kind, &[x, y], caller),
        }
    }

    /// Records an operation of numbers that are not all constants.
    fn record(kind: NodeKind, args: &[Self], caller: Caller) -> Self {
        with_stack(|stack| {
            let place = stack.places.of(caller);
            stack.record(kind, args, place)
        })
    }

    /// An undecided comparison.
    #[track_caller]
    fn compare(self, rhs: Self, kind: NodeKind, holds: impl Fn(&f64, &f64) -> bool) -> TracedMask {
        if self.is_constant() && rhs.is_constant() {
            let holds = holds(&self.value, &rhs.value);
            return TracedMask(Self::constant(number(holds)));
        }
        TracedMask(Self::record2(kind, self, rhs))
    }

    /// A decided comparison: a guard.
    #[track_caller]
    fn holds(
        self,
        rhs: Self,
        question: impl Fn(NodeId, NodeId) -> Question,
        holds: impl Fn(&f64, &f64) -> bool,
    ) -> bool {
        if self.is_constant() && rhs.is_constant() {
            return holds(&self.value, &rhs.value);
        }
        let decision = decide([self, rhs], Location::caller(), |[lhs, rhs]| {
            question(lhs, rhs)
        });
        matches!(decision, Decision::Holds(true))
    }

    #[track_caller]
    fn is_less(self, rhs: Self) -> bool {
        self.holds(rhs, |lhs, rhs| Question::Less { lhs, rhs }, f64::lt)
    }

    #[track_caller]
    fn is_less_or_equal(self, rhs: Self) -> bool {
        self.holds(rhs, |lhs, rhs| Question::LessEqual { lhs, rhs }, f64::le)
    }
}

impl TracedMask {
    #[track_caller]
    fn combine(self, rhs: Self, kind: NodeKind, holds: impl Fn(bool, bool) -> bool) -> Self {
        match (self.decided(), rhs.decided()) {
            (Some(x), Some(y)) => Self(Traced::constant(number(holds(x, y)))),
            _ => Self(Traced::record2(kind, self.0, rhs.0)),
        }
    }
}

impl std::ops::BitAnd for TracedMask {
    type Output = Self;
    #[track_caller]
    fn bitand(self, rhs: Self) -> Self {
        self.combine(rhs, NodeKind::And, |x, y| x & y)
    }
}
impl std::ops::BitOr for TracedMask {
    type Output = Self;
    #[track_caller]
    fn bitor(self, rhs: Self) -> Self {
        self.combine(rhs, NodeKind::Or, |x, y| x | y)
    }
}
impl std::ops::Not for TracedMask {
    type Output = Self;
    #[track_caller]
    fn not(self) -> Self {
        if let Some(holds) = self.decided() {
            return Self(Traced::constant(number(!holds)));
        }
        Self(self.0.record1(NodeKind::Not))
    }
}
impl Mask for TracedMask {
    fn decided(self) -> Option<bool> {
        self.0.is_constant().then_some(self.0.value != 0.0)
    }
}

impl fmt::Debug for Traced {
    /// Shows the value and the node; records nothing (EDGE_CASES e46).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_constant() {
            write!(f, "Traced({}, constant)", self.value)
        } else {
            let [value] = values([*self]);
            write!(f, "Traced({value}, v{})", self.number())
        }
    }
}

impl fmt::Display for Traced {
    /// Shows the value, NaN after the recording; records nothing (EDGE_CASES e46).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value] = values([*self]);
        fmt::Display::fmt(&value, f)
    }
}

// Comparisons decide a branch: guards on exactly what was asked (e43, e46).
impl PartialEq for Traced {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.holds(*other, |lhs, rhs| Question::Equal { lhs, rhs }, f64::eq)
    }
}
impl PartialOrd for Traced {
    #[track_caller]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.is_constant() && other.is_constant() {
            return self.value.partial_cmp(&other.value);
        }
        let question = |[lhs, rhs]: [NodeId; 2]| Question::Ordering { lhs, rhs };
        match decide([*self, *other], Location::caller(), question) {
            Decision::Ordering(ordering) => ordering,
            _ => None,
        }
    }
    #[track_caller]
    fn lt(&self, other: &Self) -> bool {
        self.is_less(*other)
    }
    #[track_caller]
    fn le(&self, other: &Self) -> bool {
        self.is_less_or_equal(*other)
    }
    #[track_caller]
    fn gt(&self, other: &Self) -> bool {
        other.is_less(*self)
    }
    #[track_caller]
    fn ge(&self, other: &Self) -> bool {
        other.is_less_or_equal(*self)
    }
}
impl PartialEq<f64> for Traced {
    #[track_caller]
    fn eq(&self, other: &f64) -> bool {
        *self == Self::constant(*other)
    }
}
impl PartialOrd<f64> for Traced {
    #[track_caller]
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.partial_cmp(&Self::constant(*other))
    }
    #[track_caller]
    fn lt(&self, other: &f64) -> bool {
        *self < Self::constant(*other)
    }
    #[track_caller]
    fn le(&self, other: &f64) -> bool {
        *self <= Self::constant(*other)
    }
    #[track_caller]
    fn gt(&self, other: &f64) -> bool {
        *self > Self::constant(*other)
    }
    #[track_caller]
    fn ge(&self, other: &f64) -> bool {
        *self >= Self::constant(*other)
    }
}

scalar_traits!([] Traced, inner f64, derivatives 0, compared by hand);
field_traits!([] Traced);

impl Scalar for Traced {
    type Mask = TracedMask;

    // Operations are calls; inlined they would only grow the code of recorded functions, which carriers of carriers multiply.
    #[inline(never)]
    #[track_caller]
    fn unary<U: Unary>(self, op: U) -> Self {
        if self.is_constant() {
            let keeps_zero = matches!(op.op(), Op::Neg | Op::MulConst(_) | Op::DivConst(_));
            if self.is_structural_zero() && keeps_zero {
                return self;
            }
            return Self::constant(op.value(self.value));
        }
        self.record1(NodeKind::Elementary(op.op()))
    }
    #[inline(never)]
    #[track_caller]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        if self.is_constant() || rhs.is_constant() {
            // A structural zero costs nothing: sums start from it and untouched adjoints are it.
            match (op.op(), self.is_structural_zero(), rhs.is_structural_zero()) {
                (Op::Mul | Op::Div, true, _) | (Op::Add | Op::Sub, _, true) => return self,
                (Op::Mul, _, true) | (Op::Add, true, _) => return rhs,
                _ => {}
            }
            if self.is_constant() && rhs.is_constant() {
                return Self::constant(op.value(self.value, rhs.value));
            }
        }
        Self::record2(NodeKind::Elementary(op.op()), self, rhs)
    }
    #[inline(never)]
    #[track_caller]
    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        if args.iter().all(Self::is_constant) {
            let values: Short<f64> = args.iter().map(|x| x.value).collect();
            return Self::constant(rule.value(&values));
        }
        let caller = Location::caller();
        match (rule.op(), rule.kept(Erase)) {
            (Op::Custom, Some(kept)) => with_stack(|stack| stack.record_custom(kept, args, caller)),
            (op, _) => Self::record(NodeKind::Elementary(op), args, caller),
        }
    }
    #[track_caller]
    fn lt_mask(self, rhs: Self) -> TracedMask {
        self.compare(rhs, NodeKind::Less, f64::lt)
    }
    #[track_caller]
    fn le_mask(self, rhs: Self) -> TracedMask {
        self.compare(rhs, NodeKind::LessEqual, f64::le)
    }
    #[track_caller]
    fn eq_mask(self, rhs: Self) -> TracedMask {
        self.compare(rhs, NodeKind::Equal, f64::eq)
    }
    #[track_caller]
    fn select(mask: TracedMask, a: Self, b: Self) -> Self {
        match mask.decided() {
            Some(true) => a,
            Some(false) => b,
            None => Self::record(NodeKind::Select, &[a, b, mask.0], Location::caller()),
        }
    }
    #[track_caller]
    fn max(self, rhs: Self) -> Self {
        self.binary(TiedMax, rhs)
    }
    #[track_caller]
    fn min(self, rhs: Self) -> Self {
        self.binary(TiedMin, rhs)
    }
    /// Always true of a node: structural zeros absorb while recording, so no strict twin is needed, and no value is asked.
    fn is_all_finite(&self) -> bool {
        !self.is_constant() || self.value.is_finite()
    }
    fn structural_zero() -> Self {
        Self {
            value: 0.0,
            id: u64::from(ZERO) << 32,
        }
    }
    #[track_caller]
    fn to_index(self) -> Option<usize> {
        if self.is_constant() {
            return num_traits::cast(self.value.floor());
        }
        match decide([self], Location::caller(), |[node]| Question::Index {
            node,
        }) {
            Decision::Index(index) => index,
            _ => None,
        }
    }
    #[track_caller]
    fn sum_over(
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&[Self], &[Self]) -> Self,
    ) -> Self {
        regions::sum_over(lanes, data, body, Location::caller())
    }
    #[track_caller]
    fn sum_for(range: Range<usize>, body: impl Fn(usize) -> Self) -> Self {
        by_index::sum_for(range, body, Location::caller())
    }
    #[track_caller]
    fn map_rows(
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        out: &mut [Self],
        body: impl Fn(&[Self], &[Self], &mut [Self]),
    ) {
        regions::map_rows(lanes, data, out, body, Location::caller());
    }
    #[track_caller]
    fn scan(
        state: &mut [Self],
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&mut [Self], &[Self], &[Self]),
    ) {
        regions::scan(state, lanes, data, body, Location::caller());
    }
    #[track_caller]
    fn in_domain(y: Self, partial: Self) -> Self {
        if y.is_constant() && partial.is_constant() {
            return if y.value.is_nan() {
                Self::constant(y.value)
            } else {
                Self::constant(partial.value)
            };
        }
        Self::record2(NodeKind::Domain, y, partial)
    }
    #[track_caller]
    fn detach(self) -> Self {
        if self.is_constant() {
            return Self::constant(self.value);
        }
        self.record1(NodeKind::Detach)
    }
}
