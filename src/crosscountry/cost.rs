//! [`CostModel`] and [`Tally`]: what an elimination costs, counted exactly.
//!
//! Invariant: counts are exact or an error; they never wrap (EDGE_CASES e90).
//! Source: Griewank & Walther 2008, §9.2; the published convention for copies is that of Lohoff & Neftci 2024.

use std::fmt;
use std::str::FromStr;

use super::graph::EdgeClass;
use crate::error::Error;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CostModel {
    /// Every product of two partials, but for those with a copy: the published convention.
    #[default]
    Multiplications,
    /// Products and additions that a program executes: products with 1 or -1 and whatever can be folded are free; a product
    /// that is added to a partial counts twice.
    Arithmetic,
    /// The largest number of partials that are stored at one time, those being written included.
    Memory,
}

impl CostModel {
    /// All models, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Multiplications, Self::Arithmetic, Self::Memory];
}

impl fmt::Display for CostModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Multiplications => "multiplications",
            Self::Arithmetic => "arithmetic",
            Self::Memory => "memory",
        })
    }
}

impl FromStr for CostModel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter();
        let mut known = known.filter(|model| model.to_string() == text);
        known.next().ok_or_else(|| {
            format!("unknown cost `{text}`, expected multiplications, arithmetic or memory")
        })
    }
}

/// What an elimination has cost so far, by every model.
///
/// **Source**: Griewank & Walther 2008, §9.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// See [`CostModel::Multiplications`].
    pub multiplications: u64,
    /// See [`CostModel::Arithmetic`].
    pub arithmetic: u64,
    /// See [`CostModel::Memory`].
    pub memory: u64,
}

impl Tally {
    /// The cost by one model.
    #[must_use]
    pub const fn of(&self, model: CostModel) -> u64 {
        match model {
            CostModel::Multiplications => self.multiplications,
            CostModel::Arithmetic => self.arithmetic,
            CostModel::Memory => self.memory,
        }
    }

    /// Counts a product of partials of these classes.
    pub(super) fn count_product(
        &mut self,
        first: EdgeClass,
        second: EdgeClass,
    ) -> Result<(), Error> {
        use EdgeClass::{Copy, Unit};
        if first != Copy && second != Copy {
            self.multiplications = increment(self.multiplications)?;
            let folds = first.is_constant() && second.is_constant();
            if !folds && first != Unit && second != Unit {
                self.arithmetic = increment(self.arithmetic)?;
            }
        }
        Ok(())
    }

    /// Counts the addition of a product to a partial.
    pub(super) fn count_sum(&mut self, first: EdgeClass, second: EdgeClass) -> Result<(), Error> {
        if !(first.is_constant() && second.is_constant()) {
            self.arithmetic = increment(self.arithmetic)?;
        }
        Ok(())
    }
}

fn increment(count: u64) -> Result<u64, Error> {
    count.checked_add(1).ok_or(Error::CostOverflow)
}
