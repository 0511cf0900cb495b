//! Shared by the integration tests: comparison helpers, modes, and the list of all operations.
//!
//! Invariant: a test reaches carriers only through [`Mode`]; a new carrier or driver is added in `for_each_mode` below
//! and nowhere else.

// Every test binary includes this module and uses its own part of it.
#![allow(dead_code, unused_imports, unreachable_pub)]

pub mod modes;
pub mod operations;
pub mod programs;

pub use modes::{Mode, Visitor, for_each_mode, for_each_num_dual_mode};
pub use operations::{Apply, apply, operations};

/// A generic function as an object: `generic!(|x| x[0].sin())`, or with one constant `generic!(|x| c: f64 = 0.5; ...)`.
#[macro_export]
macro_rules! generic {
    (|$x:ident| $body:expr) => {{
        #[derive(Clone, Copy)]
        struct Object;
        impl wengert::ScalarFunction for Object {
            fn call<S: wengert::Scalar>(&self, $x: &[S]) -> S {
                $body
            }
        }
        Object
    }};
    (|$x:ident| $c:ident: $ty:ty = $value:expr; $body:expr) => {{
        #[derive(Clone, Copy)]
        struct Object($ty);
        impl wengert::ScalarFunction for Object {
            fn call<S: wengert::Scalar>(&self, $x: &[S]) -> S {
                let $c = self.0;
                $body
            }
        }
        Object($value)
    }};
}

/// Whether two numbers are the same: equal, or both NaN; the sign of zero does not count (rule t5).
pub fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Whether two values have the same bits, where all NaN are one.
pub fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Fails unless the numbers are the same.
#[track_caller]
pub fn assert_same(found: f64, expected: f64, context: impl Fn() -> String) {
    assert!(
        same(found, expected),
        "{}: found {found:e}, expected {expected:e}",
        context()
    );
}

/// The distance of two numbers in units of `scale * 2^-52`; infinite if exactly one of them is finite (rule t5).
pub fn ulps(found: f64, expected: f64, scale: f64) -> f64 {
    if same(found, expected) {
        return 0.0;
    }
    if !found.is_finite() || !expected.is_finite() {
        return f64::INFINITY;
    }
    // A subnormal result has the absolute spacing of the smallest normal number.
    (found - expected).abs() / (scale.abs().max(f64::MIN_POSITIVE) * f64::EPSILON)
}
