//! [`Draft`], a derivative program being written: copies of the original nodes, and the arithmetic between partials and
//! derivatives.
//!
//! Invariant: a product is written only where both factors are there: a partial of 1 or -1 multiplies nothing, and what is
//! structurally zero has no node at all (EDGE_CASES R3).

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::elementary::Op;
use crate::error::Error;
use crate::program::guard::Guard;
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::record::{Recording, Traced};
use crate::program::region::Region;
use crate::scalar::Short;

/// A tangent or an adjoint: a node, and where it holds if that is known.
///
/// Where the mask does not hold the value is +0, and what is reachable only through it must not be multiplied: the partial may
/// be infinite there (e40, e41).
#[derive(Clone, Copy, Debug)]
pub(super) struct Derivative {
    pub(super) value: NodeId,
    pub(super) mask: Option<NodeId>,
}

impl From<NodeId> for Derivative {
    fn from(value: NodeId) -> Self {
        Self { value, mask: None }
    }
}

/// What a derivative is multiplied with when it passes an edge.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weight {
    /// A number.
    Constant(f64),
    /// A node.
    Times(NodeId),
    /// The first node where the second one, a mask, holds.
    Gated(NodeId, NodeId),
    /// 1 where the mask holds.
    Arm(NodeId),
    /// 1 where the node is a number, else NaN.
    Domain(NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Term {
    Plus(NodeId),
    Minus(NodeId),
    Product(NodeId, NodeId),
    MinusProduct(NodeId, NodeId),
}

/// One term of a derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Contribution {
    term: Term,
    pub(super) mask: Option<NodeId>,
}

impl From<Derivative> for Contribution {
    fn from(derivative: Derivative) -> Self {
        Self {
            term: Term::Plus(derivative.value),
            mask: derivative.mask,
        }
    }
}

impl Contribution {
    /// The term without its sign, and whether it was negative.
    pub(super) const fn unsigned(self) -> (Self, bool) {
        match self.term {
            Term::Plus(_) | Term::Product(..) => (self, false),
            Term::Minus(_) | Term::MinusProduct(..) => (self.negated(), true),
        }
    }

    /// The term with the opposite sign.
    pub(super) const fn negated(self) -> Self {
        let term = match self.term {
            Term::Plus(node) => Term::Minus(node),
            Term::Minus(node) => Term::Plus(node),
            Term::Product(p, node) => Term::MinusProduct(p, node),
            Term::MinusProduct(p, node) => Term::Product(p, node),
        };
        Self { term, ..self }
    }

    /// A term that holds everywhere and is subtracted.
    pub(super) fn minus(node: NodeId) -> Self {
        Self {
            term: Term::Minus(node),
            mask: None,
        }
    }
}

/// A derivative program being written.
pub(super) struct Draft {
    pub(super) recording: Recording,
    zero: Cell<Option<NodeId>>,
    one: Cell<Option<NodeId>>,
    /// The number of nodes that have their place, and the numbers of the original's places.
    placed: Cell<usize>,
    places: RefCell<Vec<u32>>,
}

impl Draft {
    /// Opens a program with this number of inputs.
    pub(super) fn open(inputs: usize) -> Result<Self, Error> {
        let recording = Recording::open();
        for k in 0..inputs {
            recording.push(NodeKind::Input(NodeId::new(k)?.raw()), &[]);
        }
        recording.edit(|program| program.inputs = inputs);
        Ok(Self {
            recording,
            zero: Cell::new(None),
            one: Cell::new(None),
            placed: Cell::new(inputs),
            places: RefCell::default(),
        })
    }

    pub(super) fn push(&self, kind: NodeKind, arguments: &[NodeId]) -> NodeId {
        self.recording.node(self.recording.push(kind, arguments))
    }

    pub(super) fn operation(&self, op: Op, arguments: &[NodeId]) -> NodeId {
        self.push(NodeKind::Elementary(op), arguments)
    }

    pub(super) fn traced(&self, node: NodeId) -> Traced {
        self.recording.traced(node)
    }

    pub(super) fn constant(&self, value: f64) -> NodeId {
        let kept = match value.to_bits() {
            0 => Some(&self.zero),
            bits if bits == 1.0_f64.to_bits() => Some(&self.one),
            _ => None,
        };
        if let Some(node) = kept.and_then(Cell::get) {
            return node;
        }
        let node = self.push(NodeKind::Constant(value), &[]);
        if let Some(kept) = kept {
            kept.set(Some(node));
        }
        node
    }

    pub(super) fn zero(&self) -> NodeId {
        self.constant(0.0)
    }

    /// The value of a node that is a constant.
    pub(super) fn constant_of(&self, node: NodeId) -> Option<f64> {
        self.recording
            .edit(|program| match program.kinds[node.index()] {
                NodeKind::Constant(c) => Some(c),
                _ => None,
            })
    }

    /// Appends a region and its node.
    pub(super) fn region(&self, mut region: Region, arguments: &[NodeId]) -> Result<NodeId, Error> {
        // Whole programs are marked, not their bodies.
        if let Some(body) = Arc::get_mut(&mut region.body) {
            body.is_derivative = false;
        }
        let number = self.recording.edit(|program| {
            program.regions.push(region);
            NodeId::new(program.regions.len() - 1)
        })?;
        Ok(self.push(NodeKind::Region(number.raw()), arguments))
    }

    /// A result of a region.
    pub(super) fn result(&self, region: NodeId, number: usize) -> Result<NodeId, Error> {
        Ok(self.push(NodeKind::Result(NodeId::new(number)?.raw()), &[region]))
    }

    /// Begins the copy of a program: its custom rules keep their numbers.
    pub(super) fn adopt(&self, program: &Program) {
        self.recording
            .edit(|copy| copy.rules.clone_from(&program.rules));
        let known = program.locations.iter();
        let numbers = known.map(|location| self.recording.place_of(location));
        // Place 0 is none.
        *self.places.borrow_mut() = std::iter::once(0).chain(numbers).collect();
    }

    /// Copies a node whose arguments have been copied; the node of a region gets the copy of its region.
    pub(super) fn copy(
        &self,
        program: &Program,
        node: NodeId,
        map: &[NodeId],
    ) -> Result<NodeId, Error> {
        let arguments = mapped(program, node, map);
        match program.kind(node) {
            NodeKind::Region(r) => self.region(program.regions[r as usize].clone(), &arguments),
            NodeKind::Constant(c) => Ok(self.constant(c)),
            kind => Ok(self.push(kind, &arguments)),
        }
    }

    /// Nodes written since the last call come from this node: they get its place.
    pub(super) fn place(&self, program: &Program, node: NodeId) {
        let place = program.places.get(node.index()).map_or(0, |place| *place);
        let number = self.places.borrow()[place as usize];
        let placed = self.recording.edit(|copy| {
            copy.places[self.placed.get()..].fill(number);
            copy.places.len()
        });
        self.placed.set(placed);
    }

    /// Copies the guards.
    pub(super) fn guards(&self, program: &Program, map: &[NodeId]) {
        self.recording.edit(|copy| {
            copy.guards.extend(program.guards.iter().map(|guard| Guard {
                question: guard.question.map(|node| map[node.index()]),
                ..guard.clone()
            }));
        });
    }

    /// Closes the program.
    pub(super) fn finish(self, outputs: Vec<NodeId>) -> Result<Program, Error> {
        let mut program = self.recording.finish()?;
        program.outputs = outputs;
        program.is_derivative = true;
        Ok(program)
    }

    /// The mask that a number of masks that hold is not 0.
    pub(super) fn is_positive(&self, count: NodeId) -> NodeId {
        let none = self.push(NodeKind::Equal, &[count, self.zero()]);
        self.push(NodeKind::Not, &[none])
    }

    /// Both masks.
    pub(super) fn both(&self, mask: NodeId, other: Option<NodeId>) -> NodeId {
        match other {
            Some(other) if other != mask => self.push(NodeKind::And, &[mask, other]),
            _ => mask,
        }
    }

    /// The derivative where the mask holds, else +0.
    pub(super) fn masked(&self, value: NodeId, mask: Option<NodeId>) -> NodeId {
        mask.map_or(value, |mask| {
            self.push(NodeKind::Select, &[value, self.zero(), mask])
        })
    }

    /// Passes a derivative along an edge.
    pub(super) fn apply(&self, weight: Weight, d: Derivative) -> Contribution {
        let (term, mask) = match weight {
            Weight::Constant(1.0) => (Term::Plus(d.value), d.mask),
            Weight::Constant(-1.0) => (Term::Minus(d.value), d.mask),
            Weight::Constant(c) => match self.constant_of(d.value) {
                Some(value) => (Term::Plus(self.constant(c * value)), d.mask),
                None if c.is_finite() || d.mask.is_none() => {
                    (Term::Product(self.constant(c), d.value), d.mask)
                }
                None => return self.apply(Weight::Times(self.constant(c)), d),
            },
            Weight::Times(p) => match (d.mask, self.constant_of(d.value)) {
                (Some(mask), _) => {
                    let product = self.push(NodeKind::Gate, &[p, d.value, mask]);
                    (Term::Plus(product), d.mask)
                }
                (None, Some(1.0)) => (Term::Plus(p), None),
                (None, Some(-1.0)) => (Term::Minus(p), None),
                (None, _) => (Term::Product(p, d.value), None),
            },
            Weight::Gated(p, mask) => {
                let mask = self.both(mask, d.mask);
                let product = match self.constant_of(d.value) {
                    Some(1.0) => self.masked(p, Some(mask)),
                    _ => self.push(NodeKind::Gate, &[p, d.value, mask]),
                };
                (Term::Plus(product), Some(mask))
            }
            Weight::Arm(mask) => {
                let value = self.masked(d.value, Some(mask));
                (Term::Plus(value), Some(self.both(mask, d.mask)))
            }
            Weight::Domain(y) => {
                let value = self.push(NodeKind::Domain, &[y, d.value]);
                (Term::Plus(self.masked(value, d.mask)), d.mask)
            }
        };
        Contribution { term, mask }
    }

    /// The sum of the contributions, in one n-ary node where there are several.
    pub(super) fn combine(&self, contributions: &[Contribution]) -> Option<Derivative> {
        let (mut plus, mut minus) = (Short::new(), Short::new());
        let (mut pairs, mut minus_pairs) = (Short::<NodeId>::new(), Short::<NodeId>::new());
        for contribution in contributions {
            match contribution.term {
                Term::Plus(node) => plus.push(node),
                Term::Minus(node) => minus.push(node),
                Term::Product(p, node) => pairs.extend([p, node]),
                Term::MinusProduct(p, node) => minus_pairs.extend([p, node]),
            }
        }
        plus.extend(self.products(&pairs));
        minus.extend(self.products(&minus_pairs));
        let value = match (self.sum(&plus), self.sum(&minus)) {
            (Some(plus), None) => plus,
            (Some(plus), Some(minus)) => self.operation(Op::Sub, &[plus, minus]),
            (None, Some(minus)) => match self.constant_of(minus) {
                Some(c) => self.constant(-c),
                None => self.operation(Op::Neg, &[minus]),
            },
            (None, None) => return None,
        };
        let mask = self.any_mask(contributions);
        Some(Derivative { value, mask })
    }

    /// The sum of the products of pairs.
    fn products(&self, pairs: &[NodeId]) -> Option<NodeId> {
        match pairs {
            [] => None,
            [p, node] => Some(self.product(*p, *node)),
            pairs => Some(self.operation(Op::Dot, pairs)),
        }
    }

    fn product(&self, p: NodeId, node: NodeId) -> NodeId {
        match self.constant_of(p) {
            Some(c) => self.operation(Op::MulConst(c), &[node]),
            None => self.operation(Op::Mul, &[p, node]),
        }
    }

    fn sum(&self, terms: &[NodeId]) -> Option<NodeId> {
        match terms {
            [] => None,
            [term] => Some(*term),
            terms => {
                let constants: Option<f64> = terms.iter().map(|term| self.constant_of(*term)).sum();
                Some(match (constants, terms) {
                    (Some(sum), _) => self.constant(sum),
                    (None, [a, b]) => self.operation(Op::Add, &[*a, *b]),
                    (None, terms) => self.operation(Op::Sum, terms),
                })
            }
        }
    }

    /// Where a sum holds: anywhere, or where one of its terms does.
    pub(super) fn any_mask(&self, contributions: &[Contribution]) -> Option<NodeId> {
        let mut masks: Vec<NodeId> = contributions
            .iter()
            .map(|contribution| contribution.mask)
            .collect::<Option<_>>()?;
        masks.sort_unstable();
        masks.dedup();
        masks
            .into_iter()
            .reduce(|a, b| self.push(NodeKind::Or, &[a, b]))
    }
}

/// The copies of the arguments of a node.
pub(super) fn mapped(program: &Program, node: NodeId, map: &[NodeId]) -> Short<NodeId> {
    program
        .arguments(node)
        .iter()
        .map(|argument| map[argument.index()])
        .collect()
}
