//! Residuals of bundle adjustment: reprojection errors of points seen by cameras.
//!
//! Invariant: an observation depends on 15 independents only (11 of its camera, 3 of its point, its weight), so that
//! [`residual`] with 16 lanes gives its whole block of the Jacobian in one pass.
//! Source: Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective BA.

use std::ops::{Range, Sub};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wengert::{Function, Mask, Rows, Scalar};

use crate::ProblemError;
use crate::text::{MOST_INPUTS, Reader, read};

/// Numbers per camera: rotation (3), centre (3), focal length, principal point (2), distortion (2).
pub const CAMERA: usize = 11;
/// Numbers per point.
pub const POINT: usize = 3;
/// Inputs of one observation: a camera, a point and a weight.
pub const OBSERVATION: usize = CAMERA + POINT + 1;

/// The weighted reprojection error of one observation.
///
/// ```
/// use wengert_problems::bundle_adjustment::residual;
/// // No rotation, camera at the origin, focal length 10, principal point (1, 2), no distortion.
/// let camera = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0, 1.0, 2.0, 0.0, 0.0];
/// assert_eq!(residual(&camera, &[1.0, 2.0, 4.0], 2.0, &[3.5, 6.0]), [0.0, 2.0]);
/// ```
/// **Shape**: `camera` [`CAMERA`] and `point` [`POINT`] entries; `feature` plain numbers or carriers.
/// **Cost**: about 40 multiplications, a square root, a sine and a cosine.
/// **Source**: ADBench, objective BA; distortion of Brown 1966.
#[inline]
pub fn residual<S, F>(camera: &[S], point: &[S], weight: S, feature: &[F; 2]) -> [S; 2]
where
    S: Scalar + Sub<F, Output = S>,
    F: Copy,
{
    let (rotation, centre) = (&camera[..3], &camera[3..6]);
    let (focal, principal) = (camera[6], &camera[7..9]);
    let (k1, k2) = (camera[9], camera[10]);
    let offset = [
        point[0] - centre[0],
        point[1] - centre[1],
        point[2] - centre[2],
    ];
    let [x, y, z] = rotate(rotation, &offset);
    let (a, b) = (x / z, y / z);
    let rho = a * a + b * b;
    let scale = k1 * rho + 1.0 + k2 * rho * rho;
    let project =
        |image: S, principal: S, feature: F| (image * scale * focal + principal - feature) * weight;
    [
        project(a, principal[0], feature[0]),
        project(b, principal[1], feature[1]),
    ]
}

/// The residual that keeps a weight near 1, `1 - w^2`.
///
/// **Shape**: a number. **Cost**: one multiplication. **Source**: ADBench, objective BA.
#[inline]
pub fn weight_residual<S: Scalar>(weight: S) -> S {
    -(weight * weight) + 1.0
}

/// Rotates `x` about the angle-axis vector `r`.
///
/// At `r = 0` the coefficients are their expansions, so that derivatives up to the second are exact there. They are
/// selected and not branched on, because the cameras of one adjustment share their operations.
///
/// ```
/// use wengert_problems::bundle_adjustment::rotate;
/// let quarter = [0.0, 0.0, std::f64::consts::FRAC_PI_2];
/// let [x, y, z] = rotate(&quarter, &[1.0, 0.0, 2.0]);
/// assert!(x.abs() < 1e-15 && (y - 1.0).abs() < 1e-15 && z == 2.0);
/// ```
/// **Shape**: `r` has 3 entries. **Cost**: 25 multiplications, a division, a square root, a sine and a cosine.
/// **Source**: Rodrigues 1840.
#[inline]
pub fn rotate<S: Scalar>(r: &[S], x: &[S; 3]) -> [S; 3] {
    let squared_angle = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    let turns = S::from(0.0).lt_mask(squared_angle);
    let angle = squared_angle.sqrt();
    let (sin, cos) = angle.sin_cos();
    let inverse = angle.recip();
    let (mut cos, mut sinc) = (cos, sin * inverse);
    // One division by the angle after the other: its square may underflow.
    let mut versine = (-cos + 1.0) * inverse * inverse;
    if turns.decided() != Some(true) {
        cos = S::select(turns, cos, squared_angle * -0.5 + 1.0);
        sinc = S::select(turns, sinc, S::from(1.0));
        versine = S::select(turns, versine, S::from(0.5));
    }
    let along = (r[0] * x[0] + r[1] * x[1] + r[2] * x[2]) * versine;
    let across = cross(&[r[0], r[1], r[2]], x);
    // Written out: a closure over arrays of wide numbers is a call that copies them.
    [
        x[0] * cos + across[0] * sinc + r[0] * along,
        x[1] * cos + across[1] * sinc + r[1] * along,
        x[2] * cos + across[2] * sinc + r[2] * along,
    ]
}

/// The vector product.
#[inline]
fn cross<S: Scalar>(a: &[S; 3], b: &[S; 3]) -> [S; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// An instance: `n` cameras, `m` points, `p` observations; observation `i` is of point `i mod m` by camera `i mod n`.
///
/// Independents: 11 per camera, 3 per point, 1 weight per observation. Outputs: two residuals per observation, then
/// one weight residual per observation.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::bundle_adjustment::BundleAdjustment;
/// let ba = BundleAdjustment::generate(2, 3, 6, 1)?;
/// let (x, mut y) = (ba.x0(), [0.0; 18]);
/// ba.eval(&x, &mut y);
/// assert_eq!((x.len(), ba.outputs(x.len())), (2 * 11 + 3 * 3 + 6, 18));
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `11n + 3m + p` inputs, `3p` outputs, 31 nonzero partials per observation.
/// **Cost**: `p` times [`residual`].
/// **Source**: ADBench, objective BA.
#[derive(Clone, Debug)]
pub struct BundleAdjustment {
    n: usize,
    m: usize,
    features: Vec<[f64; 2]>,
    /// Per observation, where its camera and its point start among the inputs.
    starts: (Vec<usize>, Vec<usize>),
    x0: Vec<f64>,
}

impl BundleAdjustment {
    /// Reads the file format of the suite: `n m p`, then one camera, point, weight and feature, which all are copies of.
    ///
    /// **Cost**: linear in the instance.
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
        let n = reader.positive("the number of cameras")?;
        let m = reader.positive("the number of points")?;
        let p = reader.positive("the number of observations")?;
        reader.check_inputs(inputs(n, m, p))?;
        let camera = reader.array::<CAMERA>("a number of the camera")?;
        let point = reader.array::<POINT>("a coordinate of the point")?;
        let weight = reader.number("the weight")?;
        let feature = reader.array::<2>("a coordinate of the feature")?;
        reader.end()?;
        let mut x0 = camera.repeat(n);
        x0.extend(point.repeat(m));
        x0.resize(x0.len() + p, weight);
        Ok(Self {
            n,
            m,
            features: vec![feature; p],
            starts: starts(n, m, p),
            x0,
        })
    }

    /// An instance with cameras around a cloud of points in front of them, and features within a pixel of the truth.
    ///
    /// **Cost**: linear in the sizes.
    ///
    /// # Errors
    /// [`ProblemError::Size`] for a size of 0 or more than 10^8 inputs.
    pub fn generate(n: usize, m: usize, p: usize, seed: u64) -> Result<Self, ProblemError> {
        let len = inputs(n, m, p).filter(|len| *len <= MOST_INPUTS);
        let (Some(len), true) = (len, n > 0 && m > 0 && p > 0) else {
            return Err(ProblemError::size(
                "ba",
                "n m p >= 1 and not huge",
                &[n, m, p],
            ));
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = |lo: f64, hi: f64| rng.random_range(lo..hi);
        let mut x0 = Vec::with_capacity(len);
        for _ in 0..n {
            x0.extend([0; 3].map(|_| uniform(-0.3, 0.3)));
            x0.extend([uniform(-0.5, 0.5), uniform(-0.5, 0.5), uniform(-6.0, -4.0)]);
            x0.extend([
                uniform(400.0, 600.0),
                uniform(-10.0, 10.0),
                uniform(-10.0, 10.0),
            ]);
            x0.extend([uniform(-0.1, 0.1), uniform(-0.01, 0.01)]);
        }
        x0.extend((0..POINT * m).map(|_| uniform(-1.0, 1.0)));
        x0.extend((0..p).map(|_| uniform(0.5, 1.0)));
        let mut instance = Self {
            n,
            m,
            features: Vec::new(),
            starts: starts(n, m, p),
            x0,
        };
        instance.features = (0..p)
            .map(|i| {
                let (camera, point) = (instance.camera_columns(i), instance.point_columns(i));
                let truth = residual(&instance.x0[camera], &instance.x0[point], 1.0, &[0.0; 2]);
                truth.map(|t| t + uniform(-1.0, 1.0))
            })
            .collect();
        Ok(instance)
    }

    /// The number of cameras.
    pub const fn cameras(&self) -> usize {
        self.n
    }

    /// The number of points.
    pub const fn points(&self) -> usize {
        self.m
    }

    /// The number of observations.
    pub const fn observations(&self) -> usize {
        self.features.len()
    }

    /// The features, one per observation.
    pub fn features(&self) -> &[[f64; 2]] {
        &self.features
    }

    /// The start values of the independents, in their order.
    pub fn x0(&self) -> Vec<f64> {
        self.x0.clone()
    }

    /// The inputs that are the camera of observation `i`.
    pub fn camera_columns(&self, i: usize) -> Range<usize> {
        let first = self.starts.0[i];
        first..first + CAMERA
    }

    /// The inputs that are the point of observation `i`.
    pub fn point_columns(&self, i: usize) -> Range<usize> {
        let first = self.starts.1[i];
        first..first + POINT
    }

    /// The input that is the weight of observation `i`.
    pub const fn weight_column(&self, i: usize) -> usize {
        CAMERA * self.n + POINT * self.m + i
    }

    /// The nonzero columns of both residuals of observation `i`, increasing.
    ///
    /// As in the suite both rows list both coordinates of the principal point; one of them is 0 in each.
    ///
    /// ```
    /// # use wengert_problems::bundle_adjustment::BundleAdjustment;
    /// let ba = BundleAdjustment::generate(2, 3, 6, 1)?;
    /// assert_eq!(ba.columns(4), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 25, 26, 27, 35]);
    /// # Ok::<(), wengert_problems::ProblemError>(())
    /// ```
    pub fn columns(&self, i: usize) -> [usize; OBSERVATION] {
        let (camera, point) = (self.camera_columns(i).start, self.point_columns(i).start);
        std::array::from_fn(|c| match c {
            c if c < CAMERA => camera + c,
            c if c < CAMERA + POINT => point + c - CAMERA,
            _ => self.weight_column(i),
        })
    }

    /// The sparsity pattern of the Jacobian, compressed by rows: where each row starts, and the columns.
    ///
    /// **Shape**: `3p + 1` row starts, `31p` columns. **Cost**: linear in that.
    pub fn jacobian_pattern(&self) -> (Vec<usize>, Vec<usize>) {
        let p = self.observations();
        let mut rows = Vec::with_capacity(3 * p + 1);
        let mut columns = Vec::with_capacity((2 * OBSERVATION + 1) * p);
        rows.push(0);
        for i in 0..p {
            for _ in 0..2 {
                columns.extend(self.columns(i));
                rows.push(columns.len());
            }
        }
        for i in 0..p {
            columns.push(self.weight_column(i));
            rows.push(columns.len());
        }
        (rows, columns)
    }
}

impl Function for BundleAdjustment {
    fn inputs(&self) -> Option<usize> {
        Some(self.x0.len())
    }

    fn outputs(&self, _: usize) -> usize {
        3 * self.observations()
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let p = self.observations();
        let (residuals, weight_residuals) = y.split_at_mut(2 * p);
        let (camera_starts, point_starts) = &self.starts;
        let reason = "the starts are those of cameras and points";
        let lanes = [
            Rows::gathered(x, CAMERA, camera_starts).expect(reason),
            Rows::gathered(x, POINT, point_starts).expect(reason),
            Rows::column(&x[self.weight_column(0)..]),
        ];
        let features = Rows::from(self.features.as_slice());
        S::map_rows(&lanes, &[features], residuals, |x, feature, y| {
            let (camera, rest) = x.split_at(CAMERA);
            let (point, weight) = (&rest[..POINT], rest[POINT]);
            y.copy_from_slice(&residual(camera, point, weight, &[feature[0], feature[1]]));
        });
        let weights = Rows::column(&x[self.weight_column(0)..]);
        S::map_rows(&[weights], &[], weight_residuals, |weight, _, y| {
            y[0] = weight_residual(weight[0]);
        });
    }
}

/// Where the cameras and the points of `p` observations start.
fn starts(n: usize, m: usize, p: usize) -> (Vec<usize>, Vec<usize>) {
    let cameras = (0..p).map(|i| CAMERA * (i % n));
    let points = (0..p).map(|i| CAMERA * n + POINT * (i % m));
    (cameras.collect(), points.collect())
}

/// The number of independents, unless it overflows.
fn inputs(n: usize, m: usize, p: usize) -> Option<usize> {
    CAMERA
        .checked_mul(n)?
        .checked_add(POINT.checked_mul(m)?)?
        .checked_add(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert::forward::Lanes;

    const SMALL: &str = "1 1 2\n1 2 3 4 5 6 7 8 9 10 11\n1 2 3\n0.5\n1 2";

    #[test]
    fn every_truncation_and_every_wrong_word_is_an_error() {
        assert!(BundleAdjustment::from_text(SMALL).is_ok());
        let words: Vec<&str> = SMALL.split_whitespace().collect();
        for at in 0..words.len() {
            let short = BundleAdjustment::from_text(&words[..at].join(" ")).unwrap_err();
            assert!(short.to_string().contains("the end of the file"), "{short}");
            let mut words = words.clone();
            words[at] = "1..2";
            let wrong = BundleAdjustment::from_text(&words.join("\n")).unwrap_err();
            assert!(
                wrong
                    .to_string()
                    .starts_with(&format!("<text>:{}:", at + 1)),
                "{wrong}"
            );
        }
        assert!(BundleAdjustment::from_text(&format!("{SMALL} 3")).is_err());
    }

    #[test]
    fn huge_sizes_are_errors_and_cost_no_memory() {
        let rest = SMALL.split_once('\n').unwrap().1;
        for sizes in [
            "18446744073709551615 1 1",
            "1 9999999999999 1",
            "1 1 100000001",
            "0 1 1",
        ] {
            assert!(
                BundleAdjustment::from_text(&format!("{sizes}\n{rest}")).is_err(),
                "{sizes}"
            );
        }
        assert!(BundleAdjustment::generate(usize::MAX, usize::MAX, 1, 0).is_err());
    }

    /// At r = 0 the derivative of the rotation by r is the cross product, from both branches.
    #[test]
    fn rotation_is_differentiable_at_zero() {
        for tiny in [0.0, 1e-9] {
            let r: [Lanes<f64, 3>; 3] = std::array::from_fn(|i| Lanes::variable(tiny, i));
            let turned = rotate(&r, &[1.0, 2.0, 3.0].map(Lanes::constant));
            let expected = [[0.0, 3.0, -2.0], [-3.0, 0.0, 1.0], [2.0, -1.0, 0.0]];
            for (turned, expected) in turned.iter().zip(expected) {
                for (t, e) in turned.tangents.iter().zip(expected) {
                    assert!((t - e).abs() < 1e-7, "{t} {e}");
                }
            }
        }
    }

    #[test]
    fn the_pattern_is_that_of_the_function() {
        let ba = BundleAdjustment::generate(2, 3, 5, 3).unwrap();
        let (rows, columns) = ba.jacobian_pattern();
        let x = ba.x0();
        assert_eq!((rows.len(), columns.len(), x.len()), (16, 31 * 5, 36));
        let x: Vec<Lanes<f64, 36>> = x
            .iter()
            .enumerate()
            .map(|(i, x)| Lanes::variable(*x, i))
            .collect();
        let mut y = vec![Lanes::constant(0.0); 15];
        ba.eval(&x, &mut y);
        for (row, y) in y.iter().enumerate() {
            let pattern = &columns[rows[row]..rows[row + 1]];
            // Each residual has its own coordinate of the principal point; the other one's partial is a stored 0.
            let other = (row < 10).then(|| pattern[8 - row % 2]);
            let depends = |c: &usize| pattern.contains(c) && Some(*c) != other;
            let nonzero: Vec<usize> = (0..36).filter(|c| y.tangents[*c] != 0.0).collect();
            assert_eq!(nonzero, (0..36).filter(depends).collect::<Vec<_>>());
        }
    }
}
