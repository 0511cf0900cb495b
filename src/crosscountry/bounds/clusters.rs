//! [`Clusters`]: which vertices are bounded together.
//!
//! Groups start as single vertices. The two whose union gains most per member are united, until no union gains; then two single
//! vertices at a time are tried with each group, since some gain only together; then large unions are tried, and at last those of
//! groups that stand in each other's way in an order of all.
//!
//! Invariant: every intermediate is in exactly one group, so the groups' bounds may be added.
//! Source: our own. What else was tried is in `DESIGN.md`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::bits::Bits;
use super::cuts::{Direction, Neighbours, Side};
use super::group::{Group, Sides};
use super::union::{Table, Union};
use crate::crosscountry::budget::Clock;
use crate::crosscountry::graph::{EdgeClass, LinearizedGraph, VertexId};

/// How much work a bound by groups may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// The most members while groups grow.
    pub members: usize,
    /// The most members of the last unions, at most 20: 2^20 subsets take 80 MiB and about a second per trial.
    pub last_members: usize,
    /// How many subsets of groups may be looked at.
    pub subsets: u64,
    /// A bound that is as good as proof: nothing more is tried when it is reached.
    pub target: Option<u64>,
}

impl Default for GroupLimits {
    /// Groups of 10, at last of 16, and 4 million subsets, which take about two seconds.
    fn default() -> Self {
        Self {
            members: 10,
            last_members: 16,
            subsets: 4_000_000,
            target: None,
        }
    }
}

/// Only this many relatives of a vertex, the nearest on either side, are tried with it; in graphs of some hundred vertices these are all.
const KIN: usize = 128;

/// Expanding a set in a search over all groups is as much work as this many subsets of a group.
const SUBSETS_PER_SET: u64 = 100;

/// Sides of this many vertices in all are kept, which is about 500 MiB; vertices beyond that stay alone.
const MOST_SIDE_VERTICES: usize = 4_000_000;

/// Vertices, put together into groups.
#[derive(Clone, Debug)]
pub(in crate::crosscountry) struct Clusters {
    /// The groups of at least two members; the last entry is the least cost of the members that are left, by set.
    pub(in crate::crosscountry) groups: Vec<(Vec<VertexId>, Vec<u64>)>,
    /// The bounds of the vertices that are alone.
    pub(in crate::crosscountry) single: Vec<(VertexId, u64)>,
    /// The cuts before and behind every intermediate.
    pub(in crate::crosscountry) cuts: Vec<(u64, u64)>,
    /// An order in which every group costs what its bound says, if one was found.
    pub(in crate::crosscountry) order: Option<Vec<VertexId>>,
    /// What all groups cost together above the sum of their bounds, at least.
    gain: u64,
}

impl Clusters {
    /// Groups that together bound the cost.
    pub(in crate::crosscountry) fn new(
        graph: &LinearizedGraph,
        is_free: impl Fn(EdgeClass) -> bool,
        limits: &GroupLimits,
        clock: &Clock,
    ) -> Self {
        let mut trials = Trials::new(graph, is_free, limits, clock);
        // Conflicts tell better what to unite than trials do, so half of the work is kept for them.
        trials.allowed = limits.subsets / 2;
        if trials.may_go_on() {
            trials.unite_best();
        }
        while trials.may_go_on() && trials.add_two() {}
        if trials.may_go_on() {
            trials.unite_last();
        }
        trials.allowed = limits.subsets;
        let (order, gain) = trials.resolve();
        trials.finish(order, gain)
    }

    /// What no order goes below.
    pub(in crate::crosscountry) fn value(&self) -> u64 {
        self.sum().saturating_add(self.gain)
    }

    /// The sum of all bounds.
    pub(in crate::crosscountry) fn sum(&self) -> u64 {
        let groups = self.groups.iter().map(|(_, rest)| rest[0]);
        let single = self.single.iter().map(|(_, value)| *value);
        groups.chain(single).fold(0, u64::saturating_add)
    }
}

/// A group that may be united with others. Members are positions among the intermediates, ascending.
#[derive(Clone, Debug)]
struct Part {
    members: Vec<usize>,
    value: u64,
}

struct Trials<'a> {
    limits: &'a GroupLimits,
    clock: &'a Clock,
    vertices: Vec<VertexId>,
    sides: Vec<Option<Sides>>,
    /// Which intermediates are near ancestors or descendants of each, ascending.
    kin: Vec<Vec<usize>>,
    cuts: Vec<(u64, u64)>,
    /// Groups by number; those that were united with others are `None`.
    parts: Vec<Option<Part>>,
    bound: u64,
    known: HashMap<Vec<usize>, u64>,
    subsets: u64,
    allowed: u64,
}

impl<'a> Trials<'a> {
    fn new(
        graph: &LinearizedGraph,
        is_free: impl Fn(EdgeClass) -> bool,
        limits: &'a GroupLimits,
        clock: &'a Clock,
    ) -> Self {
        let neighbours = Neighbours::new(graph, is_free);
        let vertices: Vec<VertexId> = graph.intermediates().collect();
        let mut position = vec![None; graph.len()];
        for (i, v) in vertices.iter().enumerate() {
            position[v.index()] = Some(i);
        }
        let mut trials = Self {
            limits,
            clock,
            sides: vec![None; graph.len()],
            kin: Vec::with_capacity(vertices.len()),
            cuts: Vec::with_capacity(vertices.len()),
            parts: Vec::with_capacity(vertices.len()),
            vertices,
            bound: 0,
            known: HashMap::new(),
            subsets: 0,
            allowed: limits.subsets,
        };
        let mut kept = 0;
        for i in 0..trials.vertices.len() {
            let v = trials.vertices[i];
            let mut kin = Vec::new();
            let mut cuts = (0, 0);
            if clock.must_stop().is_none() {
                let before = Side::new(&neighbours, v, Direction::Sources);
                let behind = Side::new(&neighbours, v, Direction::Targets);
                cuts = (u64::from(before.value()), u64::from(behind.value()));
                kept += before.others().len() + behind.others().len();
                if kept <= MOST_SIDE_VERTICES {
                    for side in [&before, &behind] {
                        let others = side.others().iter();
                        let others = others.filter_map(|u| position[*u as usize]);
                        kin.extend(others.take(KIN));
                    }
                    kin.sort_unstable();
                    trials.sides[v.index()] = Some((before, behind));
                }
            }
            let value = cuts.0.saturating_mul(cuts.1);
            trials.cuts.push(cuts);
            trials.kin.push(kin);
            trials.bound = trials.bound.saturating_add(value);
            trials.parts.push(Some(Part {
                members: vec![i],
                value,
            }));
        }
        trials
    }

    fn may_go_on(&self) -> bool {
        let is_reached = self
            .limits
            .target
            .is_some_and(|target| self.bound >= target);
        !is_reached && self.subsets < self.allowed && self.clock.must_stop().is_none()
    }

    /// The bound of these members together; they are sorted.
    fn value_of(&mut self, members: &[usize]) -> u64 {
        if let Some(known) = self.known.get(members) {
            return *known;
        }
        let value = self.group(members).1[0];
        self.known.insert(members.to_vec(), value);
        value
    }

    /// The members' numbers, and the least cost of the rest by set.
    fn group(&mut self, members: &[usize]) -> (Vec<VertexId>, Vec<u64>) {
        self.subsets += 1 << members.len();
        let vertices: Vec<VertexId> = members.iter().map(|i| self.vertices[*i]).collect();
        let group = Group::new(&mut self.sides, vertices);
        let rest = group.solve();
        (group.members, rest)
    }

    /// What uniting these groups gains.
    fn gain(&mut self, numbers: &[usize]) -> u64 {
        let parts = numbers.iter().filter_map(|n| self.parts[*n].as_ref());
        let apart: u64 = parts.clone().map(|part| part.value).sum();
        let mut members: Vec<usize> = parts.flat_map(|part| part.members.clone()).collect();
        members.sort_unstable();
        // The union's bound is never below the sum.
        self.value_of(&members).saturating_sub(apart)
    }

    /// Unites these groups to a new one, and returns its number.
    fn unite(&mut self, numbers: &[usize]) -> usize {
        let parts: Vec<Part> = numbers
            .iter()
            .filter_map(|n| self.parts[*n].take())
            .collect();
        let mut members: Vec<usize> = parts.iter().flat_map(|part| part.members.clone()).collect();
        members.sort_unstable();
        let value = self.value_of(&members);
        let apart: u64 = parts.iter().map(|part| part.value).sum();
        self.bound += value.saturating_sub(apart);
        self.parts.push(Some(Part { members, value }));
        self.parts.len() - 1
    }

    fn size(&self, number: usize) -> usize {
        self.parts[number]
            .as_ref()
            .map_or(0, |part| part.members.len())
    }

    /// The other groups that a group has kin in.
    fn related(&self, number: usize, owner: &[usize]) -> Vec<usize> {
        let Some(part) = &self.parts[number] else {
            return Vec::new();
        };
        let kin = part.members.iter().flat_map(|i| &self.kin[*i]);
        let mut related: Vec<usize> = kin.map(|i| owner[*i]).filter(|n| *n != number).collect();
        related.sort_unstable();
        related.dedup();
        related
    }

    /// Which group each intermediate is in.
    fn owners(&self) -> Vec<usize> {
        let mut owner = vec![0; self.vertices.len()];
        for (number, part) in self.parts.iter().enumerate() {
            for i in part.iter().flat_map(|part| &part.members) {
                owner[*i] = number;
            }
        }
        owner
    }

    /// Unites the two groups whose union gains most per member, as long as there are such.
    fn unite_best(&mut self) {
        let mut owner = self.owners();
        let mut queue = BinaryHeap::new();
        for number in 0..self.parts.len() {
            self.offer(number, &owner, &mut queue);
        }
        while let Some((_, Reverse((a, b)))) = queue.pop() {
            if self.parts[a].is_none() || self.parts[b].is_none() {
                continue;
            }
            if !self.may_go_on() {
                break;
            }
            let new = self.unite(&[a, b]);
            for i in self.parts[new].iter().flat_map(|part| &part.members) {
                owner[*i] = new;
            }
            self.offer(new, &owner, &mut queue);
        }
    }

    /// Puts all unions of a group with older ones that gain into the queue, by gain per member.
    fn offer(&mut self, number: usize, owner: &[usize], queue: &mut Queue) {
        for other in self.related(number, owner) {
            let size = self.size(number) + self.size(other);
            if other > number || size > self.limits.members || !self.may_go_on() {
                continue;
            }
            let gain = self.gain(&[other, number]);
            if gain > 0 {
                // Sizes are below 64, so this is the quotient with enough digits.
                let merit = gain.saturating_mul(1 << 16) / size as u64;
                queue.push((merit, Reverse((other, number))));
            }
        }
    }

    /// Unites a group with two single vertices if that gains; says whether it did.
    fn add_two(&mut self) -> bool {
        let owner = self.owners();
        let mut numbers: Vec<usize> = (0..self.parts.len())
            .filter(|n| self.parts[*n].is_some())
            .collect();
        numbers.sort_by_key(|n| (Reverse(self.size(*n)), *n));
        for number in numbers {
            if self.size(number) + 2 > self.limits.members {
                continue;
            }
            let singles = |trials: &Self, number: usize| {
                let mut related = trials.related(number, &owner);
                related.retain(|n| trials.size(*n) == 1);
                related
            };
            let near = singles(self, number);
            for a in &near {
                // The second is kin of the group or of the first.
                let mut others = singles(self, *a);
                others.extend(&near);
                others.sort_unstable();
                others.dedup();
                for b in others {
                    if b == *a || b == number || (b < *a && near.contains(&b)) {
                        continue;
                    }
                    if !self.may_go_on() {
                        return false;
                    }
                    if self.gain(&[number, *a, b]) > 0 {
                        self.unite(&[number, *a, b]);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Unites groups beyond the first limit on their size, as long as that gains.
    fn unite_last(&mut self) {
        loop {
            let owner = self.owners();
            let mut best = (0, 0, 0);
            for number in 0..self.parts.len() {
                for other in self.related(number, &owner) {
                    let size = self.size(number) + self.size(other);
                    if other > number || size > self.limits.last_members.min(20) {
                        continue;
                    }
                    if !self.may_go_on() {
                        return;
                    }
                    let gain = self.gain(&[other, number]);
                    if gain > best.0 {
                        best = (gain, other, number);
                    }
                }
            }
            let (gain, a, b) = best;
            if gain == 0 {
                return;
            }
            self.unite(&[a, b]);
        }
    }

    /// Unites groups that stand in each other's way, until there is an order that attains the bound, or the groups are too large.
    /// Says that order, and what all groups gain together if there is none.
    fn resolve(&mut self) -> (Option<Vec<VertexId>>, u64) {
        if self.vertices.len() > Bits::MOST
            || self
                .vertices
                .iter()
                .any(|v| self.sides[v.index()].is_none())
        {
            return (None, 0);
        }
        loop {
            let numbers: Vec<usize> = (0..self.parts.len())
                .filter(|n| self.parts[*n].is_some())
                .collect();
            let tables = self.tables();
            let expansions = (self.limits.subsets.saturating_sub(self.subsets)) / SUBSETS_PER_SET;
            let mut union = Union::new(&mut self.sides, &tables, expansions);
            let refined = union.refine(self.clock);
            let conflict: Vec<usize> = refined.conflict.iter().map(|i| numbers[*i]).collect();
            let size: usize = conflict.iter().map(|n| self.size(*n)).sum();
            let is_end = refined.order.is_some()
                || conflict.len() < 2
                || size > self.limits.last_members.min(20);
            if is_end || !self.may_go_on() {
                let mut union = Union::new(&mut self.sides, &tables, expansions / 2);
                let gain = match refined.order {
                    Some(_) => 0,
                    None => union.gain(self.clock),
                };
                return (refined.order, gain);
            }
            self.unite(&conflict);
        }
    }

    /// All groups with the least costs of their members, those of one vertex included.
    fn tables(&mut self) -> Vec<Table> {
        let parts: Vec<Part> = self.parts.iter().flatten().cloned().collect();
        let tables = parts.into_iter().map(|part| match part.members[..] {
            [only] => (vec![self.vertices[only]], vec![part.value, 0]),
            _ => self.group(&part.members),
        });
        tables.collect()
    }

    fn finish(mut self, order: Option<Vec<VertexId>>, gain: u64) -> Clusters {
        let (single, groups) = self
            .tables()
            .into_iter()
            .partition(|(part, _)| part.len() == 1);
        let single: Vec<Table> = single;
        Clusters {
            groups,
            single: single
                .into_iter()
                .map(|(part, rest)| (part[0], rest[0]))
                .collect(),
            cuts: self.cuts,
            order,
            gain,
        }
    }
}

/// Unions by their merit; among equals the oldest groups first.
type Queue = BinaryHeap<(u64, Reverse<(usize, usize)>)>;
