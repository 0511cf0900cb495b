//! Exponentials.
//!
//! `x = k ln 2 + r` with |r| <= ln(2)/2, where ln 2 is split so that the first product is exact; then `e^x = 2^k e^r` and
//! e^r is a polynomial. The sum `e^r` is kept as leading and small terms as long as possible.
//!
//! Sources: Cody & Waite 1980, chapter 6; Muller 2016, §11.2 (reduction); P. T. P. Tang, Table-driven implementation of
//! the expm1 function, 1992 (order of the final sum).

use std::f64::consts::{LN_2, LOG2_E};

use super::arithmetic::*;

/// The leading 41 bits of ln 2, and the rest.
pub(super) const LN2_HIGH: f64 = 0.693_147_180_559_663;
pub(super) const LN2_LOW: f64 = 2.823_529_056_303_157_7e-13;
/// ln 2 minus the number nearest to it.
const LN2_REST: f64 = 2.319_046_813_846_299_6e-17;

/// (e^r - 1 - r) / r^2 for |r| <= 0.34665; the error of e^r is below 2^-56.
const EXP: [f64; 10] = [
    0.500_000_000_000_001_2,
    0.166_666_666_666_667,
    0.041_666_666_666_515_31,
    0.008_333_333_333_307_474,
    0.001_388_888_894_704_775_8,
    0.000_198_412_699_168_679_52,
    2.480_148_990_530_528_3e-05,
    2.755_721_670_684_846_7e-06,
    2.763_129_485_177_426_6e-07,
    2.511_774_800_912_216_7e-08,
];

/// `e^x = 2^k (1 + leading + small)`.
#[derive(Clone, Copy)]
pub(super) struct Reduced {
    /// k + 2048.
    pub(super) k: u64,
    /// |leading| <= 0.3466.
    pub(super) leading: f64,
    /// |small| <= 0.062.
    pub(super) small: f64,
}

impl Reduced {
    /// `1 + leading + small` as a sum of a rounded number and the rest.
    #[inline(always)]
    pub(super) fn sum(self) -> (f64, f64) {
        let (sum, error) = fast_two_sum(1.0, self.leading);
        fast_two_sum(sum, error + self.small)
    }

    /// `e^x`, rounded.
    #[inline(always)]
    pub(super) fn value(self) -> f64 {
        let (sum, error) = fast_two_sum(1.0, self.leading);
        scale(sum + (error + self.small), self.k)
    }
}

/// The terms for `e^(x + low)`, |x| < 1300.
#[inline(always)]
pub(super) fn reduce<const FMA: bool>(x: f64, low: f64) -> Reduced {
    let (n, k) = nearest_integer(x * LOG2_E);
    let leading = fma::<FMA>(n, -LN2_HIGH, x);
    let rest = fma::<FMA>(n, -LN2_LOW, low);
    series::<FMA>(k, leading, rest)
}

#[inline(always)]
fn series<const FMA: bool>(k: u64, leading: f64, rest: f64) -> Reduced {
    let r = leading + rest;
    let small = fma::<FMA>(r * r, polynomial::<FMA, 10>(r, &EXP), rest);
    Reduced { k, leading, small }
}

lanes! {
    /// `e^x`.
    exp = exp_core;
    /// `2^x`.
    exp2 = exp2_core;
    /// `e^x - 1`, accurate close to 0.
    exp_m1 = exp_m1_core;
}

// Beyond overflow (709.78) and underflow to zero (-745.14) the terms are meaningless and replaced.
#[inline(always)]
fn exp_core<const FMA: bool>(x: f64) -> f64 {
    let y = reduce::<FMA>(x, 0.0).value();
    let y = select(x > 710.0, f64::INFINITY, y);
    select(x < -746.0, 0.0, y)
}

#[inline(always)]
fn exp2_core<const FMA: bool>(x: f64) -> f64 {
    let x = at_least(at_most(x, 1025.0), -1076.0);
    let (n, k) = nearest_integer(x);
    let r = x - n;
    let leading = r * LN_2;
    let error = two_product::<FMA>(r, LN_2).1;
    series::<FMA>(k, leading, fma::<FMA>(r, LN2_REST, error)).value()
}

/// `2^k - 1` and `2^k leading` are added with the error of their sum; both are halved so that 2^1024 fits.
#[inline(always)]
fn exp_m1_core<const FMA: bool>(x: f64) -> f64 {
    let e = reduce::<FMA>(at_least(at_most(x, 709.9), -50.0), 0.0);
    let power = power_of_two(e.k.wrapping_sub(1));
    let (sum, error) = fast_two_sum(power - 0.5, power * e.leading);
    let y = 2.0 * (sum + fma::<FMA>(power, e.small, error));
    select(x.abs() < 1e-17, x, y)
}
