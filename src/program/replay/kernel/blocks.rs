//! Regions over blocks of iterations, and batches of points: loading lanes, running their code, storing and summing results.
//!
//! Iterations are cut into chunks of a fixed size. Every chunk sums its own iterations and the sums of the chunks are added in
//! order, so the bits do not depend on the number of threads (EDGE_CASES R6).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use pulp::Simd;

use super::super::code::{Blocks, Slots, Unit};
use super::super::width::{Isa, Run};
use super::Report;
use super::files::{Files, Line};
use super::helpers::Helpers;
use super::vector::{Body, accumulate};

/// Iterations per chunk: a multiple of every number of lanes, small enough to feed a few threads with a thousand points.
const CHUNK: usize = 512;

/// Registers that run together.
const REGISTERS: usize = 4;

/// The files of one thread for one unit.
#[derive(Clone, Debug)]
struct Frame {
    u: Vec<f64>,
    v: Vec<Line>,
    accumulators: Vec<Line>,
}

impl Frame {
    fn new(unit: &Unit, sums: usize, isa: Isa) -> Self {
        let lanes = isa.lanes();
        // Loops and guards name the first slot as their destination, also where nothing differs between lanes.
        let vectors = unit.vectors.max(1);
        Self {
            u: unit.scalar_file(),
            v: Line::file(vectors * lanes * REGISTERS),
            accumulators: Line::file(sums * lanes),
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.u) + size_of_val(&*self.v) + size_of_val(&*self.accumulators)
    }
}

/// What a replay needs to run the blocks of its unit.
#[derive(Clone, Debug)]
pub(in super::super) struct Frames {
    isa: Isa,
    /// Per region, one frame per thread.
    frames: Vec<Vec<Frame>>,
    helpers: Helpers,
    /// The sums of the chunks.
    partial: Vec<f64>,
}

/// A scalar file that several threads read and write at different slots.
#[derive(Clone, Copy)]
struct SharedFile {
    start: *mut f64,
    len: usize,
}

// SAFETY: blocks write only to the slots of their own iterations' results, and nobody reads those slots meanwhile.
unsafe impl Send for SharedFile {}
// SAFETY: as above.
unsafe impl Sync for SharedFile {}

impl SharedFile {
    #[inline(always)]
    fn get(self, slot: usize) -> f64 {
        debug_assert!(slot < self.len);
        // SAFETY: lowering numbered the slots of this file; nobody writes to this one while blocks run.
        unsafe { *self.start.add(slot) }
    }

    #[inline(always)]
    fn set(self, slot: usize, value: f64) {
        debug_assert!(slot < self.len);
        // SAFETY: lowering numbered the slots of this file; this one belongs to this iteration alone.
        unsafe { *self.start.add(slot) = value }
    }

    /// Copies slots in a row to the front of `to`.
    #[inline(always)]
    fn read_row(self, start: usize, to: &mut [f64]) {
        debug_assert!(start + to.len() <= self.len);
        // SAFETY: lowering numbered the slots of this file; nobody writes to these while blocks run.
        copy_few(
            unsafe { std::slice::from_raw_parts(self.start.add(start), to.len()) },
            to,
        );
    }

    /// Copies numbers to slots in a row.
    #[inline(always)]
    fn write_row(self, start: usize, from: &[f64]) {
        debug_assert!(start + from.len() <= self.len);
        // SAFETY: lowering numbered the slots of this file; these belong to the iterations of one block.
        copy_few(from, unsafe {
            std::slice::from_raw_parts_mut(self.start.add(start), from.len())
        });
    }
}

/// Copies a few numbers by pieces of fixed length; a call of the library for each lane costs more than the lane.
#[inline(always)]
fn copy_few(from: &[f64], to: &mut [f64]) {
    let mut done = 0;
    while copy_piece::<8>(from, to, done) {
        done += 8;
    }
    if copy_piece::<4>(from, to, done) {
        done += 4;
    }
    if copy_piece::<2>(from, to, done) {
        done += 2;
    }
    copy_piece::<1>(from, to, done);
}

/// Copies `N` numbers, if there are as many.
#[inline(always)]
fn copy_piece<const N: usize>(from: &[f64], to: &mut [f64], start: usize) -> bool {
    let piece = from[start..].first_chunk::<N>();
    let place = to[start..].first_chunk_mut::<N>();
    if let (Some(piece), Some(place)) = (piece, place) {
        *place = *piece;
        true
    } else {
        false
    }
}

impl Frames {
    /// Frames for all regions of a unit.
    pub(in super::super) fn new(unit: &Unit, isa: Isa, threads: usize) -> Self {
        let frames: Vec<_> = unit
            .blocks
            .iter()
            .map(|blocks| {
                let chunks = blocks.iterations.div_ceil(CHUNK);
                let frame = Frame::new(&blocks.unit, blocks.sums.len(), isa);
                vec![frame; threads.clamp(1, chunks.max(1))]
            })
            .collect();
        let most = frames.iter().map(Vec::len).max().unwrap_or(1);
        let partial = unit
            .blocks
            .iter()
            .map(|blocks| blocks.iterations.div_ceil(CHUNK) * blocks.sums.len())
            .max();
        Self {
            isa,
            frames,
            helpers: Helpers::new(most - 1),
            partial: vec![0.0; partial.unwrap_or(0)],
        }
    }

    /// The memory of all frames.
    pub(in super::super) fn bytes(&self) -> usize {
        let frames: usize = self.frames.iter().flatten().map(Frame::bytes).sum();
        frames + size_of_val(&*self.partial)
    }

    /// Runs a region; `u` is the scalar file of the enclosing unit.
    pub(super) fn run_blocks(
        &mut self,
        unit: &Unit,
        number: usize,
        u: &mut [f64],
        report: &mut Report,
    ) {
        let this = &unit.blocks[number];
        let isa = self.isa;
        let frames = &mut self.frames[number];
        let chunks = this.iterations.div_ceil(CHUNK);
        let sums = this.sums.len();
        let partial = &mut self.partial[..chunks * sums];
        let file = SharedFile {
            start: u.as_mut_ptr(),
            len: u.len(),
        };
        let work = |frame: &mut Frame, chunk: usize, partial: &mut [f64], report: &mut Report| {
            let start = chunk * CHUNK;
            let end = this.iterations.min(start + CHUNK);
            run_chunk(isa, this, frame, file, start..end, report);
            let lanes = isa.lanes();
            for (k, sum) in partial.iter_mut().enumerate() {
                *sum = Line::numbers(&frame.accumulators)[k * lanes..(k + 1) * lanes]
                    .iter()
                    .sum();
            }
        };
        if let [frame] = &mut frames[..] {
            load_uniforms(this, frame, file);
            for chunk in 0..chunks {
                let partial = &mut partial[chunk * sums..(chunk + 1) * sums];
                work(frame, chunk, partial, report);
            }
        } else {
            // Whoever is free takes the next chunk: a thread that wakes late or shares its core costs one chunk, not its share
            // of all. Which thread does what changes no bit.
            let rest = Mutex::new((0, &mut *partial));
            let take = || {
                let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
                let (chunk, partial) = std::mem::take(&mut *rest);
                if chunk == chunks {
                    rest.0 = chunks;
                    return None;
                }
                let (first, others) = partial.split_at_mut(sums);
                *rest = (chunk + 1, others);
                Some((chunk, first))
            };
            let run = |frame: &mut Frame| {
                let mut report = Report::default();
                let mut is_loaded = false;
                while let Some((chunk, partial)) = take() {
                    if !std::mem::replace(&mut is_loaded, true) {
                        load_uniforms(this, frame, file);
                    }
                    work(frame, chunk, partial, &mut report);
                }
                report
            };
            for part in self.helpers.each(frames, run) {
                report.merge(part);
            }
        }
        for (k, (_, to)) in this.sums.iter().enumerate() {
            u[*to as usize] = (0..chunks).map(|chunk| partial[chunk * sums + k]).sum();
        }
    }
}

/// Copies what all iterations share.
fn load_uniforms(this: &Blocks, frame: &mut Frame, file: SharedFile) {
    for (from, to) in &this.uniforms {
        frame.u[*to as usize] = file.get(*from as usize);
    }
}

/// Runs some iterations; their sums are in the accumulators afterwards.
fn run_chunk(
    isa: Isa,
    this: &Blocks,
    frame: &mut Frame,
    file: SharedFile,
    range: Range<usize>,
    report: &mut Report,
) {
    Line::numbers_mut(&mut frame.accumulators).fill(-0.0);
    for range in parts(isa, range) {
        let lanes = range.len();
        isa.run(
            lanes,
            BlockRun {
                this,
                frame: &mut *frame,
                file,
                range,
                report: &mut *report,
            },
        );
    }
}

/// The part of a range that fills all registers, and the rest, which runs in as few as hold it.
fn parts(isa: Isa, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let many = isa.lanes() * REGISTERS;
    let split = range.start + (range.end - range.start) / many * many;
    [range.start..split, split..range.end]
        .into_iter()
        .filter(|part| !part.is_empty())
}

/// Blocks of iterations to be run.
struct BlockRun<'a> {
    this: &'a Blocks,
    frame: &'a mut Frame,
    file: SharedFile,
    range: Range<usize>,
    report: &'a mut Report,
}

impl Run for BlockRun<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const U: usize, const L: usize, const FMA: bool>(self, simd: S) {
        let Self {
            this,
            frame,
            file,
            range,
            report,
        } = self;
        for start in range.clone().step_by(L) {
            let active = L.min(range.end - start);
            let mut files = Files::new(
                &mut frame.u,
                &mut frame.v,
                &mut frame.accumulators,
                active,
                start,
            );
            for (from, to) in &this.lanes {
                gather(from, file, start, active, files.numbers::<L>(*to));
            }
            for (from, to) in &this.data {
                let numbers = files.numbers::<L>(*to);
                copy_few(&from[start..start + active], &mut numbers[..active]);
                repeat_last(numbers, active);
            }
            simd.vectorize(Body::<U, L, FMA> {
                unit: &this.unit,
                code: &this.unit.code,
                files: &mut files,
                report,
            });
            for (from, to) in &this.each {
                scatter::<L>(&files, *from, to, file, start, active);
            }
            for (k, (from, _)) in this.sums.iter().enumerate() {
                if let Some(from) = from {
                    accumulate::<S, U, L>(simd, &mut files, *from, k);
                }
            }
        }
    }
}

/// Reads the lanes of one block; lanes beyond the active ones repeat the last of them.
#[inline(always)]
fn gather<const L: usize>(
    from: &Slots,
    file: SharedFile,
    start: usize,
    active: usize,
    to: &mut [f64; L],
) {
    match from {
        Slots::Affine { base, stride: 1 } => {
            file.read_row(*base as usize + start, &mut to[..active]);
        }
        Slots::Affine { base, stride } => {
            let base = *base as usize + start * *stride as usize;
            for (lane, to) in to[..active].iter_mut().enumerate() {
                *to = file.get(base + lane * *stride as usize);
            }
        }
        Slots::Listed(slots) => {
            for (to, slot) in to.iter_mut().zip(&slots[start..start + active]) {
                *to = file.get(*slot as usize);
            }
        }
    }
    repeat_last(to, active);
}

/// Lanes beyond the active ones repeat the last of them.
#[inline(always)]
fn repeat_last<const L: usize>(to: &mut [f64; L], active: usize) {
    if active < L {
        let last = to[active - 1];
        for (lane, to) in to.iter_mut().enumerate() {
            *to = if lane < active { *to } else { last };
        }
    }
}

/// Writes the active lanes of one block.
#[inline(always)]
fn scatter<const L: usize>(
    files: &Files<'_>,
    from: u32,
    to: &Slots,
    file: SharedFile,
    start: usize,
    active: usize,
) {
    let splat;
    let row = match files.row::<L>(from) {
        Ok(row) => row,
        Err(uniform) => {
            splat = [uniform; L];
            &splat
        }
    };
    let row = &row[..active];
    match to {
        Slots::Affine { base, stride: 1 } => file.write_row(*base as usize + start, row),
        Slots::Affine { base, stride } => {
            let base = *base as usize + start * *stride as usize;
            for (lane, number) in row.iter().enumerate() {
                file.set(base + lane * *stride as usize, *number);
            }
        }
        Slots::Listed(slots) => {
            for (number, slot) in row.iter().zip(&slots[start..start + active]) {
                file.set(*slot as usize, *number);
            }
        }
    }
}

/// A batch of points for code all of whose inputs are lanes.
#[derive(Clone, Debug)]
pub(in super::super) struct Points {
    isa: Isa,
    frames: Vec<Frame>,
    helpers: Helpers,
}

impl Points {
    pub(in super::super) fn new(unit: &Unit, isa: Isa, threads: usize) -> Self {
        let frame = Frame::new(unit, 0, isa);
        Self {
            isa,
            frames: vec![frame; threads.max(1)],
            helpers: Helpers::new(threads.max(1) - 1),
        }
    }

    /// The memory of the frames.
    pub(in super::super) fn bytes(&self) -> usize {
        self.frames.iter().map(Frame::bytes).sum()
    }

    /// Runs the unit at every point; `inputs` and `outputs` are the lengths of their rows. The reports of the points at which
    /// a decision changed are returned in order.
    pub(in super::super) fn run(
        &mut self,
        unit: &Unit,
        outputs: &[u32],
        (x, inputs): (&[f64], usize),
        y: &mut [f64],
        points: usize,
    ) -> Vec<(usize, crate::Error)> {
        let isa = self.isa;
        let per_thread = points.div_ceil(self.frames.len()).next_multiple_of(CHUNK);
        let run = |frame: &mut Frame, first: usize, y: &mut [f64]| {
            let count = per_thread.min(points - first);
            let mut changed = Vec::new();
            for range in parts(isa, first..first + count) {
                let lanes = range.len();
                let run = PointRun {
                    unit,
                    outputs,
                    frame: &mut *frame,
                    x,
                    inputs,
                    y: &mut *y,
                    first,
                    range,
                    changed: &mut changed,
                };
                isa.run(lanes, run);
            }
            changed
        };
        let rows = per_thread * outputs.len();
        if outputs.is_empty() || points <= per_thread {
            return match self.frames.first_mut() {
                Some(frame) if points > 0 => run(frame, 0, y),
                _ => Vec::new(),
            };
        }
        let mut shares: Vec<_> = self
            .frames
            .iter_mut()
            .zip(y.chunks_mut(rows).enumerate())
            .collect();
        let parts = self.helpers.each(&mut shares, |(frame, (part, y))| {
            run(frame, *part * per_thread, y)
        });
        parts.into_iter().flatten().collect()
    }
}

/// Points to be run.
struct PointRun<'a> {
    unit: &'a Unit,
    outputs: &'a [u32],
    frame: &'a mut Frame,
    x: &'a [f64],
    inputs: usize,
    y: &'a mut [f64],
    /// The point of the first row of `y`.
    first: usize,
    range: Range<usize>,
    changed: &'a mut Vec<(usize, crate::Error)>,
}

impl Run for PointRun<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const U: usize, const L: usize, const FMA: bool>(self, simd: S) {
        for start in self.range.clone().step_by(L) {
            let active = L.min(self.range.end - start);
            let mut files =
                Files::new(&mut self.frame.u, &mut self.frame.v, &mut [], active, start);
            for (input, slot) in (0..self.inputs).zip(0..) {
                let numbers = files.numbers::<L>(slot);
                let points = self.x[start * self.inputs..].chunks_exact(self.inputs);
                for (number, point) in numbers[..active].iter_mut().zip(points) {
                    *number = point[input];
                }
                repeat_last(numbers, active);
            }
            let mut report = Report {
                is_per_lane: true,
                ..Report::default()
            };
            simd.vectorize(Body::<U, L, FMA> {
                unit: self.unit,
                code: &self.unit.code,
                files: &mut files,
                report: &mut report,
            });
            let m = self.outputs.len();
            for (k, output) in self.outputs.iter().enumerate() {
                let points = self.y[(start - self.first) * m..].chunks_exact_mut(m);
                let points = points.take(active);
                match files.row::<L>(*output) {
                    Ok(row) => {
                        for (point, number) in points.zip(row) {
                            point[k] = *number;
                        }
                    }
                    Err(number) => points.for_each(|point| point[k] = number),
                }
            }
            report.found.sort_by_key(|(point, _)| *point);
            self.changed.append(&mut report.found);
        }
    }
}
