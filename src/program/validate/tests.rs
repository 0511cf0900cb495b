//! Damages valid random programs in every way and demands that it is found.

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
            let is_narrow = |s: &&mut Source| matches!(s, Source::Uniform | Source::Carried { .. });
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
        p.locations.clear();
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

/// A program whose only node is a region with this body.
fn around(body: &Program) -> Program {
    let region = Region {
        iterations: 1,
        is_reversed: false,
        sources: vec![Source::Data(vec![0.5].into()); body.inputs],
        sinks: vec![Sink::Last; body.outputs.len()],
        body: Arc::new(body.clone()),
    };
    Program {
        kinds: vec![NodeKind::Region(0)],
        ends: vec![0],
        regions: vec![region],
        ..Program::default()
    }
}

/// Demands an error after the damage, both of the program and of a region with it as body.
fn assert_found(what: &str, rng: &mut Rng, damage: Damage) {
    let mut found = 0;
    for _ in 0..3000 {
        if found == 10 {
            return;
        }
        let size = rng.usize(5..60);
        let mut program = random::program(rng, size);
        assert_eq!(program.validate(), Ok(()));
        let mut outer = around(&program);
        assert_eq!(outer.validate(), Ok(()));
        if !damage(rng, &mut program) {
            continue;
        }
        let is_damaged = |p: &Program| matches!(p.validate(), Err(Error::InvalidProgram { .. }));
        assert!(is_damaged(&program), "{what}:\n{program:?}");
        outer.regions[0].body = Arc::new(program);
        assert!(is_damaged(&outer), "{what} in a body");
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
