//! [`Annealer`]: simulated annealing on a list of moves.
//!
//! The list has every vertex once and any number of moves of edges between them; a move that is not possible when it comes is
//! passed over, so every list is a complete elimination and every edit leads to another one. Only the part of a list between an
//! edit and the point where the graph is again as it was before is evaluated.
//!
//! Invariant: the current cost is that of the current list; marks hold the graph before the move of their position.
//! Source: Kirkpatrick, Gelatt & Vecchi 1983 (annealing); the neighbourhood is our own.

use super::super::graph::VertexId;
use super::super::moves::Moves;
use super::step::{Graph, Step};
use super::windows::{MOST, Windows};
use crate::error::Error;

/// The graph is stored before every so many moves: copying a state costs about as much as two moves.
const STEP: usize = 6;
/// Of 256 edits so many are windows: on Black-Scholes they break even with twice as many edits without windows in the same time; at 16
/// and more the windows take most of the time.
const WINDOWED: u8 = 3;
/// So many states of a window are as much work as an edit, by measured times.
const STATES_PER_EDIT: u64 = 2;

/// The graph before the move at a position.
#[derive(Clone, Debug)]
struct Mark<G: Graph> {
    position: usize,
    state: G,
}

/// A change of the list.
#[derive(Clone, Copy, Debug)]
enum Edit {
    /// Takes the move from the first place and puts it where it then has the second one.
    Shift(usize, usize),
    /// Puts a move before that at a place.
    Insert(usize, Step),
    /// Takes out the move at a place.
    Delete(usize),
    /// The candidate is made: it is new from the first place on, and from the second one on as the current list from the third.
    Window(usize, usize, usize),
}

/// A list of moves that is being improved.
#[derive(Clone, Debug)]
pub(super) struct Annealer<G: Graph> {
    random: fastrand::Rng,
    /// What may be in the list.
    moves: Moves,
    /// How many more moves than vertices there may be.
    room: usize,
    current: Vec<Step>,
    candidate: Vec<Step>,
    cost: u64,
    marks: Vec<Mark<G>>,
    fresh: Vec<Mark<G>>,
    scratch: G,
    best: Vec<Step>,
    best_cost: u64,
    windows: Windows,
    /// Whether each vertex can be eliminated.
    is_listed: Vec<bool>,
}

impl<G: Graph> Annealer<G> {
    /// Starts from a complete list.
    ///
    /// # Errors
    /// [`Error::CostOverflow`].
    pub(super) fn new(start: &G, steps: &[Step], moves: Moves, seed: u64) -> Result<Self, Error> {
        let mut annealer = Self {
            random: fastrand::Rng::with_seed(seed),
            moves,
            room: 2 * steps.len() + 8,
            current: steps.to_vec(),
            candidate: Vec::new(),
            cost: 0,
            marks: vec![Mark {
                position: 0,
                state: start.clone(),
            }],
            fresh: Vec::new(),
            scratch: start.clone(),
            best: Vec::new(),
            best_cost: u64::MAX,
            windows: Windows::default(),
            is_listed: Vec::new(),
        };
        for step in steps {
            if let Step::Vertex(v) = step {
                let len = annealer.is_listed.len().max(v.index() + 1);
                annealer.is_listed.resize(len, false);
                annealer.is_listed[v.index()] = true;
            }
        }
        annealer.restart(steps)?;
        annealer.best_cost = annealer.cost;
        annealer.best = annealer.current.clone();
        Ok(annealer)
    }

    /// The best list so far and its cost.
    pub(super) fn best(&self) -> (&[Step], u64) {
        (&self.best, self.best_cost)
    }

    /// Goes on from a complete list; moves that are not possible in it are dropped.
    ///
    /// # Errors
    /// [`Error::CostOverflow`].
    pub(super) fn restart(&mut self, steps: &[Step]) -> Result<(), Error> {
        self.marks.truncate(1);
        self.current.clear();
        self.scratch.clone_from(&self.marks[0].state);
        for step in steps {
            let position = self.current.len();
            if position > 0
                && position.is_multiple_of(STEP)
                && self.marks.last().is_some_and(|m| m.position < position)
            {
                self.marks.push(Mark {
                    position,
                    state: self.scratch.clone(),
                });
            }
            let is_taken = self.scratch.take(*step)?;
            if is_taken || matches!(step, Step::Vertex(_)) {
                self.current.push(*step);
            }
        }
        self.cost = self.scratch.cost();
        Ok(())
    }

    /// Tries edits at a temperature: so many, those counted as several that need a search of their own.
    ///
    /// # Errors
    /// [`Error::CostOverflow`].
    pub(super) fn run(&mut self, edits: u64, temperature: f64) -> Result<(), Error> {
        let mut left = edits;
        while left > 0 {
            left -= 1;
            let edit = if self.moves >= Moves::Edge && self.random.u8(..) < WINDOWED {
                let (edit, work) = self.window()?;
                left = left.saturating_sub(work);
                edit
            } else {
                self.propose()?
            };
            let Some(edit) = edit else {
                continue;
            };
            // Drawn beforehand, the largest cost that will be accepted ends hopeless evaluations early.
            let slack = -self.random.f64().max(1e-300).ln() * temperature;
            let limit = self.cost.saturating_add(floor(slack));
            self.attempt(edit, limit)?;
        }
        Ok(())
    }

    fn propose(&mut self) -> Result<Option<Edit>, Error> {
        let length = self.current.len();
        if length == 0 {
            return Ok(None);
        }
        let place = self.random.usize(0..length);
        let kind = if self.moves >= Moves::Edge {
            self.random.u8(0..16)
        } else {
            15
        };
        match kind {
            0..3 => {
                let is_edge = |step: &Step| !matches!(step, Step::Vertex(_));
                // The first move of an edge from a random place on.
                let from_place = self.current[place..].iter().position(is_edge);
                Ok(from_place.map(|offset| Edit::Delete(place + offset)))
            }
            3..8 if length < self.room => {
                let step = self.edge_move(place)?;
                Ok(step.map(|step| Edit::Insert(place, step)))
            }
            _ => {
                let distance = self.distance();
                let other = if self.random.bool() {
                    place.saturating_sub(distance)
                } else {
                    (place + distance).min(length - 1)
                };
                Ok((other != place).then_some(Edit::Shift(place, other)))
            }
        }
    }

    /// Mostly small, at times up to the length of the list.
    fn distance(&mut self) -> usize {
        let bits = usize::BITS - self.current.len().leading_zeros();
        let most = 1_usize << self.random.u32(0..=bits);
        self.random.usize(0..most) + 1
    }

    /// A move of an edge that is there before the move at a place, at one of the vertices that are eliminated soon.
    fn edge_move(&mut self, place: usize) -> Result<Option<Step>, Error> {
        let soon = (place + self.distance() - 1).min(self.current.len() - 1);
        let vertex = self.current[soon].middle();
        self.advance_to(place)?;
        let (entering, leaving) = self.scratch.degrees(vertex);
        if self.moves == Moves::Face && entering > 1 && leaving > 1 && self.random.bool() {
            return Ok(self.face(vertex));
        }
        let pick = |random: &mut fastrand::Rng, count: u32| random.u32(0..count) as usize;
        // With a single edge on its side a move of the edge is one of the vertex.
        let is_front = match (entering > 1, leaving > 1) {
            (true, true) => self.random.bool(),
            (true, false) => true,
            (false, true) => false,
            (false, false) => return Ok(None),
        };
        if is_front && leaving > 0 {
            let nth = pick(&mut self.random, entering);
            let source = self.scratch.sources(vertex).nth(nth);
            Ok(source.map(|u| Step::Front(u, vertex)))
        } else if !is_front && entering > 0 {
            let nth = pick(&mut self.random, leaving);
            let target = self.scratch.targets(vertex).nth(nth);
            Ok(target.map(|w| Step::Back(vertex, w)))
        } else {
            Ok(None)
        }
    }

    /// Faces at a vertex, mostly such that an edge leads past it.
    fn face(&mut self, vertex: VertexId) -> Option<Step> {
        let (entering, leaving) = self.scratch.degrees(vertex);
        let faces: Vec<(VertexId, VertexId)> = {
            let graph = &self.scratch;
            let pairs = graph
                .sources(vertex)
                .flat_map(|u| graph.targets(vertex).map(move |w| (u, w)));
            if self.random.u8(..) < 192 {
                pairs
                    .filter(|(u, w)| graph.targets(*u).any(|t| t == *w))
                    .collect()
            } else {
                pairs.collect()
            }
        };
        debug_assert!(faces.len() as u64 <= u64::from(entering) * u64::from(leaving));
        let (u, w) = *faces.get(self.random.usize(0..faces.len().max(1)))?;
        Some(Step::Face(u, vertex, w))
    }

    /// The list with a few connected vertices eliminated together, where one of them was; and the work in edits.
    fn window(&mut self) -> Result<(Option<Edit>, u64), Error> {
        let length = self.current.len();
        if length == 0 {
            return Ok((None, 0));
        }
        let place = self.random.usize(0..length);
        self.advance_to(place)?;
        let mut window = vec![self.current[place].middle()];
        let size = self.random.usize(2..=MOST);
        for _ in 0..2 * MOST {
            let from = window[self.random.usize(0..window.len())];
            let (entering, leaving) = self.scratch.degrees(from);
            if entering + leaving == 0 || window.len() == size {
                break;
            }
            let nth = self.random.u32(0..entering + leaving) as usize;
            let next = self.scratch.sources(from).nth(nth).or_else(|| {
                let mut targets = self.scratch.targets(from);
                targets.nth(nth.saturating_sub(entering as usize))
            });
            let is_listed = |v: &VertexId| self.is_listed.get(v.index()).is_some_and(|is| *is);
            if let Some(next) = next.filter(is_listed)
                && !window.contains(&next)
            {
                window.push(next);
            }
        }
        if window.len() < 2 {
            return Ok((None, 0));
        }
        window.sort_unstable();
        let is_in = |step: Step| window.contains(&step.middle());
        let numbered = (place..).zip(&self.current[place..]);
        let places: Vec<usize> = numbered
            .filter(|(_, step)| is_in(**step))
            .map(|(number, _)| number)
            .collect();
        let at = places[self.random.usize(0..places.len())];
        self.candidate.clear();
        self.candidate.extend_from_slice(&self.current[..place]);
        for step in &self.current[place..at] {
            if !is_in(*step) {
                self.scratch.take(*step)?;
                self.candidate.push(*step);
            }
        }
        let Some((moves, states)) = self.windows.moves(&self.scratch, &window) else {
            return Ok((None, 1));
        };
        self.candidate.extend(moves);
        let end = places[places.len() - 1] + 1;
        let rest = self.current[at..end].iter().filter(|step| !is_in(**step));
        self.candidate.extend(rest);
        let again = self.candidate.len();
        self.candidate.extend_from_slice(&self.current[end..]);
        let edit = (again <= end + self.room).then_some(Edit::Window(place, again, end));
        Ok((edit, states / STATES_PER_EDIT))
    }

    /// Brings the scratch state to before the move at a place.
    fn advance_to(&mut self, place: usize) -> Result<(), Error> {
        let mark = &self.marks[self.mark_before(place)];
        self.scratch.clone_from(&mark.state);
        for step in &self.current[mark.position..place] {
            self.scratch.take(*step)?;
        }
        Ok(())
    }

    fn mark_before(&self, place: usize) -> usize {
        self.marks.partition_point(|m| m.position <= place) - 1
    }

    /// Makes an edit if it costs no more than the limit.
    fn attempt(&mut self, edit: Edit, limit: u64) -> Result<(), Error> {
        if !matches!(edit, Edit::Window(..)) {
            self.candidate.clone_from(&self.current);
        }
        // Before `first` and from `again` on the new list is the old one, there shifted from `again_old`.
        let (first, again, again_old) = match edit {
            Edit::Shift(from, to) => {
                let step = self.candidate.remove(from);
                self.candidate.insert(to, step);
                let end = from.max(to) + 1;
                (from.min(to), end, end)
            }
            Edit::Insert(place, step) => {
                self.candidate.insert(place, step);
                (place, place + 1, place)
            }
            Edit::Delete(place) => {
                self.candidate.remove(place);
                (place, place, place + 1)
            }
            Edit::Window(first, again, again_old) => (first, again, again_old),
        };
        let start = self.mark_before(first);
        self.scratch.clone_from(&self.marks[start].state);
        let mut old = self.marks.partition_point(|m| m.position < again_old);
        // A list that is shorter by one may meet a mark at the place of the edit itself, which is where it starts.
        old = old.max(start + 1);
        let mut used = 0;
        let mut last = self.marks[start].position;
        let mut rejoined = None;
        let from = last;
        for place in from..self.candidate.len() {
            if place >= again {
                let old_place = place - again + again_old;
                if self.marks.get(old).is_some_and(|m| m.position == old_place) {
                    if self.scratch.has_same_graph(&self.marks[old].state) {
                        rejoined = Some(old);
                        break;
                    }
                    old += 1;
                }
            }
            if place > first && place - last >= STEP {
                last = place;
                if used == self.fresh.len() {
                    self.fresh.push(Mark {
                        position: place,
                        state: self.scratch.clone(),
                    });
                } else {
                    self.fresh[used].position = place;
                    self.fresh[used].state.clone_from(&self.scratch);
                }
                used += 1;
            }
            self.scratch.take(self.candidate[place])?;
            if self.scratch.cost() > limit {
                return Ok(());
            }
        }
        let cost = match rejoined {
            Some(mark) => {
                let before = self.marks[mark].state.cost();
                (self.scratch.cost() + self.cost).saturating_sub(before)
            }
            None => self.scratch.cost(),
        };
        if cost > limit {
            return Ok(());
        }
        let end = rejoined.unwrap_or(self.marks.len());
        if let Some(mark) = rejoined {
            let (new, was) = (self.scratch.tally(), self.marks[mark].state.tally());
            for mark in &mut self.marks[mark..] {
                mark.position = mark.position + again - again_old;
                mark.state.count_on(&was, &new);
            }
        }
        // The marks between are replaced; those that are left over are kept for later use.
        let fresh = self.fresh.drain(..used);
        let gone: Vec<Mark<G>> = self.marks.splice(start + 1..end, fresh).collect();
        self.fresh.extend(gone);
        std::mem::swap(&mut self.current, &mut self.candidate);
        self.cost = cost;
        if cost < self.best_cost {
            self.best_cost = cost;
            self.best.clone_from(&self.current);
        }
        Ok(())
    }
}

/// The whole part of a nonnegative number; beyond 2^32, which no temperature leads to, it is cut.
fn floor(slack: f64) -> u64 {
    let mut whole = 0_u64;
    for bit in (0..32).rev() {
        let next = whole + (1 << bit);
        if f64::from(u32::try_from(next).unwrap_or(u32::MAX)) <= slack {
            whole = next;
        }
    }
    whole
}
