//! The log-likelihood of a Gaussian mixture with a Wishart prior on the inverse covariances.
//!
//! Invariant: branch-free in the independents; data are plain numbers, so no statement is recorded for them.
//! Source: Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective GMM.

use std::cell::RefCell;
use std::f64::consts::{LN_2, PI};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wengert::{Rows, Scalar, ScalarFunction};

use crate::ProblemError;
use crate::classic::to_f64;
use crate::text::{MOST_INPUTS, Reader, read};

/// An instance: data, prior and the start values of the independents.
///
/// Independents in this order: `k` weights alpha; `k` means of `d`; `k` inverse covariance factors of `d(d+1)/2`
/// (first the logs of the diagonal, then the strictly lower triangle column by column).
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::gmm::Gmm;
/// // One standard normal component, one data point at its mean, gamma = 1, m = 0: only constants remain.
/// let gmm = Gmm::from_text("1 1 1   0   0   0   0   1 0")?;
/// let ln_tau = std::f64::consts::TAU.ln();
/// let wishart = -0.5 * 2.0_f64.ln() * 2.0; // p' = 2, and Gamma(1) = 1
/// assert!((gmm.call(&gmm.x0()) - (-0.5 * ln_tau + 0.5 - wishart)).abs() < 1e-15);
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `k (1 + d + d(d+1)/2)` inputs, one output.
/// **Cost**: about `n k d(d+1)/2` multiplications and `n k` exponentials.
/// **Source**: ADBench, objective GMM.
#[derive(Clone, Debug)]
pub struct Gmm {
    d: usize,
    k: usize,
    data: Vec<f64>,
    gamma: f64,
    m: f64,
    x0: Vec<f64>,
}

impl Gmm {
    /// Reads the file format of the suite: `d k n`, alphas, means, factors, data, `gamma m`.
    ///
    /// **Cost**: linear in the text.
    ///
    /// # Errors
    /// [`ProblemError::Format`] with the line where the text is not as expected.
    pub fn from_text(text: &str) -> Result<Self, ProblemError> {
        Self::parse(Reader::spaced(text, "<text>"))
    }

    /// Reads a file, as [`from_text`](Self::from_text).
    ///
    /// # Errors
    /// Also [`ProblemError::Io`].
    pub fn from_path(path: &Path) -> Result<Self, ProblemError> {
        let text = read(path)?;
        Self::parse(Reader::spaced(&text, &path.display().to_string()))
    }

    fn parse(mut reader: Reader<'_>) -> Result<Self, ProblemError> {
        let d = reader.positive("the dimension")?;
        let k = reader.positive("the number of components")?;
        let n = reader.positive("the number of data points")?;
        reader.check_inputs(inputs(d, k))?;
        reader.check_inputs(d.checked_mul(n))?;
        let mut x0 = reader.numbers(k, "a weight alpha")?;
        x0.extend(reader.numbers(k * d, "a coordinate of a mean")?);
        x0.extend(reader.numbers(k * triangle(d), "an entry of a covariance factor")?);
        let data = reader.numbers(n * d, "a coordinate of a data point")?;
        let gamma = reader.number("the prior's gamma")?;
        if gamma <= 0.0 {
            return Err(reader.error("a positive gamma", gamma.to_string().into()));
        }
        let m = reader.count("the prior's count m")?;
        reader.end()?;
        Ok(Self {
            d,
            k,
            data,
            gamma,
            m: to_f64(m),
            x0,
        })
    }

    /// An instance with `n` points of dimension `d` and `k` components, all entries standard normal, gamma 1, m 0.
    ///
    /// **Cost**: linear in the sizes.
    ///
    /// # Errors
    /// [`ProblemError::Size`] for a size of 0 or more than 10^8 numbers.
    pub fn generate(d: usize, k: usize, n: usize, seed: u64) -> Result<Self, ProblemError> {
        let fits = |count: Option<usize>| count.filter(|c| (1..=MOST_INPUTS).contains(c));
        let (Some(len), Some(values)) = (fits(inputs(d, k)), fits(d.checked_mul(n))) else {
            return Err(ProblemError::size(
                "gmm",
                "d k n >= 1 and not huge",
                &[d, k, n],
            ));
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x0 = (0..len).map(|_| normal(&mut rng)).collect();
        let data = (0..values).map(|_| normal(&mut rng)).collect();
        Ok(Self {
            d,
            k,
            data,
            gamma: 1.0,
            m: 0.0,
            x0,
        })
    }

    /// The dimension of the data.
    pub const fn d(&self) -> usize {
        self.d
    }

    /// The number of components.
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The number of data points.
    pub const fn n(&self) -> usize {
        self.data.len() / self.d
    }

    /// The start values of the independents, in their order.
    pub fn x0(&self) -> Vec<f64> {
        self.x0.clone()
    }

    /// What does not depend on the independents.
    fn constant(&self) -> f64 {
        let (d, k, n) = (to_f64(self.d), to_f64(self.k), to_f64(self.n()));
        let p = d + self.m + 1.0;
        let log_gamma_d = d * (d - 1.0) / 4.0 * PI.ln()
            + (0..self.d)
                .map(|j| ((p - to_f64(j)) / 2.0).lgamma())
                .sum::<f64>();
        let wishart = p * d * (self.gamma.ln() - 0.5 * LN_2) - log_gamma_d;
        -n * d / 2.0 * (2.0 * PI).ln() - k * wishart
    }
}

impl ScalarFunction for Gmm {
    fn inputs(&self) -> Option<usize> {
        Some(self.x0.len())
    }

    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let (d, k) = (self.d, self.k);
        let (alphas, rest) = x.split_at(k);
        let (means, icf) = rest.split_at(k * d);
        // Once per component: alpha + the sum of q, the mean, the factor row by row with exp(q) on its diagonal.
        let width = 1 + d + triangle(d);
        let mut components = Vec::with_capacity(k * width);
        let mut prior = Vec::with_capacity(2 * k);
        let parameters = means.chunks_exact(d).zip(icf.chunks_exact(triangle(d)));
        for (alpha, (mean, icf)) in alphas.iter().zip(parameters) {
            let (q, l) = icf.split_at(d);
            let sum_q = S::sum_of(q.iter().copied());
            components.push(*alpha + sum_q);
            components.extend_from_slice(mean);
            let first = components.len();
            for (r, q) in q.iter().enumerate() {
                components.extend((0..r).map(|c| l[c * (2 * d - c - 1) / 2 + r - c - 1]));
                components.push(q.exp());
            }
            let squares = S::squared_norm_of(components[first..].iter().copied());
            prior.push(squares * (0.5 * self.gamma * self.gamma));
            // A count of 0 leaves the term out; it is a constant of the instance, not a branch of the function.
            if self.m > 0.0 {
                prior.push(sum_q * -self.m);
            }
        }
        let points = [Rows::new(&self.data, d).expect("there are d coordinates per point")];
        let components = [Rows::new(&components, width).expect("rows of this width were made")];
        let terms = RefCell::new(vec![S::from(0.0); k]);
        let scratch = RefCell::new(vec![S::from(0.0); 2 * d]);
        let likelihood = S::sum_over(&[], &points, |_, point| {
            let mut room = terms.borrow_mut();
            S::map_rows(&components, &[], &mut room, |component, _, term| {
                term[0] = main_term(component, point, &mut scratch.borrow_mut());
            });
            S::log_sum_exp_of(room.iter().copied())
        });
        let normaliser = S::log_sum_exp_of(alphas.iter().copied()) * to_f64(self.n());
        likelihood - normaliser + S::sum_of(prior) + self.constant()
    }
}

/// The logarithm of a component's weighted density at a point, without its constants.
///
/// `component`: alpha + the sum of q, the mean, the factor row by row.
#[inline(always)]
fn main_term<S: Scalar>(component: &[S], point: &[S], room: &mut [S]) -> S {
    let (base, rest) = (component[0], &component[1..]);
    let (mean, mut factor) = rest.split_at(point.len());
    let (centred, mapped) = room.split_at_mut(point.len());
    for ((centred, mean), x) in centred.iter_mut().zip(mean).zip(point) {
        *centred = *mean - *x;
    }
    for (r, mapped) in mapped.iter_mut().enumerate() {
        let (row, below) = factor.split_at(r + 1);
        factor = below;
        *mapped = S::dot_of(row.iter().copied().zip(centred.iter().copied()));
    }
    let squares = S::squared_norm_of(mapped.iter().copied());
    base - squares * 0.5
}

/// The number of entries of a triangle with its diagonal; the caller has checked that it does not overflow.
const fn triangle(d: usize) -> usize {
    d * (d + 1) / 2
}

/// The number of independents, unless it overflows.
fn inputs(d: usize, k: usize) -> Option<usize> {
    let triangle = d.checked_mul(d.checked_add(1)?)? / 2;
    k.checked_mul(triangle.checked_add(d)?.checked_add(1)?)
}

/// A standard normal number. Source: Box & Muller 1958.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * PI * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "2 1 1\n0.5\n1 2\n0.1 0.2 0.3\n3 4\n1 0\n";

    #[test]
    fn every_truncation_is_an_error_with_a_line() {
        assert!(Gmm::from_text(SMALL).is_ok());
        let words: Vec<&str> = SMALL.split_whitespace().collect();
        for len in 0..words.len() {
            let text = words[..len].join("\n");
            let wrong = Gmm::from_text(&text).unwrap_err().to_string();
            assert!(wrong.contains("the end of the file"), "{len}: {wrong}");
        }
    }

    #[test]
    fn every_word_that_is_no_number_is_an_error() {
        let words: Vec<&str> = SMALL.split_whitespace().collect();
        for wrong in ["x", "nan", "1e999"] {
            for at in 0..words.len() {
                let mut words = words.clone();
                words[at] = wrong;
                let text = words.join("\n");
                let error = Gmm::from_text(&text).unwrap_err().to_string();
                assert!(error.starts_with(&format!("<text>:{}:", at + 1)), "{error}");
            }
        }
    }

    #[test]
    fn sizes_and_leftovers_are_checked() {
        for text in [
            "0 1 1",
            "1 0 1",
            "1 1 0",
            "18446744073709551615 2 2",
            "4294967296 4294967296 1",
            "100000 100000 1",
            "1 1 18446744073709551615",
            "1 1 1 0 0 0 0 0 0",
            "1 1 1 0 0 0 0 -1 0",
            "1 1 1 0 0 0 0 1 0 7",
        ] {
            assert!(Gmm::from_text(text).is_err(), "{text}");
        }
        assert!(Gmm::generate(0, 1, 1, 0).is_err());
        assert!(Gmm::generate(usize::MAX, 2, 1, 0).is_err());
    }

    #[test]
    fn a_seed_gives_one_instance() {
        let (a, b) = (
            Gmm::generate(3, 2, 5, 7).unwrap(),
            Gmm::generate(3, 2, 5, 7).unwrap(),
        );
        assert_eq!((a.x0(), &a.data), (b.x0(), &b.data));
        assert_ne!(a.x0(), Gmm::generate(3, 2, 5, 8).unwrap().x0());
        assert_eq!((a.d(), a.k(), a.n(), a.x0().len()), (3, 2, 5, 20));
        assert!(a.call(&a.x0()).is_finite());
    }
}
