//! The loss of a character model: a long short-term memory with diagonal weights.
//!
//! Invariant: the characters and the initial state are constants; every loss has the same sequence of operations.
//! Source: Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective LSTM; Hochreiter & Schmidhuber 1997.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smallvec::SmallVec;
use wengert::{Rows, Scalar, ScalarFunction};

use crate::ProblemError;
use crate::classic::to_f64;
use crate::text::{MOST_INPUTS, Reader, read};

/// An instance: characters, initial state and the start values of the independents.
///
/// Independents in this order: per layer `4b` weights and `4b` biases, each for the forget gate, the input gate, the
/// output gate and the change; then the input weight, output weight and output bias, `b` each.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::lstm::Lstm;
/// // One layer, two characters of one bit, all parameters 0: the state stays 0 and the loss is ln(e^0 + 2).
/// let lstm = Lstm::from_text("1 2 1   0 0 0 0   0 0 0 0   0   0   0   0   0   1   1")?;
/// assert_eq!(lstm.call(&lstm.x0()), 3.0_f64.ln());
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `8 l b + 3 b` inputs, one output.
/// **Cost**: per character and layer, `6b` multiplications, `3b` logistic functions and `2b` hyperbolic tangents.
/// **Source**: ADBench, objective LSTM.
#[derive(Clone, Debug)]
pub struct Lstm {
    b: usize,
    state: Vec<f64>,
    characters: Vec<f64>,
    x0: Vec<f64>,
}

impl Lstm {
    /// Reads the file format of the suite: `l c b`, main parameters, extra parameters, initial state, characters.
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
        let l = reader.positive("the number of layers")?;
        let c = reader.positive("the number of characters")?;
        if c < 2 {
            return Err(reader.error("at least two characters", c.to_string().into()));
        }
        let b = reader.positive("the number of bits per character")?;
        reader.check_inputs(inputs(l, b))?;
        reader.check_inputs(c.checked_mul(b))?;
        let mut x0 = reader.numbers(8 * l * b, "a main parameter")?;
        x0.extend(reader.numbers(3 * b, "an extra parameter")?);
        let state = reader.numbers(2 * l * b, "a number of the initial state")?;
        let characters = reader.numbers(c * b, "a bit of a character")?;
        reader.end()?;
        Ok(Self {
            b,
            state,
            characters,
            x0,
        })
    }

    /// An instance with `l` layers and `c` random characters out of `b`; parameters uniform in [0, 1), state 0.
    ///
    /// **Cost**: linear in the sizes.
    ///
    /// # Errors
    /// [`ProblemError::Size`] for a size of 0, fewer than two characters or more than 10^8 numbers.
    pub fn generate(l: usize, c: usize, b: usize, seed: u64) -> Result<Self, ProblemError> {
        let fits = |count: Option<usize>| count.filter(|n| (1..=MOST_INPUTS).contains(n));
        let (Some(len), Some(bits), true) =
            (fits(inputs(l, b)), fits(c.checked_mul(b)), l > 0 && c > 1)
        else {
            return Err(ProblemError::size(
                "lstm",
                "l b >= 1, c >= 2 and not huge",
                &[l, c, b],
            ));
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x0 = (0..len).map(|_| rng.random()).collect();
        let mut characters = vec![0.0; bits];
        for character in characters.chunks_exact_mut(b) {
            character[rng.random_range(0..b)] = 1.0;
        }
        Ok(Self {
            b,
            state: vec![0.0; 2 * l * b],
            characters,
            x0,
        })
    }

    /// The number of layers.
    pub const fn layers(&self) -> usize {
        self.state.len() / (2 * self.b)
    }

    /// The number of characters.
    pub const fn characters(&self) -> usize {
        self.characters.len() / self.b
    }

    /// The number of bits per character.
    pub const fn bits(&self) -> usize {
        self.b
    }

    /// The start values of the independents, in their order.
    pub fn x0(&self) -> Vec<f64> {
        self.x0.clone()
    }
}

/// Parameters of a unit: the weights of its four parts, then their biases.
const UNIT: usize = 8;

/// Writes the hidden value and the cell of a unit after one step.
///
/// `x`: the parameters of the unit, its hidden value and its cell, its signal.
#[inline(always)]
fn step<S: Scalar>(x: &[S], y: &mut [S]) {
    let (weights, biases) = (&x[..4], &x[4..UNIT]);
    let (hidden, cell, signal) = (x[UNIT], x[UNIT + 1], x[UNIT + 2]);
    let forget = (signal * weights[0] + biases[0]).logistic();
    let input = (hidden * weights[1] + biases[1]).logistic();
    let output = (signal * weights[2] + biases[2]).logistic();
    let change = (hidden * weights[3] + biases[3]).tanh();
    let cell = cell * forget + input * change;
    y[0] = output * cell.tanh();
    y[1] = cell;
}

/// Rows from columns: what was stored by kind, `b` of each, unit by unit.
fn by_unit<T: Copy>(columns: &[T], b: usize) -> impl Iterator<Item = T> {
    (0..b).flat_map(move |unit| columns[unit..].iter().step_by(b).copied())
}

/// Rows of a buffer that was made of such rows.
fn rows<T: Copy>(values: &[T], width: usize) -> Rows<'_, T> {
    Rows::new(values, width).expect("the buffer was made of rows of this width")
}

impl ScalarFunction for Lstm {
    fn inputs(&self) -> Option<usize> {
        Some(self.x0.len())
    }

    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let b = self.b;
        let (main, extra) = x.split_at(x.len() - 3 * b);
        let (in_weight, rest) = extra.split_at(b);
        let (out_weight, out_bias) = rest.split_at(b);
        let layers = main.chunks_exact(UNIT * b);
        let main: Vec<S> = layers.flat_map(|layer| by_unit(layer, b)).collect();
        // The state of every unit, layer by layer, and at last the loss; -0 is what a sum starts from.
        let start = self.state.chunks_exact(2 * b);
        let mut state: Vec<S> = start
            .flat_map(|layer| by_unit(layer, b).map(S::from))
            .collect();
        state.push(S::from(-0.0));
        let characters = rows(&self.characters[..self.characters.len() - b], b);
        let following = rows(&self.characters[b..], b);
        S::scan(
            &mut state,
            &[],
            &[characters, following],
            |state, _, bits| {
                let (character, next) = bits.split_at(b);
                let Some((loss, states)) = state.split_last_mut() else {
                    return;
                };
                let mut signal: SmallVec<[S; 16]> = in_weight
                    .iter()
                    .zip(character)
                    .map(|(w, bit)| *w * *bit)
                    .collect();
                let mut after: SmallVec<[S; 32]> = SmallVec::from_elem(S::from(0.0), 2 * b);
                for (layer, state) in main
                    .chunks_exact(UNIT * b)
                    .zip(states.chunks_exact_mut(2 * b))
                {
                    let lanes = [rows(layer, UNIT), rows(state, 2), Rows::column(&signal)];
                    S::map_rows(&lanes, &[], &mut after, |x, _, y| step(x, y));
                    state.copy_from_slice(&after);
                    for (signal, unit) in signal.iter_mut().zip(state.chunks_exact(2)) {
                        *signal = unit[0];
                    }
                }
                let lanes = [&signal, out_weight, out_bias].map(Rows::column);
                S::map_rows(&lanes, &[], &mut after, |x, _, y| {
                    y[0] = x[0] * x[1] + x[2];
                    y[1] = y[0].exp();
                });
                let exponentials = S::sum_of(after.chunks_exact(2).map(|y| y[1]));
                let normaliser = (exponentials + 2.0).ln();
                let lanes = [rows(&after, 2), Rows::column(next)];
                *loss += S::sum_over(&lanes, &[], |y, _| (y[0] - normaliser) * y[2]);
            },
        );
        let total = state[state.len() - 1];
        -total / to_f64((self.characters() - 1) * b)
    }
}

/// The number of independents, unless it overflows.
fn inputs(l: usize, b: usize) -> Option<usize> {
    l.checked_mul(8)?.checked_add(3)?.checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "1 2 1\n0 1 2 3\n4 5 6 7\n\n8\n9\n10\n\n0.5\n0.25\n\n0\n1\n";

    #[test]
    fn every_truncation_and_every_wrong_word_is_an_error() {
        assert!(Lstm::from_text(SMALL).is_ok());
        let words: Vec<&str> = SMALL.split_whitespace().collect();
        for at in 0..words.len() {
            let short = Lstm::from_text(&words[..at].join(" ")).unwrap_err();
            assert!(short.to_string().contains("the end of the file"), "{short}");
            let mut words = words.clone();
            words[at] = "one";
            let wrong = Lstm::from_text(&words.join("\n")).unwrap_err();
            assert!(
                wrong
                    .to_string()
                    .starts_with(&format!("<text>:{}:", at + 1)),
                "{wrong}"
            );
        }
        assert!(Lstm::from_text(&format!("{SMALL} 3")).is_err());
    }

    #[test]
    fn sizes_are_checked() {
        for text in [
            "0 2 1",
            "1 1 1",
            "1 2 0",
            "2305843009213693952 2 1",
            "1 18446744073709551615 2",
        ] {
            assert!(Lstm::from_text(text).is_err(), "{text}");
        }
        assert!(Lstm::generate(0, 2, 1, 0).is_err());
        assert!(Lstm::generate(1, 1, 1, 0).is_err());
        assert!(Lstm::generate(usize::MAX, 2, 2, 0).is_err());
    }

    #[test]
    fn a_seed_gives_one_instance() {
        let (a, b) = (
            Lstm::generate(2, 5, 3, 1).unwrap(),
            Lstm::generate(2, 5, 3, 1).unwrap(),
        );
        assert_eq!((a.x0(), &a.characters), (b.x0(), &b.characters));
        assert_eq!(
            (a.layers(), a.characters(), a.bits(), a.x0().len()),
            (2, 5, 3, 57)
        );
        let ones = a.characters.iter().filter(|bit| **bit == 1.0).count();
        assert_eq!(ones, 5);
    }
}
