//! [`Accumulation`]: products and sums of the partials of a program, in any order, written down as a program.
//!
//! Products and sums are those that forward and reverse mode form, so gates and structural zeros hold as they do there. Sums
//! are written when they are read for the first time: several products become one scalar product.
//!
//! Invariant: a partial is written at most once; one that is never read is not written.
//! Source: Griewank & Walther 2008, §9.2.

use super::draft::{Contribution, Derivative, Draft, Weight};
use super::local::Local;
use super::sweep::sweep;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::NodeId;

/// A partial, by its number in the [`Accumulation`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partial(usize);

/// What is known of a partial.
#[derive(Clone, Copy)]
enum State {
    /// That of an edge.
    Weight(Weight),
    /// Written.
    Derivative(Derivative),
    /// Not yet written.
    Term(Contribution),
    /// The sum of two, not yet written.
    Sum(usize, usize),
}

/// A partial about to be multiplied.
enum Factor {
    Weight(Weight),
    Derivative(Derivative),
}

/// Partials being multiplied and added.
pub(crate) struct Accumulation {
    draft: Draft,
    one: Derivative,
    states: Vec<State>,
    edges: Vec<Partial>,
}

impl Accumulation {
    /// Starts with the partials of a program.
    pub(crate) fn open(local: &Local) -> Result<Self, Error> {
        let program = &local.program;
        let draft = Draft::open(program.inputs)?;
        draft.adopt(program);
        let mut map: Vec<NodeId> = (0..program.inputs)
            .map(NodeId::new)
            .collect::<Result<_, _>>()?;
        for node in program.nodes().skip(program.inputs) {
            map.push(draft.copy(program, node, &map)?);
            draft.place(program, node);
        }
        draft.guards(program, &map);
        let one = draft.constant(1.0).into();
        let mut opened = Self {
            draft,
            one,
            states: Vec::with_capacity(local.edges.len()),
            edges: Vec::with_capacity(local.edges.len()),
        };
        for edge in &local.edges {
            let weights = edge.weights.iter().map(|weight| match *weight {
                Weight::Constant(c) => Weight::Constant(c),
                Weight::Times(node) => Weight::Times(map[node.index()]),
                Weight::Gated(node, mask) => Weight::Gated(map[node.index()], map[mask.index()]),
                Weight::Arm(mask) => Weight::Arm(map[mask.index()]),
                Weight::Domain(node) => Weight::Domain(map[node.index()]),
            });
            let weights: Vec<Partial> = weights
                .map(|weight| opened.keep(State::Weight(weight)))
                .collect();
            let sum = weights.into_iter().reduce(|a, b| opened.sum(a, b));
            let sum = sum.unwrap_or_else(|| opened.keep(State::Weight(Weight::Constant(0.0))));
            opened.edges.push(sum);
        }
        Ok(opened)
    }

    /// The partial of an edge, by its number in [`Local::edges`].
    pub(crate) fn edge(&self, number: usize) -> Partial {
        self.edges[number]
    }

    /// The partial of a copy.
    pub(crate) fn copy(&mut self) -> Partial {
        self.keep(State::Weight(Weight::Constant(1.0)))
    }

    /// The partial along two edges that follow each other.
    pub(crate) fn product(&mut self, first: Partial, second: Partial) -> Partial {
        let state = match (self.factor(first), self.factor(second)) {
            (Factor::Weight(a), Factor::Weight(b)) => self.of_weights(a, b),
            (Factor::Weight(weight), Factor::Derivative(d))
            | (Factor::Derivative(d), Factor::Weight(weight)) => {
                State::Term(self.draft.apply(weight, d))
            }
            (Factor::Derivative(a), Factor::Derivative(b)) => {
                let weight = match a.mask {
                    None => Weight::Times(a.value),
                    Some(mask) => Weight::Gated(a.value, mask),
                };
                State::Term(self.draft.apply(weight, b))
            }
        };
        self.keep(state)
    }

    /// The sum of two parallel partials.
    pub(crate) fn sum(&mut self, a: Partial, b: Partial) -> Partial {
        self.keep(State::Sum(a.0, b.0))
    }

    /// The program whose outputs are these partials.
    pub(crate) fn finish(mut self, outputs: &[Partial]) -> Result<Program, Error> {
        let mut nodes = Vec::with_capacity(outputs.len());
        for partial in outputs {
            nodes.push(match self.factor(*partial) {
                Factor::Derivative(d) => d.value,
                Factor::Weight(weight) => self.written(weight).value,
            });
        }
        Ok(sweep(&self.draft.finish(nodes)?))
    }

    fn keep(&mut self, state: State) -> Partial {
        self.states.push(state);
        Partial(self.states.len() - 1)
    }

    /// The partial as something to multiply with; a term or a sum is written.
    fn factor(&mut self, partial: Partial) -> Factor {
        match self.states[partial.0] {
            State::Weight(weight) => Factor::Weight(weight),
            State::Derivative(d) => Factor::Derivative(d),
            State::Term(_) | State::Sum(..) => {
                let terms = self.terms(partial.0);
                // There is a term at least, so there is a sum.
                let sum = self.draft.combine(&terms);
                let d = sum.unwrap_or_else(|| self.draft.zero().into());
                match (self.draft.constant_of(d.value), d.mask) {
                    (Some(c), None) => {
                        self.states[partial.0] = State::Weight(Weight::Constant(c));
                        Factor::Weight(Weight::Constant(c))
                    }
                    _ => {
                        self.states[partial.0] = State::Derivative(d);
                        Factor::Derivative(d)
                    }
                }
            }
        }
    }

    /// The terms of a sum, those added last first; what is written already is one term.
    fn terms(&self, partial: usize) -> Vec<Contribution> {
        let (mut terms, mut open) = (Vec::new(), vec![partial]);
        while let Some(next) = open.pop() {
            match self.states[next] {
                State::Weight(weight) => terms.push(self.draft.apply(weight, self.one)),
                State::Derivative(d) => terms.push(d.into()),
                State::Term(term) => terms.push(term),
                State::Sum(a, b) => open.extend([b, a]),
            }
        }
        terms
    }

    /// A weight as a derivative.
    fn written(&self, weight: Weight) -> Derivative {
        let term = self.draft.apply(weight, self.one);
        let written = self.draft.combine(&[term]);
        written.unwrap_or_else(|| self.draft.zero().into())
    }

    /// The product of two weights, without writing a choice that another one makes superfluous.
    fn of_weights(&self, a: Weight, b: Weight) -> State {
        use Weight::{Arm, Constant, Domain, Gated, Times};
        let draft = &self.draft;
        match (a, b) {
            (Constant(1.0), weight) | (weight, Constant(1.0)) => State::Weight(weight),
            (Constant(c), Constant(d)) => State::Weight(Constant(c * d)),
            (Arm(mask), Arm(other)) => State::Weight(Arm(draft.both(mask, Some(other)))),
            (Arm(mask), Times(node)) | (Times(node), Arm(mask)) => State::Weight(Gated(node, mask)),
            (Arm(mask), Gated(node, other)) | (Gated(node, other), Arm(mask)) => {
                State::Weight(Gated(node, draft.both(mask, Some(other))))
            }
            (Gated(node, mask), Gated(other, holds)) => {
                let value = Derivative {
                    value: other,
                    mask: Some(holds),
                };
                State::Term(draft.apply(Gated(node, mask), value))
            }
            // A number is written without an operation, so it takes the side of the derivative.
            (Times(node), weight) | (weight, Times(node)) => {
                State::Term(draft.apply(weight, node.into()))
            }
            (Constant(c), weight) | (weight, Constant(c)) => {
                State::Term(draft.apply(weight, draft.constant(c).into()))
            }
            (Domain(_), weight) | (weight, Domain(_)) => {
                let domain = if matches!(a, Domain(_)) { a } else { b };
                State::Term(draft.apply(domain, self.written(weight)))
            }
        }
    }
}
