//! Eigenvalues and singular values: closed forms, perturbation formulas and matrix identities to third order.
//!
//! Sources of the formulas: Kato 1980 (Perturbation theory), §II.2; Giles 2008, §3.1 and §3.2.

mod matrices;

use matrices::{Dual2, Numbers, Parts, assert_close, assert_same_bits};
use nalgebra::{DMatrix, DVector, dmatrix, dvector};
use wengert::Error;
use wengert::linalg::{singular_values, svd, symmetric_eigen, symmetric_eigenvalues};
use wengert::prelude::*;

type Dual3 = Dual<Dual2>;

/// Value and derivatives to order 3 of the lower eigenvalue 3/2 - sqrt(1/4 + a^2) of [[1, a], [a, 2]], and the value of
/// the upper one, whose derivatives have the other sign. From the exact value of the `f64` literal `a`, with 70 digits
/// (Python `decimal`, 2026-11-23).
#[expect(
    clippy::excessive_precision,
    reason = "the digits of the table, not their rounding"
)]
const COUPLINGS: [(f64, [f64; 5]); 4] = [
    (
        1e-3,
        [
            9.99999000000999998e-1,
            2.00000099999900000,
            -1.99999600001200000e-3,
            -1.99998800005999972,
            2.39997600016799904e-2,
        ],
    ),
    (
        1e-8,
        [
            9.99999999999999900e-1,
            2.00000000000000010,
            -1.99999999999999964e-8,
            -1.99999999999999880,
            2.39999999999999765e-7,
        ],
    ),
    (
        1e-17,
        [
            1.0,
            2.0,
            -2.00000000000000014e-17,
            -2.0,
            2.40000000000000017e-16,
        ],
    ),
    (0.0, [1.0, 2.0, 0.0, -2.0, 0.0]),
];

/// A variable of third order along one direction, and the parts of a result: value and three derivatives.
fn third_order_variable(a: f64) -> Dual3 {
    let second = Dual::new(Dual::new(a, 1.0), Dual::from(1.0));
    Dual::new(second, Dual2::from(1.0))
}
fn orders(x: Dual3) -> [f64; 4] {
    [
        x.value.value.value,
        x.value.value.tangent,
        x.value.tangent.tangent,
        x.tangent.tangent.tangent,
    ]
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        found.is_finite() && expected.is_finite(),
        "{found} against {expected}"
    );
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} against {expected}"
    );
}

#[test]
fn coupled_two_by_two_to_third_order() {
    for (coupling, [lower, upper, first, second, third]) in COUPLINGS {
        let a = third_order_variable(coupling);
        let matrix = dmatrix![Dual3::from(1.0), a; a, Dual3::from(2.0)];
        let alone = symmetric_eigenvalues(&matrix).unwrap();
        let with_vectors = symmetric_eigen(&matrix).unwrap();
        for eigenvalues in [alone, with_vectors.eigenvalues] {
            let expected = [
                [lower, first, second, third],
                [upper, -first, -second, -third],
            ];
            for (lambda, expected) in eigenvalues.iter().zip(expected) {
                for (found, expected) in orders(*lambda).into_iter().zip(expected) {
                    assert_near(found, expected, 1e-14);
                }
            }
        }
        // The eigenvectors are a rotation by t with tan 2t = 2a: dt/da = 1/(1 + 4a^2), d2t/da2 = -8a/(1 + 4a^2)^2.
        let x = with_vectors.eigenvectors;
        let sine = x[(1, 0)] * x[(0, 0)].detach().signum();
        let t = 0.5 * (2.0 * coupling).atan();
        let (t1, t2) = (1.0 / (1.0 + 4.0 * coupling * coupling), -8.0 * coupling);
        let [value, first, second, _] = orders(sine);
        assert_near(value, -t.sin(), 1e-15);
        assert_near(first, -t.cos() * t1, 1e-14);
        assert_near(second, t.sin() * t1 * t1 - t.cos() * t2 * t1 * t1, 1e-14);
    }
}

/// The formulas of perturbation theory for a matrix with distinct eigenvalues.
struct Perturbation {
    /// First derivatives of the eigenvalues.
    values: [DMatrix<f64>; 2],
    /// Mixed second derivatives of the eigenvalues.
    mixed: DMatrix<f64>,
    /// First derivatives of the eigenvectors.
    vectors: [DMatrix<f64>; 2],
}

fn perturbation(a: &Parts, lambda: &DVector<f64>, x: &DMatrix<f64>) -> Perturbation {
    let n = lambda.len();
    let project = |direction: &DMatrix<f64>| x.transpose() * direction * x;
    let (p, q, curvature) = (project(&a.first), project(&a.second), project(&a.mixed));
    let rotate = |p: &DMatrix<f64>| {
        x * DMatrix::from_fn(n, n, |i, j| {
            if i == j {
                0.0
            } else {
                p[(i, j)] / (lambda[j] - lambda[i])
            }
        })
    };
    let mixed = DMatrix::from_fn(n, 1, |i, _| {
        let others = (0..n).filter(|j| *j != i);
        curvature[(i, i)]
            + others
                .map(|j| 2.0 * p[(i, j)] * q[(i, j)] / (lambda[i] - lambda[j]))
                .sum::<f64>()
    });
    let diagonal = |p: &DMatrix<f64>| DMatrix::from_fn(n, 1, |i, _| p[(i, i)]);
    Perturbation {
        values: [diagonal(&p), diagonal(&q)],
        mixed,
        vectors: [rotate(&p), rotate(&q)],
    }
}

/// The columns as a matrix, so that the comparisons serve vectors too.
fn column<S: Scalar>(x: &DVector<S>) -> DMatrix<S> {
    DMatrix::from_column_slice(x.len(), 1, x.as_slice())
}

/// Dense, diagonal and banded symmetric matrices with distinct eigenvalues.
fn symmetric_matrices(numbers: &mut Numbers) -> Vec<(String, DMatrix<f64>)> {
    let mut cases = Vec::new();
    for n in [1, 2, 3, 5, 8] {
        let dense = numbers.symmetric(n);
        let diagonal = DMatrix::from_diagonal(&dense.diagonal());
        let band = DMatrix::from_fn(n, n, |i, j| {
            if i.abs_diff(j) < 2 {
                dense[(i, j)]
            } else {
                0.0
            }
        });
        cases.push((format!("dense {n}"), dense));
        cases.push((format!("diagonal {n}"), diagonal));
        cases.push((format!("band {n}"), band));
    }
    cases
}

#[test]
fn eigenvalues_and_vectors_follow_perturbation_theory() {
    let mut numbers = Numbers(11);
    for (name, value) in symmetric_matrices(&mut numbers) {
        let n = value.nrows();
        let a = Parts::symmetric_around(value, &mut numbers);
        let found = symmetric_eigen(&a.carrier()).unwrap();
        let plain = symmetric_eigen(&a.value).unwrap();
        let (lambda, x) = (
            Parts::of(&column(&found.eigenvalues)),
            Parts::of(&found.eigenvectors),
        );
        assert!(plain.eigenvalues.as_slice().is_sorted());
        assert_same_bits(&name, &lambda.value, &column(&plain.eigenvalues));
        assert_same_bits(&name, &x.value, &plain.eigenvectors);
        let reconstructed = &plain.eigenvectors
            * DMatrix::from_diagonal(&plain.eigenvalues)
            * plain.eigenvectors.transpose();
        assert_close(&name, &reconstructed, &a.value, 1e-14);

        let expected = perturbation(&a, &plain.eigenvalues, &plain.eigenvectors);
        assert_close(&name, &lambda.first, &expected.values[0], 1e-12);
        assert_close(&name, &lambda.second, &expected.values[1], 1e-12);
        assert_close(&name, &lambda.mixed, &expected.mixed, 1e-12);
        assert_close(&name, &x.first, &expected.vectors[0], 1e-12);
        assert_close(&name, &x.second, &expected.vectors[1], 1e-12);
        // x^T x = I and a x = x diag(lambda) fix the second order of the vectors.
        let zero = DMatrix::zeros(n, n);
        let mixed = x.value.tr_mul(&x.mixed) + x.first.tr_mul(&x.second);
        assert_close(&name, &(&mixed + mixed.transpose()), &zero, 1e-11);
        let scaled = |x: &DMatrix<f64>, l: &DMatrix<f64>| x * DMatrix::from_diagonal(&l.column(0));
        let left =
            &a.mixed * &x.value + &a.first * &x.second + &a.second * &x.first + &a.value * &x.mixed;
        let right = scaled(&x.mixed, &lambda.value)
            + scaled(&x.first, &lambda.second)
            + scaled(&x.second, &lambda.first)
            + scaled(&x.value, &lambda.mixed);
        let largest = x.mixed.amax().max(1.0);
        assert_close(&name, &(left / largest), &(right / largest), 1e-12);

        let alone = Parts::of(&column(&symmetric_eigenvalues(&a.carrier()).unwrap()));
        assert_same_bits(&name, &alone.value, &lambda.value);
        assert_close(&name, &alone.first, &expected.values[0], 1e-12);
        assert_close(&name, &alone.mixed, &expected.mixed, 1e-12);
    }
}

/// Only the symmetric part counts, for values and derivatives.
#[test]
fn the_symmetric_part_is_read() {
    let (one, two) = (Dual::from(1.0), Dual::from(2.0));
    let lower = dmatrix![one, Dual::from(0.5); Dual::new(0.5, 1.0), two];
    let upper = lower.transpose();
    let both = dmatrix![one, Dual::new(0.5, 0.5); Dual::new(0.5, 0.5), two];
    let expected = symmetric_eigen(&both).unwrap();
    // The slope b / sqrt(1/4 + b^2) of the eigenvalue at b = 1/2, half of it from either triangle.
    assert_near(expected.eigenvalues[1].tangent, 0.5 * 0.5_f64.sqrt(), 1e-15);
    for a in [lower, upper] {
        let found = symmetric_eigen(&a).unwrap();
        for (found, expected) in found.eigenvalues.iter().zip(&expected.eigenvalues) {
            assert_eq!(
                (found.value, found.tangent),
                (expected.value, expected.tangent)
            );
        }
    }
}

/// Equal eigenvalues, obvious and hidden by a rotation: refused with the gap on carriers, returned on `f64`.
#[test]
fn repeated_eigenvalues_are_refused() {
    let identity = DMatrix::<f64>::identity(3, 3);
    let mut numbers = Numbers(12);
    let q = numbers.matrix(5, 5).qr().q();
    let hidden = &q * DMatrix::from_diagonal(&dvector![1.0, 3.0, 3.0, 3.0, -7.0]) * q.transpose();
    for a in [identity, hidden, DMatrix::zeros(2, 2)] {
        assert_eq!(symmetric_eigen(&a).unwrap().eigenvalues.len(), a.nrows());
        let carrier = a.map(Dual::<f64>::from);
        let Err(Error::RepeatedEigenvalue { gap }) = symmetric_eigen(&carrier) else {
            panic!("eigenvectors of coinciding eigenvalues")
        };
        assert!((0.0..1e-13).contains(&gap), "{gap}");
        assert_eq!(
            symmetric_eigenvalues(&carrier),
            Err(Error::RepeatedEigenvalue { gap })
        );
    }
    let close = dmatrix![1.0, 0.0; 0.0, 1.0 + 1e-12].map(Dual::<f64>::from);
    assert!(symmetric_eigen(&close).is_ok());
}

#[test]
fn unusual_shapes_and_values() {
    let empty = DMatrix::<Dual<f64>>::zeros(0, 0);
    assert_eq!(symmetric_eigen(&empty).unwrap().eigenvalues.len(), 0);
    assert_eq!(symmetric_eigenvalues(&empty).unwrap().len(), 0);
    let wide = DMatrix::<Dual<f64>>::zeros(2, 3);
    let mismatch = Error::ShapeMismatch {
        what: "a row of the matrix",
        expected: 2,
        found: 3,
    };
    assert_eq!(symmetric_eigen(&wide).unwrap_err(), mismatch);
    assert_eq!(symmetric_eigenvalues(&wide).unwrap_err(), mismatch);
    for (m, n) in [(0, 0), (0, 3), (3, 0)] {
        let s = svd(&DMatrix::<Dual<f64>>::zeros(m, n)).unwrap();
        assert_eq!(
            (s.u.shape(), s.singular_values.len(), s.v_t.shape()),
            ((m, 0), 0, (0, n))
        );
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let a = dmatrix![1.0, bad; 0.0, 1.0];
        for error in [symmetric_eigen(&a).unwrap_err(), svd(&a).unwrap_err()] {
            let Error::NotFinite {
                what: "matrix",
                index: 2,
                value,
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!(value.to_bits(), bad.to_bits());
        }
    }
    // Magnitudes at which squares over- and underflow.
    for scale in [1e200, 1e-200] {
        let a = dmatrix![1.0, 0.5; 0.5, 2.0] * scale;
        let mut carrier = a.map(Dual::<f64>::from);
        carrier[(0, 0)].tangent = scale;
        let slope = 0.5 - 0.5 / 2.0_f64.sqrt();
        let eigen = symmetric_eigen(&carrier).unwrap();
        assert_near(eigen.eigenvalues[1].tangent / scale, slope, 1e-14);
        assert_near(
            svd(&carrier).unwrap().singular_values[0].tangent / scale,
            slope,
            1e-14,
        );
    }
}

/// Square, tall and wide matrices with distinct singular values.
fn rectangular_matrices(numbers: &mut Numbers) -> Vec<(String, DMatrix<f64>)> {
    let mut cases = Vec::new();
    for (m, n) in [
        (1, 1),
        (2, 2),
        (3, 2),
        (2, 3),
        (5, 3),
        (3, 6),
        (4, 4),
        (4, 1),
    ] {
        let dense = numbers.matrix(m, n);
        let diagonal = DMatrix::from_fn(m, n, |i, j| if i == j { dense[(i, i)] } else { 0.0 });
        cases.push((format!("diagonal {m}x{n}"), diagonal));
        cases.push((format!("dense {m}x{n}"), dense));
    }
    cases
}

#[test]
fn singular_values_and_vectors_differentiate_twice() {
    let mut numbers = Numbers(13);
    for (name, value) in rectangular_matrices(&mut numbers) {
        let a = Parts::random_around(value, &mut numbers);
        let p = a.value.nrows().min(a.value.ncols());
        let found = svd(&a.carrier()).unwrap();
        let plain = svd(&a.value).unwrap();
        let sigma = Parts::of(&column(&found.singular_values));
        let (u, v_t) = (Parts::of(&found.u), Parts::of(&found.v_t));
        assert!(plain.singular_values.iter().rev().is_sorted());
        assert_same_bits(&name, &sigma.value, &column(&plain.singular_values));
        assert_same_bits(&name, &u.value, &plain.u);
        assert_same_bits(&name, &v_t.value, &plain.v_t);

        // d sigma = u^T da v; the thin factors are fixed by the product and by orthonormality, all parts.
        let rule = |da: &DMatrix<f64>| {
            let projected = plain.u.transpose() * da * plain.v_t.transpose();
            DMatrix::from_fn(p, 1, |i, _| projected[(i, i)])
        };
        assert_close(&name, &sigma.first, &rule(&a.first), 1e-12);
        assert_close(&name, &sigma.second, &rule(&a.second), 1e-12);
        let times = |x: [&DMatrix<f64>; 3]| x[0] * DMatrix::from_diagonal(&x[1].column(0)) * x[2];
        let first = times([&u.first, &sigma.value, &v_t.value])
            + times([&u.value, &sigma.first, &v_t.value])
            + times([&u.value, &sigma.value, &v_t.first]);
        assert_close(&name, &first, &a.first, 1e-12);
        let mixed = times([&u.mixed, &sigma.value, &v_t.value])
            + times([&u.value, &sigma.mixed, &v_t.value])
            + times([&u.value, &sigma.value, &v_t.mixed])
            + times([&u.first, &sigma.second, &v_t.value])
            + times([&u.second, &sigma.first, &v_t.value])
            + times([&u.first, &sigma.value, &v_t.second])
            + times([&u.second, &sigma.value, &v_t.first])
            + times([&u.value, &sigma.first, &v_t.second])
            + times([&u.value, &sigma.second, &v_t.first]);
        let largest = u.mixed.amax().max(v_t.mixed.amax()).max(1.0);
        assert_close(&name, &(mixed / largest), &(&a.mixed / largest), 1e-12);
        let zero = DMatrix::zeros(p, p);
        let transposed = |x: &Parts| Parts {
            value: x.value.transpose(),
            first: x.first.transpose(),
            second: x.second.transpose(),
            mixed: x.mixed.transpose(),
        };
        for x in [u, transposed(&v_t)] {
            let first = x.value.tr_mul(&x.first);
            assert_close(&name, &(&first + first.transpose()), &zero, 1e-12);
            let mixed = x.value.tr_mul(&x.mixed) + x.first.tr_mul(&x.second);
            let largest = x.mixed.amax().max(1.0);
            // Rounding of a 4 by 4 matrix with close singular values reaches 1.4e-12.
            assert_close(
                &name,
                &((&mixed + mixed.transpose()) / largest),
                &zero,
                4e-12,
            );
        }

        let alone = Parts::of(&column(&singular_values(&a.carrier()).unwrap()));
        assert_same_bits(&name, &alone.value, &sigma.value);
        assert_close(&name, &alone.first, &sigma.first, 1e-12);
        assert_close(&name, &alone.mixed, &sigma.mixed, 1e-10);
    }
}

/// The singular values of [[1, a], [0, 2]]: their squares sum to 5 + a^2, their product is 2, for every `a`; so
/// (s1 +- s2)^2 = 5 + a^2 +- 4.
#[test]
fn coupled_singular_values_to_third_order() {
    for coupling in [0.5, 1e-3, 1e-8, 1e-17, 0.0] {
        let a = third_order_variable(coupling);
        let zero = Dual3::from(0.0);
        let sum = (a * a + 9.0).sqrt();
        let difference = (a * a + 1.0).sqrt();
        let expected = [(sum + difference) * 0.5, (sum - difference) * 0.5];
        let square = dmatrix![Dual3::from(1.0), a; zero, Dual3::from(2.0)];
        let tall = square.clone().insert_row(1, zero);
        let wide = square.transpose().insert_column(2, zero);
        for matrix in [square, tall, wide] {
            let alone = singular_values(&matrix).unwrap();
            for found in [alone, svd(&matrix).unwrap().singular_values] {
                for (found, expected) in found.iter().zip(expected) {
                    for (found, expected) in orders(*found).into_iter().zip(orders(expected)) {
                        assert_near(found, expected, 1e-14);
                    }
                }
            }
        }
    }
}

#[test]
fn repeated_and_zero_singular_values_are_refused() {
    let equal = dmatrix![0.0, 2.0; -2.0, 0.0; 0.0, 0.0];
    let singular = dmatrix![1.0, 2.0; 2.0, 4.0];
    for a in [equal, singular] {
        assert_eq!(svd(&a).unwrap().singular_values.len(), 2);
        for a in [a.clone(), a.transpose()] {
            let carrier = a.map(Dual::<f64>::from);
            let Err(Error::RepeatedEigenvalue { gap }) = svd(&carrier) else {
                panic!("singular vectors of coinciding singular values")
            };
            assert!((0.0..1e-14).contains(&gap), "{gap}");
            assert_eq!(
                singular_values(&carrier),
                Err(Error::RepeatedEigenvalue { gap })
            );
        }
    }
}

/// Why the drivers exist: nalgebra's own iteration on carriers drops a coupling that is zero by value. If this fails,
/// nalgebra got better; the warning in the docs can go.
#[test]
fn nalgebra_iterates_wrongly_on_carriers() {
    let a = Dual::new(Dual::new(0.0, 1.0), Dual::from(1.0));
    let matrix = dmatrix![Dual2::from(1.0), a; a, Dual2::from(2.0)];
    let wrong = matrix.clone().symmetric_eigenvalues();
    let right = symmetric_eigenvalues(&matrix).unwrap();
    let second = |x: &DVector<Dual2>| x.map(|x| x.tangent.tangent);
    assert_eq!(second(&right), dvector![-2.0, 2.0]);
    assert_ne!(second(&wrong).map(f64::abs), dvector![2.0, 2.0]);
}

/// Eight directions at once give the gradient of an eigenvalue, which is the outer product of its vector.
#[test]
fn lanes_give_the_gradient_of_an_eigenvalue() {
    let value = Numbers(14).symmetric(3);
    let a = DMatrix::from_fn(3, 3, |i, j| {
        Lanes::<f64, 9>::variable(value[(i, j)], 3 * i + j)
    });
    let eigen = symmetric_eigen(&a).unwrap();
    for (k, lambda) in eigen.eigenvalues.iter().enumerate() {
        let x = eigen.eigenvectors.column(k).map(|x| x.value);
        let gradient = DMatrix::from_row_slice(3, 3, &lambda.tangents);
        assert_close("gradient", &gradient, &(&x * x.transpose()), 1e-14);
    }
}

/// The tape sees the same rules: gradients by reverse mode, second order by reverse over forward.
#[test]
fn reverse_mode_gives_the_same_derivatives() {
    let value = Numbers(15).symmetric(4);
    let (n, last) = (value.nrows(), value.nrows() - 1);
    let plain = symmetric_eigen(&value).unwrap();
    let x = plain.eigenvectors.column(last);
    let largest =
        |a: &[Var<f64>]| symmetric_eigenvalues(&DMatrix::from_row_slice(n, n, a)).unwrap()[last];
    let entries = value.transpose();
    let found = gradient(largest, entries.as_slice()).unwrap();
    assert_close(
        "gradient",
        &DMatrix::from_row_slice(n, n, &found),
        &(x * x.transpose()),
        1e-14,
    );

    // The Hessian along e = e^T twice is 2 sum (x_j^T e x)^2 / (lambda - lambda_j).
    let direction = Numbers(16).symmetric(n);
    let seeded: Vec<Dual<f64>> = entries
        .iter()
        .zip(direction.transpose().iter())
        .map(|(a, e)| Dual::new(*a, *e))
        .collect();
    let found = gradient(
        |a: &[Var<Dual<f64>>]| {
            symmetric_eigen(&DMatrix::from_row_slice(n, n, a))
                .unwrap()
                .eigenvalues[last]
        },
        &seeded,
    )
    .unwrap();
    let along: f64 = found
        .iter()
        .zip(&seeded)
        .map(|(g, a)| g.tangent * a.tangent)
        .sum();
    let coupling = plain.eigenvectors.transpose() * direction * x;
    let expected: f64 = (0..last)
        .map(|j| 2.0 * coupling[j].powi(2) / (plain.eigenvalues[last] - plain.eigenvalues[j]))
        .sum();
    assert_near(along, expected, 1e-12);

    let spectral_norm = |a: &[Var<f64>]| {
        svd(&DMatrix::from_row_slice(2, 3, a))
            .unwrap()
            .singular_values[0]
    };
    let a = Numbers(17).matrix(2, 3);
    let found = gradient(spectral_norm, a.transpose().as_slice()).unwrap();
    let plain = svd(&a).unwrap();
    let expected = plain.u.column(0) * plain.v_t.row(0);
    assert_close(
        "spectral norm",
        &DMatrix::from_row_slice(2, 3, &found),
        &expected,
        1e-14,
    );
}
