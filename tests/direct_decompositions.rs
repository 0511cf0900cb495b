//! nalgebra's direct decompositions of matrices of carriers: values bit for bit, derivatives by matrix identities.
//!
//! The identities hold for the exact factors and determine their derivatives uniquely, so agreement with them is
//! independent of how nalgebra computes. Source: Giles 2008 (Collected matrix derivative results), §2 and §3.

mod matrices;

use matrices::{Dual2, Numbers, Parts, assert_close, assert_same_bits};
use nalgebra::{DMatrix, dmatrix};
use wengert::Error;
use wengert::linalg::determinant;
use wengert::prelude::*;

const TOLERANCE: f64 = 1e-11;

/// Square matrices: dense ones, and ones with exact zeros below, on or above the diagonal.
fn square_matrices(numbers: &mut Numbers) -> Vec<(String, DMatrix<f64>)> {
    let mut cases = Vec::new();
    for n in [1, 2, 3, 4, 5, 6] {
        let dense = numbers.matrix(n, n) + DMatrix::from_diagonal_element(n, n, 0.5);
        let shifted = &dense + DMatrix::from_diagonal_element(n, n, 2.0);
        cases.push((format!("upper triangular {n}"), shifted.upper_triangle()));
        cases.push((format!("lower triangular {n}"), shifted.lower_triangle()));
        cases.push((
            format!("diagonal {n}"),
            DMatrix::from_diagonal(&shifted.diagonal()),
        ));
        cases.push((format!("identity {n}"), DMatrix::identity(n, n)));
        cases.push((format!("negative identity {n}"), -DMatrix::identity(n, n)));
        cases.push((format!("dense {n}"), dense));
    }
    cases.push(("exchange".into(), dmatrix![0.0, 1.0; 1.0, 0.0]));
    cases.push((
        "cyclic".into(),
        dmatrix![0.0, 0.0, 1.0; 1.0, 0.0, 0.0; 0.0, 1.0, 0.0],
    ));
    cases.push((
        "zero corner".into(),
        dmatrix![0.0, 2.0, 1.0; 0.0, 1.0, 3.0; -2.0, 0.0, 1.0],
    ));
    cases.push(("negative zero".into(), dmatrix![-0.0, 2.0; 1.0, -0.0]));
    cases
}

/// First derivatives and the mixed second derivative of the inverse.
fn inverse_parts(a: &Parts) -> Parts {
    let value = a.value.clone().try_inverse().unwrap();
    let (p, q) = (&a.first * &value, &a.second * &value);
    Parts {
        first: -(&value * &p),
        second: -(&value * &q),
        mixed: &value * (&p * &q + &q * &p - &a.mixed * &value),
        value,
    }
}

#[test]
fn inverse_and_solve_differentiate_twice() {
    let mut numbers = Numbers(1);
    for (name, value) in square_matrices(&mut numbers) {
        let n = value.nrows();
        let a = Parts::random_around(value, &mut numbers);
        let expected = inverse_parts(&a);
        let carrier = a.carrier();

        let inverse = Parts::of(&carrier.clone().try_inverse().unwrap());
        assert_same_bits(&name, &inverse.value, &expected.value);
        assert_close(&name, &inverse.first, &expected.first, TOLERANCE);
        assert_close(&name, &inverse.second, &expected.second, TOLERANCE);
        assert_close(&name, &inverse.mixed, &expected.mixed, TOLERANCE);

        let b = numbers.matrix(n, 2);
        let lifted = b.map(Dual2::from);
        let by_lu = Parts::of(&carrier.clone().lu().solve(&lifted).unwrap());
        assert_same_bits(
            &name,
            &by_lu.value,
            &a.value.clone().lu().solve(&b).unwrap(),
        );
        let by_qr = Parts::of(&carrier.clone().qr().solve(&lifted).unwrap());
        assert_same_bits(
            &name,
            &by_qr.value,
            &a.value.clone().qr().solve(&b).unwrap(),
        );
        for x in [by_lu, by_qr] {
            assert_close(&name, &x.first, &(&expected.first * &b), TOLERANCE);
            assert_close(&name, &x.second, &(&expected.second * &b), TOLERANCE);
            assert_close(&name, &x.mixed, &(&expected.mixed * &b), TOLERANCE);
        }
    }
}

#[test]
fn lu_factors_differentiate_twice() {
    let mut numbers = Numbers(2);
    for (name, value) in square_matrices(&mut numbers) {
        let a = Parts::random_around(value, &mut numbers);
        let (p, l, u) = a.carrier().lu().unpack();
        let (plain_p, plain_l, plain_u) = a.value.clone().lu().unpack();
        assert_eq!(p.len(), plain_p.len());
        let (l, u) = (Parts::of(&l), Parts::of(&u));
        assert_same_bits(&name, &l.value, &plain_l);
        assert_same_bits(&name, &u.value, &plain_u);
        // The triangular shape of the factors and their product determine them.
        let mut permuted = Parts {
            value: a.value.clone(),
            first: a.first.clone(),
            second: a.second.clone(),
            mixed: a.mixed.clone(),
        };
        for part in [
            &mut permuted.first,
            &mut permuted.second,
            &mut permuted.mixed,
        ] {
            plain_p.permute_rows(part);
        }
        for part in [&l.first, &l.second, &l.mixed] {
            assert_close(&name, part, &part.lower_triangle(), 0.0);
            assert!(part.diagonal().iter().all(|x| *x == 0.0));
        }
        for part in [&u.first, &u.second, &u.mixed] {
            assert_close(&name, part, &part.upper_triangle(), 0.0);
        }
        let first = &l.first * &u.value + &l.value * &u.first;
        let second = &l.second * &u.value + &l.value * &u.second;
        let mixed =
            &l.mixed * &u.value + &l.first * &u.second + &l.second * &u.first + &l.value * &u.mixed;
        assert_close(&name, &first, &permuted.first, TOLERANCE);
        assert_close(&name, &second, &permuted.second, TOLERANCE);
        assert_close(&name, &mixed, &permuted.mixed, 1e-9);
    }
}

#[test]
fn determinant_differentiates_twice() {
    let mut numbers = Numbers(3);
    for (name, value) in square_matrices(&mut numbers) {
        let a = Parts::random_around(value, &mut numbers);
        let det = a.carrier().determinant();
        let plain = a.value.determinant();
        assert_eq!(det.value.value.to_bits(), plain.to_bits(), "{name}");
        let inverse = a.value.clone().try_inverse().unwrap();
        let (p, q) = (&inverse * &a.first, &inverse * &a.second);
        let mixed = p.trace() * q.trace() - (&p * &q).trace() + (&inverse * &a.mixed).trace();
        let expected = dmatrix![plain * p.trace(), plain * q.trace(), plain * mixed];
        let found =
            |det: Dual2| dmatrix![det.value.tangent, det.tangent.value, det.tangent.tangent];
        assert_close(&name, &found(det), &expected, TOLERANCE);

        let ours = determinant(&a.carrier()).unwrap();
        assert_eq!(
            ours.value.value.to_bits(),
            determinant(&a.value).unwrap().to_bits(),
            "{name}"
        );
        assert_close(&name, &dmatrix![ours.value.value], &dmatrix![plain], 1e-14);
        assert_close(&name, &found(ours), &expected, TOLERANCE);
    }
}

/// The adjugate gives the derivative where there is no inverse: closed form of order 3 and less, exact zeros included.
#[test]
fn determinant_of_a_singular_matrix() {
    let rank_one = dmatrix![1.0, 2.0, 0.0; 2.0, 4.0, 0.0; 0.0, 0.0, 0.0];
    // d det / d a33 = 1 * 4 - 2 * 2 = 0; d2 det / da22 da33 = a11.
    let mut a = rank_one.map(Dual2::from);
    a[(1, 1)].value.tangent = 1.0;
    a[(2, 2)].tangent.value = 1.0;
    let det = a.determinant();
    assert_eq!(
        (det.value.value, det.value.tangent, det.tangent.value),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(det.tangent.tangent, 1.0);
}

/// Today's behaviour of nalgebra, and wrong: elimination skips a column that is zero by value. The determinant of the
/// trailing block [[a, 1], [b, 2]] is 2 a - b, but the derivative for b is lost.
#[test]
fn determinant_of_a_singular_matrix_of_order_four_loses_a_derivative() {
    let mut a = DMatrix::<Dual<f64>>::identity(4, 4);
    a[(2, 2)] = Dual::new(0.0, 0.0);
    a[(2, 3)] = Dual::from(1.0);
    a[(3, 2)] = Dual::new(0.0, 1.0);
    a[(3, 3)] = Dual::from(2.0);
    assert_eq!(
        a.determinant().tangent,
        0.0,
        "if this is -1, nalgebra got better: change the docs"
    );
    let block = a.view((2, 2), (2, 2)).clone_owned();
    assert_eq!(block.determinant().tangent, -1.0);
}

/// With a = u diag(s, 0) v^T, the determinant of a + e is det(u) det(v) prod(s) times that of the block of u^T e v that
/// belongs to the zeros, to the lowest order that does not vanish.
#[test]
fn determinant_driver_differentiates_at_every_rank() {
    let mut numbers = Numbers(7);
    for n in [1, 2, 3, 4, 5, 7] {
        let (u, v) = (numbers.matrix(n, n).qr().q(), numbers.matrix(n, n).qr().q());
        let orientation = u.determinant() * v.determinant();
        for rank in [n - 1, n.saturating_sub(2)] {
            let s = DMatrix::from_fn(n, n, |i, j| {
                if i == j && i < rank {
                    0.5 + numbers.next().abs()
                } else {
                    0.0
                }
            });
            let scale = orientation * s.diagonal().rows(0, rank).product();
            let a = Parts::random_around(&u * &s * v.transpose(), &mut numbers);
            let det = determinant(&a.carrier()).unwrap();
            let plain = determinant(&a.value).unwrap();
            assert_eq!(det.value.value.to_bits(), plain.to_bits());
            let zeros = n - rank;
            let block = |e: &DMatrix<f64>| {
                (u.transpose() * e * &v)
                    .view((rank, rank), (zeros, zeros))
                    .clone_owned()
            };
            let (p, q) = (block(&a.first), block(&a.second));
            let found = dmatrix![plain, det.value.tangent, det.tangent.value];
            if zeros == 1 {
                let expected = dmatrix![0.0, scale * p[(0, 0)], scale * q[(0, 0)]];
                assert_close("rank n - 1", &found, &expected, 1e-14);
            } else {
                let mixed = p[(0, 0)] * q[(1, 1)] + p[(1, 1)] * q[(0, 0)]
                    - p[(0, 1)] * q[(1, 0)]
                    - p[(1, 0)] * q[(0, 1)];
                assert_close("rank n - 2", &found, &dmatrix![0.0, 0.0, 0.0], 1e-14);
                let found = dmatrix![det.tangent.tangent];
                assert_close("rank n - 2", &found, &dmatrix![scale * mixed], 1e-13);
            }
        }
    }
    // Of the zero matrix only the derivative of order n is left: of I e^3 / 3! three times along e.
    type Dual3 = Dual<Dual2>;
    let one = Dual::new(Dual::new(0.0, 1.0), Dual::from(1.0));
    let e = Dual3::new(one, Dual2::from(1.0));
    let scaled = DMatrix::from_diagonal_element(3, 3, e);
    assert_eq!(determinant(&scaled).unwrap().tangent.tangent.tangent, 6.0);
    assert_eq!(determinant(&DMatrix::<f64>::zeros(0, 0)), Ok(1.0));
    assert_eq!(determinant(&DMatrix::<f64>::zeros(5, 5)), Ok(0.0));
    let wide = DMatrix::<f64>::zeros(2, 3);
    let mismatch = Error::ShapeMismatch {
        what: "a row of the matrix",
        expected: 2,
        found: 3,
    };
    assert_eq!(determinant(&wide), Err(mismatch));
}

/// The lower triangle with half the diagonal.
fn half_lower(mut a: DMatrix<f64>) -> DMatrix<f64> {
    a.fill_upper_triangle(0.0, 1);
    for i in 0..a.nrows() {
        a[(i, i)] *= 0.5;
    }
    a
}

#[test]
fn cholesky_differentiates_twice() {
    let mut numbers = Numbers(4);
    for (name, root) in square_matrices(&mut numbers) {
        let a = Parts::symmetric_around(&root * root.transpose(), &mut numbers);
        let decomposition = a.carrier().cholesky().unwrap();
        let found = Parts::of(&decomposition.l());
        let l = a.value.clone().cholesky().unwrap().l();
        assert_same_bits(&name, &found.value, &l);
        let inverse = l.clone().try_inverse().unwrap();
        let rule = |da: &DMatrix<f64>| &l * half_lower(&inverse * da * inverse.transpose());
        let (first, second) = (rule(&a.first), rule(&a.second));
        let cross = &first * second.transpose();
        let mixed = rule(&(&a.mixed - &cross - cross.transpose()));
        assert_close(&name, &found.first, &first, 1e-10);
        assert_close(&name, &found.second, &second, 1e-10);
        assert_close(&name, &found.mixed, &mixed, 1e-8);

        let x = Parts::of(&decomposition.inverse());
        let expected = inverse_parts(&a);
        assert_close(&name, &x.first, &expected.first, 1e-9);
        assert_close(&name, &x.mixed, &expected.mixed, 1e-7);
    }
}

/// Tall and square matrices of full rank, with exact zeros everywhere below the diagonal or in the corner.
fn full_rank_matrices(numbers: &mut Numbers) -> Vec<(String, DMatrix<f64>)> {
    let mut cases = square_matrices(numbers);
    for (m, n) in [(3, 2), (5, 3), (4, 1)] {
        let dense = numbers.matrix(m, n);
        let shifted = DMatrix::from_fn(m, n, |i, j| dense[(i, j)] + if i == j { 2.0 } else { 0.0 });
        cases.push((
            format!("upper trapezoidal {m}x{n}"),
            shifted.upper_triangle(),
        ));
        cases.push((format!("identity {m}x{n}"), DMatrix::identity(m, n)));
        cases.push((format!("dense {m}x{n}"), dense));
    }
    cases.push((
        "last rows only".into(),
        dmatrix![0.0, 0.0; 0.0, 0.0; 1.0, 2.0; 3.0, -1.0],
    ));
    cases
}

/// `a = q r` with all parts, `q^T q = I` with all derivative parts zero, `r` upper triangular: the factors are unique.
#[test]
fn qr_differentiates_twice() {
    let mut numbers = Numbers(5);
    for (name, value) in full_rank_matrices(&mut numbers) {
        let n = value.ncols();
        let a = Parts::random_around(value, &mut numbers);
        let (q, r) = a.carrier().qr().unpack();
        let (plain_q, plain_r) = a.value.clone().qr().unpack();
        let (q, r) = (Parts::of(&q), Parts::of(&r));
        assert_same_bits(&name, &q.value, &plain_q);
        assert_same_bits(&name, &r.value, &plain_r);

        for part in [&r.first, &r.second, &r.mixed] {
            assert_close(&name, part, &part.upper_triangle(), 0.0);
        }
        let first = &q.first * &r.value + &q.value * &r.first;
        let second = &q.second * &r.value + &q.value * &r.second;
        let mixed =
            &q.mixed * &r.value + &q.first * &r.second + &q.second * &r.first + &q.value * &r.mixed;
        assert_close(&name, &first, &a.first, TOLERANCE);
        assert_close(&name, &second, &a.second, TOLERANCE);
        assert_close(&name, &mixed, &a.mixed, 1e-9);
        let zero = DMatrix::zeros(n, n);
        let first = q.value.tr_mul(&q.first);
        let second = q.value.tr_mul(&q.second);
        let mixed = q.value.tr_mul(&q.mixed) + q.first.tr_mul(&q.second);
        assert_close(&name, &(&first + first.transpose()), &zero, TOLERANCE);
        assert_close(&name, &(&second + second.transpose()), &zero, TOLERANCE);
        assert_close(&name, &(&mixed + mixed.transpose()), &zero, 1e-9);

        // The closed form of the first order, written with the skew part of q^T dq.
        let inverse = plain_r.clone().try_inverse().unwrap();
        let c = plain_q.tr_mul(&a.first) * &inverse;
        let strict = DMatrix::from_fn(n, n, |i, j| if i > j { c[(i, j)] } else { 0.0 });
        let skew = &strict - strict.transpose();
        let outside = &a.first - &plain_q * plain_q.tr_mul(&a.first);
        assert_close(
            &name,
            &q.first,
            &(&plain_q * &skew + outside * &inverse),
            TOLERANCE,
        );
        assert_close(&name, &r.first, &((c - skew) * &plain_r), TOLERANCE);
    }
}

/// Linearly dependent columns: `r` has a kink, so its derivative is NaN, and the value that of `f64`.
#[test]
fn qr_of_dependent_columns_is_loud() {
    let a = dmatrix![1.0, 2.0; 0.0, 0.0];
    let mut carrier = a.map(Dual::<f64>::from);
    carrier[(1, 1)].tangent = 1.0;
    let r = carrier.qr().r();
    assert_same_bits("value", &r.map(|x| x.value), &a.qr().r());
    assert!(r[(1, 1)].tangent.is_nan());
    assert_eq!((r[(0, 0)].tangent, r[(0, 1)].tangent), (0.0, 0.0));
}

#[test]
fn singular_matrices_are_refused_as_on_f64() {
    let a = dmatrix![1.0, 2.0; 2.0, 4.0].map(Dual::<f64>::from);
    assert!(a.clone().try_inverse().is_none());
    assert!(a.clone().lu().solve(&a).is_none());
    assert!(a.cholesky().is_none());
}

/// Many lanes in one decomposition: one column of the Jacobian of the inverse per lane.
#[test]
fn lanes_decompose_as_duals_do() {
    let mut numbers = Numbers(6);
    let value = numbers.matrix(3, 3);
    let directions = [numbers.matrix(3, 3), numbers.matrix(3, 3)];
    let a = DMatrix::from_fn(3, 3, |i, j| {
        Lanes::new(
            value[(i, j)],
            [directions[0][(i, j)], directions[1][(i, j)]],
        )
    });
    let inverse = a.lu().try_inverse().unwrap();
    let plain = value.lu().try_inverse().unwrap();
    assert_same_bits("value", &inverse.map(|x| x.value), &plain);
    for (lane, direction) in directions.iter().enumerate() {
        let expected = -(&plain * direction * &plain);
        assert_close(
            "lane",
            &inverse.map(|x| x.tangents[lane]),
            &expected,
            TOLERANCE,
        );
    }
}

/// On the tape: d det = det a^-T, and the gradient of b^T a^-1 b through each solver.
#[test]
fn reverse_mode_runs_through_the_solvers() {
    let mut numbers = Numbers(8);
    let root = numbers.matrix(4, 4) + DMatrix::from_diagonal_element(4, 4, 2.0);
    let a = &root * root.transpose();
    let (entries, inverse) = (a.transpose(), a.clone().try_inverse().unwrap());
    let det = |a: &[Var<f64>]| DMatrix::from_row_slice(4, 4, a).determinant();
    let found = DMatrix::from_row_slice(4, 4, &gradient(det, entries.as_slice()).unwrap());
    assert_close(
        "det",
        &found,
        &(inverse.transpose() * a.determinant()),
        TOLERANCE,
    );

    let b = numbers.matrix(4, 1);
    let x = &inverse * &b;
    let expected = -(&x * x.transpose());
    type Solver = fn(DMatrix<Var<f64>>, &DMatrix<Var<f64>>) -> DMatrix<Var<f64>>;
    let solvers: [(&str, Solver); 2] = [
        ("lu", |a, b| a.lu().solve(b).unwrap()),
        ("qr", |a, b| a.qr().solve(b).unwrap()),
    ];
    for (name, solve) in solvers {
        let form = |a: &[Var<f64>]| {
            let lifted = b.map(Var::from);
            solve(DMatrix::from_row_slice(4, 4, a), &lifted).dot(&lifted)
        };
        let found = gradient(form, entries.as_slice()).unwrap();
        assert_close(
            name,
            &DMatrix::from_row_slice(4, 4, &found),
            &expected,
            TOLERANCE,
        );
    }
    // Cholesky reads the lower triangle only, so an entry there counts twice.
    let form = |a: &[Var<f64>]| {
        let lifted = b.map(Var::from);
        DMatrix::from_row_slice(4, 4, a)
            .cholesky()
            .unwrap()
            .solve(&lifted)
            .dot(&lifted)
    };
    let found = gradient(form, entries.as_slice()).unwrap();
    let folded = DMatrix::from_fn(4, 4, |i, j| match i.cmp(&j) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => expected[(i, j)],
        std::cmp::Ordering::Greater => 2.0 * expected[(i, j)],
    });
    assert_close(
        "cholesky",
        &DMatrix::from_row_slice(4, 4, &found),
        &folded,
        TOLERANCE,
    );
}
