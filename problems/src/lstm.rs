//! The loss of a character model: a long short-term memory with diagonal weights.
//!
//! Invariant: the characters and the initial state are constants; every loss has the same sequence of operations.
//! Source: Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective LSTM; Hochreiter & Schmidhuber 1997.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wengert::{Scalar, ScalarFunction};

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

/// The parameters of one kind for the four parts of a layer.
struct Gates<'a, S> {
    forget: &'a [S],
    input: &'a [S],
    output: &'a [S],
    change: &'a [S],
}

impl<'a, S> Gates<'a, S> {
    fn new(parameters: &'a [S], b: usize) -> Self {
        let (forget, rest) = parameters.split_at(b);
        let (input, rest) = rest.split_at(b);
        let (output, change) = rest.split_at(b);
        Self {
            forget,
            input,
            output,
            change,
        }
    }
}

/// Advances one layer by one step; `signal` comes in as its input and leaves as its output.
fn step<S: Scalar>(parameters: &[S], state: &mut [S], signal: &mut [S]) {
    let b = signal.len();
    let (weights, biases) = parameters.split_at(4 * b);
    let (weights, biases) = (Gates::new(weights, b), Gates::new(biases, b));
    let (hidden, cell) = state.split_at_mut(b);
    for i in 0..b {
        let forget = (signal[i] * weights.forget[i] + biases.forget[i]).logistic();
        let input = (hidden[i] * weights.input[i] + biases.input[i]).logistic();
        let output = (signal[i] * weights.output[i] + biases.output[i]).logistic();
        let change = (hidden[i] * weights.change[i] + biases.change[i]).tanh();
        cell[i] = cell[i] * forget + input * change;
        hidden[i] = output * cell[i].tanh();
        signal[i] = hidden[i];
    }
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
        let mut state: Vec<S> = self.state.iter().map(|s| S::from(*s)).collect();
        let mut signal = vec![S::from(0.0); b];
        let following = self.characters.chunks_exact(b).skip(1);
        let pairs = self.characters.chunks_exact(b).zip(following);
        let total = S::sum_of(pairs.map(|(character, next)| {
            for ((signal, weight), bit) in signal.iter_mut().zip(in_weight).zip(character) {
                *signal = *weight * *bit;
            }
            for (layer, state) in main.chunks_exact(8 * b).zip(state.chunks_exact_mut(2 * b)) {
                step(layer, state, &mut signal);
            }
            for ((signal, weight), bias) in signal.iter_mut().zip(out_weight).zip(out_bias) {
                *signal = *signal * *weight + *bias;
            }
            let normaliser = (S::sum_of(signal.iter().map(|y| y.exp())) + 2.0).ln();
            S::sum_of(
                signal
                    .iter()
                    .zip(next)
                    .map(|(y, bit)| (*y - normaliser) * *bit),
            )
        }));
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
