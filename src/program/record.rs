//! [`Traced`], the innermost number that records every operation, and the recorder of this thread.
//!
//! Invariant: a recorder is open exactly while [`Program::record`] runs; its guard closes it, also on unwind. Recordings
//! nest; a traced number carries the identifier of its own.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::atomic::{self, AtomicU64};

use super::guard::{Guard, Question};
use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::rule::Erase;
use crate::elementary::{Binary, Nary, Op, TiedMax, TiedMin, Unary};
use crate::error::{Decision, Error};
use crate::scalar::{Mask, Scalar, Short, traits::scalar_traits};

/// The recording of a constant.
const CONSTANT: u32 = 0;

thread_local! {
    static RECORDERS: RefCell<Vec<Recorder>> = const { RefCell::new(Vec::new()) };
}

/// Numbers recordings; the identifier of a recording is the lower half, so it repeats after 2^32 of them.
static NEXT_RECORDING: AtomicU64 = AtomicU64::new(1);

/// A number whose operations become nodes of the [`Program`] being recorded.
///
/// It is made by [`Program::record`] only. Like a plain number it carries no derivative; `Dual<Traced>` and `Var<Traced>`
/// record derivative programs.
///
/// **Shape**: a number and two 32-bit identifiers.
/// **Cost**: one push per operation.
/// **Source**: Griewank & Walther 2008, §6.1.
#[derive(Clone, Copy)]
pub struct Traced {
    value: f64,
    node: u32,
    recording: u32,
    is_structural_zero: bool,
}

/// The outcome of a comparison of traced numbers: a node of the program, not a decision.
#[derive(Clone, Copy, Debug)]
pub struct TracedMask {
    holds: bool,
    node: u32,
    recording: u32,
}

/// A recording in progress.
struct Recorder {
    recording: u32,
    program: Program,
    error: Option<Error>,
}

impl Recorder {
    fn push(&mut self, kind: NodeKind, arguments: &[NodeId], _value: f64) -> u32 {
        let node = self.program.kinds.len();
        let end = self.program.arguments.len() + arguments.len();
        let (Ok(node), Ok(end)) = (NodeId::new(node), u32::try_from(end)) else {
            self.error.get_or_insert(Error::TapeFull {
                limit: u32::MAX as usize,
            });
            return 0;
        };
        self.program.kinds.push(kind);
        self.program.arguments.extend_from_slice(arguments);
        self.program.ends.push(end);
        node.raw()
    }

    /// The node of an argument; constants become nodes where they are used.
    fn node(&mut self, recording: u32, node: u32, value: f64) -> NodeId {
        if recording == self.recording {
            return NodeId::from_raw(node);
        }
        if recording != CONSTANT {
            self.error.get_or_insert(Error::MixedRecordings {
                open: self.recording,
                found: recording,
            });
        }
        NodeId::from_raw(self.push(NodeKind::Constant(value), &[], value))
    }

    fn node_of(&mut self, x: Traced) -> NodeId {
        self.node(x.recording, x.node, x.value)
    }

    fn mask_node(&mut self, mask: TracedMask) -> NodeId {
        self.node(mask.recording, mask.node, f64::from(u8::from(mask.holds)))
    }
}

/// Closes the innermost recording of this thread when it is dropped.
struct OpenRecorder;

impl OpenRecorder {
    fn open(recording: u32) -> Self {
        RECORDERS.with_borrow_mut(|open| {
            open.push(Recorder {
                recording,
                program: Program::default(),
                error: None,
            });
        });
        Self
    }

    fn finish(self) -> Recorder {
        std::mem::forget(self);
        RECORDERS.with_borrow_mut(|open| {
            open.pop()
                .expect("the guard opened it and nobody else closes it")
        })
    }
}

impl Drop for OpenRecorder {
    fn drop(&mut self) {
        RECORDERS.with_borrow_mut(|open| open.pop());
    }
}

/// Runs `record` on the recording that the arguments belong to.
///
/// # Panics
/// If an argument belongs to a recording that is not open on this thread (EDGE_CASES e53).
fn with_recorder<R>(recording: u32, record: impl FnOnce(&mut Recorder) -> R) -> R {
    RECORDERS.with_borrow_mut(|open| {
        let recorder = open.iter_mut().rev().find(|recorder| recorder.recording == recording);
        let Some(recorder) = recorder else {
            panic!(
                "a traced number of recording {recording} was used although that recording is not open on this thread; a \
                 traced number must not leave the closure that received it"
            );
        };
        record(recorder)
    })
}

/// A program being built by a transformation: the numbers of [`Recording::push`] are those of a recorded function.
pub(super) struct Recording {
    id: u32,
    open: OpenRecorder,
}

impl Recording {
    /// Opens a recording without inputs.
    pub(super) fn open() -> Self {
        let id = next_id();
        let open = OpenRecorder::open(id);
        Self { id, open }
    }

    /// Appends a node.
    pub(super) fn push(&self, kind: NodeKind, arguments: &[NodeId]) -> Traced {
        let node = with_recorder(self.id, |recorder| recorder.push(kind, arguments, f64::NAN));
        self.traced(NodeId::from_raw(node))
    }

    /// A node as a number.
    pub(super) fn traced(&self, node: NodeId) -> Traced {
        Traced {
            value: f64::NAN,
            node: node.raw(),
            recording: self.id,
            is_structural_zero: false,
        }
    }

    /// The node of a number; a constant becomes one.
    pub(super) fn node(&self, x: Traced) -> NodeId {
        with_recorder(self.id, |recorder| recorder.node_of(x))
    }

    /// Reads or changes the program outside its nodes: inputs, outputs, guards, regions, rules.
    pub(super) fn edit<R>(&self, edit: impl FnOnce(&mut Program) -> R) -> R {
        with_recorder(self.id, |recorder| edit(&mut recorder.program))
    }

    /// Closes the recording.
    pub(super) fn finish(self) -> Result<Program, Error> {
        let Recorder { program, error, .. } = self.open.finish();
        error.map_or(Ok(program), Err)
    }
}

/// The identifier of the next recording: the lower half of its number, without the identifier of constants.
fn next_id() -> u32 {
    let number = NEXT_RECORDING.fetch_add(1, atomic::Ordering::Relaxed);
    u32::try_from(number % u64::from(u32::MAX)).map_or(1, |id| id + 1)
}

impl Program {
    /// Records a function at a point.
    ///
    /// Branches are followed there and kept as guards.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// fn f<S: Scalar>(x: &[S]) -> S {
    ///     if x[0] > x[1] { x[0] * x[1].sin() } else { x[0] + x[1] }
    /// }
    /// let program = Program::record(|x| [f(x)], &[3.0, 2.0])?;
    /// assert_eq!((program.len(), program.guards().len()), (4, 1));
    /// // A gradient recorded through the tape is a program as well.
    /// let derivative = Program::record(|x| gradient(f, x).expect("it fits"), &[3.0, 2.0])?;
    /// assert_eq!(derivative.counts().of("cos"), 1);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` has `n` entries, the result of `f` has `m`.
    /// **Cost**: one evaluation; about 40 bytes per binary operation.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes, [`Error::MixedRecordings`] if a number of another recording was used.
    ///
    /// **Source**: Griewank & Walther 2008, §6.1.
    pub fn record<R: AsRef<[Traced]>>(
        f: impl FnOnce(&[Traced]) -> R,
        x: &[f64],
    ) -> Result<Self, Error> {
        let recording = next_id();
        let guard = OpenRecorder::open(recording);
        let traced = with_recorder(recording, |recorder| -> Result<Vec<Traced>, Error> {
            recorder.program.inputs = x.len();
            recorder.program.point = x.to_vec();
            let input = |(i, x): (usize, &f64)| {
                let number = NodeId::new(i)?.raw();
                let node = recorder.push(NodeKind::Input(number), &[], *x);
                Ok(Traced {
                    value: *x,
                    node,
                    recording,
                    is_structural_zero: false,
                })
            };
            x.iter().enumerate().map(input).collect()
        })?;
        let y = f(&traced);
        let Recorder {
            mut program, error, ..
        } = {
            with_recorder(recording, |recorder| {
                recorder.program.outputs =
                    y.as_ref().iter().map(|y| recorder.node_of(*y)).collect();
            });
            guard.finish()
        };
        program.guards.shrink_to_fit();
        error.map_or(Ok(program), Err)
    }
}

impl Traced {
    #[inline]
    fn from_inner(value: f64) -> Self {
        Self {
            value,
            node: 0,
            recording: CONSTANT,
            is_structural_zero: false,
        }
    }

    /// Reads the value, which decides something: a guard.
    fn inner(&self) -> f64 {
        if self.recording != CONSTANT {
            let (node, bits) = (NodeId::from_raw(self.node), self.value.to_bits());
            with_recorder(self.recording, |r| {
                r.program.guards.push(Guard {
                    question: Question::Value { node },
                    recorded: Decision::Value(f64::from_bits(bits)),
                    location: None,
                });
            });
        }
        self.value
    }

    fn scale_by(self, factor: f64) -> Self {
        self * factor
    }

    /// The value, if it belongs to no recording.
    pub(super) fn constant(self) -> Option<f64> {
        (self.recording == CONSTANT).then_some(self.value)
    }

    /// Whether derivatives never see the number (EDGE_CASES R3).
    pub(super) fn is_structural_zero(self) -> bool {
        self.is_structural_zero
    }

    /// Records an operation; without an active argument the result is a constant.
    fn push(kind: NodeKind, value: f64, args: &[Self]) -> Self {
        let recording = args.iter().map(|x| x.recording).find(|r| *r != CONSTANT);
        let Some(recording) = recording else {
            return Self::from_inner(value);
        };
        with_recorder(recording, |recorder| {
            let nodes: Short<NodeId> = args.iter().map(|x| recorder.node_of(*x)).collect();
            let node = recorder.push(kind, &nodes, value);
            Self {
                value,
                node,
                recording,
                is_structural_zero: false,
            }
        })
    }

    fn compare(self, kind: NodeKind, holds: bool, rhs: Self) -> TracedMask {
        let outcome = Self::push(kind, f64::from(u8::from(holds)), &[self, rhs]);
        TracedMask {
            holds,
            node: outcome.node,
            recording: outcome.recording,
        }
    }
}

impl TracedMask {
    fn combine(kind: NodeKind, holds: bool, masks: &[Self]) -> Self {
        let recording = masks.iter().map(|m| m.recording).find(|r| *r != CONSTANT);
        let Some(recording) = recording else {
            return Self {
                holds,
                node: 0,
                recording: CONSTANT,
            };
        };
        with_recorder(recording, |recorder| {
            let nodes: Short<NodeId> = masks.iter().map(|m| recorder.mask_node(*m)).collect();
            let node = recorder.push(kind, &nodes, f64::from(u8::from(holds)));
            Self {
                holds,
                node,
                recording,
            }
        })
    }
}

impl std::ops::BitAnd for TracedMask {
    type Output = Self;
    fn bitand(self, rhs: Self) -> Self {
        Self::combine(NodeKind::And, self.holds & rhs.holds, &[self, rhs])
    }
}
impl std::ops::BitOr for TracedMask {
    type Output = Self;
    fn bitor(self, rhs: Self) -> Self {
        Self::combine(NodeKind::Or, self.holds | rhs.holds, &[self, rhs])
    }
}
impl std::ops::Not for TracedMask {
    type Output = Self;
    fn not(self) -> Self {
        Self::combine(NodeKind::Not, !self.holds, &[self])
    }
}
impl Mask for TracedMask {
    fn decided(self) -> Option<bool> {
        (self.recording == CONSTANT).then_some(self.holds)
    }
}

impl fmt::Debug for Traced {
    /// Shows the value and the node; records nothing (EDGE_CASES e46).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.recording == CONSTANT {
            write!(f, "Traced({}, constant)", self.value)
        } else {
            write!(f, "Traced({}, v{})", self.value, self.node)
        }
    }
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

/// Compares values, which decides a branch: a guard.
fn decide(lhs: Traced, rhs: Traced) -> Option<Ordering> {
    let outcome = lhs.value.partial_cmp(&rhs.value);
    let recording = if lhs.recording == CONSTANT {
        rhs.recording
    } else {
        lhs.recording
    };
    if recording != CONSTANT {
        with_recorder(recording, |recorder| {
            let (lhs, rhs) = (recorder.node_of(lhs), recorder.node_of(rhs));
            recorder.program.guards.push(Guard {
                question: Question::Ordering { lhs, rhs },
                recorded: Decision::Ordering(outcome),
                location: None,
            });
        });
    }
    outcome
}

impl PartialEq for Traced {
    fn eq(&self, other: &Self) -> bool {
        decide(*self, *other) == Some(Ordering::Equal)
    }
}
impl PartialOrd for Traced {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        decide(*self, *other)
    }
}
impl PartialEq<f64> for Traced {
    fn eq(&self, other: &f64) -> bool {
        *self == Self::from_inner(*other)
    }
}
impl PartialOrd<f64> for Traced {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        decide(*self, Self::from_inner(*other))
    }
}

scalar_traits!([] Traced, inner f64, derivatives 0, compared by hand);

impl Scalar for Traced {
    type Mask = TracedMask;

    // A push is a call; inlined at every operation it would only grow the code of recorded functions.
    #[inline(never)]
    fn unary<U: Unary>(self, op: U) -> Self {
        if self.is_structural_zero && matches!(op.op(), Op::Neg | Op::MulConst(_) | Op::DivConst(_))
        {
            return self;
        }
        Self::push(NodeKind::Elementary(op.op()), op.value(self.value), &[self])
    }
    #[inline(never)]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        // A structural zero costs nothing: sums start from it and untouched adjoints are it.
        match (op.op(), self.is_structural_zero, rhs.is_structural_zero) {
            (Op::Mul | Op::Div, true, _) | (Op::Add | Op::Sub, _, true) => return self,
            (Op::Mul, _, true) | (Op::Add, true, _) => return rhs,
            _ => {}
        }
        Self::push(
            NodeKind::Elementary(op.op()),
            op.value(self.value, rhs.value),
            &[self, rhs],
        )
    }
    #[inline(never)]
    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<f64> = args.iter().map(|x| x.value).collect();
        let value = rule.value(&values);
        let kind = match (rule.op(), rule.kept(Erase)) {
            (Op::Custom, Some(kept)) => {
                let recording = args.iter().map(|x| x.recording).find(|r| *r != CONSTANT);
                recording.map_or(NodeKind::Custom(0), |recording| {
                    with_recorder(recording, |recorder| {
                        let number = recorder.program.rules.len();
                        recorder.program.rules.push(kept);
                        NodeKind::Custom(u32::try_from(number).unwrap_or(u32::MAX))
                    })
                })
            }
            (op, _) => NodeKind::Elementary(op),
        };
        Self::push(kind, value, args)
    }
    fn lt_mask(self, rhs: Self) -> TracedMask {
        self.compare(NodeKind::Less, self.value < rhs.value, rhs)
    }
    fn le_mask(self, rhs: Self) -> TracedMask {
        self.compare(NodeKind::LessEqual, self.value <= rhs.value, rhs)
    }
    fn eq_mask(self, rhs: Self) -> TracedMask {
        self.compare(NodeKind::Equal, self.value == rhs.value, rhs)
    }
    fn select(mask: TracedMask, a: Self, b: Self) -> Self {
        let chosen = if mask.holds { a } else { b };
        if mask.recording == CONSTANT {
            return chosen;
        }
        with_recorder(mask.recording, |recorder| {
            let nodes = [
                recorder.node_of(a),
                recorder.node_of(b),
                recorder.mask_node(mask),
            ];
            let node = recorder.push(NodeKind::Select, &nodes, chosen.value);
            Self {
                value: chosen.value,
                node,
                recording: mask.recording,
                is_structural_zero: false,
            }
        })
    }
    fn max(self, rhs: Self) -> Self {
        self.binary(TiedMax, rhs)
    }
    fn min(self, rhs: Self) -> Self {
        self.binary(TiedMin, rhs)
    }
    fn is_all_finite(&self) -> bool {
        self.value.is_finite()
    }
    fn structural_zero() -> Self {
        Self {
            is_structural_zero: true,
            ..Self::from_inner(0.0)
        }
    }
    fn in_domain(y: Self, partial: Self) -> Self {
        let value = if y.value.is_nan() {
            y.value
        } else {
            partial.value
        };
        Self::push(NodeKind::Domain, value, &[y, partial])
    }
    fn detach(self) -> Self {
        Self::push(NodeKind::Detach, self.value, &[self])
    }
}
