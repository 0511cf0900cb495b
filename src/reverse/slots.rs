//! The open recordings of this thread, and which of them an operation belongs to.
//!
//! Rust has no generic statics, so a recording of `Var<T>` lives in a slot that is indexed by the derivative order of `T`:
//! nested recordings of different levels are found without a search. A variable carries the identifier of its recording.
//! An operation compares identifiers; equal identifiers imply equal types, because each pair of a thread and a type draws
//! from blocks of identifiers of its own. All of it is restored by guards, also on unwind (EDGE_CASES e63, e66).
//!
//! Invariant: a slot holds the identifier of the recording whose tape it points to, or [`CLOSED`].
//!
//! This module may use `unsafe`: it keeps type-erased pointers to tapes. The pointers live exactly as long as the guard
//! that owns the tape, and are cast back only under an identifier of the same type.
//!
//! Source: none found; the usual alternatives (a lifetime, an `Rc`, a `dyn Any` tape) exclude nalgebra or cost 3 x the time.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::tape::{Limits, Tape};
use crate::error::Error;
use crate::scalar::Scalar;

/// The identifier of constants: no recording.
pub(super) const CONSTANT: u32 = 0;
/// The identifier in a slot without a recording; no variable carries it.
const CLOSED: u32 = u32::MAX;
/// Levels of nesting with a slot of their own; deeper ones share the last and are found by search.
const LEVELS: usize = 16;
/// Identifiers per block. A thread cycles through its block, so that a variable which outlived its recording is taken for
/// one of another recording at the earliest after this many recordings of one type.
const BLOCK: u32 = 4096;
/// Tapes of one type that a thread keeps between recordings.
const POOLED: usize = 4;

struct Slot {
    recording: Cell<u32>,
    tape: Cell<*mut ()>,
}

thread_local! {
    static SLOTS: [Slot; LEVELS] =
        const { [const { Slot { recording: Cell::new(CLOSED), tape: Cell::new(std::ptr::null_mut()) } }; LEVELS] };
    static THREAD: RefCell<ThreadState> = const { RefCell::new(ThreadState { open: Vec::new(), types: Vec::new() }) };
}

/// Blocks of identifiers that ended threads gave back, by type, and the next identifier of each; they are never handed to
/// another type. The next owner goes on counting there, or it would soon meet variables that outlived the thread.
static RETURNED_BLOCKS: Mutex<Vec<(TypeId, u32, u32)>> = Mutex::new(Vec::new());
/// The first identifier never handed out.
static NEXT_BLOCK: AtomicU32 = AtomicU32::new(1);

/// What the cold paths of a thread need to know.
struct ThreadState {
    open: Vec<OpenRecording>,
    types: Vec<TypeState>,
}

struct OpenRecording {
    recording: u32,
    tape: *mut (),
    fail: unsafe fn(*mut (), Error),
}

/// The identifiers and the idle tapes of one type on this thread.
struct TypeState {
    type_id: TypeId,
    first: u32,
    next: u32,
    idle: Vec<Box<dyn Any>>,
}

impl Drop for TypeState {
    fn drop(&mut self) {
        // A poisoned lock only means that a thread panicked in between; the list itself is always whole.
        let mut returned = RETURNED_BLOCKS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        returned.push((self.type_id, self.first, self.next));
    }
}

impl TypeState {
    fn new(type_id: TypeId) -> Result<Self, Error> {
        let mut returned = RETURNED_BLOCKS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let reused = returned.iter().position(|(id, _, _)| *id == type_id);
        if let Some(position) = reused {
            let (type_id, first, next) = returned.swap_remove(position);
            return Ok(Self {
                type_id,
                first,
                next,
                idle: Vec::new(),
            });
        }
        let first = NEXT_BLOCK
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                next.checked_add(BLOCK).filter(|end| *end < CLOSED)
            })
            .map_err(|used| Error::TapeFull {
                limit: used as usize,
            })?;
        Ok(Self {
            type_id,
            first,
            next: 0,
            idle: Vec::new(),
        })
    }
}

/// Keeps the error of a tape behind a type-erased pointer.
///
/// # Safety
/// `tape` points to a live `Tape<T>`.
unsafe fn fail_erased<T: Scalar>(tape: *mut (), error: Error) {
    // SAFETY: by the contract of this function.
    unsafe { (*tape.cast::<Tape<T>>()).fail(error) }
}

/// An open recording; closing it, also by unwinding, restores what was open before.
pub(super) struct OpenTape<T: Scalar> {
    /// From `Box::into_raw`; turned back into the box when the recording closes.
    tape: *mut Tape<T>,
    recording: u32,
    outer: (u32, *mut ()),
}

impl<T: Scalar> OpenTape<T> {
    const LEVEL: usize = if T::NDERIV < LEVELS {
        T::NDERIV
    } else {
        LEVELS - 1
    };

    /// Starts a recording on memory that this thread kept, if it has some.
    pub(super) fn open(limits: Limits) -> Result<Self, Error> {
        let (mut tape, recording) = THREAD.with_borrow_mut(|thread| {
            let type_id = TypeId::of::<T>();
            let position = match thread.types.iter().position(|t| t.type_id == type_id) {
                Some(position) => position,
                None => {
                    thread.types.push(TypeState::new(type_id)?);
                    thread.types.len() - 1
                }
            };
            let state = &mut thread.types[position];
            let start = state.next;
            let recording = (0..BLOCK)
                .map(|offset| state.first + (start + offset) % BLOCK)
                .find(|candidate| thread.open.iter().all(|open| open.recording != *candidate))
                .ok_or(Error::TapeFull {
                    limit: BLOCK as usize,
                })?;
            state.next = (recording - state.first + 1) % BLOCK;
            // With a budget, what fits must not depend on how much memory earlier recordings left behind.
            let pooled = if limits.bytes == usize::MAX {
                state.idle.pop()
            } else {
                None
            };
            let idle = pooled.and_then(|tape| tape.downcast::<Tape<T>>().ok());
            Ok((idle.unwrap_or_else(|| Box::new(Tape::new())), recording))
        })?;
        tape.reset(limits);
        let tape = Box::into_raw(tape);
        let pointer: *mut () = tape.cast();
        THREAD.with_borrow_mut(|thread| {
            thread.open.push(OpenRecording {
                recording,
                tape: pointer,
                fail: fail_erased::<T>,
            });
        });
        let outer = SLOTS.with(|slots| {
            let slot = &slots[Self::LEVEL];
            (
                slot.recording.replace(recording),
                slot.tape.replace(pointer),
            )
        });
        Ok(Self {
            tape,
            recording,
            outer,
        })
    }

    /// The identifier that variables of this recording carry.
    pub(super) fn recording(&self) -> u32 {
        self.recording
    }

    /// The tape, for the driver's own use between operations.
    pub(super) fn tape(&mut self) -> &mut Tape<T> {
        // SAFETY: the pointer is that of a box which this guard owns; operations borrow it only while they run.
        unsafe { &mut *self.tape }
    }

    /// Ends the recording and hands out its tape.
    pub(super) fn close(self) -> Box<Tape<T>> {
        let guard = std::mem::ManuallyDrop::new(self);
        guard.restore();
        // SAFETY: the guard is not dropped, so the box is made once.
        unsafe { Box::from_raw(guard.tape) }
    }

    fn restore(&self) {
        SLOTS.with(|slots| {
            let slot = &slots[Self::LEVEL];
            slot.recording.set(self.outer.0);
            slot.tape.set(self.outer.1);
        });
        // Guards are scoped, so the last open recording is this one.
        THREAD
            .with_borrow_mut(|thread| thread.open.retain(|open| open.recording != self.recording));
    }
}

impl<T: Scalar> Drop for OpenTape<T> {
    fn drop(&mut self) {
        self.restore();
        // SAFETY: `close` forgets the guard, so the box is made once.
        recycle(unsafe { Box::from_raw(self.tape) });
    }
}

/// Keeps the memory of a tape for the next recording of its type on this thread.
pub(super) fn recycle<T: Scalar>(tape: Box<Tape<T>>) {
    // At thread exit the store may be gone already; then the memory is freed.
    let _ = THREAD.try_with(|thread| {
        if let Ok(mut thread) = thread.try_borrow_mut()
            && let Some(state) = thread
                .types
                .iter_mut()
                .find(|t| t.type_id == TypeId::of::<T>())
            && state.idle.len() < POOLED
        {
            state.idle.push(tape);
        }
    });
}

/// Frees the tapes that this thread keeps between recordings.
///
/// **Cost**: the next recording touches fresh pages, which takes about as long as recording itself.
///
/// ```
/// wengert::reverse::release_memory();
/// ```
pub fn release_memory() {
    THREAD.with_borrow_mut(|thread| thread.types.iter_mut().for_each(|t| t.idle.clear()));
}

/// Records on the tape of the open recording if that is the one asked for and there is room; the hot path of every operation.
#[inline(always)]
pub(super) fn try_push<T: Scalar, const N: usize>(
    recording: u32,
    args: [(u32, T); N],
) -> Option<u32> {
    SLOTS.with(|slots| {
        let slot = &slots[OpenTape::<T>::LEVEL];
        if slot.recording.get() != recording {
            return None;
        }
        // SAFETY: the slot's pointer is that of the tape of `recording`, which its guard keeps alive; `recording` comes
        // from a `Var<T>`, so the tape is a `Tape<T>`; no code of the user runs, so this is the only reference.
        unsafe { &mut *slot.tape.get().cast::<Tape<T>>() }.try_push(args)
    })
}

/// Runs `record` on an open recording of this thread: the current one, or an outer one while an inner one of the same
/// level runs.
#[inline]
pub(super) fn with_open<T: Scalar, R>(
    recording: u32,
    record: impl FnOnce(&mut Tape<T>) -> R,
) -> Option<R> {
    let current = SLOTS.with(|slots| {
        let slot = &slots[OpenTape::<T>::LEVEL];
        (slot.recording.get() == recording).then(|| slot.tape.get())
    });
    let tape = current.or_else(|| outer_tape(recording))?;
    // SAFETY: as in `try_push`; the entry lives as long as the guard, and callers compute partials before they come here.
    Some(record(unsafe { &mut *tape.cast::<Tape<T>>() }))
}

/// The tape of an open recording of this thread.
#[cold]
#[inline(never)]
fn outer_tape(recording: u32) -> Option<*mut ()> {
    THREAD.with_borrow(|thread| {
        thread
            .open
            .iter()
            .find(|open| open.recording == recording)
            .map(|open| open.tape)
    })
}

/// Keeps `MixedRecordings` in the innermost open recording, with the one of the two recordings that is not it.
///
/// # Panics
/// If no recording is open on this thread: a variable outlived its recording or moved to another thread, and there is no
/// driver that could return the error (EDGE_CASES e53).
#[cold]
#[inline(never)]
pub(super) fn fail_mixed(one: u32, other: u32) {
    let innermost = THREAD.with_borrow(|thread| {
        thread
            .open
            .last()
            .map(|open| (open.recording, open.tape, open.fail))
    });
    let Some((open, tape, fail)) = innermost else {
        panic!(
            "a variable of recording {one} was used although no recording is open on this thread; a variable must not \
             leave the closure that received it"
        );
    };
    let found = if one == open { other } else { one };
    // SAFETY: the entry is that of a live tape of the type that `fail` was made for.
    unsafe { fail(tape, Error::MixedRecordings { open, found }) }
}

/// Keeps an error in the innermost open recording of this thread, if there is one.
///
/// For code that differentiates inside an evaluation and cannot return a `Result` there.
pub(crate) fn keep_error(error: Error) {
    let innermost =
        THREAD.with_borrow(|thread| thread.open.last().map(|open| (open.tape, open.fail)));
    if let Some((tape, fail)) = innermost {
        // SAFETY: the entry is that of a live tape of the type that `fail` was made for.
        unsafe { fail(tape, error) }
    }
}
