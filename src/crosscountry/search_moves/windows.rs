//! [`Windows`]: a few connected vertices, eliminated by edges as cheaply as possible.
//!
//! Whatever is done between the neighbours of some vertices until these are gone, the graph after it is the same, so what a
//! window saves is saved. Neighbours that are joined to the same vertices of a window are one vertex with a weight: in a cheapest
//! elimination one of them may do as the other does, for the products that start at one do not depend on the other. So windows
//! are tiny, and there are few different ones, which are remembered.
//!
//! Invariant: steps that are returned leave no path through the window; they cost no more products, copies not told apart, than
//! the cheapest order of its vertices.
//! Source: Naumann 2004 (the moves); Hart, Nilsson & Raphael 1968 (the search); the windows are a large-neighbourhood search,
//! Shaw 1998.

use std::collections::{BTreeMap, HashMap};

use super::super::graph::VertexId;
use super::super::moves::path_to;
use super::state::word_members as members;
use super::step::{self, Graph};

/// The most vertices in a window.
pub(super) const MOST: usize = 4;
/// States searched in a window before the best order of its vertices is taken: most windows take fewer than a hundred.
const STATES: usize = 400;
/// Windows that are remembered before all are forgotten.
const REMEMBERED: usize = 50_000;

/// A set of vertices of a window, itself and its neighbours.
type Set = u64;

/// The edges that enter and leave each vertex of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Rows {
    entering: [Set; MOST],
    leaving: [Set; MOST],
}

/// A window: vertices `0..inner`, then classes of sources, then classes of targets, each with the number of its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Window {
    inner: usize,
    weights: Vec<u64>,
    rows: Rows,
}

/// A move between numbers of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Vertex(usize),
    Front(usize, usize),
    Back(usize, usize),
}

/// Windows and what was found for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows {
    known: HashMap<Window, Vec<Step>>,
}

impl Windows {
    /// Cheap moves that eliminate the vertices where they stand, and the number of states that were searched; nothing if there
    /// are too many neighbours.
    pub(super) fn moves<G: Graph>(
        &mut self,
        state: &G,
        vertices: &[VertexId],
    ) -> Option<(Vec<step::Step>, u64)> {
        let (window, members) = outline(state, vertices)?;
        let mut states = 0;
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let steps = self.known.entry(window).or_insert_with_key(|window| {
            let (steps, searched) = window.solve();
            states = searched;
            steps
        });
        let mut moves = Vec::new();
        let mut is_listed = [false; MOST];
        for step in &*steps {
            match *step {
                Step::Vertex(v) => {
                    is_listed[v] = true;
                    moves.push(step::Step::Vertex(vertices[v]));
                }
                Step::Front(u, v) => {
                    let sources = members[u].iter();
                    moves.extend(sources.map(|u| step::Step::Front(*u, vertices[v])));
                }
                Step::Back(v, w) => {
                    let targets = members[w].iter();
                    moves.extend(targets.map(|w| step::Step::Back(vertices[v], *w)));
                }
            }
        }
        let rest = vertices.iter().zip(is_listed).filter(|(_, is)| !is);
        moves.extend(rest.map(|(v, _)| step::Step::Vertex(*v)));
        Some((moves, states as u64))
    }
}

/// The window of some vertices, and the members of its classes.
fn outline<G: Graph>(state: &G, vertices: &[VertexId]) -> Option<(Window, Vec<Vec<VertexId>>)> {
    let inner = vertices.len();
    if inner > MOST {
        return None;
    }
    let mut rows = Rows {
        entering: [0; MOST],
        leaving: [0; MOST],
    };
    let mut outer = [BTreeMap::new(), BTreeMap::new()];
    let place = |vertex: VertexId| vertices.iter().position(|v| *v == vertex);
    for (number, vertex) in vertices.iter().enumerate() {
        for source in state.sources(*vertex) {
            match place(source) {
                Some(other) => {
                    rows.entering[number] |= 1 << other;
                    rows.leaving[other] |= 1 << number;
                }
                None => *outer[0].entry(source).or_insert(0_u32) |= 1 << number,
            }
        }
        for target in state.targets(*vertex) {
            if place(target).is_none() {
                *outer[1].entry(target).or_insert(0_u32) |= 1 << number;
            }
        }
    }
    let mut window = Window {
        inner,
        weights: vec![1; inner],
        rows,
    };
    let mut members: Vec<Vec<VertexId>> = vertices.iter().map(|v| vec![*v]).collect();
    let sides = [&mut window.rows.entering, &mut window.rows.leaving];
    for (neighbours, side) in outer.into_iter().zip(sides) {
        let mut classes: BTreeMap<u32, Vec<VertexId>> = BTreeMap::new();
        for (vertex, joined) in neighbours {
            classes.entry(joined).or_default().push(vertex);
        }
        for (joined, class) in classes {
            let number = members.len();
            for (v, row) in side.iter_mut().enumerate() {
                *row |= Set::from(joined >> v & 1) << number;
            }
            window.weights.push(class.len() as u64);
            members.push(class);
        }
    }
    Some((window, members))
}

/// How a state was reached.
struct Reached {
    rows: Rows,
    cost: u64,
    from: usize,
    by: Option<Step>,
}

impl Window {
    /// The cheapest steps, or those of the best order of vertices if that takes too long; and the number of states searched.
    fn solve(&self) -> (Vec<Step>, usize) {
        let (upper, order) = self.by_vertices();
        match self.by_edges(upper) {
            (Some(steps), searched) => (steps, searched),
            (None, searched) => (order, searched),
        }
    }

    /// The cheapest order of the vertices, by trying all.
    fn by_vertices(&self) -> (u64, Vec<Step>) {
        let mut best: HashMap<Set, (u64, Rows, Vec<Step>)> = HashMap::new();
        best.insert(0, (0, self.rows, Vec::new()));
        // Subsets come after those they contain.
        for gone in 0..(1 << self.inner) {
            let Some((cost, rows, steps)) = best.get(&gone).cloned() else {
                continue;
            };
            for v in (0..self.inner).filter(|v| gone >> v & 1 == 0) {
                let mut next = rows;
                let cost = cost + self.take(&mut next, Step::Vertex(v));
                let place = best.entry(gone | 1 << v);
                let place = place.or_insert((u64::MAX, next, Vec::new()));
                if cost < place.0 {
                    place.0 = cost;
                    place.2.clone_from(&steps);
                    place.2.push(Step::Vertex(v));
                }
            }
        }
        let all = best.remove(&((1 << self.inner) - 1));
        all.map_or((0, Vec::new()), |(cost, _, steps)| (cost, steps))
    }

    /// Steps that cost less than `upper`, the cheapest ones if there are any; and the number of states searched.
    fn by_edges(&self, upper: u64) -> (Option<Vec<Step>>, usize) {
        let mut states = vec![Reached {
            rows: self.rows,
            cost: 0,
            from: 0,
            by: None,
        }];
        let mut known = HashMap::from([(self.rows, 0)]);
        let mut queue = BTreeMap::from([(self.bound(&self.rows), vec![0])]);
        let mut searched = 0;
        while let Some(mut entry) = queue.first_entry() {
            let total = *entry.key();
            if total >= upper || searched >= STATES {
                break;
            }
            let Some(number) = entry.get_mut().pop() else {
                entry.remove();
                continue;
            };
            let (rows, cost) = (states[number].rows, states[number].cost);
            if known.get(&rows) != Some(&number) {
                continue;
            }
            searched += 1;
            if rows.entering == [0; MOST] {
                let came = |at: usize| states[at].by.map(|step| (states[at].from, step));
                return (Some(path_to(number, came)), searched);
            }
            for step in self.possible(&rows) {
                let mut next = rows;
                let cost = cost + self.take(&mut next, step);
                let total = (cost + self.bound(&next)).max(total);
                let is_old = known
                    .get(&next)
                    .is_some_and(|old| states[*old].cost <= cost);
                if total >= upper || is_old {
                    continue;
                }
                known.insert(next, states.len());
                queue.entry(total).or_default().push(states.len());
                states.push(Reached {
                    rows: next,
                    cost,
                    from: number,
                    by: Some(step),
                });
            }
        }
        (None, searched)
    }

    fn possible(&self, rows: &Rows) -> Vec<Step> {
        let mut steps = Vec::new();
        for v in 0..self.inner {
            let (entering, leaving) = (rows.entering[v], rows.leaving[v]);
            if entering == 0 {
                continue;
            }
            steps.push(Step::Vertex(v));
            // A single edge on its side is as good as the vertex.
            if entering.count_ones() > 1 {
                steps.extend(members(entering).map(|u| Step::Front(u, v)));
            }
            if leaving.count_ones() > 1 {
                steps.extend(members(leaving).map(|w| Step::Back(v, w)));
            }
        }
        steps
    }

    /// Takes a step and returns the number of its products.
    fn take(&self, rows: &mut Rows, step: Step) -> u64 {
        let (before, after) = match step {
            Step::Vertex(v) => (rows.entering[v], rows.leaving[v]),
            Step::Front(u, v) => (1 << u, rows.leaving[v]),
            Step::Back(v, w) => (rows.entering[v], 1 << w),
        };
        for v in 0..self.inner {
            if after >> v & 1 == 1 {
                rows.entering[v] |= before;
            }
            if before >> v & 1 == 1 {
                rows.leaving[v] |= after;
            }
        }
        match step {
            Step::Vertex(v) => rows.remove(v),
            Step::Front(u, v) | Step::Back(u, v) => {
                if v < self.inner {
                    rows.entering[v] &= !(1 << u);
                }
                if u < self.inner {
                    rows.leaving[u] &= !(1 << v);
                }
            }
        }
        // What nothing enters or nothing leaves is on no path.
        while let Some(dead) =
            (0..self.inner).find(|v| (rows.entering[*v] == 0) != (rows.leaving[*v] == 0))
        {
            rows.remove(dead);
        }
        self.weight(before) * self.weight(after)
    }

    fn weight(&self, set: Set) -> u64 {
        members(set).map(|v| self.weights[v]).sum()
    }

    /// At least so many products are left, by the cuts of each vertex: see [`optimal_moves`](super::super::optimal_moves).
    fn bound(&self, rows: &Rows) -> u64 {
        let is_met = |v: &usize| rows.entering[*v] != 0;
        let met = (0..self.inner).filter(is_met);
        let cuts = met.map(|v| self.cut(&rows.entering, v).max(self.cut(&rows.leaving, v)));
        cuts.sum()
    }

    /// The least weight of vertices that cut one off from all neighbours on one side.
    fn cut(&self, next: &[Set; MOST], vertex: usize) -> u64 {
        let inner: Set = (1 << self.inner) - 1;
        let others = inner & !(1 << vertex);
        let mut least = u64::MAX;
        let mut cut = others;
        loop {
            let (mut seen, mut front): (Set, Set) = (1 << vertex, 1 << vertex);
            let mut met = 0;
            while front != 0 {
                let row = members(front).fold(0, |row, v| row | next[v]);
                met |= row & !others;
                front = row & others & !cut & !seen;
                seen |= front;
                met |= row & cut;
            }
            least = least.min(self.weight(met & !(1 << vertex)));
            if cut == 0 {
                return least;
            }
            cut = (cut - 1) & others;
        }
    }
}

impl Rows {
    fn remove(&mut self, vertex: usize) {
        for row in self.entering.iter_mut().chain(&mut self.leaving) {
            *row &= !(1 << vertex);
        }
        self.entering[vertex] = 0;
        self.leaving[vertex] = 0;
    }
}
