//! Lowering: from the nodes of a program to register code.
//!
//! Slots are given by a linear scan: a slot is free again after the last use of its value. Outputs are computed in place where
//! that is possible. A region becomes a loop over blocks of iterations with files of its own if nothing is carried and the
//! enclosing code is scalar; otherwise it becomes a sequential loop in the files of the enclosing code (`loops`).
//!
//! Invariant: every operand is a slot of its file, and no slot is given away before the last use of its value.
//! Source: Poletto & Sarkar 1999 (linear scan); Coutinho et al. 2011 (what differs between lanes).

use super::super::list::Program;
use super::super::node::{NodeId, NodeKind};
use super::super::words::Map;
use super::allocate::Allocator;
use super::code::{Instruction, Opcode, Unit, VECTOR};
use super::link::link;
use super::select::with_product;
use crate::elementary::Op;
use crate::error::Error;
use crate::scalar::Short;

/// An operand that does not exist.
pub(super) const NONE: u32 = u32::MAX;

/// The code of a whole program: the inputs are the first scalar slots, the outputs follow.
pub(super) fn lower(program: &Program, is_blocked: bool) -> Result<Unit, Error> {
    let mut builder = Builder::new(is_blocked, program.is_derivative());
    let inputs = program.inputs();
    builder.scalars.take_run(inputs)?;
    let first_output = builder.scalars.take_run(program.outputs().len())?;
    let mut places = vec![NONE; program.len()];
    for (output, slot) in program.outputs().iter().zip(first_output..) {
        let place = &mut places[output.index()];
        let is_given = matches!(
            program.kind(*output),
            NodeKind::Input(_) | NodeKind::Constant(_)
        );
        if !is_given && *place == NONE {
            *place = slot;
        }
    }
    let operands: Vec<u32> = (0..).take(inputs).collect();
    let body = Body::new(program, &operands, false, places, Map::default());
    let (mut code, outputs) = builder.lower_body(body)?;
    for (from, to) in outputs.into_iter().map(Output::operand).zip(first_output..) {
        if from != to {
            code.push(instruction(Opcode::Copy, to, from));
        }
    }
    link(&mut code);
    Ok(builder.finish(code))
}

/// The code of a program all of whose inputs differ between lanes: vector slots 0 to `n - 1`; also the operands of the
/// outputs.
pub(super) fn lower_lanes(program: &Program) -> Result<(Unit, Vec<u32>), Error> {
    let mut builder = Builder::new(false, program.is_derivative());
    builder.is_vector = true;
    builder.vectors.take_run(program.inputs())?;
    let operands: Vec<u32> = (VECTOR..).take(program.inputs()).collect();
    let places = vec![NONE; program.len()];
    let body = Body::new(program, &operands, false, places, Map::default());
    let (code, outputs) = builder.lower_body(body)?;
    let outputs = outputs.into_iter().map(Output::operand).collect();
    Ok((builder.finish(code), outputs))
}

/// An instruction of one operand.
pub(super) const fn instruction(op: Opcode, dst: u32, a: u32) -> Instruction {
    Instruction {
        op,
        dst,
        a,
        b: 0,
        c: 0,
    }
}

/// A program while it is being lowered.
pub(super) struct Body<'p> {
    pub(super) program: &'p Program,
    /// The operand of every node so far.
    pub(super) operands: Vec<u32>,
    /// Whether the slot of a node may be given back.
    pub(super) is_owned: Vec<bool>,
    /// The last node that uses a node.
    pub(super) last_use: Vec<u32>,
    /// The slot in which a node has to be computed, or `NONE`.
    pub(super) places: Vec<u32>,
    /// Result nodes that are only summed over the lanes, with their accumulators.
    pub(super) accumulated: Map<NodeId, u32>,
    /// The result nodes of each region node.
    pub(super) results: Map<NodeId, Vec<(u32, NodeId)>>,
    /// Guards by the node after which they can be checked.
    guards: Vec<(NodeId, usize)>,
    /// Products that are computed where they are added up.
    deferred: Vec<NodeId>,
    /// The sum or difference that a product may be computed with, or `NONE`.
    partner: Vec<u32>,
    /// The factors of the products that wait for their partner.
    waiting: Vec<(u32, u32)>,
}

/// Where an output of a body is found.
#[derive(Clone, Copy)]
pub(super) enum Output {
    /// An operand.
    Value(u32),
    /// The product of two operands.
    Product(u32, u32),
}

impl Output {
    /// The operand of an output that is not deferred; only bodies of inner loops defer.
    pub(super) fn operand(self) -> u32 {
        match self {
            Self::Value(operand) | Self::Product(operand, _) => operand,
        }
    }
}

/// How often every node is used.
pub(super) fn uses(program: &Program) -> Vec<u32> {
    let mut uses = vec![0_u32; program.len()];
    let used = program
        .arguments
        .iter()
        .copied()
        .chain(program.outputs().iter().copied())
        .chain(program.guards().iter().flat_map(|g| g.question.nodes()));
    for node in used {
        uses[node.index()] += 1;
    }
    uses
}

impl<'p> Body<'p> {
    pub(super) fn new(
        program: &'p Program,
        inputs: &[u32],
        owns_inputs: bool,
        places: Vec<u32>,
        accumulated: Map<NodeId, u32>,
    ) -> Self {
        let mut last_use = vec![0; program.len()];
        let mut results: Map<NodeId, Vec<(u32, NodeId)>> = Map::default();
        for node in program.nodes() {
            for argument in program.arguments(node) {
                last_use[argument.index()] = node.raw();
            }
            if let NodeKind::Result(k) = program.kind(node) {
                let region = program.arguments(node)[0];
                results.entry(region).or_default().push((k, node));
            }
        }
        let mut guards = Vec::new();
        for (number, guard) in program.guards().iter().enumerate() {
            if let Some(last) = guard.question.nodes().max() {
                for node in guard.question.nodes() {
                    let use_ = &mut last_use[node.index()];
                    *use_ = (*use_).max(last.raw());
                }
                guards.push((last, number));
            }
        }
        guards.sort_by_key(|(last, _)| *last);
        for output in program.outputs() {
            last_use[output.index()] = u32::MAX;
        }
        let mut partner = vec![NONE; program.len()];
        let uses = uses(program);
        for node in program.nodes() {
            let is_sum = matches!(
                program.kind(node),
                NodeKind::Elementary(Op::Add | Op::Sub | Op::AddConst(_))
            );
            let arguments = program.arguments(node).iter().filter(|_| is_sum);
            let product = arguments.copied().find(|argument| {
                let kind = program.kind(*argument);
                let is_product = matches!(kind, NodeKind::Elementary(Op::Mul | Op::MulConst(_)));
                is_product && uses[argument.index()] == 1
            });
            if let Some(product) = product {
                partner[product.index()] = node.raw();
                for factor in program.arguments(product) {
                    let last = &mut last_use[factor.index()];
                    *last = (*last).max(node.raw());
                }
            }
        }
        let mut operands = vec![NONE; program.len()];
        operands[..inputs.len()].copy_from_slice(inputs);
        let mut is_owned = vec![false; program.len()];
        is_owned[..inputs.len()].fill(owns_inputs);
        Self {
            program,
            operands,
            is_owned,
            last_use,
            places,
            accumulated,
            results,
            guards,
            deferred: Vec::new(),
            partner,
            waiting: vec![(NONE, NONE); program.len()],
        }
    }

    /// Leaves products that are only added up to where that happens: their factors live as long as they would.
    pub(super) fn defer_products(&mut self, is_accumulated: &[bool], fuses: bool) {
        if !fuses {
            return;
        }
        let program = self.program;
        let mut uses = uses(program);
        for (output, is_accumulated) in program.outputs().iter().zip(is_accumulated) {
            let is_product = program.kind(*output) == NodeKind::Elementary(Op::Mul);
            if *is_accumulated && is_product && uses[output.index()] == 1 {
                uses[output.index()] = u32::MAX;
                self.deferred.push(*output);
                for factor in program.arguments(*output) {
                    self.last_use[factor.index()] = u32::MAX;
                }
            }
        }
        self.deferred.sort_unstable();
    }

    pub(super) fn operand(&self, node: NodeId) -> u32 {
        self.operands[node.index()]
    }
}

/// A unit while its code is being made.
pub(super) struct Builder {
    pub(super) unit: Unit,
    pub(super) scalars: Allocator,
    pub(super) vectors: Allocator,
    constants: Map<u64, u32>,
    /// Whether regions may run over blocks of iterations.
    pub(super) is_blocked: bool,
    /// Whether the unit is the body of such a region.
    pub(super) is_vector: bool,
}

impl Builder {
    pub(super) fn new(is_blocked: bool, fuses: bool) -> Self {
        Self {
            unit: Unit {
                fuses,
                ..Unit::default()
            },
            scalars: Allocator::default(),
            vectors: Allocator::default(),
            constants: Map::default(),
            is_blocked,
            is_vector: false,
        }
    }

    pub(super) fn finish(mut self, code: Vec<Instruction>) -> Unit {
        self.unit.code = code;
        self.unit.scalars = self.scalars.len();
        self.unit.vectors = self.vectors.len();
        self.unit
    }

    pub(super) fn take(&mut self, is_vector: bool) -> Result<u32, Error> {
        if is_vector {
            Ok(self.vectors.take()? | VECTOR)
        } else {
            self.scalars.take()
        }
    }

    fn give(&mut self, operand: u32) {
        if operand & VECTOR == 0 {
            self.scalars.give(operand);
        } else if operand != NONE {
            self.vectors.give(operand & !VECTOR);
        }
    }

    /// The slot of a constant.
    pub(super) fn constant(&mut self, value: f64) -> Result<u32, Error> {
        if let Some(slot) = self.constants.get(&value.to_bits()) {
            return Ok(*slot);
        }
        let slot = self.scalars.take_run(1)?;
        self.constants.insert(value.to_bits(), slot);
        self.unit.constants.push((slot, value));
        Ok(slot)
    }

    /// Puts operands into the pool; where they start and how many they are.
    pub(super) fn pool(&mut self, operands: &[u32]) -> Result<(u32, u32), Error> {
        let start = u32::try_from(self.unit.pool.len());
        let len = u32::try_from(operands.len());
        let (Ok(start), Ok(len)) = (start, len) else {
            return Err(Error::TapeFull {
                limit: u32::MAX as usize,
            });
        };
        self.unit.pool.extend_from_slice(operands);
        Ok((start, len))
    }

    /// The code of a body and the operands of its outputs.
    pub(super) fn lower_body(
        &mut self,
        mut body: Body<'_>,
    ) -> Result<(Vec<Instruction>, Vec<Output>), Error> {
        let mut code = Vec::new();
        let mut guards = std::mem::take(&mut body.guards).into_iter().peekable();
        for node in body.program.nodes() {
            if body.deferred.binary_search(&node).is_err() {
                self.lower_node(&mut body, node, &mut code)?;
            }
            while let Some((_, number)) = guards.next_if(|(last, _)| *last == node) {
                let guard = &body.program.guards()[number];
                let mut nodes = guard.question.nodes();
                let first = nodes.next().unwrap_or(node);
                let second = nodes.next().unwrap_or(first);
                let a = number_of(self.unit.guards.len())?;
                self.unit.guards.push(guard.clone());
                code.push(Instruction {
                    op: Opcode::Guard,
                    dst: (body.operand(first) | body.operand(second)) & VECTOR,
                    a,
                    b: body.operand(first),
                    c: body.operand(second),
                });
                self.release(&mut body, first, node);
                self.release(&mut body, second, node);
            }
            for argument in body.program.arguments(node) {
                self.release(&mut body, *argument, node);
                if body.partner[argument.index()] == node.raw() {
                    for factor in body.program.arguments(*argument) {
                        self.release(&mut body, *factor, node);
                    }
                }
            }
            self.release(&mut body, node, node);
        }
        let program = body.program;
        let find = |output: &NodeId| match program.arguments(*output) {
            [a, b] if body.deferred.binary_search(output).is_ok() => {
                Output::Product(body.operand(*a), body.operand(*b))
            }
            _ => Output::Value(body.operand(*output)),
        };
        let outputs: Vec<Output> = program.outputs().iter().map(find).collect();
        let deferred = body.deferred.iter();
        let factors = deferred.flat_map(|node| program.arguments(*node));
        for node in program.outputs().iter().chain(factors) {
            if std::mem::take(&mut body.is_owned[node.index()]) {
                // The caller reads the outputs before it takes another slot.
                self.give(body.operands[node.index()]);
            }
        }
        Ok((code, outputs))
    }

    /// Gives the slot of a node back if nothing after `at` uses it.
    fn release(&mut self, body: &mut Body<'_>, node: NodeId, at: NodeId) {
        let is_last = body.last_use[node.index()] <= at.raw();
        if is_last && std::mem::take(&mut body.is_owned[node.index()]) {
            self.give(body.operand(node));
        }
    }

    fn lower_node(
        &mut self,
        body: &mut Body<'_>,
        node: NodeId,
        code: &mut Vec<Instruction>,
    ) -> Result<(), Error> {
        let program = body.program;
        let kind = program.kind(node);
        let operand = match kind {
            NodeKind::Input(_) => return Ok(()),
            NodeKind::Constant(value) => self.constant(value)?,
            NodeKind::Region(region) => {
                return self.lower_region(body, node, &program.regions()[region as usize], code);
            }
            // The region set the operand of its result nodes.
            NodeKind::Result(_) => return Ok(()),
            _ => {
                let arguments: Short<u32> = program
                    .arguments(node)
                    .iter()
                    .map(|argument| body.operand(*argument))
                    .collect();
                // A product that waits for this node has no operand.
                let mut known = arguments.iter().filter(|a| **a != NONE);
                let differs = known.any(|a| a & VECTOR != 0);
                // What is the same in all lanes is not multiplied in all of them.
                if body.partner[node.index()] != NONE && (differs || !self.is_vector) {
                    let other = match kind {
                        NodeKind::Elementary(Op::MulConst(c)) => self.constant(c)?,
                        _ => arguments[1],
                    };
                    body.waiting[node.index()] = (arguments[0], other);
                    return Ok(());
                }
                let product = program
                    .arguments(node)
                    .iter()
                    .enumerate()
                    .find_map(|(at, x)| {
                        let factors = body.waiting[x.index()];
                        (body.partner[x.index()] == node.raw() && factors.0 != NONE)
                            .then_some((at, factors))
                    });
                let differs = differs || product.is_some_and(|(_, (a, b))| (a | b) & VECTOR != 0);
                let place = body.places[node.index()];
                let dst = if place == NONE {
                    body.is_owned[node.index()] = true;
                    self.take(differs)?
                } else {
                    place
                };
                let instruction = match product {
                    Some((at, factors)) => {
                        let other = match kind {
                            NodeKind::Elementary(Op::AddConst(c)) => self.constant(c)?,
                            _ => arguments[1 - at],
                        };
                        with_product(kind, dst, at, factors, other)
                    }
                    None => self.select(program, kind, dst, &arguments)?,
                };
                code.push(instruction);
                dst
            }
        };
        body.operands[node.index()] = operand;
        Ok(())
    }
}

/// The length of a list as the number of its next entry.
pub(super) fn number_of(len: usize) -> Result<u32, Error> {
    u32::try_from(len).map_err(|_| Error::TapeFull {
        limit: u32::MAX as usize,
    })
}
