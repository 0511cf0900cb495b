//! Nesting: every stacking of the carriers gives the closed form, at order two, three and beyond, and tapes cost the
//! bytes that the documentation promises.

use wengert::forward::Lanes;
use wengert::prelude::*;

/// Fails if the numbers differ by more than `tol` times the largest expected entry, or if exactly one is not finite.
#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tol: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            f.is_finite() && (f - e).abs() <= tol * scale,
            "entry {i}: found {f:e}, expected {e:e}, scale {scale:e}"
        );
    }
}

/// `sum_i sin(x_i) x_{i+1}` around a ring: a band with two corners.
fn ring<S: Scalar>(x: &[S]) -> S {
    let n = x.len();
    S::sum_of((0..n).map(|i| x[i].sin() * x[(i + 1) % n]))
}

fn ring_hessian(x: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mut h = vec![0.0; n * n];
    for i in 0..n {
        let next = (i + 1) % n;
        h[i * n + i] -= x[i].sin() * x[next];
        h[i * n + next] += x[i].cos();
        h[next * n + i] += x[i].cos();
    }
    h
}

/// `exp(a . x)` with `a_i = 0.1 (i + 1)`: every derivative of order k is the value times a product of k coefficients.
fn exponential<S: Scalar>(x: &[S]) -> S {
    x.iter()
        .enumerate()
        .fold(S::from(0.0), |s, (i, x)| s + *x * (0.1 * (i as f64 + 1.0)))
        .exp()
}

/// The product, by an n-ary operation.
fn speelpenning<S: Scalar>(x: &[S]) -> S {
    S::prod_of(x.iter().copied())
}

/// The norm, by an n-ary operation.
fn norm<S: Scalar>(x: &[S]) -> S {
    S::norm2_of(x.iter().copied())
}

/// Quotients, powers, remainders, and everything with two active arguments.
fn rational<S: Scalar>(x: &[S]) -> S {
    x[0] / x[1] + x[1].powi(3) - x[0].powf(2.5) * 2.0 + x[0].powd(x[1])
}

fn points() -> Vec<Vec<f64>> {
    [1, 2, 3, 8, 9, 17]
        .map(|n| (0..n).map(|i| 0.4 + 0.17 * f64::from(i)).collect())
        .to_vec()
}

#[track_caller]
fn check_hessian(f: &impl ScalarFunction, x: &[f64], expected: &[f64]) {
    for mode in HessianMode::ALL {
        let h = hessian_by(f, x, mode).unwrap();
        assert_close(h.as_slice(), expected, 1e-14);
    }
    let mut literal = vec![0.0; x.len() * x.len()];
    grad(grad(Borrowed(f))).eval(x, &mut literal);
    assert_close(&literal, expected, 1e-14);
    // Products and the trace.
    let n = x.len();
    let v: Vec<f64> = (0..n).map(|i| (i as f64).cos() + 0.3).collect();
    let product: Vec<f64> = expected
        .chunks(n)
        .map(|row| row.iter().zip(&v).map(|(h, v)| h * v).sum())
        .collect();
    let (value, gradient, hv) = hvp(|x| f.call(x), x, &v).unwrap();
    let scale = expected.iter().fold(1.0_f64, |m, e| m.max(e.abs()));
    assert_eq!(value.to_bits(), f.call(x).to_bits());
    assert_eq!(
        gradient,
        wengert::reverse::gradient(|x| f.call(x), x).unwrap()
    );
    for (found, expected) in hv.iter().zip(&product) {
        assert!(
            (found - expected).abs() <= 1e-13 * scale * n as f64,
            "{found} {expected}"
        );
    }
    let trace: f64 = (0..n).map(|i| expected[i * n + i]).sum();
    let (value, laplacian) = laplacian(f, x).unwrap();
    assert_eq!(value.to_bits(), f.call(x).to_bits());
    assert!(
        (laplacian - trace).abs() <= 1e-13 * scale * n as f64,
        "{laplacian} {trace}"
    );
}

/// A function object by reference.
struct Borrowed<'a, F>(&'a F);

impl<F: ScalarFunction> ScalarFunction for Borrowed<'_, F> {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        self.0.call(x)
    }
}

#[test]
fn hessians_of_every_nesting_equal_closed_forms() {
    for x in points() {
        let n = x.len();
        check_hessian(&function!(ring), &x, &ring_hessian(&x));
        let y = exponential(&x);
        let a = |i: usize| 0.1 * (i as f64 + 1.0);
        let h: Vec<f64> = (0..n * n).map(|k| y * a(k / n) * a(k % n)).collect();
        check_hessian(&function!(exponential), &x, &h);
        let product: f64 = x.iter().product();
        let h: Vec<f64> = (0..n * n)
            .map(|k| {
                if k / n == k % n {
                    0.0
                } else {
                    product / x[k / n] / x[k % n]
                }
            })
            .collect();
        if n > 1 {
            check_hessian(&function!(speelpenning), &x, &h);
            let r = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            let h: Vec<f64> = (0..n * n)
                .map(|k| (f64::from(k / n == k % n) - x[k / n] * x[k % n] / (r * r)) / r)
                .collect();
            check_hessian(&function!(norm), &x, &h);
        }
    }
    let (a, b) = (1.3_f64, 0.8_f64);
    let power = a.powf(b);
    let mixed = -1.0 / (b * b) + power / a * (1.0 + b * a.ln());
    let expected = [
        -2.0 * 2.5 * 1.5 * a.sqrt() + b * (b - 1.0) * power / (a * a),
        mixed,
        mixed,
        2.0 * a / b.powi(3) + 6.0 * b + power * a.ln().powi(2),
    ];
    check_hessian(&function!(rational), &[a, b], &expected);
}

#[test]
fn third_order_by_every_stacking() {
    for n in [1_usize, 2, 3, 9] {
        let x: Vec<f64> = (0..n).map(|i| 0.2 - 0.05 * i as f64).collect();
        let y = exponential(&x);
        let a = |i: usize| 0.1 * (i as f64 + 1.0);
        let expected: Vec<f64> = (0..n * n * n)
            .map(|k| y * a(k / n / n) * a(k / n % n) * a(k % n))
            .collect();
        let tensor = third_order(&function!(exponential), &x).unwrap();
        assert_eq!(tensor.n(), n);
        assert_close(tensor.as_slice(), &expected, 1e-14);
        assert_eq!(
            tensor[(n - 1, 0, n / 2)],
            tensor.as_slice()[(n - 1) * n * n + n / 2]
        );
        let mut literal = vec![0.0; n * n * n];
        grad(grad(grad(function!(exponential)))).eval(&x, &mut literal);
        assert_close(&literal, &expected, 1e-14);
    }
    // The order four, literally, of x^5 y: x^5 y has fourth derivatives 120 x y and 60 x^2.
    fn quintic<S: Scalar>(x: &[S]) -> S {
        x[0].powi(5) * x[1]
    }
    let mut fourth = [0.0; 16];
    grad(grad(grad(grad(function!(quintic))))).eval(&[2.0, 3.0], &mut fourth);
    let mut expected = [0.0; 16];
    expected[0] = 120.0 * 2.0 * 3.0;
    for i in [1, 2, 4, 8] {
        expected[i] = 60.0 * 4.0;
    }
    assert_eq!(fourth, expected);
}

/// `exp(x) sin(x)`, whose k-th derivative is `2^(k/2) exp(x) sin(x + k pi / 4)`.
fn wave<S: Scalar>(x: S) -> S {
    x.exp() * x.sin()
}

fn wave_derivative(x: f64, k: i32) -> f64 {
    2.0_f64.powf(f64::from(k) / 2.0)
        * x.exp()
        * (x + f64::from(k) * std::f64::consts::FRAC_PI_4).sin()
}

/// The derivative by one reverse sweep.
fn slope<T: Scalar>(f: impl FnOnce(Var<T>) -> Var<T>, x: T) -> T {
    gradient(|x| f(x[0]), &[x]).unwrap()[0]
}

#[test]
fn scalar_derivatives_nest_in_every_order() {
    let x = 0.7;
    let third = wave_derivative(x, 3);
    let stackings: [f64; 8] = [
        derivative(|x| derivative(|x| derivative(wave, x), x), x),
        derivative(|x| derivative(|x| slope(wave, x), x), x),
        derivative(|x| slope(|x| derivative(wave, x), x), x),
        derivative(|x| slope(|x| slope(wave, x), x), x),
        slope(|x| derivative(|x| derivative(wave, x), x), x),
        slope(|x| derivative(|x| slope(wave, x), x), x), // Dual<Var<..>> between two tapes
        slope(|x| slope(|x| derivative(wave, x), x), x),
        slope(|x| slope(|x| slope(wave, x), x), x), // Var<Var<Var<f64>>>
    ];
    for (i, found) in stackings.into_iter().enumerate() {
        assert!(
            (found - third).abs() <= 1e-14 * third.abs(),
            "stacking {i}: {found} {third}"
        );
    }
    let sixth = slope(
        |x| {
            slope(
                |x| slope(|x| slope(|x| slope(|x| slope(wave, x), x), x), x),
                x,
            )
        },
        x,
    );
    let expected = wave_derivative(x, 6);
    assert!(
        (sixth - expected).abs() <= 1e-13 * expected.abs(),
        "{sixth} {expected}"
    );
}

#[test]
fn duals_around_and_inside_variables() {
    // Dual<Var<Dual<f64>>> by hand: one seed per level, then the sweep through the middle.
    let mixed = gradient(
        |x: &[Var<Dual<f64>>]| {
            let x = Dual::new(x[0], Var::from(1.0));
            wave(x).tangent
        },
        &[Dual::new(0.7, 1.0)],
    )
    .unwrap();
    let scale = wave_derivative(0.7, 3).abs();
    assert!((mixed[0].value - wave_derivative(0.7, 2)).abs() <= 1e-14 * scale);
    assert!((mixed[0].tangent - wave_derivative(0.7, 3)).abs() <= 1e-14 * scale);
    // Var<Lanes<f64, 3>>: a gradient and its Jacobian in one sweep.
    let x = [0.4, 0.57, 0.74];
    let seeded: Vec<Lanes<f64, 3>> = (0..3).map(|i| Lanes::variable(x[i], i)).collect();
    let (value, rows) = value_and_gradient(ring, &seeded).unwrap();
    let plain = gradient(ring, &x).unwrap();
    assert_eq!(value.value.to_bits(), ring(&x).to_bits());
    assert_eq!(value.tangents.as_slice(), plain);
    for i in 0..3 {
        assert_eq!(rows[i].value, plain[i]);
        assert_close(
            &rows[i].tangents,
            &ring_hessian(&x)[3 * i..3 * i + 3],
            1e-14,
        );
    }
}

#[test]
fn jacobians_nest() {
    // The Hessian as the Jacobian of a gradient, all four stackings of the drivers.
    let x = [0.4, 0.57, 0.74, 0.91];
    let expected = ring_hessian(&x);
    let stacked = [
        jacobian_forward(|x| gradient(ring, x).unwrap(), &x),
        jacobian_reverse(|x| gradient(ring, x).unwrap(), &x),
        jacobian_forward(
            |x| {
                let row = jacobian_forward(|y| [ring(y)], x).unwrap();
                row.as_slice().to_vec()
            },
            &x,
        ),
        jacobian_reverse(
            |x| {
                let row = jacobian_forward(|y| [ring(y)], x).unwrap();
                row.as_slice().to_vec()
            },
            &x,
        ),
    ];
    for jacobian in stacked {
        assert_close(jacobian.unwrap().as_slice(), &expected, 1e-14);
    }
}

#[test]
fn derivatives_of_a_newton_iteration_that_differentiates_inside() {
    // y(a) solves d/dy (y^4 / 4 - a y) = y^3 - a = 0, so y = a^(1/3), dy/da = 1 / (3 y^2), d2y/da2 = -2 / (9 y^5).
    fn root<S: Scalar>(a: S) -> S {
        let mut y = S::from(1.5);
        for _ in 0..40 {
            // Value, slope and curvature of the inner function, by inner reverse over inner forward.
            let potential = |y: Var<Dual<S>>| {
                let a = Var::constant(Dual::constant(a));
                y.powi(4) * 0.25 - a * y
            };
            let g = slope(potential, Dual::new(y, S::from(1.0)));
            y -= g.value / g.tangent;
        }
        y
    }
    let (a, y) = (2.7_f64, 2.7_f64.cbrt());
    let (first, second) = (1.0 / (3.0 * y * y), -2.0 / (9.0 * y.powi(5)));
    let close = |found: f64, expected: f64| {
        assert!(
            (found - expected).abs() <= 1e-13 * expected.abs(),
            "{found} {expected}"
        );
    };
    close(root(a), y);
    close(derivative(root, a), first);
    close(slope(root, a), first);
    close(derivative(|a| derivative(root, a), a), second);
    close(derivative(|a| slope(root, a), a), second);
    close(slope(|a| derivative(root, a), a), second);
    close(slope(|a| slope(root, a), a), second);
}

#[test]
fn particle_in_a_potential_nests_three_levels() {
    // v(x) = 1/(x+1) + 1/(3-x): force, its gradient, and the gradient of that, inside a loss of order three in x.
    fn potential<S: Scalar>(x: S) -> S {
        (x + 1.0).recip() + (-x + 3.0).recip()
    }
    fn force<S: Scalar>(x: S) -> S {
        -slope(potential, x)
    }
    let loss = |x: Var<f64>| {
        let stiffness = derivative(force, x);
        let jump = derivative(|x| derivative(force, x), x);
        stiffness * jump
    };
    let x = 0.25;
    let (p, q) = (1.0 / (x + 1.0), 1.0 / (3.0 - x));
    let order = |k: i32| {
        let factorial: f64 = (1..=k).map(f64::from).product();
        factorial * ((-1.0_f64).powi(k) * p.powi(k + 1) + q.powi(k + 1))
    };
    // (-v'')(-v''') differentiated: v''' v''' + v'' v''''.
    let expected = order(3) * order(3) + order(2) * order(4);
    let found = slope(loss, x);
    assert!(
        (found - expected).abs() <= 1e-14 * expected.abs(),
        "{found} {expected}"
    );
}

#[test]
fn tape_costs_the_documented_bytes() {
    let n = 1000;
    let binary =
        |x: &[Var<f64>]| [(0..n).fold(x[0], |s, i| if i % 2 == 0 { s * x[1] } else { x[1] - s })];
    let p = Pullback::record(binary, &[0.5, 0.25]).unwrap();
    assert_eq!(p.tape_bytes(), 2 * 4 + 28 * n);
    assert_eq!(p.adjoint_bytes(), 8 * (2 + n));
    assert_eq!(p.tape_bytes() + p.adjoint_bytes(), 2 * 12 + 36 * n);
    // Constants cost an argument less, additions of constants nothing, an n-ary operation 4 + 12 per argument.
    let cheap = |x: &[Var<f64>]| {
        let y = x[0] * 3.0 + 1.0 - 2.0;
        [Var::sum_of([y, x[0], Var::from(5.0), x[1]])]
    };
    let p = Pullback::record(cheap, &[0.5, 0.25]).unwrap();
    assert_eq!(p.tape_bytes(), 2 * 4 + (4 + 12) + (4 + 3 * 12));
    // Statements over an inner scalar of two numbers: 4 + 2 (16 + 4) bytes.
    let p = Pullback::record(|x| [x[0] * x[0]], &[Dual::new(1.0, 1.0)]).unwrap();
    assert_eq!((p.tape_bytes(), p.adjoint_bytes()), (4 + 4 + 40, 32));
    // A square norm in the inner recording costs the outer one a product per term, once.
    let outer = Pullback::record(
        |x| {
            let inner = Pullback::record(|y| [Var::squared_norm_of(y.iter().copied())], x).unwrap();
            assert_eq!(inner.statements(), 4);
            inner.values().to_vec()
        },
        &[1.0, 2.0, 3.0],
    )
    .unwrap();
    assert_eq!(outer.statements(), 3 + 3 + 1);
}

#[test]
fn wrong_number_of_inputs_inside_grad_is_loud() {
    struct Pair;
    impl ScalarFunction for Pair {
        fn inputs(&self) -> Option<usize> {
            Some(2)
        }
        fn call<S: Scalar>(&self, x: &[S]) -> S {
            x[0] * x[1]
        }
    }
    let mut g = [0.0; 1];
    grad(Pair).eval(&[1.0], &mut g);
    assert!(g[0].is_nan());
    let inside = gradient(
        |x| {
            let mut g = [x[0]];
            grad(Pair).eval(x, &mut g);
            g[0]
        },
        &[1.0],
    );
    assert_eq!(
        inside,
        Err(Error::ShapeMismatch {
            what: "x",
            expected: 2,
            found: 1
        })
    );
}
