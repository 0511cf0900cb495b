//! Jacobian of bundle adjustment, one small dense block per observation (ADBench's BA residuals).
//!
//! Invariant: every observation writes 31 values: two rows of 15 (camera 11, point 3, weight 1) and
//! the derivative of its weight residual. All observations are computed, though the instance of the
//! benchmark repeats one camera and one point.
//! Source: Šrajer, Kukelova & Fitzgibbon 2018 (as for the mixture).

use std::hint::black_box;
use std::path::Path;

use nalgebra::{SVector, vector};
use num_dual::{DualNum, DualSVec64, first_derivative, jacobian};
use serde::Deserialize;
use wengert::forward::{Lanes, derivative};

use crate::input;
use crate::measure::{Comparison, Contestant, OURS, PLAIN, Workload, compare};

const CAMERA: usize = 11;
const POINT: usize = 3;
/// Independents of one observation.
const LOCAL: usize = CAMERA + POINT + 1;
/// Lanes of this project's contestant: one is idle, but whole registers are faster than fifteen numbers.
const LANES: usize = 16;
/// Values written for one observation.
const STORED: usize = 2 * LOCAL + 1;

/// Cameras, points, weights and features; observation i uses camera i mod n and point i mod m.
pub(crate) struct Adjustment {
    cameras: Vec<[f64; CAMERA]>,
    points: Vec<[f64; POINT]>,
    weights: Vec<f64>,
    features: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(rename = "J_block0_rowmajor_2x15")]
    block: Vec<f64>,
    w_row_value0: [f64; 1],
}

/// Times the whole Jacobian; reads the instance from `adbench` where it exists.
pub(crate) fn run(adbench: &Path, rounds: u32) -> Result<Comparison, String> {
    let file = adbench.join("ba/ba1_n49_m7776_p31843.txt");
    let (adjustment, name) = match input::numbers(&file)? {
        Some(numbers) => (Adjustment::parse(&numbers)?, "ba n=49 m=7776 p=31843"),
        None => (
            Adjustment::generate(49, 7776, 31_843),
            "ba n=49 m=7776 p=31843 (generated)",
        ),
    };
    let oracle = adbench.join("expected/ba_ba1_n49_m7776_p31843.json");
    let reference = match input::json::<Expected>(&oracle)? {
        Some(expected) if file.exists() => Some(expected),
        _ => None,
    };
    compare(workload(&adjustment, name, reference, &oracle), rounds)
}

fn workload<'a>(
    adjustment: &'a Adjustment,
    name: &str,
    reference: Option<Expected>,
    oracle: &Path,
) -> Workload<'a> {
    let results = STORED * adjustment.features.len();
    let oracle = reference.as_ref().map(|_| oracle.display().to_string());
    let expected = reference.map_or_else(Vec::new, |e| {
        // The weight residual is small beside the block: it is compared on its own, too.
        let mut stored = e.block;
        stored.extend(e.w_row_value0);
        let all = stored.repeat(adjustment.features.len());
        vec![(0, all), (STORED - 1, e.w_row_value0.to_vec())]
    });
    Workload {
        name: name.to_owned(),
        operation: "nonzero of the Jacobian",
        operations: u32::try_from(results).unwrap_or(u32::MAX),
        evaluations: 1,
        plain: Contestant::new(PLAIN, move |out| {
            let all = black_box(adjustment);
            for (i, out) in out.chunks_exact_mut(STORED).enumerate() {
                let (x, feature) = all.observation(i);
                let [a, b] = residual(&x, feature);
                out[..3].copy_from_slice(&[a, b, weight_residual(x[LOCAL - 1])]);
            }
        }),
        contestants: contestants(adjustment),
        expected,
        oracle,
        results,
        tolerance: 1e-9,
    }
}

fn contestants(adjustment: &Adjustment) -> Vec<Contestant<'_>> {
    vec![
        Contestant::new(OURS, move |out| {
            let all = black_box(adjustment);
            for (i, out) in out.chunks_exact_mut(STORED).enumerate() {
                let (x, feature) = all.observation(i);
                let mut active = [Lanes::<f64, LANES>::constant(0.0); LOCAL];
                for (k, (active, &x)) in active.iter_mut().zip(&x).enumerate() {
                    *active = Lanes::variable(x, k);
                }
                for (row, y) in out.chunks_exact_mut(LOCAL).zip(residual(&active, feature)) {
                    row.copy_from_slice(&y.tangents[..LOCAL]);
                }
                out[STORED - 1] = derivative(weight_residual, x[LOCAL - 1]);
            }
        }),
        Contestant::new("num-dual", move |out| {
            let all = black_box(adjustment);
            for (i, out) in out.chunks_exact_mut(STORED).enumerate() {
                let (x, feature) = all.observation(i);
                let mut active = [DualSVec64::<LOCAL>::from_re(0.0); LOCAL];
                for (k, (active, &x)) in active.iter_mut().zip(&x).enumerate() {
                    *active = DualSVec64::from_re(x).derivative(k);
                }
                for (row, y) in out.chunks_exact_mut(LOCAL).zip(residual(&active, feature)) {
                    match y.eps.0 {
                        Some(eps) => row.copy_from_slice(eps.as_slice()),
                        None => row.fill(0.0),
                    }
                }
                out[STORED - 1] = first_derivative(weight_residual, x[LOCAL - 1]).1;
            }
        }),
        Contestant::new("num-dual jacobian", move |out| {
            let all = black_box(adjustment);
            for (i, out) in out.chunks_exact_mut(STORED).enumerate() {
                let (x, feature) = all.observation(i);
                let f = |x: SVector<DualSVec64<LOCAL>, LOCAL>| {
                    let [a, b] = residual(&x.data.0[0], feature);
                    vector![a, b]
                };
                let (_, block) = jacobian(f, &SVector::from(x));
                for (row, values) in out.chunks_exact_mut(LOCAL).zip(block.row_iter()) {
                    for (entry, value) in row.iter_mut().zip(values.iter()) {
                        *entry = *value;
                    }
                }
                out[STORED - 1] = first_derivative(weight_residual, x[LOCAL - 1]).1;
            }
        }),
    ]
}

/// The two reprojection residuals of one observation at its fifteen independents.
///
/// It and its helpers are inlined by force: a call would pass vectors of dual numbers through memory
/// and hide from the compiler which of their entries are 0 and 1, at three times num-dual's time.
#[inline(always)]
pub(crate) fn residual<D: DualNum<Primitive = f64> + Copy>(
    x: &[D; LOCAL],
    feature: [f64; 2],
) -> [D; 2] {
    let [
        r0,
        r1,
        r2,
        c0,
        c1,
        c2,
        focal,
        u0,
        v0,
        k1,
        k2,
        p0,
        p1,
        p2,
        weight,
    ] = *x;
    let [x0, x1, x2] = rotate([r0, r1, r2], [p0 - c0, p1 - c1, p2 - c2]);
    let depth = x2.recip();
    let (a, b) = (x0 * depth, x1 * depth);
    let rho = a * a + b * b;
    let scale = focal * (rho * (k1 + k2 * rho) + 1.0);
    [
        weight * (scale * a + u0 - feature[0]),
        weight * (scale * b + v0 - feature[1]),
    ]
}

/// One minus the squared weight.
pub(crate) fn weight_residual<D: DualNum<Primitive = f64> + Copy>(weight: D) -> D {
    -(weight * weight) + 1.0
}

/// Rodrigues' formula; the first-order form at the zero rotation.
#[inline(always)]
fn rotate<D: DualNum<Primitive = f64> + Copy>(r: [D; 3], x: [D; 3]) -> [D; 3] {
    let squared = dot(r, r);
    if squared > 0.0 {
        let angle = squared.sqrt();
        let (sin, cos) = angle.sin_cos();
        let inverse = angle.recip();
        // Written out: `array::map` and `from_fn` are calls that the compiler may not inline.
        let axis = [r[0] * inverse, r[1] * inverse, r[2] * inverse];
        let across = cross(axis, x);
        let along = dot(axis, x) * (-cos + 1.0);
        [
            x[0] * cos + across[0] * sin + axis[0] * along,
            x[1] * cos + across[1] * sin + axis[1] * along,
            x[2] * cos + across[2] * sin + axis[2] * along,
        ]
    } else {
        let across = cross(r, x);
        [x[0] + across[0], x[1] + across[1], x[2] + across[2]]
    }
}

#[inline(always)]
fn dot<D: DualNum<Primitive = f64> + Copy>(a: [D; 3], b: [D; 3]) -> D {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[inline(always)]
fn cross<D: DualNum<Primitive = f64> + Copy>(a: [D; 3], b: [D; 3]) -> [D; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

impl Adjustment {
    /// Reads `n m p`, one camera, one point, one weight, one feature, and copies them.
    fn parse(numbers: &[f64]) -> Result<Self, String> {
        let mut rest = numbers;
        let head = input::take(&mut rest, 3)?;
        let (n, m, p) = (
            input::size(head[0])?,
            input::size(head[1])?,
            input::size(head[2])?,
        );
        if n == 0 || m == 0 || p == 0 {
            return Err("an adjustment needs a camera, a point and an observation".to_owned());
        }
        let mut camera = [0.0; CAMERA];
        camera.copy_from_slice(input::take(&mut rest, CAMERA)?);
        let mut point = [0.0; POINT];
        point.copy_from_slice(input::take(&mut rest, POINT)?);
        let weight = input::take(&mut rest, 1)?[0];
        let mut feature = [0.0; 2];
        feature.copy_from_slice(input::take(&mut rest, 2)?);
        Ok(Self {
            cameras: vec![camera; n],
            points: vec![point; m],
            weights: vec![weight; p],
            features: vec![feature; p],
        })
    }

    /// Copies of a fixed camera and point, of the same sizes as the benchmark's.
    fn generate(n: usize, m: usize, p: usize) -> Self {
        let camera = [-0.4, 0.3, 0.8, 1.0, 2.0, -3.0, 400.0, 5.0, -8.0, 0.1, 0.01];
        Self {
            cameras: vec![camera; n],
            points: vec![[0.5, -0.25, 4.0]; m],
            weights: vec![0.5; p],
            features: vec![[20.0, -10.0]; p],
        }
    }

    /// The independents and the feature of observation `i`.
    #[inline]
    fn observation(&self, i: usize) -> ([f64; LOCAL], [f64; 2]) {
        let mut x = [0.0; LOCAL];
        x[..CAMERA].copy_from_slice(&self.cameras[i % self.cameras.len()]);
        x[CAMERA..LOCAL - 1].copy_from_slice(&self.points[i % self.points.len()]);
        x[LOCAL - 1] = self.weights[i];
        (x, self.features[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_by_hand() {
        let quarter = std::f64::consts::FRAC_PI_2;
        let [a, b, c] = rotate([0.0, 0.0, quarter], [1.0, 2.0, 3.0]);
        assert!((a + 2.0).abs() < 1e-15 && (b - 1.0).abs() < 1e-15 && (c - 3.0).abs() < 1e-15);
        assert_eq!(rotate([0.0; 3], [1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn blocks_agree_with_central_differences() {
        let adjustment = Adjustment::generate(2, 3, 4);
        let (x, feature) = adjustment.observation(1);
        let mut block = vec![0.0; 2 * LOCAL];
        for k in 0..LOCAL {
            let h = 1e-6 * x[k].abs().max(0.1);
            let shifted = |h: f64| {
                let mut x = x;
                x[k] += h;
                residual(&x, feature)
            };
            let (up, down) = (shifted(h), shifted(-h));
            block[k] = (up[0] - down[0]) / (2.0 * h);
            block[LOCAL + k] = (up[1] - down[1]) / (2.0 * h);
        }
        let expected = Expected {
            block,
            w_row_value0: [-2.0 * x[LOCAL - 1]],
        };
        let mut workload = workload(&adjustment, "small", Some(expected), Path::new("by hand"));
        workload.tolerance = 1e-7;
        let comparison = compare(workload, 1);
        assert!(comparison.is_ok(), "{comparison:?}");
    }

    #[test]
    fn sizes_must_not_be_zero() {
        assert!(Adjustment::parse(&[0.0; 20]).is_err());
    }
}
