//! [`Program::validate`]: whether the flat arrays of a program mean something.
//!
//! Programs that are recorded are valid by construction; programs that were read from a file, or transformed, are checked
//! here, by code that shares nothing with what builds them.
//!
//! Invariant: a program that passes is evaluated, transformed and printed without a panic.
//! Source: none; the rules are those of the tour of [`program`](super).

use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use crate::elementary::Op;
use crate::error::Error;

/// How many arguments an operation takes.
#[derive(Clone, Copy)]
enum Arity {
    Exactly(usize),
    Even,
    Any,
}

impl Arity {
    fn admits(self, arguments: usize) -> bool {
        match self {
            Self::Exactly(arity) => arguments == arity,
            Self::Even => arguments.is_multiple_of(2),
            Self::Any => true,
        }
    }
}

/// The arity of a row of the rule table; `None` for what is a kind of node instead.
fn arity(op: Op) -> Option<Arity> {
    match op {
        Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Rem
        | Op::Pow
        | Op::Atan2
        | Op::Hypot
        | Op::Copysign
        | Op::Xlogy
        | Op::LogAddExp
        | Op::Max
        | Op::Min => Some(Arity::Exactly(2)),
        Op::MulAdd => Some(Arity::Exactly(3)),
        Op::Dot => Some(Arity::Even),
        Op::Sum
        | Op::Prod
        | Op::Norm2
        | Op::SquaredNorm
        | Op::LogSumExp
        | Op::MaxOf
        | Op::MinOf => Some(Arity::Any),
        Op::Select | Op::Custom => None,
        _ => Some(Arity::Exactly(1)),
    }
}

fn invalid(index: usize, what: &'static str) -> Error {
    Error::InvalidProgram { index, what }
}

/// An error unless the condition holds.
fn ensure(holds: bool, index: usize, what: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(invalid(index, what))
    }
}

impl Program {
    /// Finds damage of every kind: wrong numbers, order, arities, and shapes of regions, in bodies as well.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
    /// assert_eq!(program.validate(), Ok(()));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: none.
    /// **Cost**: one pass over the nodes and arguments of the program and of all bodies.
    ///
    /// # Errors
    /// [`Error::InvalidProgram`] with the first damage found; within a body the number is that of the body's node.
    ///
    /// **Source**: none.
    pub fn validate(&self) -> Result<(), Error> {
        self.check_arrays()?;
        let mut is_used = vec![false; self.regions.len()];
        for node in self.nodes() {
            self.check_node(node, &mut is_used)?;
        }
        for (k, output) in self.outputs.iter().enumerate() {
            ensure(
                output.index() < self.len(),
                k,
                "an output is not a node of the program",
            )?;
            ensure(
                self.has_value(*output),
                k,
                "an output is a region, which has no value of its own",
            )?;
        }
        for (k, guard) in self.guards.iter().enumerate() {
            for node in guard.question.nodes() {
                ensure(
                    node.index() < self.len(),
                    k,
                    "a guard asks about a node that does not exist",
                )?;
                ensure(
                    self.has_value(node),
                    k,
                    "a guard asks about a region, which has no value of its own",
                )?;
            }
        }
        for (number, region) in self.regions.iter().enumerate() {
            region.check(number)?;
        }
        Ok(())
    }

    /// Checks what has to hold before any node can be looked at.
    fn check_arrays(&self) -> Result<(), Error> {
        let len = self.len();
        ensure(
            u32::try_from(len).is_ok(),
            len,
            "more nodes than 32 bits can number",
        )?;
        ensure(
            self.ends.len() == len,
            self.ends.len(),
            "nodes and ends of argument lists differ in number",
        )?;
        let mut before = 0;
        for (index, end) in self.ends.iter().enumerate() {
            ensure(
                before <= *end,
                index,
                "the ends of argument lists do not ascend",
            )?;
            before = *end;
        }
        ensure(
            before as usize == self.arguments.len(),
            self.arguments.len(),
            "the last argument list does not end with the arguments",
        )?;
        ensure(self.inputs <= len, self.inputs, "more inputs than nodes")?;
        ensure(
            self.point.is_empty() || self.point.len() == self.inputs,
            self.point.len(),
            "the point of the recording has another length than the inputs",
        )?;
        ensure(
            self.places.is_empty() || self.places.len() == len,
            self.places.len(),
            "nodes and their places differ in number",
        )?;
        for (index, place) in self.places.iter().enumerate() {
            ensure(
                *place as usize <= self.locations.len(),
                index,
                "a node lies at a location that does not exist",
            )?;
        }
        Ok(())
    }

    /// Whether a node is not a region's own.
    fn has_value(&self, node: NodeId) -> bool {
        !matches!(self.kind(node), NodeKind::Region(_))
    }

    fn check_node(&self, node: NodeId, is_used: &mut [bool]) -> Result<(), Error> {
        let (index, kind, arguments) = (node.index(), self.kind(node), self.arguments(node));
        for argument in arguments {
            ensure(
                *argument < node,
                index,
                "an argument is not before its node",
            )?;
        }
        let given = usize::try_from(match kind {
            NodeKind::Input(k) => k,
            _ => u32::MAX,
        });
        ensure(
            (index < self.inputs) == matches!(kind, NodeKind::Input(_)),
            index,
            "the inputs are not exactly the first nodes",
        )?;
        ensure(
            index >= self.inputs || given == Ok(index),
            index,
            "an input has another number than its node",
        )?;
        let arity = match kind {
            NodeKind::Input(_) | NodeKind::Constant(_) => Arity::Exactly(0),
            NodeKind::Elementary(op) => {
                arity(op).ok_or(invalid(index, "not an operation of the rule table"))?
            }
            NodeKind::Custom(rule) => {
                ensure(
                    (rule as usize) < self.rules.len(),
                    index,
                    "a custom rule that does not exist",
                )?;
                Arity::Any
            }
            NodeKind::Select | NodeKind::Gate => Arity::Exactly(3),
            NodeKind::Domain
            | NodeKind::Less
            | NodeKind::LessEqual
            | NodeKind::Equal
            | NodeKind::And
            | NodeKind::Or => Arity::Exactly(2),
            NodeKind::Detach | NodeKind::Not | NodeKind::Result(_) => Arity::Exactly(1),
            NodeKind::Region(region) => {
                let is_used = is_used
                    .get_mut(region as usize)
                    .ok_or(invalid(index, "a region that does not exist"))?;
                ensure(!*is_used, index, "a region that another node is as well")?;
                *is_used = true;
                // Iterations may be any number in a file, so the sums are checked.
                let region = &self.regions[region as usize];
                ensure(region.iterations > 0, index, "a region without iterations")?;
                let expected = region
                    .sources
                    .iter()
                    .try_fold(0_usize, |sum, source| sum.checked_add(region.width(source)))
                    .ok_or(invalid(index, "a region with too many arguments"))?;
                region
                    .sinks
                    .iter()
                    .try_fold(0_usize, |sum, sink| sum.checked_add(region.height(*sink)))
                    .ok_or(invalid(index, "a region with too many results"))?;
                Arity::Exactly(expected)
            }
        };
        ensure(
            arity.admits(arguments.len()),
            index,
            "a wrong number of arguments",
        )?;
        self.check_uses(index, kind, arguments)
    }

    /// Checks that masks stand where masks are asked for, results behind regions, and numbers elsewhere.
    fn check_uses(&self, index: usize, kind: NodeKind, arguments: &[NodeId]) -> Result<(), Error> {
        if let NodeKind::Result(result) = kind {
            let NodeKind::Region(region) = self.kind(arguments[0]) else {
                return Err(invalid(index, "a result of a node that is no region"));
            };
            let results = self.regions[region as usize].results_len();
            return ensure(
                (result as usize) < results,
                index,
                "a result that the region does not have",
            );
        }
        for (k, argument) in arguments.iter().enumerate() {
            ensure(
                self.has_value(*argument),
                index,
                "an argument is a region, which has no value of its own",
            )?;
            let takes_mask = match kind {
                NodeKind::And | NodeKind::Or | NodeKind::Not => true,
                NodeKind::Select | NodeKind::Gate => k == 2,
                // A region passes on whatever its body can use.
                NodeKind::Region(_) => continue,
                _ => false,
            };
            if takes_mask {
                ensure(
                    self.may_be_mask(*argument),
                    index,
                    "a number is used as a mask",
                )?;
            } else {
                ensure(
                    !self.kind(*argument).is_mask(),
                    index,
                    "a mask is used as a number",
                )?;
            }
        }
        Ok(())
    }

    /// Whether the value can be 1 or 0 only, as far as the node tells: inputs of bodies and results may carry masks.
    fn may_be_mask(&self, node: NodeId) -> bool {
        match self.kind(node) {
            NodeKind::Constant(c) => c == 0.0 || c == 1.0,
            NodeKind::Input(_) | NodeKind::Result(_) => true,
            kind => kind.is_mask(),
        }
    }
}

impl Region {
    /// Checks the shape and the body of the region of this number.
    fn check(&self, number: usize) -> Result<(), Error> {
        ensure(self.iterations > 0, number, "a region without iterations")?;
        ensure(
            self.sources.len() == self.body.inputs(),
            number,
            "a region has another number of sources than its body of inputs",
        )?;
        ensure(
            self.sinks.len() == self.body.outputs().len(),
            number,
            "a region has another number of sinks than its body of outputs",
        )?;
        for source in &self.sources {
            match source {
                Source::Data(data) => ensure(
                    data.len() == self.iterations,
                    number,
                    "data of a region have another length than its iterations",
                )?,
                Source::Carried { output } => {
                    let sink = self.sinks.get(*output as usize);
                    ensure(
                        sink.is_some(),
                        number,
                        "a region carries an output that does not exist",
                    )?;
                    ensure(
                        sink == Some(&Sink::Last),
                        number,
                        "a region carries an output that is not kept to the last",
                    )?;
                }
                Source::Uniform | Source::Lane => {}
            }
        }
        self.body.validate()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fastrand::Rng;

    use super::*;
    use crate::program::random;

    /// Damages a program if it has what is to be damaged.
    type Damage = fn(&mut Rng, &mut Program) -> bool;

    fn replaced(node: usize) -> NodeId {
        NodeId::new(node).unwrap()
    }

    /// A node that satisfies the condition.
    fn some_node(
        rng: &mut Rng,
        program: &Program,
        is_it: impl Fn(&Program, NodeId) -> bool,
    ) -> Option<usize> {
        let nodes: Vec<_> = program
            .nodes()
            .filter(|node| is_it(program, *node))
            .collect();
        (!nodes.is_empty()).then(|| nodes[rng.usize(..nodes.len())].index())
    }

    fn is_region(program: &Program, node: NodeId) -> bool {
        matches!(program.kind(node), NodeKind::Region(_))
    }

    fn first_argument(program: &Program, node: usize) -> usize {
        node.checked_sub(1)
            .map_or(0, |before| program.ends[before] as usize)
    }

    /// Sets an argument of some node.
    fn set_argument(
        rng: &mut Rng,
        program: &mut Program,
        is_it: impl Fn(&Program, NodeId) -> bool,
        position: usize,
        argument: impl Fn(&Program, NodeId) -> bool,
    ) -> bool {
        let Some(argument) = some_node(rng, program, argument) else {
            return false;
        };
        let later = |p: &Program, n: NodeId| {
            n.index() > argument && p.arguments(n).len() > position && is_it(p, n)
        };
        let Some(node) = some_node(rng, program, later) else {
            return false;
        };
        let place = first_argument(program, node) + position;
        program.arguments[place] = replaced(argument);
        true
    }

    /// Sets the kind of some node.
    fn set_kind(
        rng: &mut Rng,
        program: &mut Program,
        is_it: impl Fn(&Program, NodeId) -> bool,
        kind: NodeKind,
    ) -> bool {
        let node = some_node(rng, program, is_it);
        if let Some(node) = node {
            program.kinds[node] = kind;
        }
        node.is_some()
    }

    fn arity_is(arity: usize) -> impl Fn(&Program, NodeId) -> bool {
        move |p, n| p.arguments(n).len() == arity && n.index() >= p.inputs
    }

    fn change_region(
        rng: &mut Rng,
        program: &mut Program,
        change: impl Fn(&mut Region) -> bool,
    ) -> bool {
        let len = program.regions.len();
        len > 0 && change(&mut program.regions[rng.usize(..len)])
    }

    const DAMAGES: [(&str, Damage); 38] = [
        ("argument not before its node", |rng, p| {
            let Some(node) = some_node(rng, p, |p, n| !p.arguments(n).is_empty()) else {
                return false;
            };
            let place = first_argument(p, node);
            p.arguments[place] = replaced(rng.usize(node..p.len() + 2));
            true
        }),
        ("binary of one argument", |rng, p| {
            set_kind(rng, p, arity_is(1), NodeKind::Elementary(Op::Add))
        }),
        ("unary of two arguments", |rng, p| {
            set_kind(rng, p, arity_is(2), NodeKind::Elementary(Op::Sin))
        }),
        ("mask of one argument", |rng, p| {
            set_kind(rng, p, arity_is(1), NodeKind::Less)
        }),
        ("half a pair of a scalar product", |rng, p| {
            set_kind(rng, p, arity_is(1), NodeKind::Elementary(Op::Dot))
        }),
        ("fused product of two arguments", |rng, p| {
            set_kind(rng, p, arity_is(2), NodeKind::Elementary(Op::MulAdd))
        }),
        ("selection of two arguments", |rng, p| {
            set_kind(rng, p, arity_is(2), NodeKind::Select)
        }),
        ("constant of two arguments", |rng, p| {
            set_kind(rng, p, arity_is(2), NodeKind::Constant(1.0))
        }),
        ("detachment of two arguments", |rng, p| {
            set_kind(rng, p, arity_is(2), NodeKind::Detach)
        }),
        ("selection in the rule table", |rng, p| {
            set_kind(rng, p, arity_is(1), NodeKind::Elementary(Op::Select))
        }),
        ("custom in the rule table", |rng, p| {
            set_kind(rng, p, arity_is(1), NodeKind::Elementary(Op::Custom))
        }),
        ("number as mask of a selection", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Select | NodeKind::Gate);
            set_argument(rng, p, is_it, 2, |p, n| {
                matches!(p.kind(n), NodeKind::Elementary(_))
            })
        }),
        ("number as operand of masks", |rng, p| {
            let is_it =
                |p: &Program, n| matches!(p.kind(n), NodeKind::And | NodeKind::Or | NodeKind::Not);
            set_argument(
                rng,
                p,
                is_it,
                0,
                |p, n| matches!(p.kind(n), NodeKind::Constant(c) if c != 0.0 && c != 1.0),
            )
        }),
        ("mask as number", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Elementary(_));
            set_argument(rng, p, is_it, 0, |p, n| p.kind(n).is_mask())
        }),
        ("mask as arm of a selection", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Select | NodeKind::Gate);
            set_argument(rng, p, is_it, 1, |p, n| p.kind(n).is_mask())
        }),
        ("region as number", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Elementary(_));
            set_argument(rng, p, is_it, 0, is_region)
        }),
        ("result of no region", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Result(_));
            set_argument(rng, p, is_it, 0, |p, n| !is_region(p, n))
        }),
        ("result that does not exist", |rng, p| {
            let is_it = |p: &Program, n| matches!(p.kind(n), NodeKind::Result(_));
            set_kind(rng, p, is_it, NodeKind::Result(1000))
        }),
        ("region that does not exist", |rng, p| {
            set_kind(rng, p, is_region, NodeKind::Region(1000))
        }),
        ("region of two nodes", |rng, p| {
            let Some(first) = some_node(rng, p, is_region) else {
                return false;
            };
            let NodeKind::Region(region) = p.kinds[first] else {
                return false;
            };
            let other = |p: &Program, n: NodeId| is_region(p, n) && n.index() != first;
            set_kind(rng, p, other, NodeKind::Region(region))
        }),
        ("region without iterations", |rng, p| {
            change_region(rng, p, |region| {
                region.iterations = 0;
                true
            })
        }),
        ("another number of iterations", |rng, p| {
            change_region(rng, p, |region| {
                region.iterations += 1;
                let is_wide = |s: &Source| matches!(s, Source::Lane | Source::Data(_));
                region.sources.iter().any(is_wide)
            })
        }),
        ("more arguments than can be counted", |rng, p| {
            change_region(rng, p, |region| {
                region.iterations = usize::MAX;
                region.sources.push(Source::Lane);
                region.sources.push(Source::Lane);
                true
            })
        }),
        ("source too many", |rng, p| {
            change_region(rng, p, |region| {
                region
                    .sources
                    .push(Source::Data(vec![0.0; region.iterations].into()));
                true
            })
        }),
        ("sink too few", |rng, p| {
            change_region(rng, p, |region| region.sinks.pop().is_some())
        }),
        ("data too short", |rng, p| {
            change_region(rng, p, |region| {
                let mut data = region.sources.iter_mut().filter_map(|s| match s {
                    Source::Data(data) => Some(data),
                    _ => None,
                });
                data.next().is_some_and(|data| {
                    *data = data[1..].into();
                    true
                })
            })
        }),
        ("carried output that does not exist", |rng, p| {
            change_region(rng, p, |region| {
                let is_narrow =
                    |s: &&mut Source| matches!(s, Source::Uniform | Source::Carried { .. });
                let source = region.sources.iter_mut().find(is_narrow);
                source.is_some_and(|source| {
                    *source = Source::Carried { output: 1000 };
                    true
                })
            })
        }),
        ("carried output that is not the last", |rng, p| {
            change_region(rng, p, |region| {
                let source = region.sources.iter().find_map(|s| match s {
                    Source::Carried { output } => Some(*output),
                    _ => None,
                });
                source.is_some_and(|output| {
                    region.sinks[output as usize] = Sink::Sum;
                    true
                })
            })
        }),
        ("input that comes later", |rng, p| {
            set_kind(rng, p, arity_is(0), NodeKind::Input(0))
        }),
        ("inputs in another order", |_, p| {
            p.inputs > 1 && {
                p.kinds.swap(0, 1);
                true
            }
        }),
        ("input that is none", |_, p| {
            p.inputs > 0 && {
                p.kinds[0] = NodeKind::Constant(1.0);
                true
            }
        }),
        ("too many inputs", |_, p| {
            p.inputs = p.len() + 1;
            true
        }),
        ("output out of range", |_, p| {
            p.outputs.push(replaced(p.len()));
            true
        }),
        ("output that is a region", |rng, p| {
            let region = some_node(rng, p, is_region);
            p.outputs.extend(region.map(replaced));
            region.is_some()
        }),
        ("guard out of range", |_, p| {
            let node = replaced(p.len());
            let guard = p.guards.first_mut();
            guard.is_some_and(|guard| {
                guard.question = guard.question.map(|_| node);
                true
            })
        }),
        ("rule that does not exist", |_, p| {
            let had = !p.rules.is_empty();
            p.rules.clear();
            had && p.kinds.iter().any(|k| matches!(k, NodeKind::Custom(_)))
        }),
        ("places of some nodes", |_, p| {
            p.places = vec![0; p.len() - 1];
            p.len() > 1
        }),
        ("location that does not exist", |_, p| {
            p.places = vec![1; p.len()];
            true
        }),
    ];

    /// Damage of the ends of argument lists, where nothing else can be said about the program.
    const SHAPES: [Damage; 4] = [
        |_, p| p.ends.pop().is_some(),
        |_, p| p.arguments.pop().is_some(),
        |_, p| {
            p.arguments.push(replaced(0));
            true
        },
        |rng, p| {
            let node = rng.usize(..p.len());
            p.ends[node] = u32::MAX;
            true
        },
    ];

    /// Demands an error after the damage, both of the program and of a region with it as body.
    fn assert_found(what: &str, rng: &mut Rng, damage: Damage) {
        let mut found = 0;
        for _ in 0..3000 {
            if found == 10 {
                return;
            }
            let size = rng.usize(5..60);
            let mut program = random::program(rng, size);
            let mut outer = Program::default();
            let has_region = program.regions.pop();
            if let Some(region) = &has_region {
                program.regions.push(region.clone());
                outer = program.clone();
            }
            assert_eq!(program.validate(), Ok(()));
            if !damage(rng, &mut program) {
                continue;
            }
            let is_damaged =
                |p: &Program| matches!(p.validate(), Err(Error::InvalidProgram { .. }));
            assert!(is_damaged(&program), "{what}:\n{program:?}");
            if let Some(region) = outer.regions.last_mut() {
                // The shape of the region stays that of its body, where the body still has one.
                region.sources.resize(program.inputs, Source::Uniform);
                region.body = Arc::new(program);
                assert!(is_damaged(&outer), "{what} in a body");
            }
            found += 1;
        }
        panic!("no program has what `{what}` damages");
    }

    #[test]
    fn damage_of_every_kind_is_found() {
        let mut rng = Rng::with_seed(7);
        for (what, damage) in DAMAGES {
            assert_found(what, &mut rng, damage);
        }
        for damage in SHAPES {
            assert_found("shapes of argument lists", &mut rng, damage);
        }
    }

    #[test]
    fn the_text_names_the_node() {
        let mut program = Program::record(|x| [x[0] * x[1]], &[2.0, 3.0]).unwrap();
        program.arguments[1] = replaced(2);
        assert_eq!(
            program.validate().unwrap_err().to_string(),
            "the program is damaged at number 2: an argument is not before its node"
        );
    }
}
