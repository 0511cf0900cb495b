//! The register files of vector code: scalar slots, vector slots of one number per lane, accumulators of one register.
//!
//! Invariant: a file has as many slots as lowering numbered, so operands are not checked again.

use pulp::Simd;

use super::super::code::VECTOR;

/// Eight numbers on a cache line: what vector files are made of.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(in super::super) struct Line(
    #[expect(dead_code, reason = "read as numbers of a file")] [f64; 8],
);

impl Line {
    /// The numbers of a file.
    pub(in super::super) fn numbers(file: &[Self]) -> &[f64] {
        // SAFETY: a line is eight numbers without padding.
        unsafe { std::slice::from_raw_parts(file.as_ptr().cast(), file.len() * 8) }
    }

    /// The numbers of a file.
    pub(in super::super) fn numbers_mut(file: &mut [Self]) -> &mut [f64] {
        // SAFETY: a line is eight numbers without padding.
        unsafe { std::slice::from_raw_parts_mut(file.as_mut_ptr().cast(), file.len() * 8) }
    }

    /// A file for this many numbers.
    pub(in super::super) fn file(numbers: usize) -> Vec<Self> {
        vec![Self::default(); numbers.div_ceil(8)]
    }
}

/// The register files of a unit while it runs.
pub(super) struct Files<'a> {
    pub(super) u: &'a mut [f64],
    v: *mut f64,
    pub(super) accumulators: *mut f64,
    /// The lanes that hold something; the others repeat the last of them.
    pub(super) active: usize,
    /// What lane 0 is called in reports.
    pub(super) base: usize,
    /// How many numbers the vector file and the accumulators hold.
    pub(super) len: (usize, usize),
}

impl<'a> Files<'a> {
    /// Files over these numbers.
    pub(super) fn new(
        u: &'a mut [f64],
        v: &'a mut [Line],
        accumulators: &'a mut [Line],
        active: usize,
        base: usize,
    ) -> Self {
        Self {
            len: (v.len() * 8, accumulators.len() * 8),
            u,
            v: v.as_mut_ptr().cast(),
            accumulators: accumulators.as_mut_ptr().cast(),
            active,
            base,
        }
    }

    /// The registers of a vector slot.
    #[inline(always)]
    pub(super) fn register<S: Simd, const L: usize>(&self, slot: u32) -> *mut S::f64s {
        let start = (slot & !VECTOR) as usize * L;
        debug_assert!(start + L <= self.len.0);
        // SAFETY: lowering numbered the slots of the file, and the file has as many, of L numbers each.
        unsafe { self.v.add(start).cast() }
    }

    /// The numbers of a vector slot.
    #[inline(always)]
    pub(super) fn numbers<const L: usize>(&mut self, slot: u32) -> &mut [f64; L] {
        let start = (slot & !VECTOR) as usize * L;
        debug_assert!(start + L <= self.len.0);
        // SAFETY: as in `register`; the file is borrowed as long as the numbers are.
        unsafe { &mut *self.v.add(start).cast() }
    }

    /// The numbers of an operand in all lanes, or the one of all lanes.
    #[inline(always)]
    pub(super) fn row<const L: usize>(&self, operand: u32) -> Result<&[f64; L], f64> {
        if operand & VECTOR == 0 {
            return Err(self.u[operand as usize]);
        }
        let start = (operand & !VECTOR) as usize * L;
        debug_assert!(start + L <= self.len.0);
        // SAFETY: as in `register`.
        Ok(unsafe { &*self.v.add(start).cast() })
    }

    /// The number of an operand in a lane.
    #[inline(always)]
    pub(super) fn number<const L: usize>(&self, operand: u32, lane: usize) -> f64 {
        if operand & VECTOR == 0 {
            return self.u[operand as usize];
        }
        let at = (operand & !VECTOR) as usize * L + lane;
        debug_assert!(at < self.len.0);
        // SAFETY: as in `register`.
        unsafe { *self.v.add(at) }
    }
}
