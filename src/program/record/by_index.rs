//! Regions by index: every iteration is recorded, compared with the first, and dropped.
//!
//! Every occurrence of a constant or of an outer value is an input of its own, a *leaf*; so iterations that do the same
//! with different numbers have the same shape, and only the leaves are kept per iteration. Where the shape changes, the
//! region ends and another one begins. Leaves that agree in all iterations are then put together again.
//!
//! Invariant: the terms are summed in the order of the indices, as in the plain loop.

use std::collections::HashMap;
use std::ops::Range;

use super::super::list::Program;
use super::super::node::NodeKind;
use super::super::region::Sink;
use super::compact::{Fate, compact, is_same_shape};
use super::recorder::{Caller, OpenRecorder, Recorder, next_id, with_stack};
use super::regions::{Column, attach, keep_error};
use super::traced::Traced;
use crate::elementary::Op;
use crate::scalar::rows;

/// What a leaf is in every iteration.
struct Leaves {
    first: Traced,
    /// One entry per iteration, or none as long as all are the first.
    all: Vec<Traced>,
}

impl Leaves {
    fn new(first: Traced) -> Self {
        Self {
            first,
            all: Vec::new(),
        }
    }

    /// Adds that of the next iteration, of which there were `count`.
    #[inline]
    fn push(&mut self, leaf: Traced, count: usize) {
        if self.all.is_empty() {
            if leaf.is_same(&self.first) {
                return;
            }
            self.all.resize(count, self.first);
        }
        self.all.push(leaf);
    }

    /// All that there are.
    fn entries(&self) -> &[Traced] {
        if self.all.is_empty() {
            std::slice::from_ref(&self.first)
        } else {
            &self.all
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let (a, b) = (self.entries(), other.entries());
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b))
    }

    fn hash(&self) -> u64 {
        // The multiplier of a multiplicative hash: 2^64 divided by the golden ratio (Knuth 1998, §6.4).
        const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
        self.entries().iter().fold(0, |hash, leaf| {
            let bits = leaf.value.to_bits() ^ leaf.id;
            (hash ^ bits).wrapping_mul(MULTIPLIER).rotate_left(29)
        })
    }

    fn into_column(self) -> Column {
        if self.all.is_empty() {
            Column::Same(self.first)
        } else if self.all.iter().all(Traced::is_constant) {
            Column::Data(self.all.iter().map(|x| x.value).collect())
        } else {
            Column::Lane(self.all)
        }
    }
}

/// Iterations of one shape, one after the other.
struct Piece {
    body: Program,
    leaves: Vec<Leaves>,
    iterations: usize,
}

impl Piece {
    /// Begins with the iteration that was just recorded.
    fn begin(recorder: &mut Recorder) -> Self {
        Self {
            body: std::mem::take(&mut recorder.program),
            leaves: recorder.origins.iter().copied().map(Leaves::new).collect(),
            iterations: 1,
        }
    }

    /// Takes the iteration in that was just recorded, if it has the shape.
    fn push(&mut self, recorder: &Recorder) -> bool {
        let is_same = is_same_shape(&self.body, &recorder.program, true);
        if is_same {
            for (leaves, leaf) in self.leaves.iter_mut().zip(&recorder.origins) {
                leaves.push(*leaf, self.iterations);
            }
            self.iterations += 1;
        }
        is_same
    }

    /// What becomes of each leaf: constants of all iterations are constants, equal leaves are one.
    fn fates(&self) -> Vec<Fate> {
        let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
        let fate = |(input, leaves): (usize, &Leaves)| {
            if leaves.all.is_empty() && leaves.first.is_constant() {
                return Fate::Constant(leaves.first.value);
            }
            let alike = known.entry(leaves.hash()).or_default();
            let earlier = alike
                .iter()
                .find(|earlier| self.leaves[**earlier].is_same(leaves));
            if let Some(earlier) = earlier {
                return Fate::Same(*earlier);
            }
            alike.push(input);
            Fate::Kept
        };
        self.leaves.iter().enumerate().map(fate).collect()
    }

    /// Records the piece: the terms themselves where there is one, else a region.
    fn end(self, parent: usize, sink: Sink, caller: Caller) -> Vec<Traced> {
        if self.iterations == 1 {
            let origins: Vec<Traced> = self.leaves.iter().map(|leaves| leaves.first).collect();
            return with_stack(|stack| stack.inline(parent, &self.body, &origins));
        }
        // Inside another loop by index, leaves that agree by chance would make shapes differ.
        let takes_leaves = with_stack(|stack| stack.recorders[parent].takes_leaves);
        let fates = if takes_leaves {
            vec![Fate::Kept; self.leaves.len()]
        } else {
            self.fates()
        };
        let (body, kept) = compact(&self.body, &fates);
        let mut leaves: Vec<Option<Leaves>> = self.leaves.into_iter().map(Some).collect();
        let columns = kept.into_iter().filter_map(|input| leaves[input].take());
        let columns = columns.map(Leaves::into_column).collect();
        attach(parent, body, columns, vec![sink], self.iterations, caller)
    }
}

/// [`Scalar::sum_for`](crate::Scalar::sum_for) while a program is recorded.
pub(super) fn sum_for(
    range: Range<usize>,
    body: impl Fn(usize) -> Traced,
    caller: Caller,
) -> Traced {
    let parent = with_stack(|stack| stack.recorders.len().checked_sub(1));
    let Some(parent) = parent else {
        return rows::sum_for(range, body);
    };
    let mut piece: Option<Piece> = None;
    let mut terms: Vec<Traced> = Vec::new();
    let open = OpenRecorder::open(Recorder::new(next_id(), Some(parent), true));
    for i in range {
        with_stack(|stack| stack.recorders[open.index].restart(next_id()));
        let y = body(i);
        let other = with_stack(|stack| {
            let place = stack.places.of(caller);
            let output = stack.node_of(open.index, y, place);
            let recorder = &mut stack.recorders[open.index];
            recorder.program.outputs.push(output);
            let is_taken = piece.as_mut().is_some_and(|piece| piece.push(recorder));
            (!is_taken).then(|| Piece::begin(recorder))
        });
        if let Some(other) = other
            && let Some(ended) = piece.replace(other)
        {
            terms.extend(ended.end(parent, Sink::Each, caller));
        }
    }
    keep_error(parent, open.finish().error);
    match piece {
        None => Traced::constant(-0.0),
        Some(piece) if terms.is_empty() => {
            let results = piece.end(parent, Sink::Sum, caller);
            results
                .first()
                .copied()
                .unwrap_or(Traced::constant(f64::NAN))
        }
        Some(piece) => {
            terms.extend(piece.end(parent, Sink::Each, caller));
            with_stack(|stack| {
                let place = stack.places.of(caller);
                if terms.iter().all(Traced::is_constant) {
                    return Traced::constant(terms.iter().map(|x| x.value).sum());
                }
                stack.record(NodeKind::Elementary(Op::Sum), &terms, place)
            })
        }
    }
}
