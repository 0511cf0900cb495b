//! Instances of given sizes for the [`registry`](crate::registry).
//!
//! Invariant: one seed, so that two runs are about the same numbers.

use wengert::{Scalar, function};

use crate::black_scholes::Greeks;
use crate::bundle_adjustment::BundleAdjustment;
use crate::charged_particle::ChargedParticle;
use crate::classic::{Helmholtz, rosenbrock, speelpenning, to_f64};
use crate::gmm::Gmm;
use crate::hand_tracking::{HandModel, HandTracking, Variant};
use crate::heart_dipole::HeartDipole;
use crate::hessian_suite::{Family, TestFunction};
use crate::lstm::Lstm;
use crate::matrix_function::MatrixFunction;
use crate::pollu::Pollu;
use crate::propane::Propane;
use crate::random_graph::RandomGraph;
use crate::registry::{ProblemInfo, SEED, Visitor};
use crate::robot_arm::RobotArm;
use crate::roe_flux::{RoeFlux, RoeFlux3d};
use crate::spherical_harmonics::SphericalHarmonics;
use crate::text::MOST_INPUTS;
use crate::{ProblemError, slides};

/// The vertices of a generated hand model, as many as the suite's.
const VERTICES: usize = 544;
/// Repeated squaring of 1 may be long, but recursion needs the stack.
const MOST_TIMES: usize = 10_000;

/// Visits the instance of these sizes; there are as many as the problem has.
pub(crate) fn visit<V: Visitor>(
    info: &ProblemInfo,
    sizes: &[usize],
    visitor: V,
) -> Result<V::Output, ProblemError> {
    let name = info.problem.name;
    if let Some(family) = Family::from_name(name) {
        let n = checked(info, sizes, sizes.first().copied())?;
        let f = TestFunction::new(family, n)?;
        return Ok(visitor.visit_scalar(&f, &f.x0(), info));
    }
    match (name, sizes) {
        ("gmm", &[d, k, n]) => {
            let f = Gmm::generate(d, k, n, SEED)?;
            Ok(visitor.visit_scalar(&f, &f.x0(), info))
        }
        ("lstm", &[layers, characters, bits]) => {
            let f = Lstm::generate(layers, characters, bits, SEED)?;
            Ok(visitor.visit_scalar(&f, &f.x0(), info))
        }
        ("ba", &[cameras, points, observations]) => {
            let f = BundleAdjustment::generate(cameras, points, observations, SEED)?;
            Ok(visitor.visit(&f, &f.x0(), info))
        }
        ("hand", &[points]) => hand(info, Variant::Simple, points, visitor),
        ("hand-complicated", &[points]) => hand(info, Variant::Complicated, points, visitor),
        ("helmholtz", &[n]) => {
            let f = Helmholtz::with_components(n)?;
            Ok(visitor.visit_scalar(&f, &f.start(), info))
        }
        ("rosenbrock", &[n]) => {
            let n = checked(info, sizes, Some(n))?;
            let x: Vec<f64> = (0..n).map(|i| [-1.2, 1.0][i % 2]).collect();
            Ok(visitor.visit_scalar(&function!(rosenbrock), &x, info))
        }
        ("speelpenning", &[n]) => {
            let n = checked(info, sizes, Some(n))?;
            let x: Vec<f64> = (1..=n).map(|i| 1.0 + 0.5 * to_f64(i).sin()).collect();
            Ok(visitor.visit_scalar(&function!(speelpenning), &x, info))
        }
        ("roe-flux", _) => Ok(visitor.visit(&RoeFlux, &RoeFlux::x0(), info)),
        ("roe-flux-3d", _) => Ok(visitor.visit(&RoeFlux3d, &RoeFlux3d::x0(), info)),
        ("robot-arm", _) => Ok(visitor.visit(&RobotArm, &RobotArm::x0(), info)),
        ("heart-dipole", _) => {
            let f = HeartDipole::FIRST;
            Ok(visitor.visit(&f, &f.x0(), info))
        }
        ("propane", _) => Ok(visitor.visit(&Propane, &Propane::x0(), info)),
        ("black-scholes", _) => Ok(visitor.visit(&Greeks, &Greeks::x0(), info)),
        ("spherical-harmonics", &[order]) => {
            let f = SphericalHarmonics::new(order)?;
            Ok(visitor.visit(&f, &SphericalHarmonics::x0(), info))
        }
        ("matrix-function", &[rows]) => {
            let f = MatrixFunction::new(rows)?;
            Ok(visitor.visit(&f, &f.x0(), info))
        }
        ("pollu", _) => Ok(visitor.visit(&Pollu, &Pollu::x0(), info)),
        ("random-graph", &[inputs, intermediates, outputs, seed]) => {
            let wide = u64::try_from(seed)
                .map_err(|_| ProblemError::size(name, "a seed of 64 bits", &[seed]))?;
            let f = RandomGraph::generate(inputs, intermediates, outputs, wide)?;
            Ok(visitor.visit(&f, &f.x0(), info))
        }
        ("particle", _) => Ok(visitor.visit_scalar(&ChargedParticle, &[0.0], info)),
        _ => slide(info, sizes, visitor),
    }
}

fn hand<V: Visitor>(
    info: &ProblemInfo,
    variant: Variant,
    points: usize,
    visitor: V,
) -> Result<V::Output, ProblemError> {
    let model = HandModel::generate(VERTICES, SEED);
    let f = HandTracking::generate(model, variant, points, SEED)?;
    Ok(visitor.visit(&f, &f.x0(), info))
}

/// The examples of the slides, at the numbers of the slides where they give some.
fn slide<V: Visitor>(
    info: &ProblemInfo,
    sizes: &[usize],
    visitor: V,
) -> Result<V::Output, ProblemError> {
    match (info.problem.name, sizes) {
        ("slide", _) => {
            Ok(visitor.visit_scalar(&function!(slides::branch), &[3.0, 2.0, 1.0], info))
        }
        ("arithmetic", _) => {
            Ok(visitor.visit_scalar(&function!(slides::arithmetic), &[3.5, 2.1, 1.1], info))
        }
        ("table", _) => Ok(visitor.visit(&slides::Table, &[0.7], info)),
        ("tensors", &[n]) => {
            let n = checked(info, sizes, n.checked_mul(3))? / 3;
            let mut x = waves(n, 0.0);
            x.extend(identity(n));
            x.extend(waves(n, 1.0).into_iter().map(|c| c - 0.5));
            Ok(visitor.visit_scalar(&function!(slides::tensors), &x, info))
        }
        ("loop", &[times]) => {
            let (times, start) = squarings(info, times)?;
            let f = function!(squaring_loop, times: u32);
            Ok(visitor.visit_scalar(&f, &start, info))
        }
        ("recursion", &[times]) => {
            let (times, start) = squarings(info, times)?;
            let f = function!(squaring_recursion, times: u32);
            Ok(visitor.visit_scalar(&f, &start, info))
        }
        ("floor", &[n]) => {
            let x = identity(checked(info, sizes, Some(n))?);
            Ok(visitor.visit_scalar(&function!(slides::floor_of_cubes), &x, info))
        }
        ("special-floor", &[n]) => {
            let x = identity(checked(info, sizes, Some(n))?);
            Ok(visitor.visit_scalar(&function!(slides::special_floor_of_cubes), &x, info))
        }
        ("simple-network", &[width]) => {
            let next = width.checked_add(1);
            let n = checked(info, sizes, next.and_then(|next| next.checked_mul(width)))?;
            Ok(visitor.visit_scalar(&function!(slides::simple_network), &waves(n, 0.0), info))
        }
        ("dot", &[rows, columns]) => {
            let x = halves(info, rows, columns)?;
            Ok(visitor.visit_scalar(&function!(dot, columns: usize), &x, info))
        }
        ("scale", &[rows, columns]) => {
            let x = halves(info, rows, columns)?;
            Ok(visitor.visit_scalar(&function!(scale, columns: usize), &x, info))
        }
        ("dot-nonlinear", &[rows, columns]) => {
            let x = halves(info, rows, columns)?;
            Ok(visitor.visit_scalar(&function!(dot_nonlinear, columns: usize), &x, info))
        }
        _ => Err(ProblemError::size(info.problem.name, "no sizes", sizes)),
    }
}

/// A number of inputs that is not 0 and not huge.
fn checked(
    info: &ProblemInfo,
    sizes: &[usize],
    inputs: Option<usize>,
) -> Result<usize, ProblemError> {
    inputs
        .filter(|n| (1..=MOST_INPUTS).contains(n))
        .ok_or_else(|| ProblemError::size(info.problem.name, "sizes >= 1 and not huge", sizes))
}

/// The entries of a 3 x 3 identity, continued.
fn identity(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| f64::from(u8::from(i.is_multiple_of(4))))
        .collect()
}

/// Numbers within a half of 0, all different.
fn waves(n: usize, phase: f64) -> Vec<f64> {
    (0..n)
        .map(|i| (to_f64(i) * 0.7 + phase).sin() * 0.5)
        .collect()
}

/// The arguments of torch-autograd's first tests: every entry 1/2.
fn halves(info: &ProblemInfo, rows: usize, columns: usize) -> Result<Vec<f64>, ProblemError> {
    let n = rows
        .checked_add(1)
        .and_then(|next| next.checked_mul(columns));
    let rows_exist = n.filter(|_| rows > 0);
    Ok(vec![0.5; checked(info, &[rows, columns], rows_exist)?])
}

/// How often to square what: 3 as on the slides, 1 where that would overflow.
fn squarings(info: &ProblemInfo, times: usize) -> Result<(u32, [f64; 1]), ProblemError> {
    let wrong = || ProblemError::size(info.problem.name, "1 <= times <= 10000", &[times]);
    let count = u32::try_from(times)
        .ok()
        .filter(|_| (1..=MOST_TIMES).contains(&times));
    let start = if times <= 8 { 3.0 } else { 1.0 };
    Ok((count.ok_or_else(wrong)?, [start]))
}

// What `function!` takes with a constant: a slice and a reference.

fn squaring_loop<S: Scalar>(x: &[S], times: &u32) -> S {
    slides::squaring_loop(x[0], *times)
}

fn squaring_recursion<S: Scalar>(x: &[S], times: &u32) -> S {
    slides::squaring_recursion(x[0], *times)
}

fn dot<S: Scalar>(x: &[S], columns: &usize) -> S {
    slides::dot(x, *columns)
}

fn scale<S: Scalar>(x: &[S], columns: &usize) -> S {
    slides::scale(x, *columns)
}

fn dot_nonlinear<S: Scalar>(x: &[S], columns: &usize) -> S {
    slides::dot_nonlinear(x, *columns)
}
