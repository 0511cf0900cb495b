//! A recorded body made a program: its inputs in front, constants folded into operations, equal inputs merged.
//!
//! While a body is recorded its inputs stand where they are first met. Here they move to the front, and what became of
//! each (its [`Fate`]) is carried out.
//!
//! Invariant: the operations keep their order; only inputs and constants that nobody uses are dropped.

use std::sync::Arc;

use super::super::list::Program;
use super::super::node::{NodeId, NodeKind};
use super::super::region::{Region, Source};
use super::recorder::Stack;
use super::traced::Traced;
use crate::elementary::Op;

/// What becomes of an input of a recorded body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It stays an input.
    Kept,
    /// It is the same as this earlier input.
    Same(usize),
    /// It is a constant.
    Constant(f64),
}

/// The operation with its second argument as a parameter; the bits of the value are the same.
fn with_parameter(kind: NodeKind, c: f64) -> Option<NodeKind> {
    let op = match kind {
        NodeKind::Elementary(Op::Add) => Op::AddConst(c),
        NodeKind::Elementary(Op::Mul) => Op::MulConst(c),
        NodeKind::Elementary(Op::Div) => Op::DivConst(c),
        NodeKind::Elementary(Op::Rem) => Op::RemConst(c),
        _ => return None,
    };
    Some(NodeKind::Elementary(op))
}

/// The number of the input that a node is.
fn input(program: &Program, node: NodeId) -> Option<usize> {
    match program.kind(node) {
        NodeKind::Input(k) => Some(k as usize),
        _ => None,
    }
}

/// The node without its second argument where that is a constant.
fn folded(
    program: &Program,
    kind: NodeKind,
    arguments: &[NodeId],
    constant: impl Fn(usize) -> Option<f64>,
) -> Option<NodeKind> {
    match arguments {
        [_, y] => with_parameter(kind, constant(input(program, *y)?)?),
        _ => None,
    }
}

/// Moves the inputs to the front; also gives, per input of the result, its number in `raw`.
pub(super) fn compact(raw: &Program, fates: &[Fate]) -> (Program, Vec<usize>) {
    let constant = |k: usize| match fates[k] {
        Fate::Constant(c) => Some(c),
        _ => None,
    };
    let representative = |k: usize| match fates[k] {
        Fate::Same(earlier) => earlier,
        _ => k,
    };
    let mut is_used = vec![false; fates.len()];
    let mut see = |node: NodeId| {
        if let Some(k) = input(raw, node) {
            is_used[representative(k)] = true;
        }
    };
    for node in raw.nodes() {
        let arguments = raw.arguments(node);
        match folded(raw, raw.kind(node), arguments, constant) {
            Some(_) => see(arguments[0]),
            None => arguments.iter().copied().for_each(&mut see),
        }
    }
    raw.outputs.iter().copied().for_each(&mut see);
    for guard in &raw.guards {
        guard.question.nodes().for_each(&mut see);
    }
    let is_kept = |k: &usize| is_used[*k] && matches!(fates[*k], Fate::Kept);
    let kept: Vec<usize> = (0..fates.len()).filter(is_kept).collect();

    let mut body = Program {
        inputs: kept.len(),
        rules: raw.rules.clone(),
        regions: raw.regions.clone(),
        ..Program::default()
    };
    body.kinds.reserve_exact(raw.kinds.len());
    body.arguments.reserve_exact(raw.arguments.len());
    let mut push = |kind: NodeKind, arguments: &[NodeId], place: u32| {
        let node = NodeId::from_raw(u32::try_from(body.kinds.len()).unwrap_or(u32::MAX));
        body.kinds.push(kind);
        body.arguments.extend_from_slice(arguments);
        body.ends
            .push(u32::try_from(body.arguments.len()).unwrap_or(u32::MAX));
        body.places.push(place);
        node
    };
    // Per input of `raw`, its node in the body.
    let mut inputs = vec![NodeId::from_raw(u32::MAX); fates.len()];
    for (number, k) in (0..).zip(&kept) {
        inputs[*k] = push(NodeKind::Input(number), &[], 0);
    }
    let mut new = Vec::with_capacity(raw.len());
    let mut arguments = Vec::new();
    for node in raw.nodes() {
        let (kind, old, place) = (
            raw.kind(node),
            raw.arguments(node),
            raw.places[node.index()],
        );
        let id = match input(raw, node) {
            Some(k) => {
                let k = representative(k);
                if let Fate::Constant(c) = fates[k]
                    && is_used[k]
                {
                    inputs[k] = push(NodeKind::Constant(c), &[], place);
                }
                inputs[k]
            }
            None => {
                arguments.clear();
                arguments.extend(old.iter().map(|argument: &NodeId| new[argument.index()]));
                match folded(raw, kind, old, constant) {
                    Some(kind) => push(kind, &arguments[..1], place),
                    None => push(kind, &arguments, place),
                }
            }
        };
        new.push(id);
    }
    body.outputs = raw
        .outputs
        .iter()
        .map(|output| new[output.index()])
        .collect();
    body.guards = raw.guards.clone();
    for guard in &mut body.guards {
        guard.question = guard.question.map(|node| new[node.index()]);
    }
    (body, kept)
}

/// Whether two recorded bodies do the same; constants count, what their inputs stand for does not.
///
/// Rules cannot be compared. Of one that holds data, `rules_may_differ` says that two of a type may be different.
pub(super) fn is_same_shape(a: &Program, b: &Program, rules_may_differ: bool) -> bool {
    a.kinds.len() == b.kinds.len()
        && a.arguments == b.arguments
        && a.ends == b.ends
        && a.outputs == b.outputs
        && a.guards.len() == b.guards.len()
        && a.regions.len() == b.regions.len()
        && a.rules.len() == b.rules.len()
        && a.kinds.iter().zip(&b.kinds).all(|(a, b)| a.is_same(*b))
        && a.guards
            .iter()
            .zip(&b.guards)
            .all(|(a, b)| a.question == b.question && a.recorded.is_same(b.recorded))
        && a.rules.iter().zip(&b.rules).all(|(a, b)| {
            let is_one_type = (**a).type_id() == (**b).type_id();
            is_one_type && (a.is_unit() || !rules_may_differ)
        })
        && a.regions
            .iter()
            .zip(&b.regions)
            .all(|(a, b)| is_same_region(a, b, rules_may_differ))
}

fn is_same_region(a: &Region, b: &Region, rules_may_differ: bool) -> bool {
    let is_same_source = |(a, b): (&Source, &Source)| match (a, b) {
        (Source::Data(a), Source::Data(b)) => {
            let mut pairs = a.iter().zip(b.iter());
            a.len() == b.len() && pairs.all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (a, b) => a == b,
    };
    a.iterations == b.iterations
        && a.is_reversed == b.is_reversed
        && a.sinks == b.sinks
        && a.sources.len() == b.sources.len()
        && a.sources.iter().zip(&b.sources).all(is_same_source)
        && (Arc::ptr_eq(&a.body, &b.body) || is_same_shape(&a.body, &b.body, rules_may_differ))
}

impl Stack {
    /// Records the operations of a body itself in a recorder, where `origins` are its inputs; gives the outputs.
    pub(super) fn inline(
        &mut self,
        recorder: usize,
        raw: &Program,
        origins: &[Traced],
    ) -> Vec<Traced> {
        let takes_leaves = self.recorders[recorder].takes_leaves;
        let constant = |k: usize| {
            let origin = origins[k];
            (origin.is_constant() && !takes_leaves).then_some(origin.value)
        };
        // Inputs become nodes where they are used.
        let mut new: Vec<Option<NodeId>> = vec![None; raw.len()];
        let mut arguments = Vec::new();
        for node in raw.nodes() {
            if input(raw, node).is_some() {
                continue;
            }
            let (old, place) = (raw.arguments(node), raw.places[node.index()]);
            let mut kind = raw.kind(node);
            let mut taken = old;
            if let Some(folded) = folded(raw, kind, old, constant) {
                (kind, taken) = (folded, &old[..1]);
            }
            arguments.clear();
            for argument in taken {
                let id = self.inlined(recorder, raw, origins, &new, *argument, place);
                arguments.push(id);
            }
            let program = &mut self.recorders[recorder].program;
            match &mut kind {
                NodeKind::Region(region) => {
                    program.regions.push(raw.regions[*region as usize].clone());
                    *region = u32::try_from(program.regions.len() - 1).unwrap_or(u32::MAX);
                }
                NodeKind::Custom(rule) => {
                    program.rules.push(raw.rules[*rule as usize].clone());
                    *rule = u32::try_from(program.rules.len() - 1).unwrap_or(u32::MAX);
                }
                _ => {}
            }
            let id = self.recorders[recorder].push(kind, &arguments, place);
            new[node.index()] = Some(NodeId::from_raw(id));
        }
        for guard in &raw.guards {
            let mut guard = guard.clone();
            let question = guard.question;
            guard.question =
                question.map(|node| self.inlined(recorder, raw, origins, &new, node, 0));
            self.recorders[recorder].program.guards.push(guard);
        }
        let output = |output: &NodeId| match (input(raw, *output), new[output.index()]) {
            (Some(k), _) => origins[k],
            (None, Some(node)) => self.recorders[recorder].traced(node.raw()),
            (None, None) => Traced::constant(f64::NAN),
        };
        raw.outputs.iter().map(output).collect()
    }

    /// The node that an argument of an inlined node becomes.
    fn inlined(
        &mut self,
        recorder: usize,
        raw: &Program,
        origins: &[Traced],
        new: &[Option<NodeId>],
        argument: NodeId,
        place: u32,
    ) -> NodeId {
        match (new[argument.index()], input(raw, argument)) {
            (Some(node), _) => node,
            (None, Some(k)) => self.node_of(recorder, origins[k], place),
            (None, None) => NodeId::from_raw(u32::MAX),
        }
    }
}
