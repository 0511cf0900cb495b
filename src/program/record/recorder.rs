//! The recordings that are open on this thread, and the lazy values of their nodes.
//!
//! A *root* is opened by `Program::record` or a transformation; above it, linked by `parent`, are the bodies of loops that
//! are being recorded for it. A body takes values of the recordings below it in as inputs; `origins` says what each input
//! stands for in the iteration that is being recorded. Nothing is computed until a decision asks for a value.
//!
//! Invariant: a parent lies below its body; every node of a recorder is evaluated at most once.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::evaluate::Evaluation;
use super::super::guard::{Guard, Question};
use super::super::list::Program;
use super::super::node::{NodeId, NodeKind};
use super::super::rule::ProgramRule;
use super::super::words::Map;
use super::places::Places;
use super::traced::Traced;
use crate::elementary::Op;
use crate::error::{Decision, Error};

/// The recording of a constant.
pub(super) const CONSTANT: u32 = 0;
/// The recording of a structural zero: a constant that absorbs.
pub(super) const ZERO: u32 = 1;
/// The first identifier of a real recording.
const FIRST: u64 = 2;

/// The caller of an operation.
pub(super) type Caller = &'static Location<'static>;

/// What is open on a thread.
pub(super) struct Stack {
    pub(super) recorders: Vec<Recorder>,
    pub(super) places: Places,
    /// The nodes of the program that was closed last: the next is often as long.
    pub(super) expected: usize,
}

/// More nodes are not expected: address space is plentiful where memory is not written, but not without end.
const MOST_EXPECTED: usize = 1 << 20;

thread_local! {
    static STACK: RefCell<Stack> = const {
        RefCell::new(Stack { recorders: Vec::new(), places: Places::new(), expected: 0 })
    };
}

/// Works on the open recordings of this thread.
///
/// The closure must not run code of the user, which may record.
#[inline(always)]
pub(super) fn with_stack<R>(work: impl FnOnce(&mut Stack) -> R) -> R {
    STACK.with_borrow_mut(work)
}

/// Numbers recordings; the identifier of one repeats after 2^32 of them.
static NEXT_RECORDING: AtomicU64 = AtomicU64::new(0);

/// The identifier of the next recording.
pub(super) fn next_id() -> u32 {
    let number = NEXT_RECORDING.fetch_add(1, Ordering::Relaxed);
    let id = number % (u64::from(u32::MAX) - FIRST) + FIRST;
    u32::try_from(id).expect("the remainder leaves 32 bits")
}

/// A recording in progress.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) id: u32,
    /// The recorder that the loop belongs to whose body this is.
    pub(super) parent: Option<usize>,
    /// Whether every occurrence of a constant or of an outer value is an input of its own (see `by_index`).
    pub(super) takes_leaves: bool,
    pub(super) program: Program,
    /// Per input of a body, what it stands for in this iteration.
    pub(super) origins: Vec<Traced>,
    /// Outer values that are inputs already, by recording and node.
    captured: Map<(u32, u32), u32>,
    /// The values of the inputs as far as they are known.
    inputs: Vec<f64>,
    evaluation: Evaluation,
    pub(super) error: Option<Error>,
    /// The place of all nodes, if it is not that of the caller.
    pub(super) place: Option<u32>,
}

impl Recorder {
    pub(super) fn new(id: u32, parent: Option<usize>, takes_leaves: bool) -> Self {
        Self {
            id,
            parent,
            takes_leaves,
            ..Self::default()
        }
    }

    /// Makes room for a program of so many nodes: growing step by step would move it several times.
    fn expect(&mut self, nodes: usize) {
        self.program.kinds.reserve(nodes);
        self.program.ends.reserve(nodes);
        self.program.places.reserve(nodes);
        self.program.arguments.reserve(2 * nodes);
    }

    /// Starts over under another identifier, in the same memory.
    pub(super) fn restart(&mut self, id: u32) {
        self.id = id;
        let program = &mut self.program;
        program.kinds.clear();
        program.ends.clear();
        program.arguments.clear();
        program.outputs.clear();
        program.guards.clear();
        program.regions.clear();
        program.rules.clear();
        program.places.clear();
        self.origins.clear();
        self.captured.clear();
        self.inputs.clear();
        self.evaluation.clear();
    }

    /// Whether the recorder is asked for values.
    pub(super) fn was_asked(&self) -> bool {
        !self.evaluation.values.is_empty()
    }

    #[cold]
    fn fail_full(&mut self) -> u32 {
        let known = self.program.ends.last().map_or(0, |end| *end as usize);
        self.program.arguments.truncate(known);
        self.error.get_or_insert(Error::TapeFull {
            limit: u32::MAX as usize,
        });
        0
    }

    /// Appends a node.
    pub(super) fn push(&mut self, kind: NodeKind, arguments: &[NodeId], place: u32) -> u32 {
        self.program.arguments.extend_from_slice(arguments);
        self.push_kind(kind, place)
    }

    /// Appends a node with few arguments; its length known, copying them is no call.
    #[inline(always)]
    fn push_few<const N: usize>(
        &mut self,
        kind: NodeKind,
        arguments: [NodeId; N],
        place: u32,
    ) -> u32 {
        for argument in arguments {
            self.program.arguments.push(argument);
        }
        self.push_kind(kind, place)
    }

    /// Appends a node whose arguments are there.
    #[inline(always)]
    fn push_kind(&mut self, kind: NodeKind, place: u32) -> u32 {
        let program = &mut self.program;
        let (node, end) = (program.kinds.len(), program.arguments.len());
        let (Ok(number), Ok(end)) = (u32::try_from(node), u32::try_from(end)) else {
            return self.fail_full();
        };
        if number == u32::MAX {
            return self.fail_full();
        }
        program.kinds.push(kind);
        program.ends.push(end);
        program.places.push(self.place.unwrap_or(place));
        number
    }

    /// Appends an input of a body.
    pub(super) fn push_input(&mut self, origin: Traced, place: u32) -> u32 {
        let Ok(number) = u32::try_from(self.origins.len()) else {
            return self.fail_full();
        };
        self.origins.push(origin);
        self.push(NodeKind::Input(number), &[], place)
    }

    /// The node of a constant; one after the other they are one node.
    fn constant(&mut self, value: Traced, place: u32) -> u32 {
        if self.takes_leaves {
            return self.push_input(Traced::constant(value.value), place);
        }
        let kind = NodeKind::Constant(value.value);
        match (self.program.kinds.last(), self.program.kinds.len()) {
            (Some(last), len) if last.is_same(kind) => u32::try_from(len - 1).unwrap_or(0),
            _ => self.push(kind, &[], place),
        }
    }

    /// A node as a number.
    pub(super) fn traced(&self, node: u32) -> Traced {
        Traced::node(node, self.id)
    }

    /// Keeps a guard, unless it is the last one once more.
    fn guard(&mut self, question: Question, recorded: Decision, places: &Places, place: u32) {
        let is_known = self
            .program
            .guards
            .last()
            .is_some_and(|last| last.question == question && last.recorded.is_same(recorded));
        if !is_known {
            self.program.guards.push(Guard {
                question,
                recorded,
                location: places.location(self.place.unwrap_or(place)),
            });
        }
    }
}

/// The recording and the node of an identifier.
#[inline(always)]
fn halves(id: u64) -> (u32, u32) {
    let half = |half: u64| u32::try_from(half).expect("half of 64 bits is 32 bits");
    (half(id >> 32), half(id & u64::from(u32::MAX)))
}

/// Parameters of operations that become arguments where constants are inputs.
fn parameter(kind: NodeKind) -> Option<(NodeKind, f64)> {
    let (op, c) = match kind {
        NodeKind::Elementary(Op::AddConst(c)) => (Op::Add, c),
        NodeKind::Elementary(Op::MulConst(c)) => (Op::Mul, c),
        NodeKind::Elementary(Op::DivConst(c)) => (Op::Div, c),
        NodeKind::Elementary(Op::RemConst(c)) => (Op::Rem, c),
        _ => return None,
    };
    Some((NodeKind::Elementary(op), c))
}

/// Whether a recorder belongs to the loops that are open above `ancestor`, itself included.
fn is_within(recorders: &[Recorder], mut index: usize, ancestor: u32) -> bool {
    loop {
        if recorders[index].id == ancestor {
            return true;
        }
        match recorders[index].parent {
            Some(parent) => index = parent,
            None => return false,
        }
    }
}

impl Stack {
    /// Records an operation of one argument that is a node of the innermost recording; else `None`.
    #[inline(always)]
    pub(super) fn record1(&mut self, kind: &NodeKind, x: u64, caller: Caller) -> Option<u32> {
        let top = self.recorders.last_mut()?;
        let (recording, x) = halves(x);
        if top.id != recording || top.takes_leaves {
            return None;
        }
        let place = self.places.of(caller);
        Some(top.push_few(*kind, [NodeId::from_raw(x)], place))
    }

    /// Records an operation of two arguments that are nodes of the innermost recording; else `None`.
    #[inline(always)]
    pub(super) fn record2(
        &mut self,
        kind: &NodeKind,
        x: u64,
        y: u64,
        caller: Caller,
    ) -> Option<u32> {
        let top = self.recorders.last_mut()?;
        let ((recording, x), (other, y)) = (halves(x), halves(y));
        if top.id != recording || top.id != other {
            return None;
        }
        let place = self.places.of(caller);
        let nodes = [NodeId::from_raw(x), NodeId::from_raw(y)];
        Some(top.push_few(*kind, nodes, place))
    }

    /// Records an operation whose arguments are not all constants.
    pub(super) fn record(&mut self, kind: NodeKind, args: &[Traced], place: u32) -> Traced {
        let owner = self.owner(args);
        if self.recorders[owner].takes_leaves
            && let Some((kind, c)) = parameter(kind)
        {
            let nodes = [
                self.node_of(owner, args[0], place),
                self.node_of(owner, Traced::constant(c), place),
            ];
            let recorder = &mut self.recorders[owner];
            let node = recorder.push(kind, &nodes, place);
            return recorder.traced(node);
        }
        let mut short = [NodeId::from_raw(0); 3];
        let mut long = Vec::new();
        let nodes: &[NodeId] = if let Some(short) = short.get_mut(..args.len()) {
            for (node, arg) in short.iter_mut().zip(args) {
                *node = self.node_of(owner, *arg, place);
            }
            short
        } else {
            long.extend(args.iter().map(|arg| self.node_of(owner, *arg, place)));
            &long
        };
        let recorder = &mut self.recorders[owner];
        let node = recorder.push(kind, nodes, place);
        recorder.traced(node)
    }

    /// Records a custom rule; it is kept once per use.
    pub(super) fn record_custom(
        &mut self,
        rule: Arc<dyn ProgramRule>,
        args: &[Traced],
        caller: Caller,
    ) -> Traced {
        let place = self.places.of(caller);
        let owner = self.owner(args);
        let rules = &mut self.recorders[owner].program.rules;
        let number = u32::try_from(rules.len()).unwrap_or(u32::MAX);
        rules.push(rule);
        self.record(NodeKind::Custom(number), args, place)
    }

    /// The recorder that an operation on these arguments belongs to: the innermost loop of the innermost recording.
    ///
    /// # Panics
    /// If no recording is open on this thread (EDGE_CASES e53).
    pub(super) fn owner(&self, args: &[Traced]) -> usize {
        let Some(top) = self.recorders.len().checked_sub(1) else {
            panic!(
                "a traced number was used although no recording is open on this thread; a traced number must not leave the \
                 closure that received it"
            );
        };
        let takes_part = |index: usize| {
            args.iter()
                .any(|x| !x.is_constant() && is_within(&self.recorders, index, x.recording()))
        };
        (0..=top)
            .rev()
            .find(|index| takes_part(*index))
            .unwrap_or(top)
    }

    /// The node of an argument in a recorder: constants and values of enclosing recordings become nodes there.
    pub(super) fn node_of(&mut self, index: usize, x: Traced, place: u32) -> NodeId {
        let recorder = &mut self.recorders[index];
        let node = if x.recording() == recorder.id {
            x.number()
        } else if x.is_constant() {
            recorder.constant(x, place)
        } else if !recorder
            .parent
            .is_some_and(|parent| is_within(&self.recorders, parent, x.recording()))
        {
            self.mixed(index, x, place)
        } else {
            let recorder = &mut self.recorders[index];
            if recorder.takes_leaves {
                recorder.push_input(x, place)
            } else if let Some(node) = recorder.captured.get(&(x.recording(), x.number())) {
                *node
            } else {
                let node = recorder.push_input(x, place);
                recorder.captured.insert((x.recording(), x.number()), node);
                node
            }
        };
        NodeId::from_raw(node)
    }

    /// Keeps the error that a number belongs elsewhere; its value, if there is one, goes on.
    #[cold]
    fn mixed(&mut self, index: usize, x: Traced, place: u32) -> u32 {
        let value = value_of(&mut self.recorders, x);
        let recorder = &mut self.recorders[index];
        recorder.error.get_or_insert(Error::MixedRecordings {
            open: recorder.id,
            found: x.recording(),
        });
        recorder.constant(Traced::constant(value), place)
    }
}

/// The value of a number; NaN if its recording is closed.
fn value_of(recorders: &mut [Recorder], x: Traced) -> f64 {
    if x.is_constant() {
        return x.value;
    }
    let index = recorders
        .iter()
        .rposition(|recorder| recorder.id == x.recording());
    index.map_or(f64::NAN, |index| {
        value_at(recorders, index, x.number() as usize)
    })
}

/// The value of a node; the inputs of a body are asked of the recorders below it.
fn value_at(recorders: &mut [Recorder], index: usize, node: usize) -> f64 {
    let (outer, rest) = recorders.split_at_mut(index);
    let recorder = &mut rest[0];
    if node >= recorder.evaluation.values.len() {
        if recorder.parent.is_some() {
            for origin in &recorder.origins[recorder.inputs.len()..] {
                let value = value_of(outer, *origin);
                recorder.inputs.push(value);
            }
        } else {
            let known = recorder.inputs.len();
            let point = recorder.program.point.iter().copied();
            recorder.inputs.extend(point.skip(known));
            recorder.inputs.resize(recorder.program.inputs, f64::NAN);
        }
        recorder
            .evaluation
            .advance(&recorder.program, node + 1, &recorder.inputs);
    }
    recorder.evaluation.values[node]
}

/// Gives the recorders back to the thread, also if a rule of the user panics.
struct Borrowed(Vec<Recorder>);

impl Drop for Borrowed {
    fn drop(&mut self) {
        let recorders = std::mem::take(&mut self.0);
        with_stack(|stack| stack.recorders = recorders);
    }
}

/// The values of numbers of open recordings; NaN for those of closed ones.
///
/// Rules of the user run here and may record, so the thread's recorders are set aside.
pub(super) fn values<const N: usize>(numbers: [Traced; N]) -> [f64; N] {
    let mut recorders = Borrowed(with_stack(|stack| std::mem::take(&mut stack.recorders)));
    numbers.map(|x| value_of(&mut recorders.0, x))
}

/// What is asked about two numbers or one.
pub(super) fn decide<const N: usize>(
    args: [Traced; N],
    caller: Caller,
    question: impl FnOnce([NodeId; N]) -> Question,
) -> Decision {
    let (owner, question) = with_stack(|stack| {
        let place = stack.places.of(caller);
        let owner = stack.owner(&args);
        let nodes = args.map(|x| stack.node_of(owner, x, place));
        (owner, question(nodes))
    });
    let id = with_stack(|stack| stack.recorders[owner].id);
    let found = values(args);
    let nodes: Vec<NodeId> = question.nodes().collect();
    let recorded = question.answer(|node| {
        let position = nodes.iter().position(|known| *known == node);
        position.map_or(f64::NAN, |position| found[position])
    });
    with_stack(|stack| {
        let place = stack.places.of(caller);
        let recorder = &mut stack.recorders[owner];
        debug_assert_eq!(
            recorder.id, id,
            "evaluation leaves the recordings as they are"
        );
        recorder.guard(question, recorded, &stack.places, place);
    });
    recorded
}

/// Closes a recording and all above it when it is dropped.
pub(super) struct OpenRecorder {
    pub(super) index: usize,
}

impl OpenRecorder {
    /// Opens a recording on top of the others.
    pub(super) fn open(mut recorder: Recorder) -> Self {
        with_stack(|stack| {
            if recorder.parent.is_none() {
                recorder.expect(stack.expected.min(MOST_EXPECTED));
            }
            stack.recorders.push(recorder);
            Self {
                index: stack.recorders.len() - 1,
            }
        })
    }

    /// Closes the recording.
    pub(super) fn finish(self) -> Recorder {
        with_stack(|stack| {
            stack
                .recorders
                .drain(self.index..)
                .next()
                .expect("it was opened there and is closed only here")
        })
    }
}

impl Drop for OpenRecorder {
    fn drop(&mut self) {
        // After `finish` there is nothing left to close.
        // What they hold is dropped after the stack is free: rules are the user's.
        let closed = with_stack(|stack| {
            let index = self.index.min(stack.recorders.len());
            stack.recorders.split_off(index)
        });
        drop(closed);
    }
}
