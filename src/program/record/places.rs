//! Where nodes are written: source locations numbered once per thread.
//!
//! Every operation passes its caller's location, so the number must be found in about a nanosecond: a table with one entry
//! per slot is asked first. While a program is recorded its places are numbers of the thread; [`Places::settle`] renumbers
//! them for the program alone.
//!
//! Invariant: number 0 is no location; the numbers of a thread never change.

use std::collections::BTreeMap;
use std::panic;
use std::sync::Arc;

use super::super::list::Program;
use crate::error::Location;

/// Slots of the first table; an inner loop has fewer operations than this.
const SLOTS: usize = 256;

/// The locations of a thread.
pub(super) struct Places {
    slots: [(usize, u32); SLOTS],
    by_address: BTreeMap<usize, u32>,
    by_content: BTreeMap<(Arc<str>, u32, u32), u32>,
    locations: Vec<Arc<Location>>,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self {
            slots: [(0, 0); SLOTS],
            by_address: BTreeMap::new(),
            by_content: BTreeMap::new(),
            locations: Vec::new(),
        }
    }

    /// The number of a caller's location.
    #[inline(always)]
    pub(super) fn of(&mut self, caller: &'static panic::Location<'static>) -> u32 {
        let address = std::ptr::from_ref(caller).addr();
        // Such locations are 24 bytes long, so the bits above the lowest three differ.
        let (known, place) = self.slots[(address >> 3) % SLOTS];
        if known == address {
            return place;
        }
        self.find(address, caller)
    }

    /// The number of a location that is not in its slot.
    #[cold]
    fn find(&mut self, address: usize, caller: &panic::Location<'_>) -> u32 {
        let known = self.by_address.get(&address).copied();
        let number = known.unwrap_or_else(|| self.add(address, caller));
        self.slots[(address >> 3) % SLOTS] = (address, number);
        number
    }

    /// Numbers a location that was not seen at this address.
    fn add(&mut self, address: usize, caller: &panic::Location<'_>) -> u32 {
        let file = self
            .locations
            .iter()
            .rev()
            .find(|location| &*location.file == caller.file())
            .map_or_else(|| caller.file().into(), |known| known.file.clone());
        let number = self.of_location(&Location {
            file,
            line: caller.line(),
            column: caller.column(),
        });
        self.by_address.insert(address, number);
        number
    }

    /// The number of a location by its content.
    pub(super) fn of_location(&mut self, location: &Location) -> u32 {
        let key = (location.file.clone(), location.line, location.column);
        let next = u32::try_from(self.locations.len() + 1).unwrap_or(0);
        let number = *self.by_content.entry(key).or_insert(next);
        if number == next && next != 0 {
            self.locations.push(Arc::new(location.clone()));
        }
        number
    }

    /// The location of a number.
    pub(super) fn location(&self, place: u32) -> Option<Arc<Location>> {
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        self.locations.get(index).cloned()
    }

    /// Renumbers the places of a finished program and gives it the locations that it uses.
    pub(super) fn settle(&self, program: &mut Program) {
        let mut own = vec![0_u32; self.locations.len() + 1];
        for place in &mut program.places {
            let index = *place as usize;
            if index == 0 {
                continue;
            }
            if own[index] == 0 {
                program.locations.push(self.locations[index - 1].clone());
                own[index] = u32::try_from(program.locations.len()).unwrap_or(0);
            }
            *place = own[index];
        }
        if program.locations.is_empty() {
            program.places = Vec::new();
        }
    }
}
