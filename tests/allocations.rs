//! What allocates and what does not, counted by the allocator; and what happens when it refuses (e62).
//!
//! The counter and the limit belong to the thread, so tests may run side by side.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

use wengert::prelude::*;
use wengert::reverse::{Workspace, release_memory};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, which counts and refuses requests above a limit.
struct Counting;

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator or refused with a null pointer, which is allowed.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST.get() {
            return std::ptr::null_mut();
        }
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + layout.size().cast_signed());
        // SAFETY: the contract is that of this function.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size().cast_signed());
        // SAFETY: the contract is that of this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of allocations that a call makes.
fn allocations<R>(call: impl FnOnce() -> R) -> (usize, R) {
    let before = COUNT.get();
    let result = call();
    (COUNT.get() - before, result)
}

/// Everything up to 16 arguments, branches, constants.
fn f<S: Scalar>(x: &[S]) -> S {
    let mut s = x[0];
    for i in 0..200 {
        let y = x[i % x.len()];
        s = if s.re() > 1.0 {
            s.sin() / 2.0
        } else {
            s * y + y.exp() - 0.5
        };
    }
    let norm = S::norm2_of(x.iter().copied());
    let dot = S::dot_of([(x[0], x[1]), (x[1], s)]);
    S::select(s.lt_mask(norm), s, norm) + S::max(s, dot) + S::sum_of([s; 16])
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1.0_f64]).0, 1);
    assert_eq!(allocations(|| 1.0).0, 0);
}

#[test]
fn prepared_gradient_allocates_nothing_after_the_first_call() {
    let x = [0.3, 1.2, 0.7];
    let mut prepared = PreparedGradient::new(f, 3);
    let mut gradient = [0.0; 3];
    let (first, value) =
        allocations(|| prepared.value_and_gradient_into(&x, &mut gradient).unwrap());
    assert!(first > 0);
    let expected = (value.to_bits(), gradient.map(f64::to_bits));
    // Other points, also on other branches, in between; one on the way records more than all others.
    let elsewhere = |prepared: &mut PreparedGradient<f64, _>| {
        for i in 0..100 {
            let scale = 1.0 - f64::from(i) * 0.01;
            let mut gradient = [0.0; 3];
            prepared
                .gradient_into(&x.map(|x| x * scale), &mut gradient)
                .unwrap();
        }
    };
    elsewhere(&mut prepared);
    let (count, ()) = allocations(|| {
        elsewhere(&mut prepared);
        let value = prepared.value_and_gradient_into(&x, &mut gradient).unwrap();
        assert_eq!((value.to_bits(), gradient.map(f64::to_bits)), expected);
    });
    assert_eq!(count, 0);
    // A second function on the same thread finds the memory of the first.
    let mut other = PreparedGradient::new(|x: &[Var<f64>]| x[0] * x[1], 2);
    assert_eq!(
        allocations(|| other.gradient_into(&[1.0, 2.0], &mut gradient[..2])).0,
        0
    );
}

#[test]
fn nested_prepared_gradients_allocate_nothing_after_the_first_call() {
    let inner = RefCell::new(PreparedGradient::new(|y: &[Var<Var<f64>>]| f(y), 3));
    let mut outer = PreparedGradient::new(
        |x: &[Var<f64>]| {
            let mut slope = [Var::from(0.0); 3];
            let value = inner
                .borrow_mut()
                .value_and_gradient_into(x, &mut slope)
                .unwrap();
            value + slope[0] * slope[2]
        },
        3,
    );
    let mut gradient = [0.0; 3];
    outer
        .gradient_into(&[0.3, 1.2, 0.7], &mut gradient)
        .unwrap();
    let first = gradient;
    let (count, ()) = allocations(|| {
        for _ in 0..20 {
            outer
                .gradient_into(&[0.3, 1.2, 0.7], &mut gradient)
                .unwrap();
        }
    });
    assert_eq!((count, gradient), (0, first));
}

#[test]
fn pullback_into_allocates_nothing_after_the_first_call() {
    let pullback = Pullback::record(|x| [f(x), x[0]], &[0.3, 1.2, 0.7]).unwrap();
    let (mut workspace, mut gradient) = (Workspace::new(), [0.0; 3]);
    pullback
        .vjp_into(&[1.0, 2.0], &mut workspace, &mut gradient)
        .unwrap();
    let first = gradient;
    let (count, ()) = allocations(|| {
        for _ in 0..100 {
            pullback
                .vjp_into(&[1.0, 2.0], &mut workspace, &mut gradient)
                .unwrap();
        }
    });
    assert_eq!((count, gradient), (0, first));
    // The list of variables, the result, and nothing for the tape: it comes from the pool.
    let x = [0.3, 1.2, 0.7];
    let warm = || value_and_gradient(f, &x).unwrap();
    warm();
    assert_eq!(allocations(warm).0, 2);
}

#[test]
fn long_argument_lists_allocate_what_they_need() {
    // 33 arguments do not fit the block on the stack: one list of numbers and one of places for a sum, none for 32.
    let mut gradient = vec![0.0; 33];
    let x = vec![0.5; 33];
    let mut count = |terms: usize| {
        let sum = move |x: &[Var<f64>]| Var::sum_of(x[..terms].iter().copied());
        let mut prepared = PreparedGradient::new(sum, 33);
        prepared.gradient_into(&x, &mut gradient).unwrap();
        allocations(|| prepared.gradient_into(&x, &mut gradient)).0
    };
    assert_eq!((count(32), count(33)), (0, 2));
}

#[test]
fn memory_returns_to_the_pool_and_to_the_system() {
    let long = |x: &[Var<f64>]| (0..100_000).fold(x[0], |s, _| s * x[0]);
    let run = || gradient(long, &[1.0]).unwrap();
    let panicking = || {
        let outcome = std::panic::catch_unwind(|| {
            // Unwinds without the hook, whose backtrace would allocate for its own needs.
            let give_up =
                |x: &[Var<f64>]| -> Var<f64> { std::panic::resume_unwind(Box::new(long(x).re())) };
            gradient(give_up, &[1.0])
        });
        assert!(outcome.is_err());
    };
    release_memory();
    let empty = HELD.get();
    run();
    let held = HELD.get() - empty;
    assert!(held >= 3_600_000, "{held} bytes");
    panicking();
    let kept = HELD.get();
    let warm = allocations(run).0;
    for _ in 0..10 {
        panicking();
        assert_eq!(allocations(run).0, warm);
    }
    assert!(HELD.get() - kept < 100_000, "{} bytes", HELD.get() - kept);
    drop(Pullback::record(|x| [long(x)], &[1.0]).unwrap());
    assert_eq!(allocations(run).0, warm);
    release_memory();
    assert!(HELD.get() - empty < 100_000, "{} bytes", HELD.get() - empty);
}

#[test]
fn edge_e62_allocator_refuses() {
    let chain = |n: usize| move |x: &[Var<f64>]| (0..n).fold(x[0], |s, _| s * x[0]);
    let earlier = Pullback::record(|x| [chain(100)(x)], &[1.0]).unwrap();
    release_memory();
    LARGEST.set(1 << 20);
    // Refused while recording, alone and inside another recording, which goes on.
    let alone = gradient(chain(1_000_000), &[1.0]);
    let mut inner = None;
    let outer = gradient(
        |x| {
            inner = Some(gradient(chain(1_000_000), &[1.0]));
            chain(1000)(x)
        },
        &[1.0],
    );
    let jacobian = jacobian_reverse(|x| [chain(1_000_000)(x)], &[1.0]);
    // Recorded with 24 bytes per operation at most, swept by 8 rows with 64.
    let recorded = Pullback::record(|x| [chain(40_000)(x)], &[1.0]);
    let rows = recorded.as_ref().map(Pullback::jacobian);
    let row = recorded.as_ref().map(|p| p.vjp(&[1.0]));
    let swept = earlier.vjp(&[1.0]);
    LARGEST.set(usize::MAX);
    for outcome in [&alone, inner.as_ref().unwrap()] {
        assert!(
            matches!(outcome, Err(Error::OutOfMemory { bytes }) if *bytes > 1 << 20),
            "{outcome:?}"
        );
    }
    assert!(matches!(jacobian, Err(Error::OutOfMemory { .. })));
    assert_eq!(outer, Ok(vec![1001.0]));
    assert!(
        matches!(rows, Ok(Err(Error::OutOfMemory { .. }))),
        "{rows:?}"
    );
    assert_eq!(row.unwrap(), Ok(vec![40_001.0]));
    assert_eq!(swept, Ok(vec![101.0]));
    // With memory again, all is well.
    assert_eq!(gradient(chain(1_000_000), &[1.0]), Ok(vec![1_000_001.0]));
    assert_eq!(recorded.unwrap().jacobian().unwrap()[(0, 0)], 40_001.0);
}
