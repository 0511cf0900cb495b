//! The edges of the linearized program: what a derivative is multiplied with on its way between an argument and its node.
//!
//! Invariant: the weights are the partials of the rule table evaluated on nodes; nothing is derived here. What loses a
//! `max` or `min`, or is not selected, is gated: it contributes nothing rather than 0 times something (R3, e40, e41).

use std::any::TypeId;
use std::sync::Arc;

use super::draft::{Contribution, Derivative, Draft, Weight, mapped};
use crate::elementary::{self, Op};
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::record::Traced;
use crate::program::rule::ProgramRule;

/// The weights of the arguments that are asked for, with their positions; a structural zero has none.
pub(super) fn edges(
    draft: &Draft,
    program: &Program,
    node: NodeId,
    map: &[NodeId],
    wanted: impl Fn(usize) -> bool,
) -> Vec<(usize, Weight)> {
    let arguments = mapped(program, node, map);
    let y = map[node.index()];
    let mut edges = match program.kind(node) {
        NodeKind::Elementary(op) => {
            let mut partials = vec![None; arguments.len()];
            let x: Vec<Traced> = arguments.iter().map(|node| draft.traced(*node)).collect();
            elementary::partials(op, &x, draft.traced(y), &mut partials);
            let gated = matches!(op, Op::Max | Op::Min | Op::MaxOf | Op::MinOf);
            weights(draft, &partials, gated, &wanted)
        }
        NodeKind::Custom(rule) => {
            let rule = Arc::clone(&program.rules[rule as usize]);
            custom(draft, &rule, &arguments, y, &wanted)
        }
        NodeKind::Select => {
            let mut edges = Vec::new();
            if wanted(0) {
                edges.push((0, Weight::Arm(arguments[2])));
            }
            if wanted(1) {
                let other = draft.push(NodeKind::Not, &[arguments[2]]);
                edges.push((1, Weight::Arm(other)));
            }
            edges
        }
        NodeKind::Gate => vec![
            (0, Weight::Gated(arguments[1], arguments[2])),
            (1, Weight::Gated(arguments[0], arguments[2])),
        ],
        NodeKind::Domain => vec![(1, Weight::Domain(arguments[0]))],
        _ => Vec::new(),
    };
    edges.retain(|(position, _)| wanted(*position));
    edges
}

/// The tangent of a node whose two arguments have these tangents, where its rule shares and nothing is gated.
///
/// A constant tangent needs no product with the partials, so sharing would save nothing.
pub(super) fn shared_tangent(
    draft: &Draft,
    program: &Program,
    node: NodeId,
    map: &[NodeId],
    [dx, dy]: [Derivative; 2],
) -> Option<Derivative> {
    let (op, point) = sharing(draft, program, node, map)?;
    let [dx, dy] = [shareable(draft, dx)?, shareable(draft, dy)?];
    let tangent = elementary::shared_tangent(op, point, dx, dy)?;
    Some(draft.recording.node(tangent).into())
}

/// What the adjoint of a node gives to its two arguments, where its rule shares and nothing is gated.
///
/// An adjoint of 1 passes as the partials themselves, which do not overflow before they must (e18).
pub(super) fn shared_adjoints(
    draft: &Draft,
    program: &Program,
    node: NodeId,
    map: &[NodeId],
    adjoint: Derivative,
) -> Option<[Contribution; 2]> {
    let (op, point) = sharing(draft, program, node, map)?;
    let adjoint = shareable(draft, adjoint)?;
    let (plus, minus) = elementary::shared_adjoints(op, point, adjoint)?;
    let [plus, minus] = [plus, minus].map(|share| draft.recording.node(share));
    Some([Derivative::from(plus).into(), Contribution::minus(minus)])
}

/// An operation on two arguments, with these and its value.
fn sharing(
    draft: &Draft,
    program: &Program,
    node: NodeId,
    map: &[NodeId],
) -> Option<(Op, [Traced; 3])> {
    let NodeKind::Elementary(op) = program.kind(node) else {
        return None;
    };
    let &[x, y] = program.arguments(node) else {
        return None;
    };
    let point = [x, y, node].map(|node| draft.traced(map[node.index()]));
    Some((op, point))
}

fn shareable(draft: &Draft, derivative: Derivative) -> Option<Traced> {
    let is_plain = derivative.mask.is_none() && draft.constant_of(derivative.value).is_none();
    is_plain.then(|| draft.traced(derivative.value))
}

/// Partials as weights.
fn weights(
    draft: &Draft,
    partials: &[Option<Traced>],
    gated: bool,
    wanted: impl Fn(usize) -> bool,
) -> Vec<(usize, Weight)> {
    let mut weights = Vec::with_capacity(partials.len());
    for (position, partial) in partials.iter().enumerate() {
        let Some(partial) = *partial else { continue };
        if partial.is_structural_zero() || !wanted(position) {
            continue;
        }
        let weight = match partial.constant_value() {
            Some(c) => Weight::Constant(c),
            None => {
                let node = draft.recording.node(partial);
                match draft.constant_of(node) {
                    Some(c) => Weight::Constant(c),
                    None if gated => {
                        let loses = draft.push(NodeKind::Equal, &[node, draft.zero()]);
                        let takes = draft.push(NodeKind::Not, &[loses]);
                        Weight::Gated(node, takes)
                    }
                    None => Weight::Times(node),
                }
            }
        };
        weights.push((position, weight));
    }
    weights
}

/// The weights of a custom rule.
///
/// Partials that only exist for plain numbers (first-order rules, or partials that read the value of an argument) become
/// custom rules of their own, whose derivatives are NaN: what is not known is loud (R5).
fn custom(
    draft: &Draft,
    rule: &Arc<dyn ProgramRule>,
    arguments: &[NodeId],
    y: NodeId,
    wanted: impl Fn(usize) -> bool,
) -> Vec<(usize, Weight)> {
    if rule.is_linear() {
        let x = vec![0.0; arguments.len()];
        let mut partials = vec![None; x.len()];
        rule.partials(&x, rule.value(&x), &mut partials);
        let constants = partials.iter().enumerate();
        return constants
            .filter_map(|(position, p)| Some((position, Weight::Constant((*p)?))))
            .collect();
    }
    let guards = draft
        .recording
        .edit(|program| std::mem::take(&mut program.guards));
    let x: Vec<Traced> = arguments.iter().map(|node| draft.traced(*node)).collect();
    let mut partials = vec![None; x.len()];
    rule.traced_partials(&x, draft.traced(y), &mut partials);
    let is_generic = draft
        .recording
        .edit(|program| std::mem::replace(&mut program.guards, guards).is_empty());
    if is_generic {
        return weights(draft, &partials, false, wanted);
    }
    let mut edges = Vec::new();
    for position in (0..arguments.len()).filter(|position| wanted(*position)) {
        let number = draft.recording.edit(|program| {
            program.rules.push(Arc::new(PartialRule {
                rule: Arc::clone(rule),
                position,
            }));
            program.rules.len() - 1
        });
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let partial = draft.push(NodeKind::Custom(number), arguments);
        edges.push((position, Weight::Times(partial)));
    }
    edges
}

/// A partial of a custom rule that is known on plain numbers only.
struct PartialRule {
    rule: Arc<dyn ProgramRule>,
    position: usize,
}

impl ProgramRule for PartialRule {
    fn value(&self, x: &[f64]) -> f64 {
        let mut partials = vec![None; x.len()];
        self.rule.partials(x, self.rule.value(x), &mut partials);
        partials[self.position].unwrap_or(0.0)
    }
    fn partials(&self, _: &[f64], _: f64, out: &mut [Option<f64>]) {
        out.fill(Some(f64::NAN));
    }
    fn traced_partials(&self, _: &[Traced], _: Traced, out: &mut [Option<Traced>]) {
        out.fill(Some(Traced::from(f64::NAN)));
    }
    fn type_id(&self) -> TypeId {
        TypeId::of::<Self>()
    }
    fn is_unit(&self) -> bool {
        false
    }
    fn is_linear(&self) -> bool {
        false
    }
}
