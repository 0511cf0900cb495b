//! Random programs for property tests: every kind of node, special constants, masks, guards, and regions in regions.
//!
//! Invariant: every program is valid; its numbers are anything, NaN and both zeros included.

use std::sync::Arc;

use fastrand::Rng;

use super::evaluate::Evaluation;
use super::guard::{Guard, Question};
use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::record::Recording;
use super::region::{Region, Sink, Source};
use super::rule::{Erase, ProgramRule};
use crate::elementary::{Custom, CustomRule, Nary, Op};
use crate::error::{Decision, Location};
use crate::scalar::Scalar;

/// Numbers at which identities break.
pub(super) const SPECIAL: [f64; 18] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    -4.0,
    3.0,
    0.1,
    1e300,
    -1e300,
    1e-310,
    5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A number that is special about as often as not.
pub(super) fn number(rng: &mut Rng) -> f64 {
    if rng.bool() {
        SPECIAL[rng.usize(..SPECIAL.len())]
    } else {
        rng.f64() * 4.0 - 2.0
    }
}

/// A point for the inputs of a program.
pub(crate) fn point(rng: &mut Rng, program: &Program) -> Vec<f64> {
    (0..program.inputs()).map(|_| number(rng)).collect()
}

/// A program with about that many nodes, up to two regions deep.
pub(crate) fn program(rng: &mut Rng, nodes: usize) -> Program {
    program_of(rng, nodes, false)
}

/// The same of operations that IEEE 754 rounds exactly, or that do not round.
pub(super) fn exact_program(rng: &mut Rng, nodes: usize) -> Program {
    program_of(rng, nodes, true)
}

fn program_of(rng: &mut Rng, nodes: usize, exact: bool) -> Program {
    let inputs = rng.usize(..4);
    let (program, outputs) = grow(rng, inputs, nodes, 2, exact);
    Program {
        outputs: (0..rng.usize(1..4))
            .map(|_| outputs[rng.usize(..outputs.len())])
            .collect(),
        ..program
    }
}

/// The product of the arguments plus one.
#[derive(Clone)]
struct ShiftedProduct;

impl CustomRule for ShiftedProduct {
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().product::<f64>() + 1.0
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        for (k, out) in out.iter_mut().enumerate() {
            let others = x.iter().enumerate().filter(|(other, _)| *other != k);
            *out = Some(others.fold(T::from(1.0), |p, (_, x)| p * *x));
        }
    }
}

fn rule() -> Arc<dyn ProgramRule> {
    Custom(&ShiftedProduct)
        .kept(Erase)
        .expect("custom rules are kept")
}

fn unary(rng: &mut Rng) -> Op {
    let c = number(rng);
    let list = [
        Op::Neg,
        Op::Recip,
        Op::AddConst(c),
        Op::MulConst(c),
        Op::DivConst(c),
        Op::RemConst(c),
        Op::Exp,
        Op::Exp2,
        Op::ExpM1,
        Op::Ln,
        Op::Log(c),
        Op::Log2,
        Op::Log10,
        Op::Ln1p,
        Op::Sqrt,
        Op::Cbrt,
        Op::Powi(rng.i32(-3..5)),
        Op::Powf(c),
        Op::Sin,
        Op::Cos,
        Op::Tan,
        Op::Asin,
        Op::Acos,
        Op::Atan,
        Op::Sinh,
        Op::Cosh,
        Op::Tanh,
        Op::Asinh,
        Op::Acosh,
        Op::Atanh,
        Op::SechSquared,
        Op::Logistic,
        Op::Softplus,
        Op::Erf,
        Op::Erfc,
        Op::Lgamma,
        Op::Polygamma(rng.u32(..3)),
        Op::SphJ0,
        Op::SphJ1,
        Op::SphJ2,
        Op::SphBessel(rng.u32(..4)),
        Op::Abs,
        Op::Sign0,
        Op::SignBit,
        Op::Signum,
        Op::Floor,
        Op::Ceil,
        Op::Round,
        Op::Trunc,
    ];
    // Identities are about the first few.
    let end = if rng.bool() { 6 } else { list.len() };
    list[rng.usize(..end)]
}

const BINARY: [Op; 13] = [
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Div,
    Op::Rem,
    Op::Pow,
    Op::Atan2,
    Op::Hypot,
    Op::Copysign,
    Op::Xlogy,
    Op::LogAddExp,
    Op::Max,
    Op::Min,
];

const NARY: [Op; 9] = [
    Op::MulAdd,
    Op::Sum,
    Op::Dot,
    Op::Prod,
    Op::Norm2,
    Op::SquaredNorm,
    Op::LogSumExp,
    Op::MaxOf,
    Op::MinOf,
];

/// The operations above whose results are the same however they are computed.
const EXACT: [&str; 25] = [
    "neg",
    "recip",
    "add_const",
    "mul_const",
    "div_const",
    "rem_const",
    "sqrt",
    "abs",
    "floor",
    "ceil",
    "round",
    "trunc",
    "add",
    "sub",
    "mul",
    "div",
    "rem",
    "copysign",
    "max",
    "min",
    "mul_add",
    "sum",
    "prod",
    "max_of",
    "min_of",
];

/// A program that grows.
struct Growth<'a> {
    recording: &'a Recording,
    rng: &'a mut Rng,
    numbers: Vec<NodeId>,
    masks: Vec<NodeId>,
    /// Operations, to repeat some of them.
    done: Vec<(NodeKind, Vec<NodeId>)>,
    regions: usize,
    rules: u32,
    depth: usize,
    /// Whether operations are those of [`EXACT`] only.
    exact: bool,
}

/// A program without outputs, and its nodes that are numbers.
fn grow(
    rng: &mut Rng,
    inputs: usize,
    nodes: usize,
    depth: usize,
    exact: bool,
) -> (Program, Vec<NodeId>) {
    let recording = Recording::open();
    let mut growth = Growth {
        recording: &recording,
        rng,
        numbers: Vec::new(),
        masks: Vec::new(),
        done: Vec::new(),
        regions: 0,
        rules: 0,
        depth,
        exact,
    };
    recording.edit(|program| program.inputs = inputs);
    for input in 0..inputs {
        growth.push(
            NodeKind::Input(u32::try_from(input).expect("a few inputs")),
            &[],
        );
    }
    growth.constant();
    growth.mask();
    for _ in 0..nodes {
        growth.step();
    }
    let numbers = growth.numbers;
    let mut program = recording.finish().expect("a few nodes");
    if rng.bool() {
        let location = |line| Location {
            file: "body.rs".into(),
            line,
            column: 1,
        };
        program.locations = (1..4).map(|line| Arc::new(location(line))).collect();
        program.places = program.kinds.iter().map(|_| rng.u32(..4)).collect();
    }
    (program, numbers)
}

impl Growth<'_> {
    fn push(&mut self, kind: NodeKind, arguments: &[NodeId]) -> NodeId {
        let node = self.recording.node(self.recording.push(kind, arguments));
        match kind {
            NodeKind::Region(_) => {}
            kind if kind.is_mask() => self.masks.push(node),
            _ => self.numbers.push(node),
        }
        if !matches!(
            kind,
            NodeKind::Input(_) | NodeKind::Region(_) | NodeKind::Result(_)
        ) {
            self.done.push((kind, arguments.to_vec()));
        }
        node
    }

    fn number(&mut self) -> NodeId {
        self.numbers[self.rng.usize(..self.numbers.len())]
    }

    fn numbers(&mut self, count: usize) -> Vec<NodeId> {
        (0..count).map(|_| self.number()).collect()
    }

    fn mask(&mut self) -> NodeId {
        let last = self.masks.len();
        match self.rng.usize(..last + 1) {
            k if k < last => self.masks[k],
            _ => {
                // A constant mask is a number, but other operations may have it, too.
                let holds = f64::from(u8::from(self.rng.bool()));
                self.push(NodeKind::Constant(holds), &[])
            }
        }
    }

    fn constant(&mut self) -> NodeId {
        let c = number(self.rng);
        self.push(NodeKind::Constant(c), &[])
    }

    fn step(&mut self) {
        let (kind, arguments) = match self.rng.u32(..24) {
            0..=2 => {
                self.constant();
                return;
            }
            3..=6 => (NodeKind::Elementary(unary(self.rng)), self.numbers(1)),
            7..=10 => {
                // Half of them are the four that identities are about.
                let end = if self.rng.bool() { 4 } else { BINARY.len() };
                let op = BINARY[self.rng.usize(..end)];
                (NodeKind::Elementary(op), self.numbers(2))
            }
            11..=12 => {
                let op = NARY[self.rng.usize(..NARY.len())];
                let count = match op {
                    Op::MulAdd => 3,
                    Op::Dot => 2 * self.rng.usize(..4),
                    _ => self.rng.usize(..5),
                };
                (NodeKind::Elementary(op), self.numbers(count))
            }
            13 => {
                self.recording.edit(|program| program.rules.push(rule()));
                let number = self.rules;
                self.rules += 1;
                let count = self.rng.usize(1..4);
                (NodeKind::Custom(number), self.numbers(count))
            }
            14..=15 => {
                let kind = if self.rng.bool() {
                    NodeKind::Select
                } else {
                    NodeKind::Gate
                };
                let mut arguments = self.numbers(2);
                arguments.push(self.mask());
                (kind, arguments)
            }
            16 => (NodeKind::Domain, self.numbers(2)),
            17 => (NodeKind::Detach, self.numbers(1)),
            18 => {
                let kinds = [NodeKind::Less, NodeKind::LessEqual, NodeKind::Equal];
                (kinds[self.rng.usize(..3)], self.numbers(2))
            }
            19 => match self.rng.u32(..3) {
                0 => (NodeKind::And, vec![self.mask(), self.mask()]),
                1 => (NodeKind::Or, vec![self.mask(), self.mask()]),
                _ => (NodeKind::Not, vec![self.mask()]),
            },
            20..=21 => {
                let Some((kind, mut arguments)) = self.repeated() else {
                    return;
                };
                let is_commutative = matches!(
                    kind,
                    NodeKind::Elementary(Op::Add | Op::Mul | Op::Max | Op::Min)
                        | NodeKind::Equal
                        | NodeKind::And
                        | NodeKind::Or
                );
                if is_commutative && self.rng.bool() {
                    arguments.reverse();
                }
                (kind, arguments)
            }
            22 if self.depth > 0 => return self.region(),
            _ => return self.guard(),
        };
        if let NodeKind::Elementary(op) = kind
            && self.exact
            && !EXACT.contains(&op.name())
        {
            return;
        }
        self.push(kind, &arguments);
    }

    fn repeated(&mut self) -> Option<(NodeKind, Vec<NodeId>)> {
        let last = self.done.len();
        (last > 0).then(|| self.done[self.rng.usize(..last)].clone())
    }

    fn guard(&mut self) {
        let (lhs, rhs) = (self.number(), self.number());
        let ordering = [-1.0, 0.0, 1.0, f64::NAN][self.rng.usize(..4)].partial_cmp(&0.0);
        let holds = Decision::Holds(self.rng.bool());
        let (question, recorded) = match self.rng.u32(..6) {
            0 => (Question::Less { lhs, rhs }, holds),
            1 => (Question::LessEqual { lhs, rhs }, holds),
            2 => (Question::Equal { lhs, rhs }, holds),
            3 => (
                Question::Ordering { lhs, rhs },
                Decision::Ordering(ordering),
            ),
            4 => (Question::Index { node: lhs }, Decision::Index(Some(1))),
            _ => (
                Question::Value { node: lhs },
                Decision::Value(number(self.rng)),
            ),
        };
        let guard = Guard {
            question,
            recorded,
            location: None,
        };
        let twice = self.rng.bool();
        self.recording.edit(|program| {
            program.guards.push(guard.clone());
            if twice {
                program.guards.push(guard);
            }
        });
    }

    /// A region, or the same one twice, and some of its results.
    fn region(&mut self) {
        let inputs = self.rng.usize(..5);
        let nodes = self.rng.usize(1..14);
        let (body, numbers) = grow(self.rng, inputs, nodes, self.depth - 1, self.exact);
        let outputs: Vec<NodeId> = (0..self.rng.usize(1..5))
            .map(|_| numbers[self.rng.usize(..numbers.len())])
            .collect();
        let sinks: Vec<Sink> = outputs
            .iter()
            .map(|_| [Sink::Sum, Sink::Each, Sink::Last, Sink::Last][self.rng.usize(..4)])
            .collect();
        let carried: Vec<u32> = (0..)
            .zip(&sinks)
            .filter_map(|(k, sink)| (*sink == Sink::Last).then_some(k))
            .collect();
        // Some fill vector registers, and leave a rest.
        let longest = if self.rng.u32(..8) == 0 { 40 } else { 5 };
        let iterations = self.rng.usize(1..longest);
        let mut arguments = Vec::new();
        let mut sources = Vec::new();
        for _ in 0..inputs {
            sources.push(match self.rng.u32(..5) {
                0 => {
                    arguments.push(self.number());
                    Source::Uniform
                }
                1 => {
                    arguments.extend(self.numbers(iterations));
                    Source::Lane
                }
                2 => {
                    let node = self.number();
                    arguments.extend(std::iter::repeat_n(node, iterations));
                    Source::Lane
                }
                3 if !carried.is_empty() => {
                    arguments.push(self.number());
                    Source::Carried {
                        output: carried[self.rng.usize(..carried.len())],
                    }
                }
                _ => {
                    let c = number(self.rng);
                    let is_constant = self.rng.bool();
                    let datum = |rng: &mut Rng| if is_constant { c } else { number(rng) };
                    Source::Data((0..iterations).map(|_| datum(self.rng)).collect())
                }
            });
        }
        let region = Region {
            iterations,
            is_reversed: self.rng.bool(),
            body: Arc::new(Program { outputs, ..body }),
            sources,
            sinks,
        };
        for _ in 0..self.rng.usize(1..3) {
            let number = u32::try_from(self.regions).expect("a few regions");
            self.regions += 1;
            self.recording
                .edit(|program| program.regions.push(region.clone()));
            let node = self.push(NodeKind::Region(number), &arguments);
            for result in 0..region.results_len() {
                if self.rng.u32(..4) > 0 {
                    let result = u32::try_from(result).expect("a few results");
                    self.push(NodeKind::Result(result), &[node]);
                }
            }
        }
    }
}

/// Shows the values of a program's nodes, and of those of every body in every iteration.
pub(crate) fn visit(program: &Program, x: &[f64], see: &mut dyn FnMut(&Program, &[f64])) {
    let values = program.values(x).expect("the lengths fit");
    visit_values(program, &values, see);
}

fn visit_values(program: &Program, values: &[f64], see: &mut dyn FnMut(&Program, &[f64])) {
    see(program, values);
    for node in program.nodes() {
        if let NodeKind::Region(number) = program.kind(node) {
            let region = &program.regions[number as usize];
            let args: Vec<f64> = program
                .arguments(node)
                .iter()
                .map(|a| values[a.index()])
                .collect();
            region
                .evaluate(&args, |_, evaluation: &Evaluation| {
                    visit_values(&region.body, &evaluation.values, see);
                    Ok(())
                })
                .expect("nothing fails");
        }
    }
}

/// Whether an operation looks at the sign of a NaN, which IEEE 754 leaves open.
pub(super) fn sees_sign_of_nan(program: &Program, x: &[f64]) -> bool {
    let mut sees = false;
    visit(program, x, &mut |program, values| {
        for node in program.nodes() {
            let sign = match program.kind(node) {
                NodeKind::Elementary(Op::SignBit) => 0,
                NodeKind::Elementary(Op::Copysign) => 1,
                _ => continue,
            };
            sees |= values[program.arguments(node)[sign].index()].is_nan();
        }
    });
    sees
}

/// Whether all guards hold, those of bodies in every iteration; a value that is NaN is any NaN.
pub(super) fn guards_hold(program: &Program, x: &[f64]) -> bool {
    let mut hold = true;
    visit(program, x, &mut |program, values| {
        for guard in &program.guards {
            let found = guard.question.answer(|node| values[node.index()]);
            hold &= match (guard.recorded, found) {
                (Decision::Value(a), Decision::Value(b)) if a.is_nan() => b.is_nan(),
                (recorded, found) => recorded.is_same(found),
            };
        }
    });
    hold
}

/// Whether both are the same number, or both NaN.
pub(super) fn is_same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}
