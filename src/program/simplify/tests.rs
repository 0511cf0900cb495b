//! Tests of simplification: naive twins of the passes, and properties over random programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;

use super::Passes;
use crate::elementary::Op;
use crate::program::random::{self, SPECIAL, guards_hold, is_same, sees_sign_of_nan};
use crate::program::region::{Region, Sink, Source};
use crate::program::{NodeId, NodeKind, Program};

/// Demands equal outputs and equally answered guards at a few points.
fn assert_equivalent(seed: u64, rng: &mut Rng, program: &Program, simple: &Program) {
    assert_eq!(simple.validate(), Ok(()), "seed {seed}");
    assert_eq!(simple.inputs(), program.inputs());
    assert_eq!(simple.outputs().len(), program.outputs().len());
    for _ in 0..3 {
        let x = random::point(rng, program);
        if sees_sign_of_nan(program, &x) {
            continue;
        }
        let expected = program.values(&x).unwrap();
        let found = simple.values(&x).unwrap();
        for (a, b) in program.outputs().iter().zip(simple.outputs()) {
            let (a, b) = (expected[a.index()], found[b.index()]);
            assert!(is_same(a, b), "seed {seed} at {x:?}: {a:e} became {b:e}");
        }
        assert_eq!(
            guards_hold(program, &x),
            guards_hold(simple, &x),
            "seed {seed} at {x:?}: guards"
        );
    }
}

fn only(set: impl Fn(&mut Passes)) -> Passes {
    let mut passes = Passes::none();
    set(&mut passes);
    passes
}

/// A random program without regions, so that twins can be short.
fn flat(rng: &mut Rng) -> Program {
    loop {
        let size = rng.usize(1..60);
        let program = random::program(rng, size);
        if program.regions().is_empty() {
            return program;
        }
    }
}

#[test]
fn random_programs_keep_their_values_under_every_pass() {
    let each = [
        Passes::none(),
        only(|p| p.fold = true),
        only(|p| p.identities = true),
        only(|p| p.common = true),
        only(|p| p.dead = true),
        only(|p| p.hoist = true),
        only(|p| (p.hoist, p.dead) = (true, true)),
        Passes::default(),
    ];
    for seed in 0..1000 {
        let mut rng = Rng::with_seed(seed);
        let size = rng.usize(1..60);
        let program = random::program(&mut rng, size);
        assert_eq!(program.validate(), Ok(()), "seed {seed}");
        for passes in each {
            let simple = program.simplify_with(passes).unwrap();
            assert_equivalent(seed, &mut rng, &program, &simple);
        }
        let simple = program.simplify().unwrap();
        let again = simple.simplify().unwrap();
        assert!(again.len() <= simple.len(), "seed {seed}");
        if simple.regions().is_empty() {
            assert_eq!(again.to_string(), simple.to_string(), "seed {seed}");
        }
    }
}

#[test]
fn folding_leaves_no_operation_on_constants() {
    for seed in 0..500 {
        let program = flat(&mut Rng::with_seed(seed));
        let folded = program.simplify_with(only(|p| p.fold = true)).unwrap();
        let is_constant = |node: &NodeId| matches!(folded.kind(*node), NodeKind::Constant(_));
        for node in folded.nodes() {
            let arguments = folded.arguments(node);
            assert!(
                !folded.kind(node).is_operation() || !arguments.iter().all(is_constant),
                "seed {seed}: {node} of\n{folded}"
            );
        }
    }
}

/// The twin of value numbering: nodes by what they print, arguments by their numbers.
fn distinct(program: &Program) -> usize {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut number_of = Vec::new();
    for node in program.nodes() {
        let kind = program.kind(node);
        let mut arguments: Vec<usize> = program
            .arguments(node)
            .iter()
            .map(|a| number_of[a.index()])
            .collect();
        if ["add", "mul", "max", "min", "eq", "and", "or"].contains(&kind.name()) {
            arguments.sort_unstable();
        }
        let next = numbers.len();
        let number = *numbers
            .entry(format!("{:?} {arguments:?}", kind.key()))
            .or_insert(next);
        number_of.push(number);
    }
    numbers.len()
}

#[test]
fn repeated_nodes_are_those_that_print_the_same() {
    for seed in 0..500 {
        let program = flat(&mut Rng::with_seed(seed));
        let merged = program.simplify_with(only(|p| p.common = true)).unwrap();
        assert_eq!(merged.len(), distinct(&program), "seed {seed}");
    }
}

/// The twin of dead-code removal.
fn visit(program: &Program, node: NodeId, seen: &mut BTreeSet<NodeId>) {
    if seen.insert(node) {
        for argument in program.arguments(node) {
            visit(program, *argument, seen);
        }
    }
}

#[test]
fn dead_nodes_are_those_that_cannot_be_reached() {
    for seed in 0..500 {
        let program = flat(&mut Rng::with_seed(seed));
        let mut seen: BTreeSet<NodeId> = program.nodes().take(program.inputs()).collect();
        let asked = program.guards().iter().flat_map(|g| g.question.nodes());
        for node in program.outputs().iter().copied().chain(asked) {
            visit(&program, node, &mut seen);
        }
        let living = program.simplify_with(only(|p| p.dead = true)).unwrap();
        let kinds: Vec<_> = seen.iter().map(|node| program.kind(*node).key()).collect();
        let found: Vec<_> = living.nodes().map(|node| living.kind(node).key()).collect();
        assert_eq!(found.len(), kinds.len(), "seed {seed}");
        let names = |keys: Vec<(&'static str, u64)>| keys.into_iter().map(|k| k.0);
        assert!(names(found).eq(names(kinds)), "seed {seed}");
    }
}

#[test]
fn nodes_that_stay_keep_their_locations() {
    let mut located = 0;
    for seed in 0..200 {
        let program = flat(&mut Rng::with_seed(seed));
        let living = program.simplify_with(only(|p| p.dead = true)).unwrap();
        // The last node of a living program is the last living one of the program.
        let kept = living.nodes().last().filter(|n| n.index() >= living.inputs);
        let Some(last) = kept else { continue };
        let needed =
            super::dead::Needs::of(&program, vec![true; program.outputs.len()], true).nodes;
        let was = program
            .nodes()
            .filter(|n| needed[n.index()])
            .last()
            .unwrap();
        assert_eq!(living.location(last), program.location(was), "seed {seed}");
        located += usize::from(living.location(last).is_some());
    }
    assert!(located > 30, "{located}");
}

/// A program of three inputs whose nodes are given; arguments by number.
fn program_of(nodes: &[Node<'_>], outputs: &[usize]) -> Program {
    let mut program = Program {
        inputs: 3,
        ..Program::default()
    };
    for k in 0..3 {
        program.append(NodeKind::Input(k), &[], None);
    }
    let id = |k: &usize| NodeId::new(*k).unwrap();
    for (kind, arguments) in nodes {
        let arguments: Vec<NodeId> = arguments.iter().map(id).collect();
        program.append(*kind, &arguments, None);
    }
    program.outputs = outputs.iter().map(id).collect();
    assert_eq!(program.validate(), Ok(()));
    program
}

/// Demands the same bits at all special values of three inputs.
fn assert_same_bits(program: &Program, simple: &Program) {
    for x in SPECIAL {
        for y in SPECIAL {
            for z in [0.0, -0.0, 1.5, f64::NEG_INFINITY, f64::NAN] {
                let value = |p: &Program| p.values(&[x, y, z]).unwrap()[p.outputs()[0].index()];
                let (expected, found) = (value(program), value(simple));
                assert!(
                    is_same(expected, found),
                    "{program}at {x:e} {y:e} {z:e} is {expected:e}, but\n{simple}is {found:e}"
                );
            }
        }
    }
}

fn op(op: Op) -> NodeKind {
    NodeKind::Elementary(op)
}

/// Every operation that an identity is about, on inputs, negated inputs, masks and all special constants.
#[test]
fn identities_hold_at_all_special_values() {
    let identities = Passes {
        zero_products: false,
        ..only(|p| (p.identities, p.fold, p.dead) = (true, true, true))
    };
    let mut rewritten = 0;
    let mut check = |nodes: &[Node<'_>]| {
        let program = program_of(nodes, &[nodes.len() + 2]);
        let simple = program.simplify_with(identities).unwrap();
        assert_same_bits(&program, &simple);
        rewritten += usize::from(simple.to_string() != program.to_string());
    };
    let binary = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Rem, Op::Pow];
    let short = [Op::Sum, Op::Prod, Op::Dot];
    for operation in binary.into_iter().chain(short) {
        for pair in [[0, 1], [0, 0], [3, 1], [1, 3], [3, 4], [3, 3]] {
            check(&[
                (op(Op::Neg), &[0]),
                (op(Op::Neg), &[1]),
                (op(operation), &pair),
            ]);
        }
    }
    for c in SPECIAL {
        let constant = (NodeKind::Constant(c), &[] as &[usize]);
        for operation in binary.into_iter().chain(short) {
            for pair in [[0, 3], [3, 0], [3, 3]] {
                check(&[constant, (op(operation), &pair)]);
            }
        }
        for triple in [[0, 1, 3], [0, 3, 1], [3, 0, 1], [3, 3, 0]] {
            check(&[constant, (op(Op::MulAdd), &triple)]);
        }
        check(&[constant, (op(Op::Dot), &[0, 3, 3, 1, 2, 3])]);
        for operation in [
            Op::AddConst(c),
            Op::MulConst(c),
            Op::DivConst(c),
            Op::Powf(c),
            Op::RemConst(c),
        ] {
            check(&[(op(operation), &[0])]);
            check(&[(op(Op::Neg), &[0]), (op(operation), &[3])]);
            check(&[(op(operation), &[0]), (op(Op::Neg), &[3])]);
            check(&[(op(operation), &[0]), (op(Op::AddConst(0.0)), &[3])]);
        }
        for pair in [[0, 4], [4, 0]] {
            check(&[
                (NodeKind::Less, &[1, 2]),
                constant,
                (NodeKind::Gate, &[pair[0], pair[1], 3]),
            ]);
            check(&[constant, constant, (NodeKind::Domain, &pair)]);
        }
    }
    for exponent in -2..4 {
        check(&[(op(Op::Powi(exponent)), &[0])]);
    }
    for operation in [
        Op::Sum,
        Op::Prod,
        Op::SquaredNorm,
        Op::Norm2,
        Op::MaxOf,
        Op::LogSumExp,
        Op::Abs,
        Op::Neg,
    ] {
        check(&[(op(operation), &[0])]);
    }
    let rounding = [Op::Floor, Op::Ceil, Op::Round, Op::Trunc, Op::Abs, Op::Neg];
    for inner in rounding {
        for outer in rounding.into_iter().chain([Op::AddConst(0.0)]) {
            check(&[(op(inner), &[0]), (op(outer), &[3])]);
        }
    }
    for inner in [Op::Exp, Op::Sin, Op::Sqrt] {
        check(&[(op(inner), &[0]), (op(Op::AddConst(0.0)), &[3])]);
    }
    check(&[(op(Op::Mul), &[0, 0]), (op(Op::AddConst(0.0)), &[3])]);
    check(&[(op(Op::Mul), &[0, 1]), (op(Op::AddConst(0.0)), &[3])]);
    for mask in [NodeKind::Less, NodeKind::LessEqual, NodeKind::Equal] {
        for pair in [[0, 1], [0, 0]] {
            check(&[(mask, &pair), (NodeKind::Select, &[1, 2, 3])]);
            check(&[(mask, &pair), (NodeKind::Select, &[1, 1, 3])]);
            check(&[
                (mask, &pair),
                (NodeKind::Not, &[3]),
                (NodeKind::Select, &[1, 2, 4]),
            ]);
            check(&[(mask, &pair), (NodeKind::Not, &[3]), (NodeKind::Not, &[4])]);
            for holds in [0.0, 1.0] {
                for both in [NodeKind::And, NodeKind::Or] {
                    check(&[(mask, &pair), (both, &[3, 3])]);
                    let constant = (NodeKind::Constant(holds), &[] as &[usize]);
                    check(&[(mask, &pair), constant, (both, &[3, 4])]);
                    check(&[(mask, &pair), constant, (both, &[4, 3])]);
                }
                let constant = (NodeKind::Constant(holds), &[] as &[usize]);
                check(&[constant, (NodeKind::Select, &[0, 1, 3])]);
                check(&[constant, (NodeKind::Gate, &[0, 1, 3])]);
            }
        }
    }
    check(&[(NodeKind::Domain, &[0, 0])]);
    check(&[(NodeKind::Domain, &[0, 1]), (NodeKind::Domain, &[0, 3])]);
    check(&[(NodeKind::Domain, &[1, 0]), (NodeKind::Domain, &[0, 3])]);
    check(&[(NodeKind::Detach, &[0]), (NodeKind::Detach, &[3])]);
    // Fewer would mean that identities were lost.
    assert!(rewritten > 500, "{rewritten}");
}

/// A kind and arguments by number.
type Node<'a> = (NodeKind, &'a [usize]);

/// What single nodes become, by the last operation that is left.
#[test]
fn identities_apply() {
    let last = |nodes: &[Node<'_>]| {
        let program = program_of(nodes, &[nodes.len() + 2]);
        let simple = program.simplify().unwrap();
        simple.kind(simple.outputs()[0]).to_string()
    };
    let constant = |c: f64| (NodeKind::Constant(c), &[] as &[usize]);
    let cases: [(&[Node<'_>], &str); 22] = [
        (&[constant(1.0), (op(Op::Mul), &[0, 3])], "input 0"),
        (&[constant(-1.0), (op(Op::Mul), &[3, 0])], "neg"),
        (&[constant(0.0), (op(Op::Sub), &[0, 3])], "input 0"),
        (&[constant(0.0), (op(Op::Add), &[0, 3])], "add_const(0)"),
        (&[constant(0.0), (op(Op::Mul), &[0, 3])], "mul_const(0)"),
        (&[constant(-0.0), (op(Op::Sub), &[3, 0])], "neg"),
        (&[constant(0.0), (op(Op::Sub), &[3, 0])], "sub"),
        (&[constant(4.0), (op(Op::Div), &[0, 3])], "mul_const(0.25)"),
        (&[constant(3.0), (op(Op::Div), &[0, 3])], "div_const(3)"),
        (&[constant(1.0), (op(Op::Div), &[3, 0])], "recip"),
        (&[constant(3.0), (op(Op::Pow), &[0, 3])], "powf(3)"),
        (&[(op(Op::Neg), &[1]), (op(Op::Add), &[0, 3])], "sub"),
        (&[(op(Op::Neg), &[1]), (op(Op::Sub), &[0, 3])], "add"),
        (&[(op(Op::Neg), &[0]), (op(Op::Neg), &[3])], "input 0"),
        (&[(op(Op::Powi(0)), &[0])], "constant 1"),
        (&[(op(Op::Powi(1)), &[0])], "input 0"),
        (&[(op(Op::Powi(2)), &[0])], "mul"),
        (&[(op(Op::Powi(3)), &[0])], "powi(3)"),
        (&[(op(Op::Sum), &[0])], "input 0"),
        (&[(op(Op::Sum), &[0, 1])], "add"),
        (&[(op(Op::Dot), &[0, 1])], "mul"),
        (&[constant(1.0), (op(Op::Dot), &[0, 3, 3, 1])], "add"),
    ];
    for (nodes, expected) in cases {
        assert_eq!(last(nodes), expected);
    }
}

#[test]
fn products_with_zero_vanish_on_request() {
    let program = program_of(
        &[
            (NodeKind::Constant(0.0), &[]),
            (op(Op::Mul), &[0, 3]),
            (op(Op::Add), &[1, 4]),
            (op(Op::Dot), &[5, 2, 3, 1]),
        ],
        &[6],
    );
    let passes = Passes {
        zero_products: true,
        ..Passes::default()
    };
    let simple = program.simplify_with(passes).unwrap();
    let expected = "v0 = input 0\nv1 = input 1\nv2 = input 2\nv3 = mul v1 v2\noutput v3\n";
    assert_eq!(simple.to_string(), expected);
}

/// Appends a region to a program of three inputs, with results as outputs.
fn with_region(mut program: Program, region: Region, arguments: &[usize]) -> Program {
    let results = u32::try_from(region.results_len()).unwrap();
    let number = u32::try_from(program.regions.len()).unwrap();
    let arguments: Vec<NodeId> = arguments.iter().map(|a| NodeId::new(*a).unwrap()).collect();
    program.regions.push(region);
    let node = NodeId::new(program.len()).unwrap();
    program.append(NodeKind::Region(number), &arguments, None);
    for result in 0..results {
        let output = NodeId::new(program.len()).unwrap();
        program.append(NodeKind::Result(result), &[node], None);
        program.outputs.push(output);
    }
    assert_eq!(program.validate(), Ok(()));
    program
}

fn region(iterations: usize, body: Program, sources: &[Source], sinks: &[Sink]) -> Region {
    Region {
        iterations,
        is_reversed: false,
        body: Arc::new(body),
        sources: sources.to_vec(),
        sinks: sinks.to_vec(),
    }
}

/// `sum of sin(u) * 2 * lane_i` with `u` uniform: the sine moves out, and the factor that was an input moves in.
#[test]
fn uniform_work_moves_out_and_constants_move_in() {
    let body = program_of(
        &[
            (op(Op::Sin), &[0]),
            (op(Op::Mul), &[3, 1]),
            (op(Op::Mul), &[4, 2]),
        ],
        &[5, 3],
    );
    let sources = [Source::Uniform, Source::Uniform, Source::Lane];
    let loop_ = region(2, body, &sources, &[Sink::Sum, Sink::Each]);
    let program = program_of(&[(NodeKind::Constant(2.0), &[])], &[]);
    let program = with_region(program, loop_, &[0, 3, 1, 2]);
    let simple = program.simplify().unwrap();
    let names: Vec<_> = simple.kinds[3..].iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["sin", "mul_const", "region", "result"]);
    let raw = |nodes: &[NodeId]| nodes.iter().map(|node| node.raw()).collect::<Vec<_>>();
    assert_eq!(raw(simple.arguments_at(5)), [1, 2, 4]);
    assert_eq!(raw(simple.outputs()), [6, 3, 3]);
    let body = simple.regions()[0].body();
    assert_eq!((body.len(), body.inputs()), (3, 2));
}

/// Identical regions are one, dead outputs go, and with them the inputs that only they need.
#[test]
fn regions_are_merged_and_pruned() {
    let body = || program_of(&[(op(Op::Mul), &[0, 1]), (op(Op::Add), &[2, 0])], &[3, 4]);
    let sources = [Source::Lane, Source::Lane, Source::Carried { output: 1 }];
    let loop_ = || region(2, body(), &sources, &[Sink::Sum, Sink::Last]);
    let program = with_region(program_of(&[], &[]), loop_(), &[0, 1, 1, 2, 2]);
    let mut program = with_region(program, loop_(), &[0, 1, 1, 2, 2]);
    // Only the sums are outputs: the carried value feeds nothing but itself.
    program.outputs = vec![program.outputs[0], program.outputs[2]];
    let simple = program.simplify().unwrap();
    assert_eq!(simple.regions().len(), 1);
    assert_eq!(simple.outputs()[0], simple.outputs()[1]);
    let left = &simple.regions()[0];
    assert_eq!(left.sources(), [Source::Lane, Source::Lane]);
    assert_eq!(left.sinks(), [Sink::Sum]);
    assert_eq!(left.body().len(), 3);
}

/// A region of one iteration is no region, and what only passes through is what it was.
#[test]
fn regions_that_do_nothing_vanish() {
    let body = || program_of(&[(op(Op::Mul), &[0, 1])], &[3, 2]);
    let sources = [Source::Uniform, Source::Lane, Source::Lane];
    let once = region(1, body(), &sources, &[Sink::Sum, Sink::Last]);
    let program = with_region(program_of(&[], &[]), once, &[0, 1, 2]);
    let simple = program.simplify().unwrap();
    assert_eq!((simple.len(), simple.regions().len()), (4, 0));
    let passed = region(
        2,
        program_of(&[], &[0, 1]),
        &sources,
        &[Sink::Each, Sink::Last],
    );
    let program = with_region(program_of(&[], &[]), passed, &[0, 1, 2, 2, 1]);
    let simple = program.simplify().unwrap();
    assert_eq!(simple.len(), 3);
    assert_eq!(
        simple.outputs().iter().map(|o| o.raw()).collect::<Vec<_>>(),
        [0, 0, 2]
    );
}
