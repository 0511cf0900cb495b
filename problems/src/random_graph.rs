//! Random straight-line functions: graphs of any size for planners of elimination orders, the same on every machine.
//!
//! Invariant: every statement is one operation, reads only earlier ones and contributes to an output; values stay below 8.
//! Source: the random tasks of Lohoff & Neftci 2024; here with a portable generator.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wengert::{Function, Scalar};

use crate::ProblemError;

/// The largest number of inputs, of statements and of outputs.
const MOST: usize = 10_000_000;
/// Larger values than this are brought back by a bounded function.
const LARGEST: f64 = 8.0;

/// One intermediate, by the vertices that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    Sine(usize),
    Cosine(usize),
    HyperbolicTangent(usize),
    Product(usize, usize),
    Sum(usize, usize),
    Difference(usize, usize),
}

/// A random function with given numbers of inputs, intermediates and outputs.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::random_graph::RandomGraph;
/// let (f, again) = (RandomGraph::generate(3, 20, 2, 7)?, RandomGraph::generate(3, 20, 2, 7)?);
/// assert_eq!(f, again);
/// assert_ne!(f, RandomGraph::generate(3, 20, 2, 8)?);
/// let mut y = [0.0; 2];
/// f.eval(&[0.5, -0.25, 0.125], &mut y);
/// // The generator is portable, so that plans of its graphs can be compared.
/// let expected = [0.8371333459981507, -0.030574288950580727];
/// assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-14));
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `n` inputs, `m` outputs. **Cost**: `l` operations for `l` intermediates, and `m` sums of at least two terms.
/// **Source**: as the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomGraph {
    inputs: usize,
    statements: Vec<Statement>,
    /// The vertices that each output adds up.
    outputs: Vec<Vec<usize>>,
}

impl RandomGraph {
    /// Draws a function.
    ///
    /// Three in four statements read a vertex that nobody read yet, so that few are left for the outputs; other arguments
    /// are any earlier vertices.
    ///
    /// **Shape**: `l` intermediates. **Cost**: linear.
    ///
    /// # Errors
    /// [`ProblemError::Size`] unless all numbers are from 1 to 10 million.
    pub fn generate(
        inputs: usize,
        intermediates: usize,
        outputs: usize,
        seed: u64,
    ) -> Result<Self, ProblemError> {
        let sizes = [inputs, intermediates, outputs];
        if !sizes.iter().all(|size| (1..=MOST).contains(size)) {
            let expected = "inputs, intermediates and outputs from 1 to 10000000";
            return Err(ProblemError::size("random-graph", expected, &sizes));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bounds = vec![1.0; inputs];
        let mut unread = Unread::new(inputs);
        let mut statements = Vec::with_capacity(intermediates);
        for vertex in inputs..inputs + intermediates {
            let a = match unread.len() {
                n if n > 0 && rng.random_ratio(3, 4) => unread.at(rng.random_range(0..n)),
                _ => rng.random_range(0..vertex),
            };
            let b = rng.random_range(0..vertex);
            let (statement, bound) = draw(&mut rng, (a, bounds[a]), (b, bounds[b]));
            unread.read(a);
            if statement.is_binary() {
                unread.read(b);
            }
            unread.push();
            statements.push(statement);
            bounds.push(bound);
        }
        let last = inputs + intermediates;
        let mut sums: Vec<Vec<usize>> = vec![Vec::new(); outputs];
        for (place, vertex) in unread.vertices.iter().enumerate() {
            sums[place % outputs].push(*vertex);
        }
        for sum in &mut sums {
            while sum.len() < 2 {
                // Where there are no two vertices, one is added to itself.
                sum.push(rng.random_range(0..last));
            }
            sum.sort_unstable();
        }
        Ok(Self {
            inputs,
            statements,
            outputs: sums,
        })
    }

    /// Where the function was not made to be singular or special: inputs between -1 and 1, all different.
    #[must_use]
    pub fn x0(&self) -> Vec<f64> {
        (0..self.inputs)
            .map(|i| (crate::classic::to_f64(i) * 0.7 + 0.3).sin())
            .collect()
    }
}

/// The vertices that no statement has read; any one is found and removed at once.
struct Unread {
    vertices: Vec<usize>,
    places: Vec<Option<usize>>,
}

impl Unread {
    fn new(inputs: usize) -> Self {
        Self {
            vertices: (0..inputs).collect(),
            places: (0..inputs).map(Some).collect(),
        }
    }

    fn len(&self) -> usize {
        self.vertices.len()
    }

    fn at(&self, place: usize) -> usize {
        self.vertices[place]
    }

    fn push(&mut self) {
        self.vertices.push(self.places.len());
        self.places.push(Some(self.vertices.len() - 1));
    }

    fn read(&mut self, vertex: usize) {
        if let Some(place) = self.places[vertex].take() {
            self.vertices.swap_remove(place);
            if let Some(moved) = self.vertices.get(place) {
                self.places[*moved] = Some(place);
            }
        }
    }
}

impl Statement {
    const fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Product(..) | Self::Sum(..) | Self::Difference(..)
        )
    }
}

/// Draws an operation on one or both vertices, given with bounds of their values; also a bound of its value.
fn draw(
    rng: &mut ChaCha8Rng,
    (a, of_a): (usize, f64),
    (b, of_b): (usize, f64),
) -> (Statement, f64) {
    let (sum, product) = (of_a + of_b, of_a * of_b);
    match rng.random_range(0..10_u32) {
        // A vertex minus itself would be constant.
        0..=3 if product <= LARGEST => (Statement::Product(a, b), product),
        4 | 5 if sum <= LARGEST => (Statement::Sum(a, b), sum),
        6 if sum <= LARGEST && a != b => (Statement::Difference(a, b), sum),
        7 => (Statement::Cosine(a), 1.0),
        8 => (Statement::HyperbolicTangent(a), 1.0),
        _ => (Statement::Sine(a), 1.0),
    }
}

impl Function for RandomGraph {
    fn inputs(&self) -> Option<usize> {
        Some(self.inputs)
    }
    fn outputs(&self, _: usize) -> usize {
        self.outputs.len()
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let mut values = x.to_vec();
        values.reserve(self.statements.len());
        for statement in &self.statements {
            values.push(match *statement {
                Statement::Sine(a) => values[a].sin(),
                Statement::Cosine(a) => values[a].cos(),
                Statement::HyperbolicTangent(a) => values[a].tanh(),
                Statement::Product(a, b) => values[a] * values[b],
                Statement::Sum(a, b) => values[a] + values[b],
                Statement::Difference(a, b) => values[a] - values[b],
            });
        }
        for (y, sum) in y.iter_mut().zip(&self.outputs) {
            *y = S::sum_of(sum.iter().map(|vertex| values[*vertex]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;

    const SIZES: [(usize, usize, usize); 5] =
        [(1, 1, 1), (2, 5, 3), (10, 30, 5), (3, 200, 40), (50, 20, 2)];

    #[test]
    fn every_vertex_contributes_to_an_output() {
        for (inputs, intermediates, outputs) in SIZES {
            for seed in 0..20 {
                let f = RandomGraph::generate(inputs, intermediates, outputs, seed).unwrap();
                assert_eq!(
                    (f.statements.len(), f.outputs.len()),
                    (intermediates, outputs)
                );
                let mut reads = vec![false; inputs + intermediates];
                for (place, statement) in f.statements.iter().enumerate() {
                    let arguments = match *statement {
                        Statement::Sine(a) | Statement::Cosine(a) => [a, a],
                        Statement::HyperbolicTangent(a) => [a, a],
                        Statement::Product(a, b) | Statement::Sum(a, b) => [a, b],
                        Statement::Difference(a, b) => [a, b],
                    };
                    for argument in arguments {
                        assert!(argument < inputs + place);
                        reads[argument] = true;
                    }
                }
                for vertex in f.outputs.iter().flatten() {
                    reads[*vertex] = true;
                }
                assert!(reads.iter().all(|read| *read), "seed {seed}");
                assert!(f.outputs.iter().all(|sum| sum.len() >= 2));
            }
        }
    }

    /// The chain rule edge by edge, by paths from each input.
    #[test]
    fn the_jacobian_sums_over_paths() {
        for (inputs, intermediates, outputs) in SIZES {
            let f = RandomGraph::generate(inputs, intermediates, outputs, 3).unwrap();
            let x = f.x0();
            let j = assert_modes_agree(&f, &x);
            for input in 0..inputs {
                let mut v = x.clone();
                let mut d = vec![0.0; inputs];
                d[input] = 1.0;
                for statement in &f.statements {
                    let (value, slope) = match *statement {
                        Statement::Sine(a) => (v[a].sin(), v[a].cos() * d[a]),
                        Statement::Cosine(a) => (v[a].cos(), -v[a].sin() * d[a]),
                        Statement::HyperbolicTangent(a) => {
                            (v[a].tanh(), d[a] / v[a].cosh().powi(2))
                        }
                        Statement::Product(a, b) => (v[a] * v[b], d[a] * v[b] + v[a] * d[b]),
                        Statement::Sum(a, b) => (v[a] + v[b], d[a] + d[b]),
                        Statement::Difference(a, b) => (v[a] - v[b], d[a] - d[b]),
                    };
                    assert!(value.abs() <= LARGEST);
                    v.push(value);
                    d.push(slope);
                }
                for (output, sum) in f.outputs.iter().enumerate() {
                    let expected: f64 = sum.iter().map(|vertex| d[*vertex]).sum();
                    let size = j.row(output).amax().max(1.0);
                    assert!((j[(output, input)] - expected).abs() < 1e-12 * size);
                }
            }
        }
    }

    #[test]
    fn sizes_that_do_not_exist_are_errors() {
        for sizes in [[0, 1, 1], [1, 0, 1], [1, 1, 0], [usize::MAX; 3]] {
            assert!(RandomGraph::generate(sizes[0], sizes[1], sizes[2], 1).is_err());
        }
    }
}
