//! [`Line`]: a line graph from which faces are eliminated in bit sets, for searches that do so millions of times.
//!
//! Two orders that lead to the same line graph number its duals differently, so graphs are compared by a hash. Each edge
//! stands for a random number and each dual for the sum of products that its partial would be; words wrap, which is a ring, so that
//! number does not depend on the order. The hash adds up what duals and faces give.
//!
//! Invariant: `before` and `after` are the two sides of one relation; the tally is that of
//! [`FaceElimination`](super::super::FaceElimination) after the same faces; `hash` is that of all duals and faces that are there.
//! Source: Naumann 2004, §3 (dual graph, absorption, merging of duals); the hash is our own.

use std::sync::Arc;

use super::super::cost::{CostModel, Tally};
use super::super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::super::moves::Move;
use super::state::{Set, contains, insert, is_empty, members, remove, size};
use super::step::{Graph, Step};
use crate::error::Error;

/// An edge of the line graph's origin, or a product of such.
#[derive(Clone, Copy, Debug)]
struct Dual<const W: usize> {
    source: u32,
    target: u32,
    /// Its number in [`FaceElimination`](super::super::FaceElimination) after the same faces.
    number: u32,
    class: EdgeClass,
    value: u64,
    before: Set<W>,
    after: Set<W>,
}

/// A line graph from which faces are being eliminated.
#[derive(Clone, Debug)]
pub(in super::super) struct Line<const W: usize> {
    duals: Vec<Dual<W>>,
    used: Set<W>,
    /// The duals that enter and leave each intermediate.
    entering: Vec<Set<W>>,
    leaving: Vec<Set<W>>,
    terminals: Arc<Terminals>,
    /// The entries of the Jacobian so far, by terminals.
    entries: Vec<Option<EdgeClass>>,
    next: u32,
    alive: u64,
    pub(super) hash: u64,
    tally: Tally,
    model: CostModel,
    /// The faces that were eliminated, by numbers, if somebody wants to know.
    log: Option<Vec<Move>>,
}

/// The vertices that are never eliminated.
#[derive(Debug)]
struct Terminals {
    /// The place of a vertex among them.
    place: Vec<Option<usize>>,
    count: usize,
}

/// More pairs of terminals than this are not kept: a state has to be small.
const MOST_ENTRIES: usize = 1 << 14;

impl<const W: usize> Line<W> {
    /// The line graph, if it is small enough.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 edges.
    pub(in super::super) fn new(
        graph: &LinearizedGraph,
        model: CostModel,
    ) -> Result<Option<Self>, Error> {
        let is_intermediate = graph.is_intermediate();
        let mut count = 0;
        let place = is_intermediate.iter().map(|is| {
            (!is).then(|| {
                count += 1;
                count - 1
            })
        });
        let place: Vec<_> = place.collect();
        if count * count > MOST_ENTRIES || graph.edges().len() > 64 * W {
            return Ok(None);
        }
        let mut line = Self {
            duals: Vec::with_capacity(graph.edges().len()),
            used: [0; W],
            entering: vec![[0; W]; graph.len()],
            leaving: vec![[0; W]; graph.len()],
            terminals: Arc::new(Terminals { place, count }),
            entries: vec![None; count * count],
            next: VertexId::new(graph.edges().len())?.raw(),
            alive: 0,
            hash: 0,
            tally: Tally::default(),
            model,
            log: None,
        };
        for (number, edge) in graph.edges().iter().enumerate() {
            let (source, target) = (edge.source.index(), edge.target.index());
            if let Some(entry) = line.entry(edge.source.raw(), edge.target.raw()) {
                line.entries[entry] = Some(edge.class);
                line.alive += 1;
                continue;
            }
            let slot = line.duals.len();
            line.duals.push(Dual {
                source: edge.source.raw(),
                target: edge.target.raw(),
                number: VertexId::new(number)?.raw(),
                class: edge.class,
                value: mix(number as u64),
                before: [0; W],
                after: [0; W],
            });
            insert(&mut line.used, slot);
            line.alive += 1;
            if is_intermediate[source] {
                insert(&mut line.leaving[source], slot);
            }
            if is_intermediate[target] {
                insert(&mut line.entering[target], slot);
            }
        }
        for slot in 0..line.duals.len() {
            let dual = &mut line.duals[slot];
            dual.before = line.entering[dual.source as usize];
            dual.after = line.leaving[dual.target as usize];
        }
        for slot in 0..line.duals.len() {
            line.bury_if_dead(slot);
        }
        line.hash = line.hash_anew();
        line.tally.memory = line.alive;
        Ok(Some(line))
    }

    /// Takes steps and writes them as faces, by the numbers of [`FaceElimination`](super::super::FaceElimination).
    ///
    /// # Errors
    /// [`Error::CostOverflow`].
    pub(super) fn faces_of(&self, steps: &[Step]) -> Result<Vec<Move>, Error> {
        let mut line = self.clone();
        line.log = Some(Vec::new());
        for step in steps {
            line.take(*step)?;
        }
        Ok(line.log.unwrap_or_default())
    }

    /// The place of a pair of terminals.
    fn entry(&self, source: u32, target: u32) -> Option<usize> {
        let place = &self.terminals.place;
        let source = place[source as usize]?;
        Some(source * self.terminals.count + place[target as usize]?)
    }

    fn is_intermediate(&self, vertex: u32) -> bool {
        self.terminals.place[vertex as usize].is_none()
    }

    /// Eliminates the face of the duals in two slots.
    fn face(&mut self, first: usize, second: usize) -> Result<(), Error> {
        let (a, b) = (self.duals[first], self.duals[second]);
        if let Some(log) = &mut self.log {
            log.push(Move::Face(a.number, b.number));
        }
        self.tally.count_product(a.class, b.class)?;
        self.make(&a, &b)?;
        self.hash = self.hash.wrapping_sub(face_hash(a.value, b.value));
        remove(&mut self.duals[first].after, second);
        remove(&mut self.duals[second].before, first);
        for slot in [first, second] {
            if contains(&self.used, slot) {
                self.bury_if_dead(slot);
            }
            if contains(&self.used, slot) {
                self.merge(slot)?;
            }
        }
        Ok(())
    }

    /// Adds the product of two duals to the graph.
    fn make(&mut self, a: &Dual<W>, b: &Dual<W>) -> Result<(), Error> {
        let class = a.class.times(b.class);
        if let Some(entry) = self.entry(a.source, b.target) {
            self.entries[entry] = Some(match self.entries[entry] {
                Some(old) => {
                    self.tally.count_sum(old, class)?;
                    old.plus(class)
                }
                None => {
                    self.next += 1;
                    self.alive += 1;
                    self.tally.memory = self.tally.memory.max(self.alive);
                    class
                }
            });
            return Ok(());
        }
        let product = Dual {
            source: a.source,
            target: b.target,
            number: self.next,
            class,
            value: a.value.wrapping_mul(b.value),
            before: a.before,
            after: b.after,
        };
        if let Some(old) = self.same(&product) {
            return self.add(old, product.value, product.class);
        }
        self.next += 1;
        let free = self.used.iter().position(|word| *word != u64::MAX);
        let Some(word) = free else {
            // There is no room: nobody wants so many duals.
            self.tally.multiplications = u64::MAX >> 1;
            return Ok(());
        };
        let slot = 64 * word + self.used[word].trailing_ones() as usize;
        if slot == self.duals.len() {
            self.duals.push(product);
        } else {
            self.duals[slot] = product;
        }
        insert(&mut self.used, slot);
        self.alive += 1;
        self.tally.memory = self.tally.memory.max(self.alive);
        for before in members(&product.before) {
            insert(&mut self.duals[before].after, slot);
        }
        for after in members(&product.after) {
            insert(&mut self.duals[after].before, slot);
        }
        if self.is_intermediate(product.source) {
            insert(&mut self.leaving[product.source as usize], slot);
        }
        if self.is_intermediate(product.target) {
            insert(&mut self.entering[product.target as usize], slot);
        }
        self.hash = self.hash.wrapping_add(self.share(slot));
        Ok(())
    }

    /// Another dual with the same ends and neighbours.
    fn same(&self, dual: &Dual<W>) -> Option<usize> {
        let near = if self.is_intermediate(dual.source) {
            &self.leaving[dual.source as usize]
        } else {
            &self.entering[dual.target as usize]
        };
        members(near).find(|slot| {
            let other = &self.duals[*slot];
            other.number != dual.number
                && (other.source, other.target) == (dual.source, dual.target)
                && other.before == dual.before
                && other.after == dual.after
        })
    }

    fn add(&mut self, slot: usize, value: u64, class: EdgeClass) -> Result<(), Error> {
        self.hash = self.hash.wrapping_sub(self.share(slot));
        let dual = &mut self.duals[slot];
        self.tally.count_sum(dual.class, class)?;
        dual.class = dual.class.plus(class);
        dual.value = dual.value.wrapping_add(value);
        self.hash = self.hash.wrapping_add(self.share(slot));
        Ok(())
    }

    /// Adds up a dual with the one that has the same ends and neighbours, if there is one.
    fn merge(&mut self, slot: usize) -> Result<(), Error> {
        let dual = self.duals[slot];
        let Some(other) = self.same(&dual) else {
            return Ok(());
        };
        let (stays, goes) = if self.duals[other].number < dual.number {
            (other, slot)
        } else {
            (slot, other)
        };
        let gone = self.unlink(goes);
        self.add(stays, gone.value, gone.class)
    }

    /// Takes a dual out if it lies on no path, and then its neighbours for the same reason.
    fn bury_if_dead(&mut self, slot: usize) {
        let mut suspects: smallvec::SmallVec<[usize; 16]> = smallvec::smallvec![slot];
        while let Some(slot) = suspects.pop() {
            if !contains(&self.used, slot) {
                continue;
            }
            let dual = &self.duals[slot];
            let is_dead = (is_empty(&dual.before) && self.is_intermediate(dual.source))
                || (is_empty(&dual.after) && self.is_intermediate(dual.target));
            if is_dead {
                let gone = self.unlink(slot);
                suspects.extend(members(&gone.before));
                suspects.extend(members(&gone.after));
            }
        }
    }

    fn unlink(&mut self, slot: usize) -> Dual<W> {
        self.hash = self.hash.wrapping_sub(self.share(slot));
        let dual = self.duals[slot];
        for before in members(&dual.before) {
            remove(&mut self.duals[before].after, slot);
        }
        for after in members(&dual.after) {
            remove(&mut self.duals[after].before, slot);
        }
        remove(&mut self.leaving[dual.source as usize], slot);
        remove(&mut self.entering[dual.target as usize], slot);
        remove(&mut self.used, slot);
        self.alive -= 1;
        dual
    }

    /// What a dual and its faces give to the hash.
    fn share(&self, slot: usize) -> u64 {
        let dual = &self.duals[slot];
        let name = u64::from(dual.source) << 32 | u64::from(dual.target);
        let mut share = mix(dual.value ^ mix(name) ^ dual.class as u64);
        for before in members(&dual.before) {
            share = share.wrapping_add(face_hash(self.duals[before].value, dual.value));
        }
        for after in members(&dual.after) {
            share = share.wrapping_add(face_hash(dual.value, self.duals[after].value));
        }
        share
    }

    /// The hash, added up anew.
    pub(super) fn hash_anew(&self) -> u64 {
        // Each face is shared by two duals.
        let mut hash = 0_u64;
        for slot in members(&self.used) {
            let dual = &self.duals[slot];
            hash = hash.wrapping_add(self.share(slot));
            for after in members(&dual.after) {
                hash = hash.wrapping_sub(face_hash(dual.value, self.duals[after].value));
            }
        }
        hash
    }

    /// The duals between two vertices, of which one is an intermediate.
    fn named(&self, source: VertexId, target: VertexId) -> Set<W> {
        let (source, target) = (source.raw(), target.raw());
        let mut named = [0; W];
        let near = if self.is_intermediate(source) {
            &self.leaving[source as usize]
        } else {
            &self.entering[target as usize]
        };
        for slot in members(near) {
            let dual = &self.duals[slot];
            if (dual.source, dual.target) == (source, target) {
                insert(&mut named, slot);
            }
        }
        named
    }

    /// Eliminates all faces between two sets of duals.
    ///
    /// Where no two duals have the same ends any order costs the same; else those faces go first without which two duals
    /// become one.
    fn between(&mut self, first: &Set<W>, second: &Set<W>) -> Result<bool, Error> {
        let mut is_any = false;
        if !self.has_twins(first, false) && !self.has_twins(second, true) {
            for a in members(first) {
                let mut faces = self.duals[a].after;
                intersect(&mut faces, second);
                for b in members(&faces) {
                    self.face(a, b)?;
                    is_any = true;
                }
            }
            return Ok(is_any);
        }
        while let Some((a, b)) = self.next_face(first, second) {
            self.face(a, b)?;
            is_any = true;
        }
        Ok(is_any)
    }

    /// Whether two duals of a set have the same end on one side.
    fn has_twins(&self, set: &Set<W>, by_target: bool) -> bool {
        let end = |slot: usize| {
            let dual = &self.duals[slot];
            if by_target { dual.target } else { dual.source }
        };
        let mut ends: smallvec::SmallVec<[u32; 32]> = members(set).map(end).collect();
        ends.sort_unstable();
        ends.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// The face to go next; the choice does not depend on slots.
    fn next_face(&self, first: &Set<W>, second: &Set<W>) -> Option<(usize, usize)> {
        let faces = |a: usize| {
            let mut faces = self.duals[a].after;
            intersect(&mut faces, second);
            intersect(&mut faces, &self.used);
            faces
        };
        let by_value = |slot: &usize| self.duals[*slot].value;
        let mut left = *first;
        intersect(&mut left, &self.used);
        // The fewest faces that keep two duals apart which share some: (number, value of one, face).
        let mut best: Option<(u32, u64, (usize, usize))> = None;
        let mut offer =
            |mine: &Set<W>, theirs: &Set<W>, make: &dyn Fn(usize) -> (usize, usize), value: u64| {
                let mut common = *mine;
                intersect(&mut common, theirs);
                let mut apart = *mine;
                for (word, other) in apart.iter_mut().zip(theirs) {
                    *word &= !other;
                }
                if is_empty(&common) || is_empty(&apart) {
                    return;
                }
                let count = size(&apart);
                if best.is_none_or(|(least, old, _)| (count, value) < (least, old))
                    && let Some(face) = members(&apart).min_by_key(by_value)
                {
                    best = Some((count, value, make(face)));
                }
            };
        let mut targets = *second;
        intersect(&mut targets, &self.used);
        for a in members(&left) {
            for other in members(&left) {
                let (x, y) = (&self.duals[a], &self.duals[other]);
                if a != other && x.source == y.source && x.before == y.before {
                    offer(&faces(a), &faces(other), &|b| (a, b), x.value);
                }
            }
        }
        let met = |b: usize| {
            let mut met = self.duals[b].before;
            intersect(&mut met, &left);
            met
        };
        for b in members(&targets) {
            for other in members(&targets) {
                let (x, y) = (&self.duals[b], &self.duals[other]);
                if b != other && x.target == y.target && x.after == y.after {
                    offer(&met(b), &met(other), &|a| (a, b), x.value);
                }
            }
        }
        if let Some((_, _, face)) = best {
            return Some(face);
        }
        let a = members(&left)
            .filter(|a| !is_empty(&faces(*a)))
            .min_by_key(by_value)?;
        let b = members(&faces(a)).min_by_key(by_value)?;
        Some((a, b))
    }
}

impl<const W: usize> Graph for Line<W> {
    fn take(&mut self, step: Step) -> Result<bool, Error> {
        let (first, second) = match step {
            Step::Vertex(v) => (self.entering[v.index()], self.leaving[v.index()]),
            Step::Front(u, v) => (self.named(u, v), self.leaving[v.index()]),
            Step::Back(v, w) => (self.entering[v.index()], self.named(v, w)),
            Step::Face(u, v, w) => (self.named(u, v), self.named(v, w)),
        };
        if is_empty(&first) || is_empty(&second) {
            return Ok(false);
        }
        self.between(&first, &second)
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn tally_mut(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn model(&self) -> CostModel {
        self.model
    }

    fn has_same_graph(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.alive == other.alive
            && (self.model != CostModel::Arithmetic || self.entries == other.entries)
            && (self.model != CostModel::Memory || self.tally.memory == other.tally.memory)
    }

    fn degrees(&self, vertex: VertexId) -> (u32, u32) {
        let vertex = vertex.index();
        (size(&self.entering[vertex]), size(&self.leaving[vertex]))
    }

    fn sources(&self, vertex: VertexId) -> impl Iterator<Item = VertexId> {
        let slots = members(&self.entering[vertex.index()]);
        slots.map(|slot| VertexId::from_raw(self.duals[slot].source))
    }

    fn targets(&self, vertex: VertexId) -> impl Iterator<Item = VertexId> {
        let slots = members(&self.leaving[vertex.index()]);
        slots.map(|slot| VertexId::from_raw(self.duals[slot].target))
    }
}

fn intersect<const W: usize>(set: &mut Set<W>, other: &Set<W>) {
    for (word, other) in set.iter_mut().zip(other) {
        *word &= other;
    }
}

fn face_hash(first: u64, second: u64) -> u64 {
    mix(first.rotate_left(23).wrapping_add(mix(second)))
}

/// Spreads the bits of a number over a word (Steele, Lea & Flood 2014).
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
