//! Derivatives of regions against those of the unrolled program, which has no regions.

use std::sync::Arc;

use super::super::Storage;
use super::super::draft::{Draft, mapped};
use super::{assert_close, concat, outputs};
use crate::elementary::Op;
use crate::prelude::*;
use crate::program::node::{NodeId, NodeKind};
use crate::program::{Program, Region, Sink, Source, Traced};

/// The program with every iteration written out.
fn unroll(program: &Program) -> Program {
    let draft = Draft::open(program.inputs).unwrap();
    let inputs = (0..program.inputs)
        .map(|k| NodeId::new(k).unwrap())
        .collect();
    let outputs = inline(&draft, program, inputs);
    draft.finish(outputs).unwrap()
}

fn inline(draft: &Draft, program: &Program, inputs: Vec<NodeId>) -> Vec<NodeId> {
    let mut map = inputs;
    let mut results: Vec<Vec<NodeId>> = vec![Vec::new(); program.regions.len()];
    for node in program.nodes().skip(program.inputs) {
        let arguments = mapped(program, node, &map);
        let copy = match program.kind(node) {
            NodeKind::Region(r) => {
                results[r as usize] = iterate(draft, &program.regions[r as usize], &arguments);
                NodeId::from_raw(0)
            }
            NodeKind::Result(k) => match program.kind(program.arguments(node)[0]) {
                NodeKind::Region(r) => results[r as usize][k as usize],
                _ => unreachable!(),
            },
            _ => draft.copy(program, node, &map).unwrap(),
        };
        map.push(copy);
    }
    program.outputs.iter().map(|y| map[y.index()]).collect()
}

fn iterate(draft: &Draft, region: &Region, arguments: &[NodeId]) -> Vec<NodeId> {
    let mut results = vec![Vec::new(); region.results_len()];
    let mut last: Vec<NodeId> = Vec::new();
    for i in region.order() {
        let sources = region.sources.iter().zip(region.argument_ranges());
        let inputs = sources
            .map(|(source, range)| match source {
                Source::Uniform => arguments[range.start],
                Source::Lane => arguments[range.start + i],
                Source::Data(data) => draft.constant(data[i]),
                Source::Carried { output } => *last
                    .get(*output as usize)
                    .unwrap_or(&arguments[range.start]),
            })
            .collect();
        last = inline(draft, &region.body, inputs);
        for ((value, sink), range) in last.iter().zip(&region.sinks).zip(region.result_ranges()) {
            match sink {
                Sink::Sum => results[range.start].push(*value),
                Sink::Each => results[range.start + i] = vec![*value],
                Sink::Last => results[range.start] = vec![*value],
            }
        }
    }
    results
        .into_iter()
        .map(|terms| {
            if terms.len() == 1 {
                terms[0]
            } else {
                draft.operation(Op::Sum, &terms)
            }
        })
        .collect()
}

/// A region around functions of the inputs, and functions of its results.
fn around(n: usize, region: Region, is_plain: bool) -> Program {
    let draft = Draft::open(n).unwrap();
    let mut arguments = Vec::new();
    for k in 0..region.arguments_len() {
        let x = draft.traced(NodeId::new(k % n).unwrap());
        let y = draft.traced(NodeId::new((k + 1) % n).unwrap());
        // Some arguments are inputs, some are not, and one is a constant.
        let argument = match k % 4 {
            _ if is_plain => x,
            0 => x,
            1 => x * y,
            2 if k == 2 => Traced::from(0.75),
            _ => y.sin() + x,
        };
        arguments.push(draft.recording.node(argument));
    }
    let results = region.results_len();
    let node = draft.region(region, &arguments).unwrap();
    let y: Vec<Traced> = (0..results)
        .map(|k| draft.traced(draft.result(node, k).unwrap()))
        .collect();
    let mut ends: Vec<Traced> = y.clone();
    if !is_plain {
        ends = vec![
            S::sum_of((1..results).map(|k| y[k] * y[k - 1])) + y[0].sin(),
            y[results - 1],
        ];
    }
    let ends = ends.into_iter().map(|y| draft.recording.node(y)).collect();
    draft.finish(ends).unwrap()
}

type S = Traced;

fn numbers(n: usize, seed: f64) -> Vec<f64> {
    (0..n)
        .map(|i| 0.6 + 0.35 * (seed + 1.7 * i as f64).sin())
        .collect()
}

fn dense(
    program: &Program,
    (jacobian, places): (Program, Vec<(u32, u32)>),
) -> Result<Program, Error> {
    super::super::jacobian::dense(jacobian, &places, program.outputs.len(), program.inputs)
}

/// All derivatives of a program against those of the unrolled one.
#[track_caller]
fn check(program: &Program, name: &str) {
    let plain = unroll(program);
    assert!(plain.regions.is_empty());
    let (n, m) = (program.inputs, program.outputs.len());
    let x = numbers(n, 0.0);
    assert_close(&outputs(program, &x), &outputs(&plain, &x), name);
    type Transformation = fn(&Program) -> Result<Program, Error>;
    let all: [(&str, Transformation); 13] = [
        ("jvp", |p| p.jvp()),
        ("vjp", |p| p.vjp()),
        ("vjp by recomputation", |p| p.vjp_by(Storage::Recompute)),
        ("jacobian", |p| p.jacobian()),
        ("forward", |p| dense(p, super::super::jacobian::forward(p)?)),
        ("reverse", |p| dense(p, super::super::jacobian::reverse(p)?)),
        ("jvp of jvp", |p| p.jvp()?.jvp()),
        ("vjp of jvp", |p| p.jvp()?.vjp()),
        ("jvp of vjp", |p| p.vjp()?.jvp()),
        ("vjp of vjp", |p| p.vjp()?.vjp()),
        ("jacobian of vjp", |p| p.vjp()?.jacobian()),
        ("jvp of vjp by recomputation", |p| {
            p.vjp_by(Storage::Recompute)?.jvp()
        }),
        ("third order", |p| p.vjp()?.jvp()?.vjp()),
    ];
    for (what, transformation) in all {
        let (found, expected) = (
            transformation(program).unwrap(),
            transformation(&plain).unwrap(),
        );
        let x = numbers(found.inputs, 0.0);
        found.validate().unwrap();
        assert!(found.is_derivative());
        let mut replay = found.prepare().unwrap();
        assert_close(
            replay.run(&x).unwrap(),
            &outputs(&found, &x),
            &format!("{name}: replay of {what}"),
        );
        assert_close(
            &outputs(&found, &x),
            &outputs(&expected, &x),
            &format!("{name}: {what}"),
        );
    }
    let (v, w) = (numbers(n, 5.0), numbers(m, 7.0));
    let linear = program.linearize(&x).unwrap();
    let jvp = outputs(&plain.jvp().unwrap(), &concat(&[&x, &v]));
    assert_close(
        &concat(&[linear.outputs(), &linear.jvp(&v).unwrap()]),
        &jvp,
        &format!("{name}: linear jvp"),
    );
    let vjp = outputs(&plain.vjp().unwrap(), &concat(&[&x, &w]));
    assert_close(
        &linear.vjp(&w).unwrap(),
        &vjp[m..],
        &format!("{name}: linear vjp"),
    );
}

fn region(
    iterations: usize,
    is_reversed: bool,
    sources: Vec<Source>,
    sinks: Vec<Sink>,
    body: impl FnOnce(&[S]) -> Vec<S>,
) -> Region {
    let body = Program::record(body, &numbers(sources.len(), 1.0)).unwrap();
    Region {
        iterations,
        is_reversed,
        body: Arc::new(body),
        sources,
        sinks,
    }
}

fn data(iterations: usize) -> Source {
    Source::Data(numbers(iterations, 3.0).into())
}

fn map(iterations: usize) -> Region {
    let sources = vec![
        Source::Lane,
        Source::Uniform,
        data(iterations),
        Source::Lane,
    ];
    region(
        iterations,
        false,
        sources,
        vec![Sink::Sum, Sink::Each, Sink::Sum],
        |x| {
            vec![
                (x[0] * x[1]).sin() * x[2],
                x[0].exp() * x[3] + x[2],
                x[1].ln(),
            ]
        },
    )
}

fn scan(iterations: usize, is_reversed: bool) -> Region {
    let carried = |output| Source::Carried { output };
    let sources = vec![
        carried(0),
        Source::Lane,
        Source::Uniform,
        carried(1),
        data(iterations),
    ];
    let sinks = vec![Sink::Last, Sink::Last, Sink::Each, Sink::Sum];
    region(iterations, is_reversed, sources, sinks, |x| {
        let p = (x[0] * x[2] + x[1]).sin();
        let q = x[3] * x[4] + p;
        vec![p, q, p * q, x[1] * x[3]]
    })
}

#[test]
fn maps_agree_with_unrolled_programs() {
    for iterations in [1, 2, 7] {
        check(
            &around(3, map(iterations), false),
            &format!("map of {iterations}"),
        );
        check(
            &around(2 * iterations + 1, map(iterations), true),
            &format!("plain map of {iterations}"),
        );
    }
}

#[test]
fn scans_agree_with_unrolled_programs() {
    for iterations in [1, 2, 4, 7, 9] {
        for is_reversed in [false, true] {
            let name = format!("scan of {iterations}, reversed: {is_reversed}");
            check(&around(3, scan(iterations, is_reversed), false), &name);
        }
    }
}

#[test]
fn scans_with_odd_hand_overs_agree_with_unrolled_programs() {
    let carried = |output| Source::Carried { output };
    // Two inputs carry one output; one output is carried by nobody; one carried value is overwritten by a constant.
    let sources = vec![carried(0), carried(0), carried(2), Source::Lane, carried(3)];
    let sinks = vec![Sink::Last, Sink::Last, Sink::Last, Sink::Last, Sink::Sum];
    let odd = region(5, false, sources, sinks, |x| {
        vec![
            x[0] * x[1] + x[3],
            x[2].sin() * x[0],
            S::from(0.25) * x[3].detach(),
            x[4] * 1.5,
            x[4] * x[2],
        ]
    });
    check(&around(3, odd, false), "odd");
    // The tangent reaches the second state only through the first one, one iteration later.
    let sources = vec![carried(0), carried(1), carried(2), Source::Uniform];
    let chain = region(5, true, sources, vec![Sink::Last; 3], |x| {
        vec![x[3].sin(), x[0] * x[0], x[1].exp() * x[2]]
    });
    let draft = Draft::open(1).unwrap();
    let c = draft.constant(0.5);
    let node = draft
        .region(chain, &[c, c, c, NodeId::from_raw(0)])
        .unwrap();
    let y = draft.result(node, 2).unwrap();
    check(&draft.finish(vec![y]).unwrap(), "chain");
    // The last value without a scan.
    let last = region(
        3,
        false,
        vec![Source::Lane, Source::Uniform],
        vec![Sink::Last],
        |x| vec![x[0] * x[1]],
    );
    check(&around(4, last, true), "last");
}

/// A body that runs a region over its inputs.
fn nested(iterations: usize, sources: Vec<Source>, sinks: Vec<Sink>, inner: Region) -> Region {
    let mut program = around(sources.len(), inner, false);
    program
        .outputs
        .resize(sinks.len(), *program.outputs.last().unwrap());
    Region {
        iterations,
        is_reversed: false,
        body: Arc::new(program),
        sources,
        sinks,
    }
}

#[test]
fn regions_in_regions_agree_with_unrolled_programs() {
    let carried = |output| Source::Carried { output };
    let in_map = |inner| {
        nested(
            3,
            vec![Source::Lane, Source::Uniform],
            vec![Sink::Sum, Sink::Each],
            inner,
        )
    };
    let in_scan = |inner| {
        nested(
            3,
            vec![carried(0), Source::Uniform, Source::Lane],
            vec![Sink::Last, Sink::Sum],
            inner,
        )
    };
    check(&around(3, in_map(map(2)), false), "map in map");
    check(&around(3, in_map(scan(4, true)), false), "scan in map");
    check(&around(3, in_scan(map(2)), false), "map in scan");
    check(&around(3, in_scan(scan(3, false)), false), "scan in scan");
}

#[test]
fn edge_e40_e41_arms_in_regions_poison_nothing() {
    // sqrt(x) under x > 0, in a sum, at x = 0 and elsewhere.
    let arm = || {
        region(
            2,
            false,
            vec![Source::Lane, Source::Uniform],
            vec![Sink::Sum, Sink::Each],
            |x| {
                let zero = S::from(0.0);
                vec![
                    S::select(zero.lt_mask(x[0]), x[0].sqrt() * x[1], zero),
                    x[0] * x[1],
                ]
            },
        )
    };
    let program = around(3, arm(), true);
    let x = [0.0, 4.0, 3.0];
    let gradient = |program: &Program, seeds: [f64; 3]| {
        outputs(&program.vjp().unwrap(), &concat(&[&x, &seeds]))[3..].to_vec()
    };
    assert_eq!(gradient(&program, [1.0, 0.0, 0.0]), [0.0, 0.75, 2.0]);
    assert_eq!(
        outputs(&program.jvp().unwrap(), &[0.0, 4.0, 3.0, 1.0, 0.0, 0.0])[3],
        0.0
    );
    assert_eq!(
        outputs(&program.jacobian().unwrap(), &x)[..3],
        [0.0, 0.75, 2.0]
    );
    assert_eq!(
        outputs(
            &program.jvp().unwrap().vjp().unwrap(),
            &[0.0, 4.0, 3.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        )[6..9],
        [0.0, 0.25, 0.0]
    );
    // A whole region under an arm that is not selected, and roots outside whose only use is an arm inside.
    for inner in [
        arm(),
        region(
            2,
            false,
            vec![Source::Lane, Source::Uniform],
            vec![Sink::Sum, Sink::Each],
            |x| vec![x[0].sqrt() * x[1], x[0].ln()],
        ),
    ] {
        let draft = Draft::open(3).unwrap();
        let [a, b, c] = [0, 1, 2].map(|k| draft.traced(NodeId::from_raw(k)));
        let roots = [a.sqrt(), b.sqrt(), c].map(|x| draft.recording.node(x));
        let node = draft.region(inner, &roots).unwrap();
        let y = [0, 1].map(|k| draft.traced(draft.result(node, k).unwrap()));
        let y = S::select(S::from(0.5).lt_mask(a), y[0] * y[1], b * b);
        let y = draft.recording.node(y);
        let program = draft.finish(vec![y]).unwrap();
        assert_eq!(outputs(&program.gradient().unwrap(), &x), [0.0, 8.0, 0.0]);
        assert_eq!(outputs(&program.jacobian().unwrap(), &x), [0.0, 8.0, 0.0]);
        assert_eq!(
            outputs(&program.hessian().unwrap(), &x),
            [0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            program.linearize(&x).unwrap().vjp(&[1.0]).unwrap(),
            [0.0, 8.0, 0.0]
        );
    }
}

#[test]
fn a_jacobian_of_rows_is_one_region_without_other_arithmetic() {
    // As bundle adjustment: every row gathers its inputs, and the body has more outputs and inputs than directions are shared.
    let rows = 50;
    let body = region(
        rows,
        false,
        vec![Source::Lane, Source::Lane, Source::Lane],
        vec![Sink::Each, Sink::Each],
        |x| vec![x[0] * x[1].sin(), x[1] * x[2].exp()],
    );
    let draft = Draft::open(60).unwrap();
    let arguments: Vec<NodeId> = (0..3 * rows)
        .map(|k| NodeId::new((7 * k + k / 50) % 60).unwrap())
        .collect();
    let node = draft.region(body, &arguments).unwrap();
    let ends = (0..2 * rows)
        .map(|k| draft.result(node, k).unwrap())
        .collect();
    let program = draft.finish(ends).unwrap();
    let (jacobian, places) = program.sparse_jacobian().unwrap();
    assert_eq!(
        (jacobian.regions().len(), jacobian.regions()[0].sinks()),
        (1, &[Sink::Each; 4][..])
    );
    let outside = jacobian
        .nodes()
        .filter(|node| jacobian.kind(*node).is_operation());
    assert_eq!((outside.count(), places.len()), (0, 4 * rows));
    let (plain, plain_places) = unroll(&program).sparse_jacobian().unwrap();
    assert_eq!(places, plain_places);
    let x = numbers(60, 0.0);
    assert_close(&outputs(&jacobian, &x), &outputs(&plain, &x), "rows");
}

#[test]
fn the_gradient_of_a_sum_needs_no_primal_region() {
    let program = around(
        3,
        region(
            4,
            false,
            vec![Source::Lane, Source::Uniform],
            vec![Sink::Sum],
            |x| vec![x[0] * x[1].sin()],
        ),
        true,
    );
    let gradient = program.gradient().unwrap();
    assert_eq!(gradient.regions().len(), 1);
    let jvp = program.jvp().unwrap();
    assert_eq!(
        (jvp.regions().len(), jvp.regions()[0].sinks().len()),
        (1, 2)
    );
}

#[test]
fn recomputation_stores_fewer_states() {
    let long = |storage| around(3, scan(100, false), false).vjp_by(storage).unwrap();
    let results = |program: &Program| {
        program
            .regions()
            .iter()
            .map(Region::results_len)
            .max()
            .unwrap()
    };
    assert!(results(&long(Storage::Store)) >= 200);
    assert!(
        results(&long(Storage::Recompute)) <= 130,
        "{}",
        results(&long(Storage::Recompute))
    );
}
