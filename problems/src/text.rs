//! Reading numbers from text: words with their line, and errors that say which was wrong.
//!
//! Invariant: nothing is allocated for a count before the words that it announces are there, so a wrong count in a file
//! costs an error and no memory.

use std::path::Path;

use crate::ProblemError;

/// The largest number of independents that a file may announce: 0.8 GB as `f64`.
pub(crate) const MOST_INPUTS: usize = 100_000_000;

/// The words of a text in order.
pub(crate) struct Reader<'a> {
    file: &'a str,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    words: Words<'a>,
    separator: Option<char>,
    line: usize,
}

/// The words of one line.
enum Words<'a> {
    Spaced(std::str::SplitWhitespace<'a>),
    Separated(std::str::Split<'a, char>),
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::Spaced(words) => words.next(),
            Self::Separated(words) => words.next().map(str::trim),
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads words separated by white space; line ends do not matter.
    pub(crate) fn spaced(text: &'a str, file: &'a str) -> Self {
        Self::new(text, file, None)
    }

    /// Reads words separated by `separator`; each line is a record, fetched by [`next_record`](Self::next_record).
    pub(crate) fn separated(text: &'a str, file: &'a str, separator: char) -> Self {
        Self::new(text, file, Some(separator))
    }

    fn new(text: &'a str, file: &'a str, separator: Option<char>) -> Self {
        let lines = text.lines().enumerate();
        Self {
            file,
            lines,
            words: Words::Spaced("".split_whitespace()),
            separator,
            line: 1,
        }
    }

    /// Goes to the next line that is not blank; false at the end of the text.
    pub(crate) fn next_record(&mut self) -> bool {
        for (index, line) in self.lines.by_ref() {
            if line.trim().is_empty() {
                continue;
            }
            self.line = index + 1;
            self.words = match self.separator {
                Some(separator) => Words::Separated(line.split(separator)),
                None => Words::Spaced(line.split_whitespace()),
            };
            return true;
        }
        false
    }

    /// The next word; only spaced text continues on the next line.
    pub(crate) fn word(&mut self, expected: &'static str) -> Result<&'a str, ProblemError> {
        loop {
            if let Some(word) = self.words.next() {
                return Ok(word);
            }
            if self.separator.is_some() {
                return Err(self.error(expected, "the end of the line".into()));
            }
            if !self.next_record() {
                return Err(self.error(expected, "the end of the file".into()));
            }
        }
    }

    /// The next word as a count or index.
    pub(crate) fn count(&mut self, expected: &'static str) -> Result<usize, ProblemError> {
        let word = self.word(expected)?;
        word.parse().map_err(|_| self.error(expected, quoted(word)))
    }

    /// The next word as a count that is not zero.
    pub(crate) fn positive(&mut self, expected: &'static str) -> Result<usize, ProblemError> {
        match self.count(expected)? {
            0 => Err(self.error(expected, "`0`".into())),
            count => Ok(count),
        }
    }

    /// The next word as an index below `len`.
    pub(crate) fn index(
        &mut self,
        len: usize,
        expected: &'static str,
    ) -> Result<usize, ProblemError> {
        match self.count(expected)? {
            index if index < len => Ok(index),
            index => Err(self.error(expected, format!("{index}, but there are {len}").into())),
        }
    }

    /// The next word as a finite number.
    pub(crate) fn number(&mut self, expected: &'static str) -> Result<f64, ProblemError> {
        let word = self.word(expected)?;
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.error(expected, quoted(word))),
        }
    }

    /// The next `len` words as finite numbers.
    pub(crate) fn numbers(
        &mut self,
        len: usize,
        expected: &'static str,
    ) -> Result<Vec<f64>, ProblemError> {
        let mut numbers = Vec::new();
        for _ in 0..len {
            numbers.push(self.number(expected)?);
        }
        Ok(numbers)
    }

    /// The next `N` words as finite numbers.
    pub(crate) fn array<const N: usize>(
        &mut self,
        expected: &'static str,
    ) -> Result<[f64; N], ProblemError> {
        let mut numbers = [0.0; N];
        for number in &mut numbers {
            *number = self.number(expected)?;
        }
        Ok(numbers)
    }

    /// Checks that the record (separated text) or the text (spaced) ends here.
    pub(crate) fn end(&mut self) -> Result<(), ProblemError> {
        loop {
            match self.words.next() {
                Some("") if self.separator.is_some() => {}
                Some(word) => return Err(self.error("nothing more", quoted(word))),
                None if self.separator.is_some() || !self.next_record() => return Ok(()),
                None => {}
            }
        }
    }

    /// An error at the current line.
    pub(crate) fn error(&self, expected: &'static str, found: Box<str>) -> ProblemError {
        ProblemError::Format {
            file: self.file.into(),
            line: self.line,
            expected,
            found,
        }
    }

    /// Checks a number of independents computed without overflow.
    pub(crate) fn check_inputs(&self, inputs: Option<usize>) -> Result<(), ProblemError> {
        match inputs {
            Some(inputs) if inputs <= MOST_INPUTS => Ok(()),
            Some(inputs) => Err(self.error(
                "sizes with at most 100000000 inputs",
                inputs.to_string().into(),
            )),
            None => Err(self.error("sizes with at most 100000000 inputs", "more".into())),
        }
    }
}

/// A word for an error message, shortened.
fn quoted(word: &str) -> Box<str> {
    let shortened: String = word.chars().take(40).collect();
    let dots = if shortened.len() < word.len() {
        "..."
    } else {
        ""
    };
    format!("`{shortened}{dots}`").into()
}

/// The whole text of a file.
pub(crate) fn read(path: &Path) -> Result<String, ProblemError> {
    std::fs::read_to_string(path).map_err(|error| ProblemError::io(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_over_blank_ones() {
        let mut reader = Reader::spaced("1\n\n 2 x", "f");
        assert_eq!(reader.numbers(2, "a number"), Ok(vec![1.0, 2.0]));
        let wrong = reader.number("a number").unwrap_err();
        assert_eq!(wrong.to_string(), "f:3: expected a number, found `x`");
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for text in ["nan", "inf", "1e999", "-1e999", "", "0x10", "1,5"] {
            assert!(
                Reader::spaced(text, "f").number("a number").is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn counts_that_overflow_are_refused() {
        for text in ["-1", "1.5", "99999999999999999999999999"] {
            assert!(
                Reader::spaced(text, "f").count("a count").is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn long_words_are_shortened_at_a_character() {
        let word = "ä".repeat(1000);
        let wrong = Reader::spaced(&word, "f").number("a number").unwrap_err();
        assert!(wrong.to_string().len() < 200);
    }
}
