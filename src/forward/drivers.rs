//! Drivers
use crate::scalar::Scalar;
use super::Dual;
/// d
pub fn derivative<T: Scalar>(f: impl Fn(Dual<T>) -> Dual<T>, x: T) -> T {
    f(Dual::new(x, T::from(1.0))).tangent
}
