//! The few operations the reverse-mode workloads need, for tapes that share no trait.
//!
//! Invariant: every method forwards to the one operation of the crate that its user would write, so
//! that no crate records more than its own operators record.

use std::cell::Cell;
use std::ops::{Add, Mul};

/// A number that the tape and mixture workloads can be written for.
pub(crate) trait Real: Copy + Add<Output = Self> + Mul<Output = Self> {
    /// `self + c`.
    fn plus(self, c: f64) -> Self;
    /// `self * c`.
    fn times(self, c: f64) -> Self;
    /// `c - self`.
    fn subtracted_from(self, c: f64) -> Self;
    /// Exponential.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// The value alone, not differentiated.
    fn value(self) -> f64;
}

impl Real for f64 {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + c
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * c
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        c - self
    }
    #[inline]
    fn exp(self) -> Self {
        self.exp()
    }
    #[inline]
    fn ln(self) -> Self {
        self.ln()
    }
    #[inline]
    fn value(self) -> f64 {
        self
    }
}

impl Real for wengert::reverse::Var<f64> {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + c
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * c
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        -self + c
    }
    #[inline]
    fn exp(self) -> Self {
        num_dual::DualNum::exp(&self)
    }
    #[inline]
    fn ln(self) -> Self {
        num_dual::DualNum::ln(&self)
    }
    #[inline]
    fn value(self) -> f64 {
        Self::value(&self)
    }
}

impl Real for echidna::Reverse<f64> {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + c
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * c
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        c - self
    }
    #[inline]
    fn exp(self) -> Self {
        num_traits::Float::exp(self)
    }
    #[inline]
    fn ln(self) -> Self {
        num_traits::Float::ln(self)
    }
    #[inline]
    fn value(self) -> f64 {
        echidna::Scalar::value(&self)
    }
}

impl Real for reverse::Var<'_> {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + c
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * c
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        c - self
    }
    #[inline]
    fn exp(self) -> Self {
        reverse::Var::exp(&self)
    }
    #[inline]
    fn ln(self) -> Self {
        reverse::Var::ln(&self)
    }
    #[inline]
    fn value(self) -> f64 {
        self.val()
    }
}

impl Real for RustQuant_autodiff::Variable<'_> {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + c
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * c
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        c - self
    }
    #[inline]
    fn exp(self) -> Self {
        RustQuant_autodiff::Variable::exp(self)
    }
    #[inline]
    fn ln(self) -> Self {
        RustQuant_autodiff::Variable::ln(self)
    }
    #[inline]
    fn value(self) -> f64 {
        RustQuant_autodiff::Variable::value(&self)
    }
}

impl Real for ad_trait::reverse_ad::adr::adr {
    #[inline]
    fn plus(self, c: f64) -> Self {
        self + ad_trait::F64(c)
    }
    #[inline]
    fn times(self, c: f64) -> Self {
        self * ad_trait::F64(c)
    }
    #[inline]
    fn subtracted_from(self, c: f64) -> Self {
        <Self as ad_trait::AD>::sub_l_scalar(c, self)
    }
    #[inline]
    fn exp(self) -> Self {
        ad_trait_exp(self)
    }
    #[inline]
    fn ln(self) -> Self {
        ad_trait_ln(self)
    }
    #[inline]
    fn value(self) -> f64 {
        // The inherent method, not the trait's.
        Self::value(&self)
    }
}

// The methods come from a nalgebra that only `ad_trait` depends on; its bound brings them in scope.
#[inline]
fn ad_trait_exp<T: ad_trait::AD>(x: T) -> T {
    x.exp()
}

#[inline]
fn ad_trait_ln<T: ad_trait::AD>(x: T) -> T {
    x.ln()
}

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// A number that counts the operations done on it.
#[derive(Clone, Copy)]
pub(crate) struct Counted(f64);

impl Counted {
    /// Operations that `f` does on its inputs and on what follows from them.
    pub(crate) fn operations(f: impl Fn(&[Self]) -> Self, x: &[f64]) -> u32 {
        let x: Vec<Self> = x.iter().map(|&x| Self(x)).collect();
        COUNT.set(0);
        f(&x);
        COUNT.get()
    }

    fn count(value: f64) -> Self {
        COUNT.set(COUNT.get() + 1);
        Self(value)
    }
}

impl Add for Counted {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::count(self.0 + other.0)
    }
}

impl Mul for Counted {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::count(self.0 * other.0)
    }
}

impl Real for Counted {
    fn plus(self, c: f64) -> Self {
        Self::count(self.0 + c)
    }
    fn times(self, c: f64) -> Self {
        Self::count(self.0 * c)
    }
    fn subtracted_from(self, c: f64) -> Self {
        Self::count(c - self.0)
    }
    fn exp(self) -> Self {
        Self::count(self.0.exp())
    }
    fn ln(self) -> Self {
        Self::count(self.0.ln())
    }
    fn value(self) -> f64 {
        self.0
    }
}
