//! [`Accumulation`]: products and sums of the partials of a program, in any order, written down as a program.
//!
//! Products and sums are those that forward and reverse mode form, so gates and structural zeros hold as they do there. Sums
//! are written when they are read for the first time: several products become one scalar product. Constant factors stand
//! beside the partials, so those of several operations become one, and terms with the same factor are added before they are
//! multiplied.
//!
//! Invariant: a partial is written at most once; one that is never read is not written.
//! Source: Griewank & Walther 2008, §9.2.

use std::collections::HashMap;

use super::draft::{Contribution, Derivative, Draft, Weight};
use super::local::{Local, PlannedBody, PlannedEntry};
use crate::elementary::Op;
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};

/// A partial, by its number in the [`Accumulation`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partial(usize);

/// When constant factors are multiplied with; which way is cheapest shows when the program is simplified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scaling {
    /// In every term by itself: cheap where programs repeat such terms.
    Each,
    /// Once per partial, where terms with one factor are added before: cheap where many products share the partial.
    Early,
    /// When a sum needs it, or at the end: cheap where factors of several operations meet.
    Late,
}

/// What a partial is but for a constant factor.
#[derive(Clone, Copy)]
enum Factor {
    /// 1.
    One,
    /// A partial of the program, which is no constant.
    Weight(Weight),
    /// Nodes that are written.
    Derivative(Derivative),
}

/// What is known of a partial.
#[derive(Clone, Copy)]
enum State {
    /// A constant and what it multiplies.
    Known(f64, Factor),
    /// A constant and what it multiplies, not yet written.
    Term(f64, Contribution),
    /// The sum of two, not yet written.
    Sum(usize, usize),
}

/// Partials being multiplied and added.
pub(crate) struct Accumulation {
    draft: Draft,
    scaling: Scaling,
    states: Vec<State>,
    edges: Vec<Partial>,
    primals: Vec<NodeId>,
}

impl Scaling {
    pub(crate) const ALL: [Self; 3] = [Self::Each, Self::Early, Self::Late];
}

impl Accumulation {
    /// Starts with the partials of a program.
    pub(crate) fn open(local: &Local, scaling: Scaling) -> Result<Self, Error> {
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
        let mut opened = Self {
            draft,
            scaling,
            states: Vec::with_capacity(local.edges.len()),
            edges: Vec::with_capacity(local.edges.len()),
            primals: local.primals.iter().map(|y| map[y.index()]).collect(),
        };
        for edge in &local.edges {
            let weights = edge.weights.iter();
            let states = weights.map(|weight| opened.start(program, &map, *weight));
            let partials: Vec<State> = states.collect();
            let partials: Vec<Partial> = partials.into_iter().map(|s| opened.keep(s)).collect();
            let sum = partials.into_iter().reduce(|a, b| opened.sum(a, b));
            let sum = sum.unwrap_or_else(|| opened.keep(State::Known(0.0, Factor::One)));
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
        self.keep(State::Known(1.0, Factor::One))
    }

    /// The partial along two edges that follow each other.
    pub(crate) fn product(&mut self, first: Partial, second: Partial) -> Partial {
        let (mut a, b) = (self.factor(first), self.factor(second));
        let c = times(a.0, b.0).unwrap_or_else(|| {
            // The constants do not fit into one number.
            a = (1.0, Factor::Derivative(self.written(a.0, a.1)));
            b.0
        });
        let state = match (a.1, b.1) {
            (Factor::One, factor) | (factor, Factor::One) => State::Known(c, factor),
            (Factor::Weight(a), Factor::Weight(b)) => self.of_weights(c, a, b),
            (Factor::Weight(weight), Factor::Derivative(d))
            | (Factor::Derivative(d), Factor::Weight(weight)) => {
                State::Term(c, self.draft.apply(weight, d))
            }
            (Factor::Derivative(a), Factor::Derivative(b)) => {
                let weight = match a.mask {
                    None => Weight::Times(a.value),
                    Some(mask) => Weight::Gated(a.value, mask),
                };
                State::Term(c, self.draft.apply(weight, b))
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
            let (c, factor) = self.factor(*partial);
            nodes.push(self.written(c, factor).value);
        }
        self.draft.finish(nodes)?.live()
    }

    /// The program of a body whose further outputs are these partials, as `(output, input, partial)`.
    pub(crate) fn finish_body(
        mut self,
        partials: &[(usize, usize, Partial)],
    ) -> Result<PlannedBody, Error> {
        let mut nodes = std::mem::take(&mut self.primals);
        let mut entries = Vec::with_capacity(partials.len());
        for (output, input, partial) in partials {
            let (c, factor) = self.factor(*partial);
            let d = self.written(c, factor);
            let value = nodes.len();
            nodes.push(d.value);
            nodes.extend(d.mask);
            entries.push(PlannedEntry {
                output: *output,
                input: *input,
                value,
                mask: d.mask.map(|_| value + 1),
            });
        }
        let program = self.draft.finish(nodes)?.simplify()?;
        Ok(PlannedBody { program, entries })
    }

    fn keep(&mut self, state: State) -> Partial {
        self.states.push(state);
        Partial(self.states.len() - 1)
    }

    /// What a weight of an edge is at first.
    fn start(&self, program: &Program, map: &[NodeId], weight: Weight) -> State {
        let weight = match weight {
            Weight::Constant(c) if c.is_finite() => return State::Known(c, Factor::One),
            // An infinite number must not meet what is gated away.
            Weight::Constant(c) => Weight::Times(self.draft.constant(c)),
            Weight::Times(node) => {
                let (c, node) = match self.scaling {
                    Scaling::Each | Scaling::Early => (1.0, node),
                    Scaling::Late => unscaled(program, node),
                };
                let weight = Weight::Times(map[node.index()]);
                return State::Known(c, Factor::Weight(weight));
            }
            Weight::Gated(node, mask) => Weight::Gated(map[node.index()], map[mask.index()]),
            Weight::Arm(mask) => Weight::Arm(map[mask.index()]),
            Weight::Domain(node) => Weight::Domain(map[node.index()]),
        };
        State::Known(1.0, Factor::Weight(weight))
    }

    /// The partial as something to multiply with; a term or a sum is written.
    fn factor(&mut self, partial: Partial) -> (f64, Factor) {
        let (c, factor) = match self.states[partial.0] {
            State::Known(c, factor) => (c, factor),
            State::Term(c, term) => self.combine(vec![(c, term)]),
            State::Sum(..) => self.combine(self.terms(partial.0)),
        };
        let is_constant = matches!(factor, Factor::One);
        let known = if self.scaling == Scaling::Late || is_constant || c == 1.0 {
            (c, factor)
        } else {
            (1.0, Factor::Derivative(self.written(c, factor)))
        };
        self.states[partial.0] = State::Known(known.0, known.1);
        known
    }

    /// The terms of a sum, in their order; what is written already is one term.
    fn terms(&self, partial: usize) -> Vec<(f64, Contribution)> {
        let (mut terms, mut open) = (Vec::new(), vec![partial]);
        while let Some(next) = open.pop() {
            match self.states[next] {
                State::Known(c, Factor::One) => {
                    terms.push((1.0, Derivative::from(self.draft.constant(c)).into()));
                }
                State::Known(c, factor) => terms.push((c, self.derivative(factor).into())),
                State::Term(c, term) => terms.push((c, term)),
                State::Sum(a, b) => open.extend([b, a]),
            }
        }
        terms
    }

    /// The sum of terms with constant factors, and its own factor.
    fn combine(&self, terms: Vec<(f64, Contribution)>) -> (f64, Factor) {
        let (c, group) = match self.scaling {
            Scaling::Each => (
                1.0,
                terms.into_iter().flat_map(|t| self.scaled(t)).collect(),
            ),
            _ => self.grouped(terms),
        };
        // There is a term at least, so there is a sum.
        let sum = self.draft.combine(&group);
        let sum = sum.unwrap_or_else(|| self.draft.zero().into());
        match (self.draft.constant_of(sum.value), sum.mask) {
            (Some(value), None) if value.is_finite() => match times(c, value) {
                Some(c) => (c, Factor::One),
                None => (c, Factor::Derivative(sum)),
            },
            _ => (c, Factor::Derivative(sum)),
        }
    }

    /// A term with its factor.
    fn scaled(&self, (c, term): (f64, Contribution)) -> Option<Contribution> {
        if c == 1.0 {
            Some(term)
        } else if c == -1.0 {
            Some(term.negated())
        } else {
            let written = self.draft.combine(&[term])?;
            Some(self.draft.apply(Weight::Constant(c), written))
        }
    }

    /// The terms of a sum, those with one factor added; and the factor if all have the same.
    fn grouped(&self, terms: Vec<(f64, Contribution)>) -> (f64, Vec<Contribution>) {
        let mut groups: Vec<(f64, Vec<Contribution>)> = Vec::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        for (c, term) in merged(terms) {
            let place = *places.entry(c.abs().to_bits()).or_insert_with(|| {
                groups.push((c, Vec::new()));
                groups.len() - 1
            });
            let (factor, group) = &mut groups[place];
            let is_opposite = c.is_sign_negative() != factor.is_sign_negative();
            group.push(if is_opposite { term.negated() } else { term });
        }
        if let [(c, group)] = groups.as_slice() {
            (*c, group.clone())
        } else {
            let mut all = Vec::new();
            for (c, group) in groups {
                if c.abs() == 1.0 {
                    all.extend(group.into_iter().flat_map(|term| self.scaled((c, term))));
                } else if let Some(sum) = self.draft.combine(&group) {
                    all.push(self.draft.apply(Weight::Constant(c), sum));
                }
            }
            (1.0, all)
        }
    }

    /// A partial written down, its constant included.
    fn written(&self, c: f64, factor: Factor) -> Derivative {
        if matches!(factor, Factor::One) {
            return self.draft.constant(c).into();
        }
        let d = self.derivative(factor);
        if c == 1.0 {
            return d;
        }
        let scaled = self.draft.apply(Weight::Constant(c), d);
        let scaled = self.draft.combine(&[scaled]);
        scaled.unwrap_or(d)
    }

    /// A partial written down but for its constant.
    fn derivative(&self, factor: Factor) -> Derivative {
        let one = || Derivative::from(self.draft.constant(1.0));
        match factor {
            Factor::One => one(),
            Factor::Derivative(d) => d,
            Factor::Weight(weight) => {
                let term = self.draft.apply(weight, one());
                self.draft.combine(&[term]).unwrap_or_else(one)
            }
        }
    }

    /// The product of two weights, without writing a choice that another one makes superfluous.
    fn of_weights(&self, c: f64, a: Weight, b: Weight) -> State {
        use Weight::{Arm, Domain, Gated, Times};
        let draft = &self.draft;
        let known = |weight| State::Known(c, Factor::Weight(weight));
        match (a, b) {
            (Arm(mask), Arm(other)) => known(Arm(draft.both(mask, Some(other)))),
            (Arm(mask), Times(node)) | (Times(node), Arm(mask)) => known(Gated(node, mask)),
            (Arm(mask), Gated(node, other)) | (Gated(node, other), Arm(mask)) => {
                known(Gated(node, draft.both(mask, Some(other))))
            }
            (Gated(..), Gated(node, mask)) => {
                let d = Derivative {
                    value: node,
                    mask: Some(mask),
                };
                State::Term(c, draft.apply(a, d))
            }
            // A number is written without an operation, so it takes the side of the derivative.
            (Times(node), weight) | (weight, Times(node)) => {
                State::Term(c, draft.apply(weight, node.into()))
            }
            (Domain(_), weight) => {
                State::Term(c, draft.apply(a, self.derivative(Factor::Weight(weight))))
            }
            (weight, other) => State::Term(
                c,
                draft.apply(other, self.derivative(Factor::Weight(weight))),
            ),
        }
    }
}

/// The terms without signs of their own; those that are equal become one.
fn merged(terms: Vec<(f64, Contribution)>) -> Vec<(f64, Contribution)> {
    let mut merged: Vec<(f64, Contribution)> = Vec::with_capacity(terms.len());
    let mut places: HashMap<Contribution, usize> = HashMap::with_capacity(terms.len());
    for (c, term) in terms {
        let (term, is_negative) = term.unsigned();
        let c = if is_negative { -c } else { c };
        let place = *places.entry(term).or_insert(merged.len());
        match merged.get_mut(place) {
            Some((sum, _)) if (*sum + c).is_finite() => *sum += c,
            _ => merged.push((c, term)),
        }
    }
    merged
}

/// The product of two constants, if it neither overflows nor underflows.
fn times(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    let is_exact_enough = product.is_normal() || a == 0.0 || b == 0.0;
    is_exact_enough.then_some(product)
}

/// The constant that a node is a multiple of, and the rest.
fn unscaled(program: &Program, mut node: NodeId) -> (f64, NodeId) {
    let mut factor = 1.0;
    loop {
        let c = match program.kind(node) {
            NodeKind::Elementary(Op::MulConst(c)) if c != 0.0 => c,
            NodeKind::Elementary(Op::Neg) => -1.0,
            _ => return (factor, node),
        };
        let Some(product) = times(factor, c).filter(|product| product.is_finite()) else {
            return (factor, node);
        };
        (factor, node) = (product, program.arguments(node)[0]);
    }
}
