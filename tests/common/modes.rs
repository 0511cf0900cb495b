//! The modes: every way to differentiate a function object, behind one interface.

use nalgebra::{U1, U4};
use num_dual as nd;
use num_dual::{DualNum, DualStruct};
use wengert::forward::{Dual, Lanes};
use wengert::prelude::{HessianMode, hessian_by, third_order, value_and_gradient_by};
use wengert::reverse::{Pullback, Var, value_and_gradient};
use wengert::{Scalar, ScalarFunction};

/// Partial derivatives by their sorted list of variables: `[]` is the value, `[0, 1]` a mixed second derivative.
///
/// A key may occur several times: every sweep yields the value anew, and all of them are checked.
pub type Partials = Vec<(Vec<usize>, f64)>;

/// Lanes of the vector modes; no test function has more variables.
pub const LANES: usize = 4;

/// One way to compute partial derivatives.
pub trait Mode {
    const NAME: &'static str;
    /// Whether entries spoiled by a structural zero times infinity are repeated strictly (R3). Bare carriers do not.
    const STRICT: bool = false;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials;
}

/// What a test does in every mode.
pub trait Visitor {
    fn visit<M: Mode>(&mut self);
}

/// All modes of this crate. New ones are added here.
pub fn for_each_mode(visitor: &mut impl Visitor) {
    visitor.visit::<Plain>();
    visitor.visit::<OneTangent>();
    visitor.visit::<ManyTangents>();
    visitor.visit::<DualOfDual>();
    visitor.visit::<LanesOfDual>();
    visitor.visit::<DualOfLanes>();
    visitor.visit::<DualOfDualOfDual>();
    visitor.visit::<Reverse>();
    visitor.visit::<ReverseOfDual>();
    visitor.visit::<ReverseOfReverse>();
    visitor.visit::<ForwardDriver>();
    visitor.visit::<ReverseDriver>();
    visitor.visit::<HessianDriver<0>>();
    visitor.visit::<HessianDriver<1>>();
    visitor.visit::<HessianDriver<2>>();
    visitor.visit::<HessianDriver<3>>();
    visitor.visit::<ThirdOrderDriver>();
}

/// num-dual's own types: independent, and exempt from R1 and from the conventions of `EDGE_CASES.md`.
pub fn for_each_num_dual_mode(visitor: &mut impl Visitor) {
    visitor.visit::<NumDualReal>();
    visitor.visit::<NumDual>();
    visitor.visit::<NumDual2>();
    visitor.visit::<NumDual3>();
    visitor.visit::<NumHyperDual>();
    visitor.visit::<NumHyperHyperDual>();
    visitor.visit::<NumDualVec>();
    visitor.visit::<NumDual2Vec>();
    visitor.visit::<NumHyperDualVec>();
    visitor.visit::<NumDualOfOurDual>();
    visitor.visit::<OurDualOfNumDual>();
}

pub struct Plain;
impl Mode for Plain {
    const NAME: &'static str = "f64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        vec![(vec![], f.call(x))]
    }
}

/// One level of tangents above any scalar, active in one variable.
pub fn seed<T: Scalar>(x: &[T], active: usize) -> Vec<Dual<T>> {
    let seeded = |(i, x): (usize, &T)| match i == active {
        true => Dual::new(*x, T::from(1.0)),
        false => Dual::constant(*x),
    };
    x.iter().enumerate().map(seeded).collect()
}

fn seed_lanes<T: Scalar>(x: &[T]) -> Vec<Lanes<T, LANES>> {
    x.iter()
        .enumerate()
        .map(|(i, x)| Lanes::variable(*x, i))
        .collect()
}

/// All sorted pairs of `0..n`.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i..n).map(move |j| (i, j)))
}

pub struct OneTangent;
impl Mode for OneTangent {
    const NAME: &'static str = "Dual<f64>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |i| {
            let y = f.call(&seed(x, i));
            [(vec![], y.value), (vec![i], y.tangent)]
        };
        (0..x.len()).flat_map(sweep).collect()
    }
}

pub struct ManyTangents;
impl Mode for ManyTangents {
    const NAME: &'static str = "Lanes<f64, 4>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let y = f.call(&seed_lanes(x));
        let tangents = (0..x.len()).map(|i| (vec![i], y.tangents[i]));
        std::iter::once((vec![], y.value)).chain(tangents).collect()
    }
}

pub struct DualOfDual;
impl Mode for DualOfDual {
    const NAME: &'static str = "Dual<Dual<f64>>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let y = f.call(&seed(&seed(x, i), j));
            [
                (vec![], y.value.value),
                (vec![i], y.value.tangent),
                (vec![j], y.tangent.value),
                (vec![i, j], y.tangent.tangent),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct LanesOfDual;
impl Mode for LanesOfDual {
    const NAME: &'static str = "Lanes<Dual<f64>, 4>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let y = f.call(&seed_lanes(&seed(x, i)));
            [
                (vec![], y.value.value),
                (vec![i], y.value.tangent),
                (vec![j], y.tangents[j].value),
                (vec![i, j], y.tangents[j].tangent),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct DualOfLanes;
impl Mode for DualOfLanes {
    const NAME: &'static str = "Dual<Lanes<f64, 4>>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let y = f.call(&seed(&seed_lanes(x), j));
            [
                (vec![], y.value.value),
                (vec![i], y.value.tangents[i]),
                (vec![j], y.tangent.value),
                (vec![i, j], y.tangent.tangents[i]),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct DualOfDualOfDual;
impl Mode for DualOfDualOfDual {
    const NAME: &'static str = "Dual<Dual<Dual<f64>>>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let y = f.call(&seed(&seed(&seed(x, i), i), j));
            [
                (vec![], y.value.value.value),
                (vec![i], y.value.value.tangent),
                (vec![i], y.value.tangent.value),
                (vec![j], y.tangent.value.value),
                (vec![i, i], y.value.tangent.tangent),
                (vec![i, j], y.tangent.value.tangent),
                (vec![i, i, j], y.tangent.tangent.tangent),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct Reverse;
impl Mode for Reverse {
    const NAME: &'static str = "Var<f64>";
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let (y, g) = value_and_gradient(|x| f.call(x), x).unwrap();
        let gradient = g.into_iter().enumerate().map(|(i, g)| (vec![i], g));
        std::iter::once((vec![], y)).chain(gradient).collect()
    }
}

pub struct ReverseOfDual;
impl Mode for ReverseOfDual {
    const NAME: &'static str = "Var<Dual<f64>>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |i: usize| {
            let (y, g) = value_and_gradient(|x| f.call(x), &seed(x, i)).unwrap();
            let mut partials = vec![(vec![], y.value), (vec![i], y.tangent)];
            for (j, g) in g.into_iter().enumerate() {
                partials.push((vec![j], g.value));
                partials.push((vec![i.min(j), i.max(j)], g.tangent));
            }
            partials
        };
        (0..x.len()).flat_map(sweep).collect()
    }
}

pub struct ReverseOfReverse;
impl Mode for ReverseOfReverse {
    const NAME: &'static str = "Var<Var<f64>>";
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let n = x.len();
        // The outer recording sees the value and the gradient of the inner one as its outputs.
        let inner = |x: &[Var<f64>]| {
            let (y, g) = value_and_gradient(|x| f.call(x), x).unwrap();
            std::iter::once(y).chain(g).collect::<Vec<_>>()
        };
        let pullback = Pullback::record(inner, x).unwrap();
        let jacobian = pullback.jacobian().unwrap();
        let mut partials = vec![(vec![], pullback.values()[0])];
        for i in 0..n {
            partials.push((vec![i], pullback.values()[1 + i]));
            partials.push((vec![i], jacobian[(0, i)]));
            for j in 0..n {
                partials.push((vec![i.min(j), i.max(j)], jacobian[(1 + i, j)]));
            }
        }
        partials
    }
}

fn driven_gradient<F: ScalarFunction + Sync>(f: &F, x: &[f64], mode: wengert::Mode) -> Partials {
    let (y, g) = value_and_gradient_by(f, x, mode).unwrap();
    let gradient = g.into_iter().enumerate().map(|(i, g)| (vec![i], g));
    std::iter::once((vec![], y)).chain(gradient).collect()
}

/// The driver for function objects, which repeats strictly.
pub struct ForwardDriver;
impl Mode for ForwardDriver {
    const NAME: &'static str = "Mode::Forward";
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        driven_gradient(f, x, wengert::Mode::Forward)
    }
}

/// The driver for function objects, which repeats strictly.
pub struct ReverseDriver;
impl Mode for ReverseDriver {
    const NAME: &'static str = "Mode::Reverse";
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        driven_gradient(f, x, wengert::Mode::Reverse)
    }
}

/// The Hessian driver by the nesting of this number in `HessianMode::ALL`.
pub struct HessianDriver<const NESTING: usize>;
impl<const NESTING: usize> Mode for HessianDriver<NESTING> {
    const NAME: &'static str = [
        "hessian_by 0",
        "hessian_by 1",
        "hessian_by 2",
        "hessian_by 3",
    ][NESTING];
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let h = hessian_by(f, x, HessianMode::ALL[NESTING]).unwrap();
        let n = x.len();
        let entries = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        entries
            .map(|(i, j)| (vec![i.min(j), i.max(j)], h[(i, j)]))
            .collect()
    }
}

pub struct ThirdOrderDriver;
impl Mode for ThirdOrderDriver {
    const NAME: &'static str = "third_order";
    const STRICT: bool = true;
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let t = third_order(f, x).unwrap();
        pairs(x.len())
            .map(|(i, j)| (vec![i, i, j], t[(i, j, i)]))
            .collect()
    }
}

/// num-dual's numbers at `x`, changed in one variable.
fn seed_own<D: DualNum<Primitive = f64> + Copy>(
    x: &[f64],
    active: usize,
    activate: impl Fn(D) -> D,
) -> Vec<D> {
    let seeded = |(i, x): (usize, &f64)| match i == active {
        true => activate(D::from(*x)),
        false => D::from(*x),
    };
    x.iter().enumerate().map(seeded).collect()
}

pub struct NumDualReal;
impl Mode for NumDualReal {
    const NAME: &'static str = "num_dual::Real<f64>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let x: Vec<nd::Real<f64>> = x.iter().map(|x| nd::Real::new(*x)).collect();
        vec![(vec![], f.call(&x).re)]
    }
}

pub struct NumDual;
impl Mode for NumDual {
    const NAME: &'static str = "num_dual::Dual64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |i| {
            let y = f.call(&seed_own(x, i, nd::Dual64::derivative));
            [(vec![], y.re), (vec![i], y.eps)]
        };
        (0..x.len()).flat_map(sweep).collect()
    }
}

pub struct NumDual2;
impl Mode for NumDual2 {
    const NAME: &'static str = "num_dual::Dual2_64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |i| {
            let y = f.call(&seed_own(x, i, nd::Dual2_64::derivative));
            [(vec![], y.re), (vec![i], y.v1), (vec![i, i], y.v2)]
        };
        (0..x.len()).flat_map(sweep).collect()
    }
}

pub struct NumDual3;
impl Mode for NumDual3 {
    const NAME: &'static str = "num_dual::Dual3_64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |i| {
            let y = f.call(&seed_own(x, i, nd::Dual3_64::derivative));
            [
                (vec![], y.re),
                (vec![i], y.v1),
                (vec![i, i], y.v2),
                (vec![i, i, i], y.v3),
            ]
        };
        (0..x.len()).flat_map(sweep).collect()
    }
}

pub struct NumHyperDual;
impl Mode for NumHyperDual {
    const NAME: &'static str = "num_dual::HyperDual64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let mut seeded: Vec<nd::HyperDual64> = seed_own(x, i, nd::HyperDual::derivative1);
            seeded[j] = seeded[j].derivative2();
            let y = f.call(&seeded);
            [
                (vec![], y.re),
                (vec![i], y.eps1),
                (vec![j], y.eps2),
                (vec![i, j], y.eps1eps2),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct NumHyperHyperDual;
impl Mode for NumHyperHyperDual {
    const NAME: &'static str = "num_dual::HyperHyperDual64";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let mut seeded: Vec<nd::HyperHyperDual64> =
                seed_own(x, i, |x: nd::HyperHyperDual64| {
                    x.derivative1().derivative2()
                });
            seeded[j] = seeded[j].derivative3();
            let y = f.call(&seeded);
            [
                (vec![], y.re),
                (vec![i], y.eps1),
                (vec![i], y.eps2),
                (vec![j], y.eps3),
                (vec![i, i], y.eps1eps2),
                (vec![i, j], y.eps1eps3),
                (vec![i, j], y.eps2eps3),
                (vec![i, i, j], y.eps1eps2eps3),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct NumDualVec;
impl Mode for NumDualVec {
    const NAME: &'static str = "num_dual::DualSVec64<4>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let seeded = |(i, x): (usize, &f64)| nd::DualSVec64::from_re(*x).derivative(i);
        let seeded: Vec<nd::DualSVec64<LANES>> = x.iter().enumerate().map(seeded).collect();
        let y = f.call(&seeded);
        let eps = y.eps.unwrap_generic(U4, U1);
        let tangents = (0..x.len()).map(|i| (vec![i], eps[i]));
        std::iter::once((vec![], y.re)).chain(tangents).collect()
    }
}

pub struct NumDual2Vec;
impl Mode for NumDual2Vec {
    const NAME: &'static str = "num_dual::Dual2SVec64<4>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let seeded = |(i, x): (usize, &f64)| nd::Dual2SVec64::from_re(*x).derivative(i);
        let seeded: Vec<nd::Dual2SVec64<LANES>> = x.iter().enumerate().map(seeded).collect();
        let y = f.call(&seeded);
        let (v1, v2) = (y.v1.unwrap_generic(U1, U4), y.v2.unwrap_generic(U4, U4));
        let first = (0..x.len()).map(|i| (vec![i], v1[i]));
        let second = pairs(x.len()).map(|(i, j)| (vec![i, j], v2[(i, j)]));
        std::iter::once((vec![], y.re))
            .chain(first)
            .chain(second)
            .collect()
    }
}

pub struct NumHyperDualVec;
impl Mode for NumHyperDualVec {
    const NAME: &'static str = "num_dual::HyperDualSVec64<4, 4>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let seeded = |(i, x): (usize, &f64)| {
            nd::HyperDualSVec64::from_re(*x)
                .derivative1(i)
                .derivative2(i)
        };
        let seeded: Vec<nd::HyperDualSVec64<LANES, LANES>> =
            x.iter().enumerate().map(seeded).collect();
        let y = f.call(&seeded);
        let (eps1, eps2) = (y.eps1.unwrap_generic(U4, U1), y.eps2.unwrap_generic(U1, U4));
        let eps1eps2 = y.eps1eps2.unwrap_generic(U4, U4);
        let first = (0..x.len()).flat_map(|i| [(vec![i], eps1[i]), (vec![i], eps2[i])]);
        let second = pairs(x.len()).map(|(i, j)| (vec![i, j], eps1eps2[(i, j)]));
        std::iter::once((vec![], y.re))
            .chain(first)
            .chain(second)
            .collect()
    }
}

pub struct NumDualOfOurDual;
impl Mode for NumDualOfOurDual {
    const NAME: &'static str = "num_dual::Dual<Dual<f64>>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let mut seeded: Vec<nd::Dual<Dual<f64>>> =
                seed(x, i).into_iter().map(nd::Dual::from_re).collect();
            seeded[j] = seeded[j].derivative();
            let y = f.call(&seeded);
            [
                (vec![], y.re.value),
                (vec![i], y.re.tangent),
                (vec![j], y.eps.value),
                (vec![i, j], y.eps.tangent),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}

pub struct OurDualOfNumDual;
impl Mode for OurDualOfNumDual {
    const NAME: &'static str = "Dual<num_dual::Dual64>";
    fn partials<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Partials {
        let sweep = |(i, j): (usize, usize)| {
            let inner = seed_own(x, i, nd::Dual64::derivative);
            let y = f.call(&seed(&inner, j));
            assert_eq!(y.re().to_bits(), y.value.re.to_bits());
            [
                (vec![], y.value.re),
                (vec![i], y.value.eps),
                (vec![j], y.tangent.re),
                (vec![i, j], y.tangent.eps),
            ]
        };
        pairs(x.len()).flat_map(sweep).collect()
    }
}
