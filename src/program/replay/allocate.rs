//! Slots of a register file: what is free is used again, the most recent first.

use crate::error::Error;

use super::code::VECTOR;

/// Hands out slots of one file.
#[derive(Debug, Default)]
pub(super) struct Allocator {
    free: Vec<u32>,
    len: u32,
}

impl Allocator {
    /// One slot.
    pub(super) fn take(&mut self) -> Result<u32, Error> {
        match self.free.pop() {
            Some(slot) => Ok(slot),
            None => self.take_run(1),
        }
    }

    /// Fresh slots in a row; the first one.
    pub(super) fn take_run(&mut self, len: usize) -> Result<u32, Error> {
        let start = self.len;
        let full = Error::TapeFull {
            limit: VECTOR as usize,
        };
        let len = u32::try_from(len).map_err(|_| full.clone())?;
        match start.checked_add(len) {
            Some(end) if end < VECTOR => self.len = end,
            _ => return Err(full),
        }
        Ok(start)
    }

    /// Gives a slot back.
    pub(super) fn give(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// The number of slots of the file.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}
