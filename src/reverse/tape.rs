//! [`Tape`]: the memory of one recording, and the reverse sweep over it.
//!
//! Two stacks: `ends` has one entry per statement (where its arguments end), `partials` and `indices` one per argument. A
//! binary operation costs 4 + 2 x 12 = 28 bytes for `f64`, an n-ary one 4 + 12 n. Memory is kept between recordings:
//! the first touch of a fresh page costs more than filling it.
//!
//! Invariant: arguments of statement `i` have indices below `i`, so one descending pass propagates all adjoints.
//!
//! This module may use `unsafe`: it writes into reserved memory without a second capacity check. The checked twin is
//! `Tape::push_checked`; a property test compares them. Measured on 1e7 binary operations: 2.4 ns against 3.9 ns per record.
//!
//! Source: Griewank & Walther 2008, §4.2 and table 3.5; the two-stack layout of Adept (Hogan 2014, §3).
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::error::Error;
use crate::scalar::Scalar;

/// The largest number of statements or arguments: indices have 32 bits.
const INDEX_LIMIT: usize = u32::MAX as usize;

/// Bounds on the memory of a recording.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::reverse::{Limits, Recorder};
/// let tight = Recorder::new().with_limits(Limits { entries: 1000, ..Limits::default() });
/// let sum = |x: &[Var<f64>]| (0..600).fold(x[0], |s, _| s * x[0]);
/// assert_eq!(tight.gradient(sum, &[1.0]), Err(Error::TapeFull { limit: 1000 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of statements, and of arguments; at most 2^32 - 1.
    pub entries: usize,
    /// The largest size of the tape and its adjoints in bytes.
    pub bytes: usize,
}

impl Default for Limits {
    /// All that 32-bit indices allow, and no budget of bytes.
    fn default() -> Self {
        Self {
            entries: INDEX_LIMIT,
            bytes: usize::MAX,
        }
    }
}

/// The two stacks of one recording.
#[derive(Debug)]
pub(super) struct Tape<T> {
    /// Per statement, the number of arguments up to and including its own. Capacity only; the length is `statements`.
    ends: Vec<u32>,
    /// Per argument, the partial derivative. Capacity only; the length is `arguments`.
    partials: Vec<T>,
    /// Per argument, the index of its statement. Capacity only, at least that of `partials`.
    indices: Vec<u32>,
    statements: usize,
    arguments: usize,
    /// Writing may go on without a check below these.
    statement_limit: usize,
    argument_limit: usize,
    limits: Limits,
    error: Option<Error>,
    /// Adjoints kept between sweeps; all zero between them.
    adjoints: Vec<T>,
}

impl<T: Scalar> Tape<T> {
    pub(super) fn new() -> Self {
        Self {
            ends: Vec::new(),
            partials: Vec::new(),
            indices: Vec::new(),
            statements: 0,
            arguments: 0,
            statement_limit: 0,
            argument_limit: 0,
            limits: Limits::default(),
            error: None,
            adjoints: Vec::new(),
        }
    }

    /// Forgets the recording and keeps the memory.
    pub(super) fn reset(&mut self, limits: Limits) {
        self.statements = 0;
        self.arguments = 0;
        self.error = None;
        self.limits = limits;
        self.set_limits();
    }

    /// The number of statements, independents included.
    pub(super) fn statements(&self) -> usize {
        self.statements
    }

    /// The bytes that the recording uses.
    pub(super) fn bytes(&self) -> usize {
        self.statements * size_of::<u32>() + self.arguments * (size_of::<T>() + size_of::<u32>())
    }

    /// The bytes that are reserved, used or not.
    pub(super) fn reserved_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<u32>()
            + self.indices.capacity() * size_of::<u32>()
            + self.partials.capacity() * size_of::<T>()
    }

    /// The first error of the recording, if there was one.
    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Keeps the first error; the recording is useless from then on.
    #[cold]
    pub(super) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
        // Every later operation finds no room and computes its value only.
        self.statement_limit = 0;
        self.argument_limit = 0;
    }

    /// Records a statement with `N` arguments if there is room, and returns its index.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // `set_limits` keeps both counts below 2^32.
    pub(super) fn try_push<const N: usize>(&mut self, args: [(u32, T); N]) -> Option<u32> {
        // Copies, because the compiler must assume that writing an argument changes the fields.
        let (statement, argument) = (self.statements, self.arguments);
        if statement >= self.statement_limit || argument + N > self.argument_limit {
            return None;
        }
        let ends = self.ends.as_mut_ptr();
        let partials = self.partials.as_mut_ptr();
        let indices = self.indices.as_mut_ptr();
        // SAFETY: `set_limits` keeps `statement_limit <= ends.capacity()` and `argument_limit <=` the capacities of
        // `partials` and `indices`, so there is room for one statement and `N` arguments.
        unsafe {
            for (offset, (index, partial)) in args.into_iter().enumerate() {
                partials.add(argument + offset).write(partial);
                indices.add(argument + offset).write(index);
            }
            ends.add(statement).write((argument + N) as u32);
        }
        self.arguments = argument + N;
        self.statements = statement + 1;
        Some(statement as u32)
    }

    /// Records a statement with `C` arguments per chunk and returns its index, or `None` if there is no room.
    #[inline]
    pub(super) fn push_chunks<const C: usize>(
        &mut self,
        chunks: usize,
        chunk: impl Fn(usize) -> [(u32, T); C],
    ) -> Option<u32> {
        let count = chunks * C;
        if self.statements >= self.statement_limit || self.arguments + count > self.argument_limit {
            self.grow(count)?;
        }
        let partials = self.partials.as_mut_ptr();
        let indices = self.indices.as_mut_ptr();
        for number in 0..chunks {
            let first = self.arguments + number * C;
            for (offset, (index, partial)) in chunk(number).into_iter().enumerate() {
                // SAFETY: as in `try_push`; exactly `count` arguments are written.
                unsafe {
                    partials.add(first + offset).write(partial);
                    indices.add(first + offset).write(index);
                }
            }
        }
        self.arguments += count;
        Some(self.end_statement())
    }

    /// Records a statement with up to `count` arguments and returns its index, or `None` if there is no room.
    #[inline]
    pub(super) fn push_many(
        &mut self,
        count: usize,
        args: impl Iterator<Item = (u32, T)>,
    ) -> Option<u32> {
        if self.statements >= self.statement_limit || self.arguments + count > self.argument_limit {
            self.grow(count)?;
        }
        let first = self.arguments;
        let partials = self.partials.as_mut_ptr();
        let indices = self.indices.as_mut_ptr();
        let mut written = 0;
        for (index, partial) in args.take(count) {
            // SAFETY: as in `try_push`; at most `count` arguments are written.
            unsafe {
                partials.add(first + written).write(partial);
                indices.add(first + written).write(index);
            }
            written += 1;
        }
        self.arguments = first + written;
        Some(self.end_statement())
    }

    /// Closes a statement whose arguments are written.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // `set_limits` keeps both counts below 2^32.
    fn end_statement(&mut self) -> u32 {
        let index = self.statements as u32;
        // SAFETY: the callers checked that there is room for one statement.
        unsafe {
            self.ends
                .as_mut_ptr()
                .add(self.statements)
                .write(self.arguments as u32);
        }
        self.statements += 1;
        index
    }

    /// The checked twin of `push_many`, for the property test.
    #[cfg(test)]
    pub(super) fn push_checked(&mut self, args: &[(u32, T)]) -> u32 {
        self.initialised();
        for (index, partial) in args {
            self.partials.push(*partial);
            self.indices.push(*index);
        }
        self.arguments = self.partials.len();
        self.ends
            .push(u32::try_from(self.arguments).expect("a test tape is short"));
        self.statements = self.ends.len();
        self.set_limits();
        u32::try_from(self.statements - 1).expect("a test tape is short")
    }

    /// Makes room for one more statement with `count` arguments, doubling what is full; less if memory is short.
    ///
    /// The budget keeps room for the adjoints, so a recording that fits can be swept.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> Option<()> {
        if self.error.is_some() {
            return None;
        }
        let limit = self.limits.entries.min(INDEX_LIMIT);
        if self.statements >= limit || self.arguments.saturating_add(count) > limit {
            self.fail(Error::TapeFull { limit });
            return None;
        }
        self.initialised();
        let more_statements = self.statements >= self.statement_limit;
        let more_arguments = self.arguments + count > self.argument_limit;
        let mut bytes = 0;
        for divisor in [1, 4, 16] {
            let statements = if more_statements {
                self.statements.max(256) / divisor
            } else {
                0
            };
            let arguments = if more_arguments {
                (self.arguments.max(512) / divisor).max(count)
            } else {
                0
            };
            let extra =
                statements * size_of::<u32>() + arguments * (size_of::<T>() + size_of::<u32>());
            let adjoints = (self.ends.capacity() + statements) * size_of::<T>();
            bytes = self
                .reserved_bytes()
                .saturating_add(extra)
                .saturating_add(adjoints);
            if bytes <= self.limits.bytes
                && self.ends.try_reserve_exact(statements).is_ok()
                && self.partials.try_reserve_exact(arguments).is_ok()
                && self.indices.try_reserve_exact(arguments).is_ok()
            {
                self.set_limits();
                return Some(());
            }
        }
        self.fail(Error::OutOfMemory { bytes });
        None
    }

    /// Checks that the adjoints of a sweep fit into the budget together with the tape.
    pub(super) fn check_budget(&self, adjoint_size: usize) -> Result<(), Error> {
        let adjoints = self.statements.saturating_mul(adjoint_size);
        let bytes = self.reserved_bytes().saturating_add(adjoints);
        if bytes > self.limits.bytes {
            return Err(Error::OutOfMemory { bytes });
        }
        Ok(())
    }

    /// Derives the unchecked limits from the capacities and the limits of the user.
    fn set_limits(&mut self) {
        let limit = self.limits.entries.min(INDEX_LIMIT);
        self.statement_limit = self.ends.capacity().min(limit);
        self.argument_limit = self
            .partials
            .capacity()
            .min(self.indices.capacity())
            .min(limit);
    }

    /// Tells the vectors how much of them is written, so that growing keeps it.
    fn initialised(&mut self) {
        // SAFETY: exactly these prefixes have been written by `try_push` and `push_many`, within the capacities.
        unsafe {
            self.ends.set_len(self.statements);
            self.partials.set_len(self.arguments);
            self.indices.set_len(self.arguments);
        }
    }

    /// The written part of the stacks: ends, partials, indices.
    pub(super) fn stacks(&self) -> (&[u32], &[T], &[u32]) {
        // SAFETY: these prefixes have been written, see `initialised`.
        unsafe {
            (
                std::slice::from_raw_parts(self.ends.as_ptr(), self.statements),
                std::slice::from_raw_parts(self.partials.as_ptr(), self.arguments),
                std::slice::from_raw_parts(self.indices.as_ptr(), self.arguments),
            )
        }
    }
}

/// What a sweep propagates: one adjoint, or one per lane.
pub(super) trait Adjoint<T>: Copy {
    /// The adjoint of a variable that no result depends on.
    fn zero() -> Self;
    /// Adds the contribution of an argument: `partial * from`.
    fn add_scaled(&mut self, partial: T, from: &Self);
}

impl<T: Scalar> Adjoint<T> for T {
    #[inline(always)]
    fn zero() -> Self {
        T::structural_zero()
    }
    #[inline(always)]
    fn add_scaled(&mut self, partial: T, from: &Self) {
        *self += partial * *from;
    }
}

impl<T: Scalar, const N: usize> Adjoint<T> for [T; N] {
    #[inline(always)]
    fn zero() -> Self {
        [T::structural_zero(); N]
    }
    #[inline(always)]
    fn add_scaled(&mut self, partial: T, from: &Self) {
        for (to, from) in self.iter_mut().zip(from) {
            *to += partial * *from;
        }
    }
}

/// The adjoint of a strict sweep: `None` for a variable that never received one (EDGE_CASES R3).
impl<T: Scalar> Adjoint<T> for Option<T> {
    fn zero() -> Self {
        None
    }
    fn add_scaled(&mut self, partial: T, from: &Self) {
        if let Some(from) = from {
            let term = partial * *from;
            *self = Some(self.map_or(term, |sum| sum + term));
        }
    }
}

impl<T: Scalar> Tape<T> {
    /// The reverse sweep: turns the adjoints of the results into those of the first `inputs` statements.
    ///
    /// `adjoints` has one entry per statement; those from `inputs` on are zero afterwards, ready for the next sweep.
    pub(super) fn sweep<A: Adjoint<T>>(&self, inputs: usize, adjoints: &mut [A]) {
        let (ends, partials, indices) = self.stacks();
        let adjoints = &mut adjoints[..ends.len()];
        if ends.len() <= inputs {
            return;
        }
        // The adjoint of the statement before the current one stays in a register: in a recurrence it is what the current
        // statement adds to, and a round trip through memory would double the latency of a step.
        let mut end = partials.len();
        let mut next = adjoints[ends.len() - 1];
        for i in (inputs..ends.len()).rev() {
            let adjoint = std::mem::replace(&mut next, A::zero());
            let start = if i == 0 { 0 } else { ends[i - 1] as usize };
            let (arguments, rest) = adjoints.split_at_mut(i);
            rest[0] = A::zero();
            let before = i.wrapping_sub(1);
            if let Some(argument) = arguments.last() {
                next = *argument;
            }
            // Arguments come before their statement; a stale index of a variable that outlived its recording is stopped
            // here, never read out of bounds.
            let mut add = |index: u32, partial: T| {
                let index = index as usize;
                if index == before {
                    next.add_scaled(partial, &adjoint);
                } else if let Some(argument) = arguments.get_mut(index) {
                    argument.add_scaled(partial, &adjoint);
                }
            };
            // One and two arguments are almost all there are; without a loop they take two thirds of the time.
            match (&indices[start..end], &partials[start..end]) {
                ([i], [p]) => add(*i, *p),
                ([i, j], [p, q]) => {
                    add(*i, *p);
                    add(*j, *q);
                }
                (indices, partials) => {
                    // A long statement takes the preceding adjoint through memory and saves the comparison.
                    if let Some(argument) = arguments.last_mut() {
                        *argument = next;
                    }
                    for (index, partial) in indices.iter().zip(partials) {
                        if let Some(argument) = arguments.get_mut(*index as usize) {
                            argument.add_scaled(*partial, &adjoint);
                        }
                    }
                    if let Some(argument) = arguments.last() {
                        next = *argument;
                    }
                }
            }
            end = start;
        }
        if let Some(last) = inputs.checked_sub(1) {
            adjoints[last] = next;
        }
    }

    /// Sweeps back from one output in memory that the tape keeps, and writes the adjoints of the inputs.
    ///
    /// The kept adjoints are zero between sweeps, so they need no clearing pass.
    pub(super) fn sweep_in_place(
        &mut self,
        inputs: usize,
        output: u32,
        gradient: &mut [T],
    ) -> Result<(), Error> {
        self.check_budget(size_of::<T>())?;
        let mut adjoints = std::mem::take(&mut self.adjoints);
        let missing = self.statements.saturating_sub(adjoints.len());
        // Room for as much as the tape may grow to, so that a slightly longer recording does not allocate again.
        let room = self.ends.capacity().saturating_sub(adjoints.len());
        if adjoints.try_reserve_exact(room).is_err() {
            adjoints
                .try_reserve_exact(missing)
                .map_err(|_| Error::OutOfMemory {
                    bytes: self.statements.saturating_mul(size_of::<T>()),
                })?;
        }
        if missing > 0 {
            adjoints.resize(self.statements, T::structural_zero());
        }
        adjoints[output as usize] = T::from(1.0);
        self.sweep(inputs, &mut adjoints);
        for (gradient, adjoint) in gradient.iter_mut().zip(&mut adjoints) {
            *gradient = std::mem::replace(adjoint, T::structural_zero());
        }
        self.adjoints = adjoints;
        Ok(())
    }
}

/// Arguments of a sum that are gathered on the stack: 16 pairs.
const GATHERED: usize = 32;

/// Gathers the arguments of a sum and hands them on, numbers and tags apart.
///
/// They are gathered before anything is recorded, because their iterator may record operations of its own. Numbers and tags
/// go apart and uncleared, and the counter stays in a register; with a `SmallVec` of variables the gradient of a Gaussian
/// mixture, which is made of short scalar products, takes twice the time. A test compares with plain collecting.
#[inline(always)]
pub(super) fn gather<T: Copy, P: Copy, const C: usize, R>(
    mut chunks: impl Iterator<Item = [(T, P); C]>,
    then: impl Fn(&[T], &[P]) -> R,
) -> R {
    let mut numbers = [const { MaybeUninit::<T>::uninit() }; GATHERED];
    let mut tags = [const { MaybeUninit::<P>::uninit() }; GATHERED];
    let mut len = 0;
    // The loop leaves when the block is full: a call inside it would drive everything out of the registers.
    let overflow = chunks.try_for_each(|chunk| {
        if len + C > GATHERED {
            return Err(chunk);
        }
        for (number, tag) in chunk {
            numbers[len].write(number);
            tags[len].write(tag);
            len += 1;
        }
        Ok(())
    });
    // SAFETY: the first `len` entries have been written, and `len` never exceeds their number.
    let (numbers, tags) = unsafe { (written(&numbers, len), written(&tags, len)) };
    match overflow {
        Ok(()) => then(numbers, tags),
        Err(chunk) => {
            let (numbers, tags) = gather_on_heap(numbers, tags, chunk, chunks);
            then(&numbers, &tags)
        }
    }
}

/// Goes on gathering on the heap, where the block on the stack ended.
#[cold]
#[inline(never)]
fn gather_on_heap<T: Copy, P: Copy, const C: usize>(
    numbers: &[T],
    tags: &[P],
    chunk: [(T, P); C],
    chunks: impl Iterator<Item = [(T, P); C]>,
) -> (Vec<T>, Vec<P>) {
    let mut all = (
        Vec::with_capacity(4 * GATHERED),
        Vec::with_capacity(4 * GATHERED),
    );
    all.0.extend_from_slice(numbers);
    all.1.extend_from_slice(tags);
    for (number, tag) in std::iter::once(chunk).chain(chunks).flatten() {
        all.0.push(number);
        all.1.push(tag);
    }
    all
}

/// The written part of a buffer.
///
/// # Safety
/// The first `len` entries have been written, and `len` is at most the length.
#[inline(always)]
unsafe fn written<T>(buffer: &[MaybeUninit<T>], len: usize) -> &[T] {
    // SAFETY: by the contract of this function; `MaybeUninit<T>` has the layout of `T`.
    unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), len) }
}
