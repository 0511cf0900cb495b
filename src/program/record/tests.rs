//! Tests of recording: regions against plain loops, guards, and what must fail.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::super::region::{Sink, Source};
use super::Recording;
use crate::prelude::*;
use crate::program::{Guard, Location, NodeKind, Program, Question, Traced};

/// The outputs of a program, bit for bit.
fn outputs(program: &Program, x: &[f64]) -> Vec<u64> {
    let values = program.values(x).unwrap();
    let outputs = program.outputs().iter();
    outputs.map(|node| values[node.index()].to_bits()).collect()
}

/// Records at `x` and compares the values there and at `other` with those of the plain function.
fn check<F: Function>(f: &F, x: &[f64], other: &[f64]) -> Program {
    let m = f.outputs(x.len());
    let program = Program::record(
        |x| {
            let mut y = vec![0.0.into(); m];
            f.eval(x, &mut y);
            y
        },
        x,
    )
    .unwrap();
    for x in [x, other] {
        let mut y = vec![0.0; m];
        f.eval(x, &mut y);
        let expected: Vec<u64> = y.iter().map(|y| y.to_bits()).collect();
        assert_eq!(outputs(&program, x), expected, "{program}");
    }
    program
}

/// Every number of rows that matters.
const COUNTS: [usize; 6] = [0, 1, 7, 8, 9, 1000];

fn points(n: usize) -> (Vec<f64>, Vec<f64>) {
    let at = |shift: f64| (0..n).map(move |i| (0.7 * i as f64 + shift).sin() + 1.5);
    (at(0.1).collect(), at(1.3).collect())
}

struct SumOver;
impl Function for SumOver {
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let (p, lanes) = x.split_at(2);
        let data: Vec<f64> = (0..lanes.len()).map(|i| i as f64 * 0.3).collect();
        y[0] = S::sum_over(&[Rows::column(lanes)], &[Rows::column(&data)], |x, d| {
            (x[0] * p[0] + d[0]).sin() * p[1] + p[0] / 3.0
        });
    }
}

#[test]
fn sum_over_equals_the_loop() {
    for n in COUNTS {
        let (x, other) = points(n + 2);
        let program = check(&SumOver, &x, &other);
        assert_eq!(program.regions().len(), usize::from(n > 0));
        if n > 1 {
            let region = &program.regions()[0];
            assert_eq!(region.iterations(), n);
            assert_eq!(region.sinks(), [Sink::Sum]);
            assert!(matches!(
                region.sources(),
                [
                    Source::Lane,
                    Source::Data(_),
                    Source::Uniform,
                    Source::Uniform
                ]
            ));
            assert_eq!(region.body().len(), 10);
        }
    }
}

struct SumFor;
impl Function for SumFor {
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let table: Vec<f64> = (0..x.len()).map(|i| i as f64 * 0.3).collect();
        y[0] = S::sum_for(1..x.len(), |i| {
            (x[i] - x[i - 1] * table[i]).powi(2) * 100.0 + (x[0] + 2.0) * table[i]
        });
    }
}

#[test]
fn sum_for_equals_the_loop() {
    for n in COUNTS {
        let (x, other) = points(n + 1);
        let program = check(&SumFor, &x, &other);
        assert_eq!(program.regions().len(), usize::from(n > 1));
        if n > 1 {
            let region = &program.regions()[0];
            assert!(matches!(
                region.sources(),
                [Source::Lane, Source::Data(_), Source::Lane, Source::Uniform]
            ));
            assert_eq!(
                region.body().counts().of("mul_const"),
                1,
                "{}",
                region.body()
            );
            assert_eq!(region.body().counts().of("add_const"), 1);
        }
        assert!(
            program
                .nodes()
                .all(|node| program.kind(node) != NodeKind::Select)
        );
    }
}

/// A function of `n` numbers written as a body, so that a test is short.
macro_rules! case {
    ($name:ident, $m:expr, $S:ident, |$x:ident, $y:ident| $body:block) => {
        struct $name;
        impl Function for $name {
            fn outputs(&self, inputs: usize) -> usize {
                let m: fn(usize) -> usize = $m;
                m(inputs)
            }
            fn eval<$S: Scalar>(&self, $x: &[$S], $y: &mut [$S]) $body
        }
    };
}

fn indices(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64 * 0.25 - 1.0).collect()
}

case!(MapRows, |n| 3 * (n - 1), S, |x, y| {
    let (p, lanes) = (x[0], &x[1..]);
    let data = indices(lanes.len());
    let body = |x: &[S], d: &[S], y: &mut [S]| {
        y[0] = x[0] * p + d[0];
        y[1] = S::from(2.5);
        // The third is left as it was.
    };
    for (y, x) in y.chunks_mut(3).zip(lanes) {
        y[2] = *x;
    }
    S::map_rows(&[Rows::column(lanes)], &[Rows::column(&data)], y, body);
});

case!(Scan, |_| 4, S, |x, y| {
    let (p, lanes) = (x[0], &x[1..]);
    y.copy_from_slice(&[p, S::from(0.5), S::from(7.0), p * 2.0]);
    S::scan(y, &[Rows::column(lanes)], &[], |state, x, _| {
        state[0] = state[0] * 0.5 + x[0] * state[3];
        state[1] += state[0].sin();
        state[2] = S::from(3.0);
    });
});

#[test]
fn maps_and_scans_equal_the_loops() {
    for n in COUNTS {
        let (x, other) = points(n + 1);
        let mapped = check(&MapRows, &x, &other);
        let scanned = check(&Scan, &x, &other);
        for program in [&mapped, &scanned] {
            assert_eq!(program.regions().len(), usize::from(n > 0));
        }
        if n > 1 {
            assert_eq!(mapped.regions()[0].sinks(), [Sink::Each; 2]);
            assert!(scanned.regions()[0].is_scan());
            assert_eq!(scanned.regions()[0].sinks(), [Sink::Last; 3]);
        }
    }
}

case!(Nested, |_| 4, S, |x, y| {
    let n = x.len();
    let rows = Rows::column(x);
    let data = indices(n);
    // Values from outside pass through two levels.
    y[0] = S::sum_over(&[rows], &[], |a, _| {
        let inner = S::sum_over(&[rows], &[Rows::column(&data)], |b, d| {
            (a[0] * b[0] + d[0]) * x[0]
        });
        inner.sin() * x[1]
    });
    // By index in by index.
    y[1] = S::sum_for(0..n, |i| {
        x[i] * S::sum_for(0..3, |j| x[j] * data[i] + x[i] * 2.0 + data[j])
    });
    // By lanes in by index, with inner data and constants that depend on the outer index.
    y[2] = S::sum_for(0..n, |i| {
        let shifted: Vec<f64> = data.iter().map(|d| d + i as f64).collect();
        let inner = S::sum_over(&[rows], &[Rows::column(&shifted)], |b, d| {
            (b[0] + d[0] * data[i]) * x[i] + 1.5
        });
        inner * 0.25
    });
    // By index in by lanes.
    y[3] = S::sum_over(&[rows], &[Rows::column(&data)], |a, d| {
        S::sum_for(0..n, |i| a[0] * x[i] + d[0] * data[i])
    });
});

#[test]
fn nested_regions_equal_the_loops() {
    for n in [3, 4, 8, 9, 40] {
        let (x, other) = points(n);
        let program = check(&Nested, &x, &other);
        assert_eq!(program.regions().len(), 4, "{n}");
        for region in program.regions() {
            assert_eq!((region.iterations(), region.body().regions().len()), (n, 1));
        }
    }
}

case!(Branching, |_| 3, S, |x, y| {
    let n = x.len();
    y[0] = S::sum_for(0..n, |i| match i {
        0 => x[i].sin(),
        5 => S::from(0.75),
        i if i > 20 => x[i] * x[i] * 3.0,
        _ => x[i].powi(2) + x[0],
    });
    // A constant, an input, constants only.
    y[1] = S::sum_for(0..n, |i| x[n - 1 - i]);
    y[2] = S::sum_for(0..n, |i| S::from(i as f64) * 0.5);
});

#[test]
fn branches_on_the_index_split_the_region() {
    for n in COUNTS {
        let (x, other) = points(n);
        let program = check(&Branching, &x, &other);
        let pieces = program.regions().iter().map(|region| region.iterations());
        let expected = match n {
            0 | 1 => vec![],
            7 => vec![4, 7],
            8 => vec![4, 2, 8],
            9 => vec![4, 3, 9],
            _ => vec![4, 15, 979, 1000],
        };
        assert_eq!(pieces.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn constants_from_outside_go_back_into_inner_bodies() {
    let (x, other) = points(8);
    let program = check(&Nested, &x, &other);
    // `x[i] * 2.0` of the second output, `b + d` and `+ 1.5` of the third.
    let inner = |k: usize| &program.regions()[k].body().regions()[0];
    let by_index = inner(1).body().counts();
    assert_eq!(by_index.of("mul_const"), 1, "{}", inner(1).body());
    let by_lanes = inner(2).body().counts();
    assert_eq!((by_lanes.of("add_const"), by_lanes.of("add")), (1, 1));
    assert!(
        inner(1)
            .sources()
            .iter()
            .any(|s| matches!(s, Source::Data(_)))
    );
}

fn decisions(program: &Program) -> Vec<String> {
    let one = |guard: &Guard| {
        let name = match guard.question {
            Question::Less { lhs, rhs } => format!("{lhs} < {rhs}"),
            Question::LessEqual { lhs, rhs } => format!("{lhs} <= {rhs}"),
            Question::Equal { lhs, rhs } => format!("{lhs} == {rhs}"),
            Question::Ordering { lhs, rhs } => format!("{lhs} ? {rhs}"),
            Question::Index { node } => format!("index {node}"),
            Question::Value { node } => format!("value {node}"),
        };
        format!("{name}: {}", guard.recorded)
    };
    program.guards().iter().map(one).collect()
}

#[test]
fn guards_are_exactly_what_was_asked() {
    let program = Program::record(
        |x| {
            let (a, b) = (x[0], x[1]);
            let answers = [a < b, a <= b, a > b, a >= b, a == b, a != b];
            assert_eq!(answers, [true, true, false, false, false, true]);
            assert_eq!(a.partial_cmp(&b), Some(std::cmp::Ordering::Less));
            assert_eq!((b.to_index(), b.re()), (Some(3), 3.5));
            assert!(!a.is_zero() && a.is_one());
            [a]
        },
        &[1.0, 3.5],
    )
    .unwrap();
    let expected = [
        "v0 < v1: true",
        "v0 <= v1: true",
        "v1 < v0: false",
        "v1 <= v0: false",
        // `!=` is the same question.
        "v0 == v1: false",
        "v0 ? v1: less",
        "index v1: 3",
        "value v1: 3.5",
        "v0 == v2: false",
        "v0 == v3: true",
    ];
    assert_eq!(decisions(&program), expected);
    for guard in program.guards() {
        let location = guard.location.as_ref().unwrap();
        assert!(location.file.ends_with("record/tests.rs"), "{location}");
    }
    let changed = program.guards()[0].check(|node| 4.0 - node.index() as f64);
    assert!(matches!(changed, Err(Error::BranchChanged { node: 0, .. })));
}

#[test]
fn looking_and_choosing_are_no_guards() {
    let program = Program::record(
        |x| {
            let y = x[0] * x[1] + 0.25;
            assert_eq!(
                format!("{y} {y:?} {:?}", x[0]),
                "6.25 Traced(6.25, v3) Traced(2, v0)"
            );
            let bounded = Scalar::clamp(y, 1.0.into(), 2.0.into());
            let chosen = Traced::select(y.lt_mask(x[0]), x[0], x[1]);
            let larger = Scalar::max(y, x[1]) + Scalar::min(y, x[0]) + Signed::abs(&y);
            // Constants decide at once.
            assert!(Traced::from(1.0) < Traced::from(2.0) && Traced::zero().is_zero());
            [bounded, chosen, larger, y.relu()]
        },
        &[2.0, 3.0],
    )
    .unwrap();
    assert!(program.guards().is_empty());
    // A bound that is a node must not pass the other.
    let program = Program::record(|x| [Scalar::clamp(x[0], x[1], 9.0.into())], &[2.0, 3.0]);
    assert_eq!(decisions(&program.unwrap()), ["v1 <= v2: true"]);
}

#[test]
fn a_number_of_turns_from_a_value_is_guarded() {
    // The failing case of torch-autograd: recorded at 2 turns, called at 3.
    let f = |x: &[Traced]| {
        let (mut y, mut i) = (x[0], 0.0);
        while x[1] > i {
            y *= x[0];
            i += 1.0;
        }
        [y]
    };
    let program = Program::record(f, &[2.0, 2.0]).unwrap();
    let at = |turns: f64| {
        let values = program.values(&[2.0, turns]).unwrap();
        let mut guards = program.guards().iter();
        guards.try_for_each(|guard| guard.check(|node| values[node.index()]))
    };
    assert_eq!(at(2.0), Ok(()));
    assert_eq!(at(1.5), Ok(()));
    for turns in [1.0, 3.0, f64::NAN] {
        assert!(
            matches!(at(turns), Err(Error::BranchChanged { .. })),
            "{turns}"
        );
    }
}

#[test]
fn guards_in_bodies_see_the_row() {
    let f = |x: &[Traced]| {
        let scale = x[0] * 2.0;
        [Traced::sum_over(&[Rows::column(x)], &[], |row, _| {
            // Depends on the row and on a value from outside.
            if row[0] * scale > 1.0 {
                row[0].ln()
            } else {
                row[0]
            }
        })]
    };
    let program = Program::record(f, &[1.0, 2.0, 3.0]).unwrap();
    let body = program.regions()[0].body();
    assert_eq!(decisions(body), ["v3 < v2: true"]);
    assert_eq!(body.counts().of("ln"), 1);
    // A state that decides: its second value is that after the first row.
    let total = Program::record(
        |x| {
            let mut state = [x[0]];
            Traced::scan(&mut state, &[Rows::column(x)], &[], |state, row, _| {
                if state[0] > 0.5 {
                    state[0] += row[0];
                }
            });
            state
        },
        &[1.0, 2.0, 3.0],
    );
    assert_eq!(total.unwrap().regions()[0].body().guards().len(), 1);
}

#[test]
fn a_body_that_changes_is_an_error_with_its_line() {
    let turns = Cell::new(0);
    // The region stands three lines below.
    let line = line!();
    let result = Program::record(
        |x| {
            [Traced::sum_over(&[Rows::column(x)], &[], |row, _| {
                turns.set(turns.get() + 1);
                if turns.get() == 1 {
                    row[0]
                } else {
                    row[0].sin()
                }
            })]
        },
        &[1.0, 2.0],
    );
    let Err(Error::BodyChanged {
        location,
        iteration,
    }) = result
    else {
        panic!("{result:?}");
    };
    let location = location.unwrap();
    assert!(location.file.ends_with("record/tests.rs"), "{location}");
    assert_eq!((location.line, iteration), (line + 3, 1));
    // So are constants that depend on more than the row.
    let result = Program::record(
        |x| {
            [Traced::sum_over(&[Rows::column(x)], &[], |row, _| {
                turns.set(turns.get() + 1);
                row[0] * f64::from(turns.get())
            })]
        },
        &[1.0, 2.0],
    );
    assert!(matches!(result, Err(Error::BodyChanged { .. })));
}

#[test]
fn nodes_know_their_lines() {
    fn double<S: Scalar>(x: S) -> S {
        x + x
    }
    let line = line!();
    let program = Program::record(|x| [double(x[0]).sin() * x[0]], &[1.0]).unwrap();
    let at = |node: usize| {
        let node = program.nodes().nth(node).unwrap();
        program.location(node).map(|location| location.line)
    };
    assert_eq!(
        [at(0), at(1), at(2), at(3)],
        [None, Some(line - 2), Some(line + 1), Some(line + 1)]
    );
}

#[test]
fn edge_e52_numbers_that_leak_are_errors() {
    let leaked = Cell::new(None);
    let from_a_body = |by_index: bool| {
        Program::record(
            |x| {
                let keep = |y: Traced| {
                    leaked.set(Some(y));
                    y
                };
                let sum = if by_index {
                    Traced::sum_for(0..2, |i| keep(x[i] * 2.0))
                } else {
                    Traced::sum_over(&[Rows::column(x)], &[], |row, _| keep(row[0] * 2.0))
                };
                [sum + leaked.get().unwrap()]
            },
            &[1.0, 2.0],
        )
    };
    for by_index in [false, true] {
        let result = from_a_body(by_index);
        assert!(
            matches!(result, Err(Error::MixedRecordings { .. })),
            "{result:?}"
        );
    }
    // From one iteration into the next.
    let result = Program::record(
        |x| {
            let mut before = None;
            let before = Cell::from_mut(&mut before);
            [Traced::sum_for(0..2, |i| {
                let y = x[i] * 2.0;
                before
                    .replace(Some(y))
                    .map_or(y, |before: Traced| before + y)
            })]
        },
        &[1.0, 2.0],
    );
    assert!(
        matches!(result, Err(Error::MixedRecordings { .. })),
        "{result:?}"
    );
    // Two recordings in one operation; the outer one goes on.
    let outer = Program::record(
        |x| {
            let inner = Program::record(|y| [x[0] * y[0]], &[2.0]);
            assert!(matches!(inner, Err(Error::MixedRecordings { .. })));
            let inner = Program::record(
                |y| {
                    // Purely outer: it belongs there.
                    leaked.set(Some(x[0] * 3.0));
                    [y[0] + 1.0]
                },
                &[2.0],
            );
            assert_eq!(inner.unwrap().len(), 2);
            [leaked.get().unwrap() * x[0]]
        },
        &[5.0],
    )
    .unwrap();
    assert_eq!(outputs(&outer, &[5.0]), [75.0_f64.to_bits()]);
    assert_eq!(outer.len(), 3);
}

#[test]
fn edge_e53_use_after_the_end_panics() {
    let leaked = Cell::new(None);
    Program::record(
        |x| {
            leaked.set(Some(x[0]));
            [x[0]]
        },
        &[1.0],
    )
    .unwrap();
    let x: Traced = leaked.get().unwrap();
    assert_eq!(format!("{x}"), "NaN");
    let used = catch_unwind(AssertUnwindSafe(|| x * x));
    assert!(used.is_err());
    let result = Program::record(|y| [y[0] + x], &[1.0]);
    assert!(matches!(result, Err(Error::MixedRecordings { .. })));
}

#[test]
fn a_panic_in_a_body_leaves_the_recording_usable() {
    let program = Program::record(
        |x| {
            for by_index in [false, true] {
                let thrown = catch_unwind(AssertUnwindSafe(|| {
                    let fail = |y: Traced| -> Traced {
                        let inner = y * 2.0;
                        assert!(inner < 0.0, "thrown");
                        inner
                    };
                    if by_index {
                        Traced::sum_for(0..2, |i| fail(x[i]))
                    } else {
                        Traced::sum_over(&[Rows::column(x)], &[], |row, _| fail(row[0]))
                    }
                }));
                assert!(thrown.is_err());
            }
            [x[0] * x[1]]
        },
        &[2.0, 3.0],
    )
    .unwrap();
    assert_eq!(
        program.to_string(),
        "v0 = input 0\nv1 = input 1\nv2 = mul v0 v1\noutput v2\n"
    );
}

/// A rule with data; two of them cannot be told apart.
#[derive(Clone)]
struct Times(f64);
impl CustomRule for Times {
    fn value(&self, x: &[f64]) -> f64 {
        // A rule may record itself.
        let program = Program::record(|x| [x[0] * self.0], x).unwrap();
        program.values(x).unwrap()[program.outputs()[0].index()]
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(T::from(self.0));
    }
}

#[test]
fn rules_with_data_split_regions() {
    case!(Rules, |_| 1, S, |x, y| {
        y[0] = S::sum_for(0..x.len(), |i| {
            S::custom(&Times(if i < 2 { 3.0 } else { i as f64 }), &[x[i]])
        });
    });
    let (x, other) = points(5);
    let program = check(&Rules, &x, &other);
    assert!(program.regions().is_empty());
    // Values that rules compute may be asked for.
    let asked = Program::record(
        |x| {
            let y = Traced::custom(&Times(2.0), &[x[0]]);
            [if y > 1.0 { y } else { x[0] }]
        },
        &[1.0],
    );
    assert_eq!(decisions(&asked.unwrap()), ["v2 < v1: true"]);
}

#[test]
fn deep_programs_need_no_stack() {
    const OPERATIONS: u32 = 5_000_000;
    let record = || {
        let program = Program::record(
            |x| {
                let y = (0..OPERATIONS).fold(x[0], |y, _| y * 0.5 + 1.0);
                [if y > 1.0 { y } else { x[0] }]
            },
            &[1.0],
        );
        let program = program.unwrap();
        assert_eq!(program.len(), 2 * 5_000_000 + 2);
        assert_eq!(program.guards().len(), 1);
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(record);
    thread.unwrap().join().unwrap();
}

#[test]
fn derived_nodes_have_the_location_of_their_origin() {
    let location = Arc::new(Location {
        file: "model.rs".into(),
        line: 3,
        column: 7,
    });
    let recording = Recording::open();
    let x = recording.push(NodeKind::Input(0), &[]);
    recording.edit(|program| program.inputs = 1);
    let y = x * x;
    // As transformations do: after the node was made, in the places of the program being built.
    let place = recording.place_of(&location);
    let node = recording.node(y).index();
    recording.edit(|program| program.places[node] = place);
    let z = y.sin();
    let output = recording.node(z);
    recording.edit(|program| program.outputs = vec![output]);
    let program = recording.finish().unwrap();
    let at = |node: usize| {
        program
            .location(program.nodes().nth(node).unwrap())
            .cloned()
    };
    assert_eq!((at(0), at(1), at(2)), (None, Some(location), None));
}
