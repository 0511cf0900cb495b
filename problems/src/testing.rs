//! What the tests of several problems need.
//!
//! Invariant: nothing here is compiled into the library.
//! Source: none.

use nalgebra::{DMatrix, DVector};
use wengert::{Function, Mode, jacobian};

/// Compares the Jacobians of both modes, to 1e-12 of the largest entry of each row, and returns it.
pub(crate) fn assert_modes_agree<F: Function + Sync>(f: &F, x: &[f64]) -> DMatrix<f64> {
    let forward = jacobian(f, x, Mode::Forward).unwrap();
    let reverse = jacobian(f, x, Mode::Reverse).unwrap();
    assert_eq!(forward.shape(), (f.outputs(x.len()), x.len()));
    for (i, (forward, reverse)) in forward.row_iter().zip(reverse.row_iter()).enumerate() {
        let (difference, size) = ((forward - reverse).amax(), forward.amax());
        assert!(
            difference <= 1e-12 * size,
            "row {i}: {difference} of {size}"
        );
    }
    forward
}

/// Newton's method from `x` for positive or any unknowns: a step that changes a sign is shortened.
pub(crate) fn newton<F: Function + Sync>(f: &F, x: &[f64]) -> Vec<f64> {
    let mut x = DVector::from_column_slice(x);
    for _ in 0..200 {
        let mut y = DVector::zeros(x.len());
        f.eval(x.as_slice(), y.as_mut_slice());
        let j = jacobian(f, x.as_slice(), Mode::Forward).unwrap();
        let step = j.lu().solve(&y).expect("the Jacobian is regular");
        if step.amax() < 1e-15 * x.amax() {
            break;
        }
        let positive = x.iter().all(|x| *x > 0.0);
        let mut length = 1.0;
        while positive && (&x - &step * length).iter().any(|x| *x <= 0.0) {
            length *= 0.5;
        }
        x -= step * length;
    }
    x.as_slice().to_vec()
}
