//! The rows of EDGE_CASES.md on recordings: guards on values (e42, e46), ownership (e50-e57), resources, threads and
//! panics (e60-e67).
//!
//! Not here: e56, as no driver takes a list of seeds; e57, a `compile_fail` doctest of `Var`; e62 with a limited
//! allocator, in `allocations.rs`; e66, a statement about the source, which has thread-local slots and one counter only.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::forward::Lanes;
use wengert::prelude::*;
use wengert::reverse::{Limits, Recorder, Workspace};

fn entries(entries: usize) -> Recorder {
    Recorder::new().with_limits(Limits {
        entries,
        ..Limits::default()
    })
}

fn bytes(bytes: usize) -> Recorder {
    Recorder::new().with_limits(Limits {
        bytes,
        ..Limits::default()
    })
}

/// A usable thread gives these numbers, exactly.
fn assert_thread_is_usable() {
    let g = gradient(|x| x[0] * x[1] + x[0].sin(), &[0.0, 4.0]);
    assert_eq!(g, Ok(vec![5.0, 0.0]));
    let h = gradient(
        |x| gradient(|y| y[0] * y[0] * y[0], x).map_or(x[0], |g| g[0]),
        &[2.0],
    );
    assert_eq!(h, Ok(vec![12.0]));
}

#[test]
fn edge_e42_comparison_sees_values_only() {
    let f = |x: &[Var<f64>]| {
        if x[0] == 3.0 { x[0] * 5.0 } else { x[0] * x[0] }
    };
    assert_eq!(gradient(f, &[3.0]), Ok(vec![5.0]));
    assert_eq!(gradient(f, &[4.0]), Ok(vec![8.0]));
    // Equal values with different derivatives are equal.
    let (equal, order) = (
        Dual::new(1.0, 2.0) == Dual::new(1.0, 3.0),
        Dual::new(1.0, 9.0).partial_cmp(&Dual::new(2.0, 0.0)),
    );
    assert!(equal && order == Some(std::cmp::Ordering::Less));
    gradient(
        |x| {
            assert!(x[0] == x[1] && x[0] <= x[1] && x[0] == Var::from(1.0));
            assert!(
                Var::from(f64::NAN) != x[0] && x[0].partial_cmp(&Var::from(f64::NAN)).is_none()
            );
            x[0]
        },
        &[1.0, 1.0],
    )
    .unwrap();
}

#[test]
fn edge_e46_looking_at_a_variable_records_nothing() {
    let plain = Pullback::record(|x| [x[0] * x[1]], &[2.0, 3.0]).unwrap();
    let looked_at = Pullback::record(
        |x| {
            let y = x[0] * x[1];
            let mut text = String::new();
            write!(text, "{y} {y:?} {:?} {:.3}", x[0], x[1]).unwrap();
            assert!(text.starts_with("6 Var(6.0, v2 of recording"), "{text}");
            assert!(text.ends_with("3.000"), "{text}");
            assert_eq!((y.re(), y.to_index()), (6.0, Some(6)));
            assert!(!y.is_zero() && !y.is_one() && y > x[0] && y != x[1]);
            [y]
        },
        &[2.0, 3.0],
    )
    .unwrap();
    assert_eq!(plain.statements(), 3);
    assert_eq!(looked_at.statements(), plain.statements());
    assert_eq!(looked_at.tape_bytes(), plain.tape_bytes());
}

/// `D(x -> x * D(y -> x op y)(1))(at)` in the four nestings; the operation is a product or a sum.
fn nestings(product: bool, at: f64) -> [f64; 4] {
    [
        derivative(
            |x: Dual<f64>| {
                let inner = |y: Dual<Dual<f64>>| {
                    let x = Dual::constant(x);
                    if product { x * y } else { x + y }
                };
                x * derivative(inner, Dual::from(1.0))
            },
            at,
        ),
        derivative(
            |x: Dual<f64>| {
                let inner = |y: &[Var<Dual<f64>>]| {
                    let x = Var::constant(x);
                    if product { x * y[0] } else { x + y[0] }
                };
                x * gradient(inner, &[Dual::from(1.0)]).unwrap()[0]
            },
            at,
        ),
        gradient(
            |x: &[Var<f64>]| {
                let inner = |y: Dual<Var<f64>>| {
                    let x = Dual::constant(x[0]);
                    if product { x * y } else { x + y }
                };
                x[0] * derivative(inner, Var::from(1.0))
            },
            &[at],
        )
        .unwrap()[0],
        gradient(
            |x: &[Var<f64>]| {
                let inner = |y: &[Var<Var<f64>>]| {
                    let x = Var::constant(x[0]);
                    if product { x * y[0] } else { x + y[0] }
                };
                x[0] * gradient(inner, &[Var::from(1.0)]).unwrap()[0]
            },
            &[at],
        )
        .unwrap()[0],
    ]
}

#[test]
fn edge_e50_perturbations_do_not_mix() {
    assert_eq!(nestings(false, 1.0), [1.0; 4]);
    assert_eq!(nestings(true, 4.0), [8.0; 4]);
}

#[test]
fn edge_e51_captured_variable_changes_between_inner_derivatives() {
    // a = d/dy (c y^2) at 1 with c = x: 2x; then c = x^2: b = 2 x^2; f = a b = 4 x^3.
    let reverse = gradient(
        |x| {
            let mut c = x[0];
            let inner = |c: Var<f64>| {
                gradient(|y| Var::constant(c) * y[0] * y[0], &[Var::from(1.0)]).unwrap()[0]
            };
            let a = inner(c);
            c = c * c;
            let b = inner(c);
            a * b
        },
        &[3.0],
    );
    assert_eq!(reverse, Ok(vec![108.0]));
    let forward = derivative(
        |x: Dual<f64>| {
            let mut c = x;
            let mut inner = || {
                let slope = derivative(|y| Dual::constant(c) * y * y, Dual::from(1.0));
                c = c * c;
                slope
            };
            inner() * inner()
        },
        3.0,
    );
    assert_eq!(forward, 108.0);
}

#[test]
fn edge_e52_mixed_recordings() {
    // Two recordings of one level meet in every kind of operation.
    type Op = fn(Var<f64>, Var<f64>) -> Var<f64>;
    let ops: [Op; 7] = [
        |a, b| a * b,
        |a, b| a + b,
        |a, b| b - a,
        |a, b| a.powd(b),
        |a, b| Var::sum_of([a, b, a]),
        |a, b| Var::dot_of([(a, b)]),
        |a, b| a.mul_add(b, b),
    ];
    for (i, op) in ops.into_iter().enumerate() {
        let mut mixed = None;
        let outer = gradient(
            |x| {
                mixed = Some(gradient(|y| op(x[0], y[0]), &[2.0]));
                assert_thread_is_usable();
                x[0] * x[0]
            },
            &[3.0],
        );
        let mixed = mixed.unwrap();
        assert!(
            matches!(mixed, Err(Error::MixedRecordings { open, found }) if open != found),
            "operation {i}: {mixed:?}"
        );
        assert_eq!(outer, Ok(vec![6.0]), "operation {i}");
        assert_thread_is_usable();
    }
    // The first error is kept, values go on.
    let mut value = 0.0;
    let result = gradient(
        |x| {
            let inner = entries(2).gradient(
                |y| {
                    let full = y[0] * y[0] * y[0];
                    let y = full * x[0];
                    value = y.re();
                    y
                },
                &[2.0],
            );
            assert_eq!(inner, Err(Error::TapeFull { limit: 2 }));
            x[0]
        },
        &[5.0],
    );
    assert_eq!((result, value), (Ok(vec![1.0]), 40.0));
    // Returning an outer variable would lose its dependence, so it is an error as well, for every driver.
    gradient(
        |x: &[Var<f64>]| {
            let (x, at) = (x[0], &[1.0]);
            for outcome in [
                gradient(|_| x, at).map(drop),
                vjp(|_| [x], at, &[1.0]).map(drop),
                jacobian_reverse(|y| [y[0], x], at).map(drop),
            ] {
                assert!(
                    matches!(outcome, Err(Error::MixedRecordings { .. })),
                    "{outcome:?}"
                );
            }
            x
        },
        &[1.0],
    )
    .unwrap();
}

#[test]
fn edge_e52_outer_variable_during_an_inner_recording_of_the_same_level() {
    let outer = Pullback::record(
        |x| {
            let mut z = x[0];
            let inner = gradient(
                |y| {
                    let w = y[0] * y[0];
                    // Purely on outer variables: recorded there.
                    z *= x[1];
                    z = Var::sum_of([z, x[0], x[0]]).sin();
                    w * y[0]
                },
                &[2.0],
            );
            assert_eq!(inner, Ok(vec![12.0]));
            [z]
        },
        &[0.5, 3.0],
    )
    .unwrap();
    // z = sin(x0 x1 + 2 x0), 3 statements and 2 inputs.
    let slope = 2.5_f64.cos();
    assert_eq!(outer.statements(), 5);
    assert_eq!(outer.vjp(&[1.0]), Ok(vec![slope * 5.0, slope * 0.5]));
    // A full outer tape is the outer driver's error, also when the operation ran inside the inner recording.
    let mut inner = None;
    let outer = entries(3).gradient(
        |x| {
            let mut z = x[0];
            inner = Some(gradient(
                |y| {
                    for _ in 0..10 {
                        z *= x[0];
                    }
                    y[0] * y[0]
                },
                &[2.0],
            ));
            z
        },
        &[1.0],
    );
    assert_eq!(inner, Some(Ok(vec![4.0])));
    assert_eq!(outer, Err(Error::TapeFull { limit: 3 }));
    assert_thread_is_usable();
}

#[test]
fn edge_e53_variable_outlives_its_recording() {
    let mut leaked = None;
    gradient(
        |x| {
            leaked = Some(x[0] * x[0]);
            x[0]
        },
        &[3.0],
    )
    .unwrap();
    let leaked: Var<f64> = leaked.unwrap();
    // Inside another recording: an error, whether it meets a variable, stands alone, or is returned.
    for outcome in [
        gradient(|x| x[0] * leaked, &[1.0]),
        gradient(|x| leaked.sin() + x[0], &[1.0]),
        gradient(|_| leaked, &[1.0]),
        gradient(|_| Var::sum_of([leaked, leaked]), &[1.0]),
    ] {
        assert!(
            matches!(outcome, Err(Error::MixedRecordings { .. })),
            "{outcome:?}"
        );
    }
    // With none open: the documented panic, for every arity; the value stays readable.
    assert_eq!(leaked.value(), 9.0);
    let operations: [fn(Var<f64>) -> Var<f64>; 3] =
        [|x| x.sin(), |x| x * x, |x| Var::sum_of([x, x, x])];
    for operation in operations {
        let panic = catch_unwind(|| operation(leaked)).unwrap_err();
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(
            text.contains("no recording is open on this thread"),
            "{text}"
        );
        assert_thread_is_usable();
    }
    // On another thread, while the recording is open here: the same two outcomes.
    gradient(
        |x| {
            let x = x[0];
            std::thread::scope(|scope| {
                let elsewhere = scope.spawn(move || gradient(|y| y[0] * x, &[1.0]));
                assert!(matches!(
                    elsewhere.join().unwrap(),
                    Err(Error::MixedRecordings { .. })
                ));
                assert!(scope.spawn(move || x * x).join().is_err());
            });
            x
        },
        &[2.0],
    )
    .unwrap();
}

#[test]
fn edge_e53_identifiers_of_an_ended_thread_are_not_reused_at_once() {
    // A carrier of its own, so that no other test of this process draws from its identifiers.
    type T = Lanes<f64, 37>;
    let at = [T::from(2.0)];
    let leak = move || {
        let mut leaked = None;
        gradient(|x| *leaked.insert(x[0] * x[0]), &at).unwrap();
        leaked.unwrap()
    };
    let mut leaked: Vec<Var<T>> = Vec::new();
    for _ in 0..8 {
        leaked.push(std::thread::spawn(leak).join().unwrap());
        for stale in leaked.clone() {
            let outcome = std::thread::spawn(move || gradient(|x| x[0] * stale, &at).map(drop));
            let outcome = outcome.join().unwrap();
            assert!(
                matches!(outcome, Err(Error::MixedRecordings { .. })),
                "{outcome:?}"
            );
        }
    }
}

#[test]
fn edge_e54_identity_constants_and_aliases() {
    assert_eq!(gradient(|x| x[0], &[7.0]), Ok(vec![1.0]));
    assert_eq!(
        gradient(|_| Var::from(4.0), &[7.0, 8.0]),
        Ok(vec![0.0, 0.0])
    );
    assert_eq!(
        value_and_gradient(|_| Var::from(4.0), &[7.0]),
        Ok((4.0, vec![0.0]))
    );
    let twice = |a: Var<f64>, b: Var<f64>| a * b + a;
    assert_eq!(gradient(|x| twice(x[0], x[0]), &[3.0]), Ok(vec![7.0]));
    // The same variable twice, an alias overwritten in the user's code, an input, a constant.
    let outputs = |x: &[Var<f64>]| {
        let mut z = x[0];
        let y = z;
        z = z * z;
        z *= y;
        [z, z, y, Var::from(1.0), x[1]]
    };
    let p = Pullback::record(outputs, &[2.0, 5.0]).unwrap();
    assert_eq!(p.values(), [8.0, 8.0, 2.0, 1.0, 5.0]);
    assert_eq!(
        p.vjp(&[1.0, 10.0, 100.0, 1000.0, 10000.0]),
        Ok(vec![12.0 * 11.0 + 100.0, 10000.0])
    );
    let j = p.jacobian().unwrap();
    assert_eq!(j.column(0).as_slice(), [12.0, 12.0, 1.0, 0.0, 0.0]);
    assert_eq!(j.column(1).as_slice(), [0.0, 0.0, 0.0, 0.0, 1.0]);
    // A result that is recorded long before the end.
    let early = gradient(
        |x| {
            let y = x[0] * x[1];
            let _unused = (0..100).fold(y, |z, _| (z * x[0]).exp());
            y
        },
        &[2.0, 3.0],
    );
    assert_eq!(early, Ok(vec![3.0, 2.0]));
}

#[test]
fn edge_e55_second_sweep_gives_the_same_bits() {
    let f = |x: &[Var<f64>]| {
        let s = x.iter().fold(Var::from(0.1), |s, x| (s + *x).sin() * *x);
        [s, s.exp() / x[0], Var::norm2_of(x.iter().copied())]
    };
    let x = [0.3, -1.7, 2.9];
    let p = Pullback::record(f, &x).unwrap();
    let (w, v) = ([1.0, -0.3, 0.7], [0.1, 5.0, -2.0]);
    let bits = |g: Vec<f64>| g.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let first = bits(p.vjp(&w).unwrap());
    let other = bits(p.vjp(&v).unwrap());
    assert_ne!(first, other);
    let (mut workspace, mut gradient) = (Workspace::new(), [0.0; 3]);
    for _ in 0..3 {
        p.vjp_into(&w, &mut workspace, &mut gradient).unwrap();
        assert_eq!(bits(gradient.to_vec()), first);
        p.vjp_into(&v, &mut workspace, &mut gradient).unwrap();
        assert_eq!(bits(gradient.to_vec()), other);
        assert_eq!(p.jacobian(), p.jacobian());
        // A fresh recording on pooled memory, after others of other sizes.
        assert_thread_is_usable();
        assert_eq!(bits(vjp(f, &x, &w).unwrap().1), first);
    }
}

/// Runs on a thread with a stack of 256 KiB.
fn on_a_small_stack<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn_scoped(scope, run)
            .unwrap()
            .join()
            .unwrap()
    })
}

#[test]
fn edge_e60_chain_of_five_million_on_a_small_stack() {
    let (statements, slope) = on_a_small_stack(|| {
        let chain = |x: &[Var<f64>]| [(0..5_000_000).fold(x[0], |s, _| s * x[0])];
        let p = Pullback::record(chain, &[1.0]).unwrap();
        (p.statements(), p.vjp(&[1.0]).unwrap()[0])
    });
    assert_eq!((statements, slope), (5_000_001, 5_000_001.0));
}

#[test]
fn edge_e61_tape_full() {
    let chain = |n: usize| move |x: &[Var<f64>]| (0..n).fold(x[0], |s, _| s * x[0]);
    let full = Error::TapeFull { limit: 1000 };
    // 500 binary operations have exactly 1000 arguments.
    assert_eq!(entries(1000).gradient(chain(500), &[1.0]), Ok(vec![501.0]));
    assert_eq!(
        entries(1000).gradient(chain(501), &[1.0]),
        Err(full.clone())
    );
    let p = entries(1000).record(|x| [chain(500)(x)], &[1.0]).unwrap();
    assert_eq!((p.statements(), p.vjp(&[1.0])), (501, Ok(vec![501.0])));
    let refused = entries(1000).record(|x| [chain(501)(x)], &[1.0]);
    assert_eq!(refused.err(), Some(full.clone()));
    // The independents and n-ary operations count too.
    assert_eq!(
        entries(2).gradient(|x| x[0], &[1.0; 3]),
        Err(Error::TapeFull { limit: 2 })
    );
    assert_eq!(entries(2).gradient(|x| x[0], &[1.0; 2]), Ok(vec![1.0, 0.0]));
    let sum = |x: &[Var<f64>]| Var::sum_of(x.iter().copied().chain([x[0]]));
    assert_eq!(
        entries(10).gradient(sum, &[1.0; 9]),
        Ok([&[2.0][..], &[1.0; 8]].concat())
    );
    assert_eq!(
        entries(10).gradient(sum, &[1.0; 10]),
        Err(Error::TapeFull { limit: 10 })
    );
    // The Jacobian driver has the limit of the index type only, so it is reached through a nested full recording.
    let nested = gradient(
        |x| {
            let inner = entries(1000).gradient(
                |y: &[Var<Var<f64>>]| (0..501).fold(y[0], |s, _| s * y[0]),
                x,
            );
            assert_eq!(inner.err(), Some(full.clone()));
            (0..2000).fold(x[0], |s, _| s * x[0])
        },
        &[1.0],
    );
    assert_eq!(nested, Ok(vec![2001.0]));
    // The text names the number and what to raise.
    assert!(full.to_string().contains("1000") && full.to_string().contains("Limits::entries"));
    assert_thread_is_usable();
}

#[test]
fn edge_e61_long_loop_stops_at_the_limit() {
    // A loop of 1e8 binary operations on a tape for 1e6; values go on to the end of the user's function.
    let mut steps = 0_u32;
    let outcome = entries(1_000_000).gradient(
        |x| {
            let mut s = x[0];
            while steps < 10_000_000 {
                s *= x[0];
                steps += 1;
            }
            s
        },
        &[1.0],
    );
    assert_eq!(outcome, Err(Error::TapeFull { limit: 1_000_000 }));
    assert_eq!(steps, 10_000_000);
}

#[test]
fn edge_e62_budget_of_bytes() {
    let chain = |n: usize| move |x: &[Var<f64>]| (0..n).fold(x[0], |s, _| s * x[0]);
    // 36 bytes per operation with its adjoint; growth stays within the budget and uses most of it.
    let budget = 1 << 20;
    for n in [10, 1000, 20_000] {
        let slope = bytes(budget).gradient(chain(n), &[1.0]);
        assert_eq!(slope, Ok(vec![n as f64 + 1.0]), "{n}");
    }
    let refused = |n| match bytes(budget).gradient(chain(n), &[1.0]) {
        Err(Error::OutOfMemory { bytes }) => bytes > budget,
        _ => false,
    };
    assert!(refused(1 << 15) && refused(1 << 20));
    // What fits does not depend on the memory that earlier recordings left to the thread.
    assert_eq!(gradient(chain(200_000), &[1.0]), Ok(vec![200_001.0]));
    assert_eq!(
        bytes(budget).gradient(chain(20_000), &[1.0]),
        Ok(vec![20_001.0])
    );
    assert!(refused(1 << 15));
    // The adjoints of a pullback count: the tape fits, a sweep of 8 rows does not, one row does.
    let tape = 28 * 1000 + 4;
    let earlier = Pullback::record(|x| [chain(10)(x)], &[1.0]).unwrap();
    let p = bytes(tape + tape / 2)
        .record(|x| [chain(1000)(x)], &[1.0])
        .unwrap();
    assert_eq!((p.tape_bytes(), p.vjp(&[1.0])), (tape, Ok(vec![1001.0])));
    assert!(
        matches!(p.jacobian(), Err(Error::OutOfMemory { bytes }) if bytes > tape + 8 * 8 * 1001)
    );
    // An earlier tape is usable.
    assert_eq!(earlier.vjp(&[1.0]), Ok(vec![11.0]));
    // No budget at all.
    assert!(matches!(
        bytes(0).gradient(|x| x[0], &[1.0]),
        Err(Error::OutOfMemory { .. })
    ));
    assert_eq!(
        bytes(0).gradient(|_: &[Var<f64>]| Var::from(1.0), &[]),
        Ok(vec![])
    );
}

/// Panics while it records; on the way it opens `depth` nested recordings of the same level.
fn panic_while_recording(depth: usize) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        fn record(depth: usize) -> Vec<f64> {
            gradient(
                |x| {
                    let y = (0..1000).fold(x[0], |s, _| s * x[0]);
                    if depth == 0 {
                        panic!("the user's code gave up");
                    }
                    record(depth - 1);
                    y
                },
                &[1.0],
            )
            .unwrap()
        }
        record(depth)
    }));
    let panic = outcome.unwrap_err();
    assert_eq!(
        panic.downcast_ref::<&str>(),
        Some(&"the user's code gave up")
    );
}

#[test]
fn edge_e63_panic_while_recording() {
    for depth in [0, 1, 3, 10] {
        panic_while_recording(depth);
        assert_thread_is_usable();
        // No recording is left open: a leaked variable finds none.
        let mut leaked = None;
        gradient(|x| *leaked.insert(x[0]), &[1.0]).unwrap();
        let leaked: Var<f64> = leaked.unwrap();
        assert!(catch_unwind(|| leaked * leaked).is_err());
    }
    // Caught inside an outer recording, which goes on.
    let outer = gradient(
        |x| {
            let y = x[0] * x[0];
            panic_while_recording(2);
            let nested = catch_unwind(AssertUnwindSafe(|| {
                gradient(
                    |z: &[Var<Var<f64>>]| -> Var<Var<f64>> { panic!("{}", z.len()) },
                    x,
                )
            }));
            assert!(nested.is_err());
            y * x[0]
        },
        &[2.0],
    );
    assert_eq!(outer, Ok(vec![12.0]));
    assert!(
        catch_unwind(|| Pullback::record(|_: &[Var<f64>]| -> [Var<f64>; 1] { panic!() }, &[1.0]))
            .is_err()
    );
    let mut prepared = PreparedGradient::new(
        |x: &[Var<f64>]| {
            assert!(x[0] > 0.0, "negative");
            x[0] * x[0]
        },
        1,
    );
    let mut g = [0.0];
    assert!(catch_unwind(AssertUnwindSafe(|| prepared.gradient_into(&[-1.0], &mut g))).is_err());
    assert_eq!(prepared.value_and_gradient_into(&[3.0], &mut g), Ok(9.0));
    assert_eq!(g, [6.0]);
    assert_thread_is_usable();
}

/// The square, with a value or partials that panic on request.
#[derive(Clone)]
struct Moody {
    in_value: bool,
    in_partials: bool,
}

impl CustomRule for Moody {
    fn value(&self, x: &[f64]) -> f64 {
        assert!(!self.in_value, "value");
        x[0] * x[0]
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        assert!(!self.in_partials, "partials");
        // A rule may differentiate on its own; that recording must not disturb the one that runs.
        assert_eq!(gradient(|x| x[0] * x[0], &[3.0]), Ok(vec![6.0]));
        out[0] = Some(x[0] * 2.0);
    }
}

#[test]
fn edge_e64_panic_in_a_custom_rule() {
    for (in_value, in_partials) in [(true, false), (false, true)] {
        let rule = Moody {
            in_value,
            in_partials,
        };
        let run = || gradient(|x| Var::custom(&rule, &[x[0] * x[0]]), &[2.0]);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        let nested = || {
            gradient(
                |x| gradient(|y| Var::custom(&rule, &[y[0] * y[0]]), x).unwrap()[0],
                &[2.0],
            )
        };
        assert!(catch_unwind(AssertUnwindSafe(nested)).is_err());
        assert_thread_is_usable();
    }
    let calm = Moody {
        in_value: false,
        in_partials: false,
    };
    assert_eq!(
        gradient(|x| Var::custom(&calm, &[x[0] * x[0]]), &[2.0]),
        Ok(vec![32.0])
    );
}

#[test]
fn edge_e65_threads_record_and_sweep_independently() {
    fn f(x: &[Var<f64>]) -> [Var<f64>; 2] {
        let s = (0..200).fold(x[0], |s, _| (s * x[1]).sin() + x[2]);
        [s, s * s / x[0]]
    }
    let (x, w) = ([0.3, 1.9, -0.4], [1.0, -2.0]);
    let bits = |g: Vec<f64>| g.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let p = Pullback::record(f, &x).unwrap();
    let expected = bits(p.vjp(&w).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(bits(vjp(f, &x, &w).unwrap().1), expected);
                }
                let (mut workspace, mut gradient) = (Workspace::new(), vec![0.0; 3]);
                for _ in 0..1000 {
                    p.vjp_into(&w, &mut workspace, &mut gradient).unwrap();
                    assert_eq!(bits(gradient.clone()), expected);
                }
            });
        }
    });
    // Recorded here, swept and dropped there.
    let swept = std::thread::spawn(move || p.vjp(&w).unwrap())
        .join()
        .unwrap();
    assert_eq!(bits(swept), expected);
}

/// Finished recordings may be shared and sent; checked by the compiler.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Pullback<f64>>();
    shared::<Pullback<Dual<f64>>>();
    shared::<Pullback<Var<f64>>>();
    shared::<Workspace<f64>>();
    shared::<Error>();
    shared::<Recorder>();
};

#[test]
fn edge_e67_diamond_ladder() {
    // 2^200 paths; halves keep the slope at one.
    let ladder = |x: &[Var<f64>]| [(0..200).fold(x[0], |y, _| y * 0.5 + y * 0.5)];
    let p = Pullback::record(ladder, &[3.0]).unwrap();
    assert_eq!((p.statements(), p.vjp(&[1.0])), (601, Ok(vec![1.0])));
}

#[test]
fn recordings_nest_deeper_than_identifiers_last() {
    // Recursion in the user's code: 4096 identifiers per thread and type, then a clear error, never a hang.
    fn depth(n: u32) -> Result<u32, Error> {
        let mut inner = Ok(0);
        gradient(
            |x| {
                inner = if n == 0 {
                    Ok(0)
                } else {
                    depth(n - 1).map(|d| d + 1)
                };
                x[0] * x[0]
            },
            &[1.0],
        )?;
        inner
    }
    let (shallow, deep) = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(|| (depth(100), depth(5000)))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(shallow, Ok(100));
    assert_eq!(deep, Err(Error::TapeFull { limit: 4096 }));
}
