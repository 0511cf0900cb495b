//! [`dense`]: the best brackets of a product of matrices.
//!
//! Invariant: forward and reverse are two of the bracketings, so the best is never above either.
//! Source: Cormen, Leiserson, Rivest & Stein 2009, §15.2 (dynamic programming over parts); Griewank & Walther 2008, §10.

use serde::{Deserialize, Serialize};

use super::bracketing::Bracketing;
use super::matrix_free::Chain;
use crate::error::Error;

/// What the orders of a product of matrices cost, in multiplications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenseChain {
    /// The least cost.
    pub best: u64,
    /// The cost in chain order, as in forward mode.
    pub forward: u64,
    /// The cost against chain order, as in reverse mode.
    pub reverse: u64,
    /// Brackets with the least cost; of several, those that split next to the inputs.
    pub bracketing: Bracketing,
}

/// The best brackets of a product of matrices, of which the `k`th has `dims[k]` inputs and `dims[k + 1]` outputs.
///
/// **Shape**: fewer than two numbers are an empty chain, two a single matrix; both cost nothing.
/// **Cost**: O(q^3) time and O(q^2) memory for q matrices.
///
/// # Errors
/// `CostOverflow` if the best, the forward or the reverse cost is beyond 2^64.
///
/// ```
/// use wengert::crosscountry::chain;
/// let slide = chain::dense(&[1000, 100, 50, 10, 1])?;
/// assert_eq!((slide.best, slide.forward, slide.reverse), (105_500, 5_510_000, 105_500));
/// assert_eq!(slide.bracketing.to_string(), "(J0*(J1*(J2*J3)))");
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Source**: Cormen, Leiserson, Rivest & Stein 2009, §15.2.
pub fn dense(dims: &[u64]) -> Result<DenseChain, Error> {
    let chain = Chain::dense(dims);
    let forward = chain.forward()?;
    let reverse = chain.reverse(None)?.ok_or(Error::CostOverflow)?;
    let bracketing = chain.serial(None).ok_or(Error::CostOverflow)?;
    Ok(DenseChain {
        best: bracketing.cost(),
        forward,
        reverse,
        bracketing,
    })
}
