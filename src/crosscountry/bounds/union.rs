//! [`Union`]: the bound of many groups together, by best-first search and refinement.
//!
//! The *core* is the union of all groups of two and more. Costs of its members are the same products of conditional cuts as in
//! `group.rs`, found when they are needed; what is left to pay is bounded by the groups' tables. A search finds an order of the
//! core in which every group has its bound. Then the other vertices are put into that order, one by one, where neither they
//! nor the others cost more than before. If all fit, the order attains the bound: it is optimal. If not, there is a conflict:
//! a few groups that are better bounded together, found by leaving out one after the other.
//!
//! Invariant: the smallest sum in the queue bounds every order of the core, and with the bounds of the other vertices every order of all.
//! Source: our own, after counterexample-guided refinement (Seipp & Helmert 2018); Hart, Nilsson & Raphael 1968 for the search.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::bits::Bits;
use super::cuts::Side;
use super::group::Sides;
use crate::crosscountry::budget::Clock;
use crate::crosscountry::graph::VertexId;

/// A group: its members, and the least cost of those that are left, by set of those that are gone.
pub(super) type Table = (Vec<VertexId>, Vec<u64>);

/// All vertices in their groups.
pub(super) struct Union<'a> {
    sides: &'a mut [Option<Sides>],
    tables: &'a [Table],
    vertices: Vec<VertexId>,
    /// The table of each vertex, and where the table's vertices start.
    place: Vec<(usize, usize)>,
    /// Which vertices lie before and behind each, with their local numbers.
    relevant: Vec<[Relevant; 2]>,
    known: HashMap<(usize, usize, Bits, Bits), u32>,
    /// How many sets may still be expanded.
    left: u64,
}

/// The vertices on a side of another: as a set, and with their local numbers there.
#[derive(Clone, Debug, Default)]
struct Relevant {
    set: Bits,
    locals: Vec<(usize, usize)>,
}

/// An order of all vertices that attains the sum of the bounds, or groups that cannot all have their bounds in the order that was
/// looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refined {
    pub(super) order: Option<Vec<VertexId>>,
    pub(super) conflict: Vec<usize>,
}

struct Found {
    gain: u64,
    order: Option<Vec<usize>>,
}

/// So many sets are expanded to see that groups do not stand in each other's way. Where they do not, the search goes straight to its
/// end, in as many steps as there are members; twenty times that is ample.
const SHORT: u64 = 2_000;

impl<'a> Union<'a> {
    /// All vertices, at most [`Bits::MOST`]; each is in one table, of one entry if it is alone, and has sides.
    pub(super) fn new(
        sides: &'a mut [Option<Sides>],
        tables: &'a [Table],
        expansions: u64,
    ) -> Self {
        let vertices: Vec<VertexId> = tables.iter().flat_map(|(part, _)| part.clone()).collect();
        let mut place = Vec::new();
        for (number, (part, _)) in tables.iter().enumerate() {
            let start = place.len();
            place.extend(part.iter().map(|_| (number, start)));
        }
        let relevant = vertices.iter().map(|v| {
            let of = |side: &Side| {
                let locals = side.locals(&vertices);
                let set = locals.iter().map(|(i, _)| *i).collect();
                Relevant { set, locals }
            };
            let both = sides[v.index()].as_ref();
            both.map_or_else(Default::default, |(before, behind)| {
                [of(before), of(behind)]
            })
        });
        let relevant = relevant.collect();
        Self {
            sides,
            tables,
            vertices,
            place,
            relevant,
            known: HashMap::new(),
            left: expansions,
        }
    }

    /// Looks for an order that attains the bound, or for groups that stand in each other's way; neither if the work or the time is
    /// used up.
    pub(super) fn refine(&mut self, clock: &Clock) -> Refined {
        let mut numbers: Vec<usize> = (0..self.tables.len())
            .filter(|number| self.tables[*number].0.len() > 1)
            .collect();
        let found = self.search(&numbers, false, clock);
        if let Some(order) = found.order {
            return match self.fit(order) {
                Ok(order) => Refined {
                    order: Some(order.into_iter().map(|i| self.vertices[i]).collect()),
                    conflict: Vec::new(),
                },
                Err(conflict) => Refined {
                    order: None,
                    conflict,
                },
            };
        }
        // Some of the groups gain together, or are not seen not to. The small ones are left out first.
        numbers.sort_by_key(|number| (self.tables[*number].0.len(), *number));
        for number in numbers.clone() {
            let fewer: Vec<usize> = numbers.iter().copied().filter(|n| *n != number).collect();
            if self.left > 0 && self.search(&fewer, false, clock).order.is_none() {
                numbers = fewer;
            }
        }
        Refined {
            order: None,
            conflict: numbers,
        }
    }

    /// What all groups cost together at least: more than the sum of their bounds, if the search comes so far.
    pub(super) fn gain(&mut self, clock: &Clock) -> u64 {
        let numbers: Vec<usize> = (0..self.tables.len())
            .filter(|number| self.tables[*number].0.len() > 1)
            .collect();
        self.search(&numbers, true, clock).gain
    }

    /// How much the cheapest order of these groups costs above the sum of their bounds, at least; and that order, if it is found.
    /// Unless `is_long`, the search ends when it is more, or after some sets.
    fn search(&mut self, groups: &[usize], is_long: bool, clock: &Clock) -> Found {
        let mut core = Bits::default();
        for (i, (table, _)) in self.place.iter().enumerate() {
            if groups.contains(table) {
                core = core.with(i);
            }
        }
        let mut limit = if is_long {
            self.left
        } else {
            self.left.min(SHORT)
        };
        let none = Bits::default();
        let mut reached = HashMap::from([(none, (0_u64, 0_usize))]);
        let mut queue = BinaryHeap::from([(Reverse(0_u64), 0_u32, Reverse(none))]);
        let mut is_done = HashSet::new();
        while let Some((Reverse(gain), size, Reverse(set))) = queue.pop() {
            let is_enough = !is_long && gain > 0;
            if is_enough || limit == 0 || clock.must_stop().is_some() {
                return Found { gain, order: None };
            }
            if set == core {
                let order = Some(trace(&reached, core));
                return Found { gain, order };
            }
            if !is_done.insert(set) {
                continue;
            }
            limit -= 1;
            self.left -= 1;
            let paid = reached[&set].0;
            for i in core.without(set).iter() {
                let step = self.cost(i, set, core);
                let (table, start) = self.place[i];
                let (part, rest) = &self.tables[table];
                let local = part.iter().enumerate().fold(0, |local, (bit, _)| {
                    local | usize::from(set.has(start + bit)) << bit
                });
                let after = gain + step + rest[local | 1 << (i - start)] - rest[local];
                let next = set.with(i);
                match reached.entry(next) {
                    Entry::Occupied(entry) if entry.get().0 <= paid + step => continue,
                    Entry::Occupied(mut entry) => {
                        entry.insert((paid + step, i));
                    }
                    Entry::Vacant(entry) => {
                        entry.insert((paid + step, i));
                    }
                }
                queue.push((Reverse(after), size + 1, Reverse(next)));
            }
        }
        // The core itself is in the queue until it is taken.
        Found {
            gain: 0,
            order: None,
        }
    }

    /// Puts the vertices that are not in the core into an order of the core; or says which groups stand in each other's way.
    fn fit(&mut self, order: Vec<usize>) -> Result<Vec<usize>, Vec<usize>> {
        let core: Bits = order.iter().copied().collect();
        let mut full = order;
        for x in (0..self.vertices.len()).filter(|x| !core.has(*x)) {
            if let Some(at) = self.position(&full, x) {
                full.insert(at, x);
                continue;
            }
            // Groups that can be taken out without making room for `x` do not keep it out.
            let mut culprits: Vec<usize> = full.iter().map(|i| self.place[*i].0).collect();
            culprits.sort_unstable();
            culprits.dedup();
            // The large ones are taken out first.
            culprits.sort_by_key(|table| (Reverse(self.tables[*table].0.len()), *table));
            for table in culprits.clone() {
                let without: Vec<usize> = full
                    .iter()
                    .copied()
                    .filter(|i| self.place[*i].0 != table)
                    .collect();
                if self.position(&without, x).is_none() {
                    full = without;
                    culprits.retain(|culprit| *culprit != table);
                }
            }
            culprits.push(self.place[x].0);
            return Err(culprits);
        }
        Ok(full)
    }

    /// Where a vertex can be put into an order such that nothing gets dearer.
    fn position(&mut self, order: &[usize], x: usize) -> Option<usize> {
        let alone: Bits = order.iter().copied().collect();
        let with = alone.with(x);
        let mut sets = vec![Bits::default()];
        // The first place behind the last step that `x` must not be gone at, and the last place before one that it must.
        let mut first = 0;
        let mut last = order.len();
        for (at, i) in order.iter().enumerate() {
            let set = sets[at];
            sets.push(set.with(*i));
            let now = self.cost(*i, set, alone);
            if self.cost(*i, set.with(x), with) > now {
                first = first.max(at + 1);
            }
            if self.cost(*i, set, with) > now {
                last = last.min(at);
            }
        }
        let least = self.cost(x, Bits::default(), Bits::default());
        (first..=last).find(|at| self.cost(x, sets[*at], with) == least)
    }

    /// The least cost of a vertex when, of those that are decided on, some are gone and the others are not.
    fn cost(&mut self, i: usize, gone: Bits, decided: Bits) -> u64 {
        let mut cut = |which: usize| {
            let relevant = &self.relevant[i][which];
            let (gone, decided) = (gone.and(relevant.set), decided.and(relevant.set));
            *self
                .known
                .entry((i, which, gone, decided))
                .or_insert_with(|| {
                    let sides = self.sides[self.vertices[i].index()].as_mut();
                    let side = sides.map(|(before, behind)| match which {
                        0 => before,
                        _ => behind,
                    });
                    let here = relevant.locals.iter().filter(|(j, _)| decided.has(*j));
                    let here = here.map(|(j, local)| (*local, gone.has(*j)));
                    side.map_or(0, |side| side.conditional(here))
                })
        };
        u64::from(cut(0)) * u64::from(cut(1))
    }
}

/// The order in which the best known way leads to a set.
fn trace(reached: &HashMap<Bits, (u64, usize)>, full: Bits) -> Vec<usize> {
    let mut order = Vec::new();
    let mut set = full;
    while set != Bits::default() {
        let (_, last) = reached[&set];
        order.push(last);
        set = set.without(Bits::default().with(last));
    }
    order.reverse();
    order
}
