//! Gradient of a Gaussian mixture's log-likelihood by every tape (ADBench's GMM objective).
//!
//! Invariant: independents in the order alphas, means, inverse covariance factors. The shift inside
//! `logsumexp` is a plain number for everybody, since the derivative does not depend on it.
//! Source: Šrajer, Kukelova & Fitzgibbon 2018, *A benchmark of selected algorithmic differentiation
//! tools on some problems in computer vision and machine learning*.

use std::f64::consts::{LN_2, PI};
use std::hint::black_box;
use std::path::Path;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use wengert::program::{Program, ReplayOptions, Traced, Width};
use wengert::{Error, ScalarFunction};
use wengert_problems::gmm::Gmm;

use crate::gradients::{self, Objective};
use crate::input;
use crate::measure::{Comparison, Contestant, OURS, OURS_LOOPS, Workload, compare};
use crate::real::{Counted, Real};

/// One instance: the constants, and the point at which the gradient is taken.
struct Mixture {
    dimension: usize,
    components: usize,
    /// Points, one after the other.
    data: Vec<f64>,
    gamma: f64,
    m: f64,
    /// Alphas, means, factors.
    x: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    objective: f64,
    gradient: Vec<f64>,
}

/// Times one gradient by each tape; reads the instance from `adbench` where it exists.
pub(crate) fn run(adbench: &Path, rounds: u32) -> Result<Comparison, String> {
    let file = adbench.join("gmm/gmm_d10_K25.txt");
    let (mixture, name) = match input::numbers(&file)? {
        Some(numbers) => (Mixture::parse(&numbers)?, "gmm d=10 K=25 N=1000".to_owned()),
        None => (
            Mixture::generate(10, 25, 1000),
            "gmm d=10 K=25 N=1000 (generated)".to_owned(),
        ),
    };
    let oracle = adbench.join("expected/gmm_1k_d10_K25.json");
    let reference = match input::json::<Expected>(&oracle)? {
        Some(expected) if file.exists() => Some(expected),
        _ => None,
    };
    let oracle = reference.as_ref().map(|_| oracle.display().to_string());
    let x = mixture.x.clone();
    // The same instance as this project's own problem: sums are single operations of its tape there.
    let problem = Gmm::from_text(&mixture.text()).map_err(|e| e.to_string())?;
    let mut contestants = gradients::contestants(&mixture, &x);
    contestants.insert(0, gradients::ours(OURS, |x| problem.call(x), &x));
    contestants.push(gradients::ours(OURS_LOOPS, |x| mixture.eval(x), &x));
    contestants.push(replayed(&problem, &x).map_err(|e| e.to_string())?);
    compare(
        Workload {
            name,
            operation: "operation of the objective",
            operations: Counted::operations(|x| mixture.eval(x), &x),
            evaluations: 1,
            plain: gradients::plain(&mixture, &x),
            contestants,
            expected: reference
                .map(|e| vec![(0, vec![e.objective]), (1, e.gradient)])
                .unwrap_or_default(),
            oracle,
            results: 1 + x.len(),
            tolerance: 1e-9,
        },
        rounds,
    )
}

/// This project's other way: recorded and differentiated once, before the clock starts; one thread, like the others.
fn replayed<'a>(f: &Gmm, x: &'a [f64]) -> Result<Contestant<'a>, Error> {
    let program = Program::record(|x: &[Traced]| [f.call(x)], x)?;
    let options = ReplayOptions {
        width: Width::of_this_machine(),
        threads: 1,
    };
    let mut replay = program
        .value_and_gradient()?
        .simplify()?
        .prepare_with(&options)?;
    Ok(Contestant::new("wengert, replayed program", move |out| {
        // A failure leaves the buffer as it is, which the check before the timing finds.
        let _ = black_box(replay.run_into(black_box(x), out));
    }))
}

impl Mixture {
    /// Reads `d k n`, the independents, the data and `gamma m`.
    fn parse(numbers: &[f64]) -> Result<Self, String> {
        let mut rest = numbers;
        let head = input::take(&mut rest, 3)?;
        let (dimension, components, points) = (
            input::size(head[0])?,
            input::size(head[1])?,
            input::size(head[2])?,
        );
        let x = input::take(&mut rest, independents(dimension, components))?.to_vec();
        let data = input::take(&mut rest, points * dimension)?.to_vec();
        let tail = input::take(&mut rest, 2)?;
        Ok(Self {
            dimension,
            components,
            data,
            gamma: tail[0],
            m: tail[1],
            x,
        })
    }

    /// The file format of the suite.
    fn text(&self) -> String {
        let (d, k) = (self.dimension, self.components);
        let mut text = format!("{d} {k} {}\n", self.data.len() / d);
        for number in self.x.iter().chain(&self.data) {
            text.push_str(&format!("{number:?}\n"));
        }
        text + &format!("{} {}\n", self.gamma, self.m)
    }

    /// A seeded instance of the same sizes, with entries of the same ranges.
    fn generate(dimension: usize, components: usize, points: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let alphas_and_more = independents(dimension, components);
        let x = (0..alphas_and_more)
            .map(|_| random.random_range(0.0..1.0))
            .collect();
        let data = (0..points * dimension)
            .map(|_| random.random_range(-1.0..1.0))
            .collect();
        Self {
            dimension,
            components,
            data,
            gamma: 1.0,
            m: 0.0,
            x,
        }
    }
}

impl Objective for Mixture {
    fn eval<R: Real>(&self, x: &[R]) -> R {
        let (d, k) = (self.dimension, self.components);
        let points = self.data.len() / d;
        let (alphas, rest) = x.split_at(k);
        let (means, factors) = rest.split_at(k * d);
        let factor = |j: usize| factors[j * (d + d * (d - 1) / 2)..].split_at(d);

        let mut diagonals = Vec::with_capacity(k * d);
        let mut log_determinants = Vec::with_capacity(k);
        for j in 0..k {
            let (q, _) = factor(j);
            diagonals.extend(q.iter().map(|q| q.exp()));
            log_determinants.push(sum(q.iter().copied()));
        }
        let weights: Vec<R> = alphas
            .iter()
            .zip(&log_determinants)
            .map(|(&a, &s)| a + s)
            .collect();

        let n = to_f64(points);
        let mut total = log_sum_exp(alphas).times(-n);
        let mut terms = weights.clone();
        let mut centred = means[..d].to_vec();
        let mut product = centred.clone();
        for point in self.data.chunks_exact(d) {
            for j in 0..k {
                for a in 0..d {
                    centred[a] = means[j * d + a].subtracted_from(point[a]);
                    product[a] = diagonals[j * d + a] * centred[a];
                }
                let mut lower = factor(j).1.iter();
                for (column, &centred) in centred.iter().enumerate() {
                    for (y, &l) in product[column + 1..].iter_mut().zip(&mut lower) {
                        *y = *y + l * centred;
                    }
                }
                let square = sum(product.iter().map(|&y| y * y));
                terms[j] = weights[j] + square.times(-0.5);
            }
            total = total + log_sum_exp(&terms);
        }

        let half_gamma_squared = 0.5 * self.gamma * self.gamma;
        for j in 0..k {
            let (_, lower) = factor(j);
            let lower = &lower[..d * (d - 1) / 2];
            let diagonal = &diagonals[j * d..(j + 1) * d];
            let squares = sum(diagonal.iter().chain(lower).map(|&y| y * y));
            total = total + squares.times(half_gamma_squared);
            total = total + log_determinants[j].times(-self.m);
        }
        total.plus(self.constant(points))
    }
}

impl Mixture {
    /// The terms that depend on sizes and on the prior only.
    fn constant(&self, points: usize) -> f64 {
        let (n, d, k) = (
            to_f64(points),
            to_f64(self.dimension),
            to_f64(self.components),
        );
        let p = d + self.m + 1.0;
        let log_gamma: f64 = (1..=self.dimension)
            .map(|j| libm::lgamma(0.5 * p + 0.5 * (1.0 - to_f64(j))))
            .sum();
        let log_gamma_d = 0.25 * d * (d - 1.0) * PI.ln() + log_gamma;
        let c = p * d * (self.gamma.ln() - 0.5 * LN_2) - log_gamma_d;
        -0.5 * n * d * (2.0 * PI).ln() - k * c
    }
}

fn log_sum_exp<R: Real>(terms: &[R]) -> R {
    let largest = terms
        .iter()
        .fold(f64::NEG_INFINITY, |m, t| m.max(t.value()));
    sum(terms.iter().map(|t| t.plus(-largest).exp()))
        .ln()
        .plus(largest)
}

/// Adds up what must not be empty.
fn sum<R: Real>(mut terms: impl Iterator<Item = R>) -> R {
    let first = terms
        .next()
        .expect("a mixture has components and dimensions");
    terms.fold(first, |s, t| s + t)
}

fn independents(dimension: usize, components: usize) -> usize {
    components * (1 + dimension + dimension + dimension * (dimension - 1) / 2)
}

fn to_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One component in one dimension: everything cancels but the closed form below.
    #[test]
    fn one_component_in_one_dimension() {
        let (q, mu, gamma, m) = (0.3_f64, 0.5, 1.5_f64, 2.0);
        let data = vec![0.1, -0.4, 2.0];
        let mixture = Mixture {
            dimension: 1,
            components: 1,
            data: data.clone(),
            gamma,
            m,
            x: vec![0.7, mu, q],
        };
        let likelihood: f64 = data
            .iter()
            .map(|x| q - 0.5 * (q.exp() * (x - mu)).powi(2) - 0.5 * (2.0 * PI).ln())
            .sum();
        // p' = 4, so C = 4 (log gamma - log(2) / 2) - log Gamma(2), and Gamma(2) = 1.
        let prior = 0.5 * gamma * gamma * (2.0 * q).exp() - m * q - 4.0 * (gamma.ln() - 0.5 * LN_2);
        let found = mixture.eval(&mixture.x);
        assert!((found - (likelihood + prior)).abs() < 1e-13, "{found}");
    }

    #[test]
    fn all_tapes_agree_with_central_differences() {
        let mixture = Mixture::generate(3, 4, 10);
        let x = mixture.x.clone();
        let mut expected = vec![mixture.eval(&x)];
        for i in 0..x.len() {
            let shifted = |h: f64| {
                let mut x = x.clone();
                x[i] += h;
                mixture.eval(&x)
            };
            expected.push((shifted(1e-5) - shifted(-1e-5)) / 2e-5);
        }
        let results = expected.len();
        let comparison = compare(
            Workload {
                name: "small".to_owned(),
                operation: "operation",
                operations: 1,
                evaluations: 1,
                plain: gradients::plain(&mixture, &x),
                contestants: gradients::contestants(&mixture, &x),
                expected: vec![(0, expected)],
                oracle: Some("differences".to_owned()),
                results,
                tolerance: 1e-8,
            },
            1,
        );
        assert!(comparison.is_ok(), "{comparison:?}");
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        assert!(Mixture::parse(&[2.0, 1.0, 1.0, 0.0]).is_err());
        assert!(Mixture::parse(&[2.5, 1.0, 1.0]).is_err());
    }
}
